"""A customer books a free slot and gets its ticket; nobody gets it a second time (C2)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import reservations
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken
from common.ids import OfferingId
from common.rules.presence import Presence
from common.rules.reservations import Range
from common.seals import read_token, token_is_ours
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand

ENGINES = ["sqlite", "postgres"]

SLOT_MS = SLOT_SECONDS * 1000


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def wish(house: HouseInHand, **changed: object) -> reservations.Wish:
    offering = OfferingId(house.books.one("offerings")["offering_id"])
    slot = Range(starts_at=house.clock.now, ends_at=house.clock.now + SLOT_MS)
    return reservations.Wish(**{"offering": offering, "slot": slot, **changed})  # type: ignore[arg-type] # the tests change one part


def free(house: HouseInHand) -> list[int]:
    """Return how many devices are free in each slot of the next two hours."""
    window = Range(starts_at=house.clock.now, ends_at=house.clock.now + 4 * SLOT_MS)
    slots = house.books.do(reservations.free_slots, wish(house).offering, SLOT_SECONDS, window)
    return [len(slot["devices"]) for slot in slots]


def test_c2_a_booking_gives_a_ticket_that_is_signed_and_says_what_was_booked(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, device=device))
    row = house.books.do(reservations.ticket, link)
    read = read_token(row["token"])
    assert token_is_ours(read, house.keys.verifying_keys())
    assert read.token.ticket == row["ticket_id"]
    assert read.token.device_number == row["device_number"]
    assert (read.token.starts_at, read.token.length_seconds) == (house.clock.now, SLOT_SECONDS)
    assert len(link) == 32


@pytest.mark.usefixtures("terminal")
def test_c2_a_slot_is_sold_as_often_as_there_are_devices(house):
    assert free(house) == [2, 2, 2, 2]
    house.books.do(reservations.book, wish(house))
    house.books.do(reservations.book, wish(house))
    assert free(house) == [2, 2, 2]
    before = house.books.everything()
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.book, wish(house))
    assert house.books.everything() == before


def test_a_device_that_is_taken_is_not_given_to_another(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.books.do(reservations.book, wish(house, device=device))
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.book, wish(house, device=device))


@pytest.mark.usefixtures("terminal")
def test_what_is_given_up_is_free_at_once_and_opens_nothing(house):
    links = [house.books.do(reservations.book, wish(house)) for _ in range(2)]
    house.books.do(reservations.cancel, links[0])
    assert free(house) == [1, 2, 2, 2]
    assert house.states()["tickets"] == ["void", "issued"]
    with pytest.raises(NotAllowed):
        house.books.do(reservations.cancel, links[0])


def test_what_is_in_use_cannot_be_given_up(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, device=device))
    house.scan(terminal, device, house.books.do(reservations.ticket, link)["token"])
    before = house.books.everything()
    with pytest.raises(NotAllowed):
        house.books.do(reservations.cancel, link)
    assert house.books.everything() == before


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("shift_ms", "length_ms"),
    [(1, SLOT_MS), (SLOT_MS // 2, SLOT_MS), (-SLOT_MS, SLOT_MS), (0, SLOT_MS + 1000), (0, 1000)],
)
def test_what_is_no_slot_of_the_offering_cannot_be_booked(house, shift_ms, length_ms):
    starts_at = house.clock.now + shift_ms
    slot = Range(starts_at=starts_at, ends_at=starts_at + length_ms)
    with pytest.raises(NotAllowed):
        house.books.do(reservations.book, wish(house, slot=slot))
    assert house.states()["reservations"] == []


def test_nothing_is_booked_that_does_not_exist_or_is_not_on_offer(house, terminal):
    for changed in ({"offering": OfferingId("o-99")}, {"device": "d-99"}):
        with pytest.raises(NotFound):
            house.books.do(reservations.book, wish(house, **changed))
    house.books.connection.execute(
        "UPDATE terminals SET presence = ? WHERE terminal_id = ?",
        [Presence.GONE, terminal.who.terminal],
    )
    with pytest.raises(NotFound):
        house.books.do(reservations.book, wish(house))
    with pytest.raises(NotFound):
        house.books.do(reservations.ticket, "0" * 32)
    assert house.states()["reservations"] == []


@pytest.mark.usefixtures("terminal")
def test_a_claim_whose_ticket_never_came_lapses(house):
    house.book()
    house.clock.move(SLOT_SECONDS - 1)
    assert house.books.do(reservations.lapse) == []
    house.clock.move(1)
    assert len(house.books.do(reservations.lapse)) == 1
    assert house.states() == {"tickets": ["void"], "sessions": [], "reservations": ["no_show"]}
    assert house.books.do(reservations.lapse) == []
