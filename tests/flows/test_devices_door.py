"""What a device between two customers means for whoever comes, and for who has booked it."""

from __future__ import annotations

import pytest

from cloud_controller import bookings
from cloud_controller.flows import devices as known_of, problems
from common.messages.devices import DeviceTold
from common.messages.offerings import OfferingOff
from common.messages.rights import Right
from common.rules.problems import ProblemKind
from common.rules.tickets import DenialReason
from edge_agent.flows import devices, rights, sessions
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import a_program
from tests.flows.device_kit import Booth


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a device that is emptied, reset, and confirmed by a cleaner's code."""
    return Booth(house, house.confirmed("a", "b"))


def test_the_entrance_says_what_is_so_and_sends_to_a_device_that_is_ready(booth: Booth):
    """C4: until it is confirmed nobody is let in, however long ago its slot was over."""
    later = booth.house.book(booth.device, in_seconds=2 * SLOT_SECONDS)
    booth.use()
    booth.house.clock.move(SLOT_SECONDS)
    assert booth.denied(later) is DenialReason.DEVICE_IN_TURNOVER
    booth.done()
    booth.done()
    assert booth.enter(booth.new_code()) is None
    assert isinstance(booth.house.scan(booth.terminal, booth.device, later), Right)


def test_who_has_confirmed_it_lets_the_next_one_in_before_its_time_is_over(booth: Booth):
    session = booth.use()
    known = booth.house.books.do(
        lambda books: books.rights.door(
            device_id=booth.device, terminal_id=booth.terminal.who.terminal
        )
    )
    assert known.ready_at is not None
    booth.done()
    booth.done()
    assert booth.enter(booth.new_code()) is None
    assert booth.in_the_books["confirmed_session"] == session
    known = booth.house.books.do(
        lambda books: books.rights.door(
            device_id=booth.device, terminal_id=booth.terminal.who.terminal
        )
    )
    assert known.ready_at is None


@pytest.mark.parametrize(
    ("why_not", "reason"),
    [(None, DenialReason.DEVICE_IN_TURNOVER), ("failed", DenialReason.DEVICE_OUT_OF_ORDER)],
)
def test_c4_a_terminal_without_the_line_knows_itself_that_its_device_is_not_ready(
    booth: Booth, why_not, reason
):
    later = booth.house.book(booth.device, in_seconds=SLOT_SECONDS)
    booth.house.hold(booth.terminal)
    booth.use()
    booth.done(why_not)
    booth.scan_alone(later)
    assert booth.terminal.shown[-1].reason is reason


def test_c4_a_device_that_was_left_a_moment_ago_opens_for_nobody_before_that_is_taken_in(
    booth: Booth,
):
    later = booth.house.book(booth.device, in_seconds=SLOT_SECONDS)
    booth.house.hold(booth.terminal)
    session = booth.start()
    booth.run(session)
    booth.house.clock.move(SLOT_SECONDS)
    at = booth.house.clock.now
    ended = a_program(session, "ended", delivered_seconds=60.0, started_at=at, ended_at=at)
    booth.terminal.do(sessions.note_seen, ended)
    booth.scan_alone(later)
    assert booth.terminal.shown[-1].reason is DenialReason.DEVICE_IN_TURNOVER


def test_a_right_that_comes_for_a_device_that_is_not_ready_starts_nothing(booth: Booth):
    """C6: the controller had not heard of it; the ticket is good on another device."""
    later = booth.house.book(booth.device, in_seconds=2 * SLOT_SECONDS)
    session = booth.start()
    booth.run(session)
    booth.house.clock.move(SLOT_SECONDS)
    booth.house.tell_all(booth.terminal)
    at = booth.house.clock.now
    ended = a_program(session, "ended", delivered_seconds=60.0, started_at=at, ended_at=at)
    booth.terminal.do(sessions.note_seen, ended)
    booth.house.tell_all(booth.terminal)
    booth.review()  # the device is in turnover, and the controller is not told yet
    booth.house.clock.move(SLOT_SECONDS)
    assert isinstance(booth.house.scan(booth.terminal, booth.device, later), Right)
    assert booth.terminal.shown[-1].reason is DenialReason.DEVICE_IN_TURNOVER
    assert booth.terminal.do(sessions.to_start) == []
    booth.tell()
    assert sorted(booth.house.states()["tickets"]) == ["issued", "spent"]


def test_another_terminals_device_is_nobodys_to_speak_of(booth: Booth):
    there = booth.house.confirmed("c")
    (theirs,) = booth.house.devices_of(there)
    row = [each for each in booth.terminal.rows("devices") if each["device"] == booth.device]
    assert row
    booth.terminal.do(
        lambda journal: journal.say(
            DeviceTold(device=theirs, state="out_of_order", at=1, fault="reset_failed")
        )
    )
    booth.house.tell_all(booth.terminal)
    rows = booth.house.books.rows("devices")
    assert [row["is_out_of_order"] for row in rows] == [0, 0, 0]
    assert booth.problems() == {}


def test_a_turnover_that_takes_longer_than_its_time_is_a_problem_before_the_next_one_comes(
    booth: Booth,
):
    booth.house.book(booth.device, in_seconds=2 * SLOT_SECONDS)
    booth.use()
    booth.house.books.do(bookings.call_for_devices)
    assert booth.problems() == {}, "there is time"
    booth.house.clock.move(SLOT_SECONDS - known_of.SOON_SECONDS + 1)
    booth.house.books.do(bookings.call_for_devices)
    (kind,) = booth.problems().values()
    assert kind == ProblemKind.TURNOVER_OVERDUE
    booth.done()
    booth.done()
    assert booth.enter(booth.new_code()) is None
    booth.house.books.do(problems.solve_reservations)
    assert booth.problems() == {}


def test_a_device_that_is_not_ours_any_more_is_forgotten_unless_somebody_uses_it(booth: Booth):
    booth.start()
    booth.terminal.do(devices.review, [])
    assert set(booth.terminal.do(devices.states)) == {booth.device}


def test_the_board_says_where_each_device_stands(booth: Booth):
    def board() -> list[str]:
        return [state for _, state in booth.house.books.do(known_of.board, None)]

    assert board() == ["available", "available"]
    session = booth.start()
    assert board() == ["preparing", "available"]
    booth.run(session)
    assert board() == ["in_use", "available"]
    booth.house.clock.move(SLOT_SECONDS)
    booth.end(session)
    assert board() == ["turnover", "available"]
    booth.done("failed")
    assert board() == ["out_of_order", "available"]
    after = booth.house.books.do(
        lambda books: known_of.board(books, STORE, after=booth.device, most=1)
    )
    assert [row["device_id"] for row, _ in after] == [booth.other]


def test_a_device_out_of_order_is_off_and_the_one_that_is_free_is_ready_first(booth: Booth):
    booth.house.announce(booth.terminal, booth.device)
    booth.house.announce(booth.terminal, booth.other)
    order = [booth.device, booth.other]
    assert booth.terminal.do(rights.first_ready, order, "") == booth.device
    booth.order(is_out=True)
    assert booth.terminal.do(rights.first_ready, order, "") == booth.other
    assert OfferingOff.type not in booth.terminal.told_types()
