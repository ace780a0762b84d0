"""An order is held while its customer decides or pays, and then his, or nobody's (C2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud_controller.flows import reservations
from cloud_controller.flows.reservations import Customer, HoldIsOver, Wish
from cloud_controller.ports import NotAllowed, SlotIsTaken
from common.ids import OfferingId
from common.messages.sessions import SessionEnded, SessionRunning
from common.rules.reservations import Range
from common.rules.tickets import DenialReason
from common.topics import Channel
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand

ENGINES = ["sqlite", "postgres"]

SLOT_MS = SLOT_SECONDS * 1000
HOLD_SECONDS = 600
MIKA = Customer(holder="mika", mail="mika@example.org", language="ja")
YUKI = Customer(holder="yuki")


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def wish(house: HouseInHand, *, slot: int = 1, device: str | None = None) -> Wish:
    """Return a wish for the slot that begins so many slots from now."""
    offering = OfferingId(house.books.one("offerings")["offering_id"])
    starts_at = house.clock.now + slot * SLOT_MS
    return Wish(
        offering=offering,
        slot=Range(starts_at=starts_at, ends_at=starts_at + SLOT_MS),
        device=device,
    )


def place(house: HouseInHand, *wishes: Wish, who: Customer = MIKA, is_held: bool = True) -> str:
    return str(house.books.do(reservations.place, wishes, who, is_held=is_held))


def charged(house: HouseInHand, order: str) -> str:
    """Note that an order was asked for its price."""
    for claim in house.books.do(reservations.claims_of, order):
        house.books.do(reservations.price, claim["reservation_id"], claim["price_cents"])
    return order


def states(house: HouseInHand) -> list[str]:
    return list(house.states()["reservations"])


@pytest.mark.usefixtures("terminal")
def test_c2_what_is_held_is_nobody_else_s_until_it_is_over(house):
    both = (wish(house), wish(house))
    place(house, *both)
    with pytest.raises(SlotIsTaken):
        place(house, wish(house), who=YUKI)
    house.clock.move(HOLD_SECONDS - 1)
    with pytest.raises(SlotIsTaken):
        place(house, replace(both[0]), who=YUKI)
    house.clock.move(1)
    place(house, both[0], who=YUKI, is_held=False)
    assert sorted(states(house)) == ["confirmed", "expired", "held"], (
        "cleared when it was looked at"
    )


@pytest.mark.usefixtures("terminal")
def test_what_one_holds_never_blocks_oneself_and_the_later_order_counts(house):
    place(house, wish(house), wish(house))
    window = Range(starts_at=house.clock.now, ends_at=house.clock.now + 3 * SLOT_MS)
    offering = wish(house).offering
    seen = house.books.do(reservations.free_slots, offering, SLOT_SECONDS, window, "mika")
    assert [len(slot["devices"]) for slot in seen] == [2, 2, 2]
    seen = house.books.do(reservations.free_slots, offering, SLOT_SECONDS, window, "yuki")
    assert [len(slot["devices"]) for slot in seen] == [2, 2]
    place(house, wish(house), wish(house))
    assert states(house) == ["cancelled", "cancelled", "held", "held"]


@pytest.mark.usefixtures("terminal")
def test_whoever_does_not_say_who_he_is_holds_what_he_holds(house):
    nobody = Customer()
    place(house, wish(house), who=nobody)
    place(house, wish(house), who=nobody)
    assert states(house) == ["held", "held"]


@pytest.mark.usefixtures("terminal")
def test_an_order_is_had_whole_or_not_at_all(house):
    before = house.books.everything()
    with pytest.raises(SlotIsTaken):
        place(house, wish(house), wish(house), wish(house))
    assert house.books.everything() == before


def test_c4_a_ticket_that_is_not_paid_opens_nothing_and_says_so(house, terminal):
    (device, _) = house.devices_of(terminal)
    order = place(house, wish(house, slot=0, device=device))
    (claim,) = house.books.do(reservations.claims_of, order)
    token = house.books.do(reservations.ticket, claim["link"])["token"]
    assert house.scan(terminal, device, token).reason == DenialReason.UNPAID
    house.books.do(reservations.confirm, order)
    assert house.scan(terminal, device, token).type == "rights.right"


@pytest.mark.usefixtures("terminal")
def test_confirmed_in_time_it_is_the_customer_s_own_and_again_changes_nothing(house):
    order = place(house, wish(house))
    house.books.do(reservations.confirm, order)
    before = house.books.everything()
    house.books.do(reservations.confirm, order)
    assert house.books.everything() == before
    assert states(house) == ["confirmed"]
    house.clock.move(HOLD_SECONDS)
    assert house.books.do(reservations.lapse) == []


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("is_lapsed", [False, True], ids=["not yet looked at", "expired"])
def test_a_payment_after_the_hold_is_good_while_the_place_is_free(house, is_lapsed):
    order = charged(house, place(house, wish(house)))
    (claim,) = house.books.do(reservations.claims_of, order)
    before = house.books.do(reservations.ticket, claim["link"])
    house.clock.move(HOLD_SECONDS)
    if is_lapsed:
        assert len(house.books.do(reservations.lapse)) == 1
        assert house.states()["tickets"] == ["void"]
    assert house.books.do(reservations.note_paid, order) == []
    now = house.books.do(reservations.ticket, claim["link"])
    assert (now["state"], now["ticket_state"]) == ("confirmed", "issued")
    assert (now["revision"] > before["revision"]) is is_lapsed


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("is_lapsed", [False, True], ids=["not yet looked at", "expired"])
def test_a_payment_after_the_hold_is_paid_back_when_somebody_has_the_place(house, is_lapsed):
    both = (wish(house), wish(house))
    order = charged(house, place(house, *both))
    house.clock.move(HOLD_SECONDS)
    if is_lapsed:
        house.books.do(reservations.lapse)
    place(house, both[0], who=YUKI, is_held=False)
    (too_late,) = house.books.do(reservations.note_paid, order)
    assert (too_late["order_id"], too_late["price_cents"]) == (order, 1500)
    assert sorted(states(house)) == ["confirmed", "confirmed", "expired"]


@pytest.mark.usefixtures("terminal")
def test_confirmed_too_late_it_is_said_and_nothing_has_changed(house):
    wanted = wish(house)
    order = place(house, wanted)
    house.clock.move(HOLD_SECONDS)
    place(house, replace(wanted), replace(wanted), who=YUKI, is_held=False)
    before = house.books.everything()
    with pytest.raises(HoldIsOver):
        house.books.do(reservations.confirm, order)
    assert house.books.everything() == before


@pytest.mark.usefixtures("terminal")
def test_what_is_let_go_is_free_at_once_and_what_is_confirmed_stays(house):
    order = place(house, wish(house), wish(house))
    link = house.books.do(reservations.order_by_id, order)["link"]
    house.books.do(reservations.release, link)
    place(house, wish(house), wish(house), who=YUKI, is_held=False)
    assert states(house) == ["cancelled", "cancelled", "confirmed", "confirmed"]
    other = house.books.rows("orders")[-1]["link"]
    house.books.do(reservations.release, other)
    assert states(house)[2:] == ["confirmed", "confirmed"]


@pytest.mark.usefixtures("terminal")
def test_a_party_that_is_too_large_is_told(house):
    with pytest.raises(NotAllowed, match="at most 1"):
        place(house, replace(wish(house), party_size=2))


@pytest.mark.usefixtures("terminal")
def test_each_reservation_of_an_order_has_a_ticket_link_and_short_code_of_its_own(house):
    order = place(house, wish(house), wish(house), is_held=False)
    claims = house.books.do(reservations.claims_of, order)
    assert len({claim["link"] for claim in claims}) == len({c["device_id"] for c in claims}) == 2
    tickets = house.books.rows("tickets")
    assert len({each["short_code"] for each in tickets}) == 2
    assert len({each["token"] for each in tickets}) == 2


def test_c3_use_it_now_begins_with_this_second_whatever_the_grid_says(house, terminal):
    house.clock.move(7)
    offering = wish(house).offering
    found = house.books.do(reservations.free_now, offering)
    assert [each.length_seconds for each in found] == [SLOT_SECONDS, 2 * SLOT_SECONDS]
    wanted = house.books.do(reservations.wish_now, offering, SLOT_SECONDS)
    link = house.books.do(reservations.book, wanted)
    row = house.books.do(reservations.ticket, link)
    assert row["starts_at"] == house.clock.now // 1000 * 1000
    assert house.scan(terminal, row["device_id"], row["token"]).type == "rights.right"


@pytest.mark.usefixtures("terminal")
def test_use_it_now_is_no_longer_than_until_the_next_one_begins(house):
    place(house, wish(house), wish(house), is_held=False)
    offering = wish(house).offering
    found = house.books.do(reservations.free_now, offering)
    assert [each.length_seconds for each in found] == [SLOT_SECONDS]
    house.clock.move(1)
    assert house.books.do(reservations.free_now, offering) == []


def test_a_use_that_is_over_early_frees_the_rest_but_for_its_turnover(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.books.connection.execute("UPDATE offerings SET turnover_seconds = 60")
    use = house.book(device, slots=2)
    house.scan(terminal, device, use)
    session = house.books.one("sessions")["session_id"]
    ran = SessionRunning(session=session, at=house.clock.now, remaining_seconds=9.0)
    house.take(terminal, ran, Channel.EVENTS, seq=1)
    row = house.books.one("reservations")
    house.clock.move(SLOT_SECONDS // 2)
    ended = SessionEnded(
        session=session, at=house.clock.now, reason="customer_ended", delivered_seconds=9.0
    )
    house.take(terminal, ended, Channel.EVENTS, seq=2)
    after = house.books.one("reservations")
    assert (after["state"], after["ends_at"]) == ("completed", house.clock.now)
    assert after["booked_ends_at"] == row["ends_at"]
    assert after["blocked_until"] == house.clock.now + 60_000
    wanted = house.books.do(
        reservations.wish_now, wish(house).offering, SLOT_SECONDS, device=device
    )
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.book, wanted)
    house.clock.move(60)
    wanted = house.books.do(
        reservations.wish_now, wish(house).offering, SLOT_SECONDS, device=device
    )
    assert house.books.do(reservations.book, wanted)
