"""What the pages show of an offering, and that it is what can be booked (E3)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import offerings, registration, reservations
from cloud_controller.ports import NotFound
from common.ids import OfferingId
from common.messages.offerings import OfferingOff, OffReason
from common.rules.offerings import SEEN_WITHIN_SECONDS, Availability, Reliability
from common.rules.presence import Presence
from common.rules.reservations import Range
from common.topics import Channel
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand, an_offer
from tests.fakes.terminal import TerminalInHand

SLOT_MS = SLOT_SECONDS * 1000
HOUR_MS = 3_600_000
HOURS = '{"week": {%s}}' % ", ".join(  # noqa: UP031 - braces
    f'"{day}": ["10:00-22:00"]' for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
)


def shown(house: HouseInHand) -> Any:
    return next(iter(house.books.do(offerings.front)), None)


def slots_of(house: HouseInHand) -> list[dict[str, Any]]:
    """Return the free slots of the next day."""
    now = house.clock.now
    window = Range(starts_at=now, ends_at=now + 24 * HOUR_MS)
    offering = OfferingId(house.books.one("offerings")["offering_id"])
    return list(house.books.do(reservations.free_slots, offering, SLOT_SECONDS, window))


def wish(house: HouseInHand, starts_at: int) -> reservations.Wish:
    offering = OfferingId(house.books.one("offerings")["offering_id"])
    return reservations.Wish(
        offering=offering, slot=Range(starts_at=starts_at, ends_at=starts_at + SLOT_MS)
    )


def presence(house: HouseInHand, terminal: TerminalInHand, now: Presence) -> None:
    house.books.do(registration.note_presence, {terminal.who.terminal: now})


def at_ten_to_ten(house: HouseInHand) -> None:
    """Let the store keep hours, and be ten minutes before its opening."""
    house.books.connection.execute("UPDATE stores SET hours = ?", (HOURS,))
    known = next(iter(house.books.do(offerings.stores)))
    opens_at = known.opens_at if known.opens_at is not None else known.closes_at + 12 * HOUR_MS
    house.clock.now = opens_at - 600_000


def test_e3_what_is_free_is_said_by_how_many_and_then_from_when_on(house):
    house.confirmed("vr", "tv")
    free = shown(house)
    assert free.available.state is Availability.FREE_NOW
    assert (free.devices_on, free.devices_free, free.reliability) == (2, 2, None)
    house.book()
    assert shown(house).devices_free == 1, "the next slot begins before a whole one would be over"
    house.book()
    later = shown(house).available
    soonest = slots_of(house)[0]["starts_at"]
    assert (later.state, later.at) == (Availability.FREE_AT, soonest)


def test_e3_what_is_taken_all_day_is_full(house):
    house.confirmed("vr")
    first = -(-house.clock.now // SLOT_MS) * SLOT_MS
    for number in range(49):
        house.books.do(reservations.book, wish(house, first + number * SLOT_MS))
    assert shown(house).available.state == Availability.FULL


def test_e3_a_device_that_somebody_uses_is_not_free_now(house):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    house.scan(terminal, device, house.book())
    assert shown(house).devices_free == 0


def test_e3_what_is_free_now_by_the_page_can_be_begun_now_and_nothing_else(house):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    offering = OfferingId(house.books.one("offerings")["offering_id"])

    def begins() -> bool:
        can_begin = bool(house.books.do(reservations.free_now, offering))
        assert can_begin == bool(shown(house).devices_free)
        return can_begin

    assert begins()
    token = house.book()
    house.clock.now = house.books.one("reservations")["starts_at"]
    house.scan(terminal, device, token)
    assert not begins()
    house.clock.now += 2 * SLOT_MS
    assert not begins(), "its claim is over, and somebody sits there still"
    house.books.connection.execute("UPDATE sessions SET state = 'ended'")
    assert begins()
    house.books.connection.execute("UPDATE devices SET state = 'turnover'")
    assert not begins(), "it is being made ready"


def test_e3_words_are_said_by_language_and_else_as_they_were_registered(house):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    registered, _ = an_offer(device)
    told = {"texts": {"ja": {"title": "VRアリーナ", "content": "空を飛ぶ"}}}
    message = type(registered).model_validate({**registered.model_dump(), **told})
    house.take(terminal, message, Channel.EVENTS, 1)
    known = shown(house)
    assert known.words("ja") == offerings.Words(title="VRアリーナ", content="空を飛ぶ")
    assert known.words("en") == offerings.Words(title="VR Arena", content="")


def test_e2_a_gone_terminal_is_off_the_page_and_not_booked_while_its_store_is_open(house):
    terminal = house.confirmed("vr")
    presence(house, terminal, Presence.GONE)
    assert shown(house) is None
    assert slots_of(house) == []
    with pytest.raises(NotFound):
        house.books.do(reservations.book, wish(house, house.clock.now // SLOT_MS * SLOT_MS))


def test_e3_while_the_store_is_closed_its_hours_are_sold_though_its_terminal_sleeps(house):
    terminal = house.confirmed("vr")
    at_ten_to_ten(house)
    opens_at = house.clock.now + 600_000
    (device,) = house.devices_of(terminal)
    off = OfferingOff(key="vr", device=device, reason=OffReason.STOPPING)
    house.take(terminal, off, Channel.EVENTS, 1)
    presence(house, terminal, Presence.GONE)
    closed = shown(house)
    assert (closed.available.state, closed.available.at) == (Availability.CLOSED_UNTIL, opens_at)
    assert (closed.devices_on, closed.devices_free) == (1, 0)
    assert slots_of(house)[0]["starts_at"] == opens_at
    house.books.do(reservations.book, wish(house, opens_at))
    house.clock.now = opens_at
    assert shown(house) is None, "it was to be back by now"


@pytest.mark.parametrize("reason", sorted({*OffReason} - {OffReason.STOPPING}))
def test_e2_what_is_off_for_a_reason_that_lasts_is_not_sold_at_night(house, reason: OffReason):
    terminal = house.confirmed("vr")
    at_ten_to_ten(house)
    (device,) = house.devices_of(terminal)
    house.take(terminal, OfferingOff(key="vr", device=device, reason=reason), Channel.EVENTS, 1)
    assert shown(house) is None
    assert slots_of(house) == []


def test_e2_who_was_away_for_days_is_not_sold_at_night(house):
    terminal = house.confirmed("vr")
    presence(house, terminal, Presence.GONE)
    house.clock.now += SEEN_WITHIN_SECONDS * 1000
    at_ten_to_ten(house)
    house.clock.now += 24 * HOUR_MS
    assert shown(house) is None
    assert slots_of(house) == []


def test_e3_how_many_of_its_latest_uses_began_on_time_is_said_from_ten_on(house):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    for number in range(10):
        house.scan(terminal, device, house.book())
        late_ms = 61_000 if number == 3 else 1_000
        house.books.connection.execute(
            "UPDATE sessions SET running_at = granted_at + ?, state = 'ended',"
            " end_reason = 'time_up' WHERE state NOT IN ('ended', 'failed')",
            (late_ms,),
        )
        if number < 9:
            assert shown(house).reliability is None
        house.clock.now += 2 * SLOT_MS
    assert shown(house).reliability == Reliability(on_time=9, uses=10)


def test_e3_every_store_is_known_with_its_hours(house):
    at_ten_to_ten(house)
    (store,) = house.books.do(offerings.stores)
    assert (store.store, store.is_open) == (STORE, False)
    assert store.opens_at == house.clock.now + 600_000
    house.clock.now += 600_000
    (store,) = house.books.do(offerings.stores)
    assert (store.is_open, store.closes_at) == (True, house.clock.now + 12 * HOUR_MS)
