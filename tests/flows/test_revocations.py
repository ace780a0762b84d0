"""Dead tickets are told to the terminals of their store, for starts by signature alone (C4)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration, reservations, sessions
from cloud_controller.flows.reservations import changes
from common.messages.registration import Welcome
from common.messages.sessions import REVOKED_MAX, Desired
from common.rules.reservations import Range
from common.rules.tickets import DenialReason
from common.seals import read_token
from common.topics import Channel
from edge_agent.flows import registration as own, rights as asking
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand

SLOT_MS = SLOT_SECONDS * 1000


pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal that may start by signature and knows what time it is."""
    made = house.confirmed("a")
    made.do(asking.take_time, house.clock.now)
    wish = registration.OfflineStarts(store=STORE, is_on=True, reason="the line is bad here")
    house.books.do(registration.allow_offline_starts, wish, "owner")
    house.hold(made)
    return made


def link_of(house: HouseInHand, token: str) -> str:
    (row,) = [row for row in house.books.rows("tickets") if row["token"] == token]
    (reservation,) = [
        each
        for each in house.books.rows("reservations")
        if each["reservation_id"] == row["reservation_id"]
    ]
    link: str = reservation["link"]
    return link


def told(house: HouseInHand) -> list[Desired]:
    """Let time pass at the controller; return what it wants of terminals since."""
    house.books.heard()
    if house.books.do(sessions.has_to_tell_revoked):
        house.books.do(sessions.tell_revoked)
    return [message for message in house.books.heard() if isinstance(message, Desired)]


def verdict(house: HouseInHand, terminal: TerminalInHand, token: str) -> DenialReason | None:
    (device,) = house.devices_of(terminal)
    terminal.scan(device, token, line_is_up=False)
    reason: DenialReason | None = terminal.shown[-1].reason
    return reason


def test_c4_a_cancelled_ticket_opens_nothing_by_its_signature_once_it_was_told(house, terminal):
    token = house.book()
    house.books.do(reservations.cancel, link_of(house, token))
    (desired,) = told(house)
    assert [each.ticket for each in desired.revoked] == [read_token(token).token.ticket]
    assert desired.revoked_until is None
    terminal.hear(desired, Channel.DESIRED)
    terminal.restart()
    assert verdict(house, terminal, token) is DenialReason.REVOKED
    assert not terminal.rows("sessions")
    assert told(house) == [], "what was told once is not told again by itself"


def test_a_ticket_that_nobody_revoked_opens_its_device_all_the_same(house, terminal):
    dead, alive = house.book(in_seconds=SLOT_SECONDS), house.book()
    house.books.do(reservations.cancel, link_of(house, dead))
    (desired,) = told(house)
    terminal.hear(desired, Channel.DESIRED)
    assert verdict(house, terminal, alive) is None


def test_c4_of_a_ticket_that_was_moved_the_earlier_one_is_dead_until_its_own_end(house):
    before = house.book(in_seconds=SLOT_SECONDS)
    link, old = link_of(house, before), read_token(before).token
    house.clock.move(-60)
    earlier = Range(starts_at=old.starts_at - SLOT_MS, ends_at=old.starts_at)
    house.books.do(changes.reschedule, link, earlier)
    (desired,) = told(house)
    (dead,) = desired.revoked
    old_ends_at = old.starts_at + old.length_seconds * 1000
    assert (dead.ticket, dead.revision, dead.dies_at) == (old.ticket, old.revision, old_ends_at)


def test_a_terminal_that_comes_later_is_told_with_its_first_hello(house):
    token = house.book()
    house.books.do(reservations.cancel, link_of(house, token))
    told(house)
    late = house.confirmed("late")
    late.do(own.greet, "c-1")
    (hello,) = late.asks()
    welcome, desired = house.take(late, hello, Channel.HELLO)
    assert isinstance(welcome, Welcome)
    assert isinstance(desired, Desired)
    assert [each.ticket for each in desired.revoked] == [read_token(token).token.ticket]


def test_what_is_over_is_not_told_any_more(house):
    house.books.do(reservations.cancel, link_of(house, house.book()))
    house.clock.move(2 * SLOT_SECONDS)
    (desired,) = told(house)
    assert desired.revoked == ()


def test_of_too_many_those_that_die_first_are_told_and_where_that_ends(house, terminal):
    at = house.clock.now
    house.books.connection.executemany(
        "INSERT INTO revocations (ticket_id, revision, store_id, dies_at, revoked_at)"
        " VALUES (?, 0, ?, ?, ?)",
        [(f"{n:016x}", STORE, at + 1000 * (n + 1), at) for n in range(REVOKED_MAX + 5)],
    )
    (desired,) = told(house)
    assert len(desired.revoked) == REVOKED_MAX
    assert desired.revoked[-1].dies_at == at + 1000 * REVOKED_MAX
    assert desired.revoked_until == at + 1000 * REVOKED_MAX - 1
    assert len(desired.model_dump_json()) < 48_000
    terminal.hear(desired, Channel.DESIRED)
    assert verdict(house, terminal, house.book()) is DenialReason.NOT_ON_OFFLINE_LIST


def test_c4_a_cancelling_that_waited_for_its_holder_is_told_to_all_the_others(house, terminal):
    token = house.book()
    house.hold(terminal)
    house.give_up()
    assert not house.books.rows("revocations"), "its holder may have used it"
    house.recall(terminal)
    (desired,) = told(house)
    assert [each.ticket for each in desired.revoked] == [read_token(token).token.ticket]
