"""A claim that is changed keeps its place until it has another, and its old ticket is dead (C2)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import reservations
from cloud_controller.flows.reservations import TicketIsHeld
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken
from common.rules.reservations import Range
from common.rules.tickets import DenialReason
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.test_orders import SLOT_MS, wish

ENGINES = ["sqlite", "postgres"]


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def slot(house: HouseInHand, number: int, *, slots: int = 1) -> Range:
    """Return the slot that begins so many slots from now."""
    starts_at = house.clock.now + number * SLOT_MS
    return Range(starts_at=starts_at, ends_at=starts_at + slots * SLOT_MS)


def ticket(house: HouseInHand, link: str) -> dict[str, Any]:
    return dict(house.books.do(reservations.ticket, link))


def test_c4_a_ticket_of_another_time_opens_then_and_its_old_picture_never_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=1, device=device))
    old = ticket(house, link)
    house.books.do(reservations.reschedule, link, slot(house, 0))
    new = ticket(house, link)
    assert (new["ticket_id"], new["revision"]) == (old["ticket_id"], 1)
    assert house.scan(terminal, device, old["token"]).reason == DenialReason.REVOKED
    assert house.scan(terminal, device, new["token"]).type == "rights.right"
    (dead,) = house.books.rows("revocations")
    assert (dead["ticket_id"], dead["revision"]) == (old["ticket_id"], 0)


def test_a_change_to_what_is_taken_changes_nothing(house, terminal):
    link = house.books.do(reservations.book, wish(house, slot=1))
    for device in house.devices_of(terminal):
        house.books.do(reservations.book, wish(house, slot=2, device=device))
    before = house.books.everything()
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.reschedule, link, slot(house, 2))
    assert house.books.everything() == before


def test_a_change_may_overlap_what_is_changed(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=1, device=device))
    house.books.do(reservations.reschedule, link, slot(house, 1, slots=2))
    assert ticket(house, link)["device_id"] == device
    house.books.do(reservations.reschedule, link, slot(house, 1))
    after = ticket(house, link)
    assert (after["ends_at"] - after["starts_at"], after["revision"]) == (SLOT_MS, 2)


def test_moved_where_its_device_is_taken_it_takes_another_and_a_wish_for_one_is_kept(
    house, terminal
):
    device, other = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=1, device=device))
    house.books.do(reservations.book, wish(house, slot=2, device=device))
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.reschedule, link, slot(house, 2), device)
    house.books.do(reservations.reschedule, link, slot(house, 2))
    assert ticket(house, link)["device_id"] == other


def test_c4_transferred_the_old_ticket_and_link_are_dead_at_once(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=0, device=device))
    old = ticket(house, link)
    new_link = house.books.do(reservations.transfer, link)
    with pytest.raises(NotFound):
        house.books.do(reservations.ticket, link)
    new = ticket(house, new_link)
    assert new["short_code"] != old["short_code"]
    assert house.scan(terminal, device, old["token"]).reason == DenialReason.REVOKED
    assert house.scan(terminal, device, new["token"]).type == "rights.right"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("what", ["reschedule", "transfer", "cancel"])
def test_each_has_a_cut_off_of_its_own(house, what):
    cut_offs = (0, SLOT_SECONDS) if what == "cancel" else (SLOT_SECONDS, 0)
    house.books.connection.execute(
        "UPDATE offerings SET change_seconds = ?, cancel_seconds = ?", cut_offs
    )
    link = house.books.do(reservations.book, wish(house, slot=1))
    changes = {
        "reschedule": lambda: house.books.do(reservations.reschedule, link, slot(house, 3)),
        "transfer": lambda: house.books.do(reservations.transfer, link),
        "cancel": lambda: house.books.do(reservations.cancel, link, by_customer=True),
    }
    house.clock.move(1)
    before = house.books.everything()
    with pytest.raises(NotAllowed, match="too soon"):
        changes[what]()
    assert house.books.everything() == before


def test_what_is_held_used_or_over_is_not_changed(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=0, device=device))
    house.scan(terminal, device, ticket(house, link)["token"])
    with pytest.raises(NotAllowed):
        house.books.do(reservations.reschedule, link, slot(house, 1))
    with pytest.raises(NotAllowed):
        house.books.do(reservations.transfer, link)


def test_what_a_terminal_alone_may_redeem_is_asked_back_before_it_is_changed(house, terminal):
    (device, _) = house.devices_of(terminal)
    link = house.books.do(reservations.book, wish(house, slot=1, device=device))
    house.hold(terminal)
    for change in (reservations.reschedule, reservations.transfer):
        arguments = (slot(house, 2),) if change is reservations.reschedule else ()
        with pytest.raises(TicketIsHeld):
            house.books.do(change, link, *arguments)


def test_no_more_often_than_the_token_can_count(house, terminal):
    link = house.books.do(reservations.book, wish(house, slot=1))
    house.books.connection.execute("UPDATE tickets SET revision = 255")
    with pytest.raises(NotAllowed, match="too often"):
        house.books.do(reservations.transfer, link)
    assert terminal


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("is_looked_at", [False, True], ids=["by the timer", "when it is wanted"])
def test_nobody_came_within_the_grace_so_the_slot_is_sellable_at_once(house, is_looked_at):
    house.books.connection.execute("UPDATE offerings SET grace_seconds = 600")
    both = [wish(house, slot=0, device=None) for _ in range(2)]
    links = [house.books.do(reservations.book, each) for each in both]
    house.clock.move(599)
    assert house.books.do(reservations.lapse) == []
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.book, now(house))
    house.clock.move(1)
    if not is_looked_at:
        assert len(house.books.do(reservations.lapse)) == 2
    house.books.do(reservations.book, now(house))
    gone = [ticket(house, link)["state"] for link in links]
    assert gone.count("no_show") == 2


def now(house: HouseInHand) -> reservations.Wish:
    wanted = house.books.do(reservations.wish_now, wish(house).offering, SLOT_SECONDS)
    assert isinstance(wanted, reservations.Wish)
    return wanted
