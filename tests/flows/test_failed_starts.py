"""A program that does not start: tried again, moved, or paid back; never twice (C6)."""

from __future__ import annotations

import json

import pytest

from cloud_controller.flows import reservations, rights, sessions
from common.messages.base import Message
from common.messages.rights import Refused, ReleaseTicket, Right
from common.messages.sessions import CustomerTold
from common.rules.payments import Account
from common.rules.problems import ProblemKind
from common.rules.sessions import (
    CLOCK_TOLERANCE_SECONDS,
    START_AGAIN_SECONDS,
    START_TRIES,
    START_WITHIN_SECONDS,
    EndReason,
    Notice,
)
from common.rules.tickets import DenialReason, RecallWhy
from common.topics import Channel
from edge_agent.flows import sessions as running
from edge_agent.ports import NoticeShown
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program
from tests.flows.money_kit import balances

PRICE = 1500


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def start(house: HouseInHand, terminal: TerminalInHand, device: str, token: str) -> str:
    """Scan, and return the session that is granted."""
    answer = house.scan(terminal, device, token)
    assert isinstance(answer, Right)
    return str(answer.document["session"])


def fail(house: HouseInHand, terminal: TerminalInHand, session: str) -> list[Message]:
    """Let the program fail to start as often as it is tried; return what the controller says."""
    for _ in range(START_TRIES):
        terminal.do(running.note_refused, session, EndReason.PROGRAM_FAILED)
        house.clock.move(START_AGAIN_SECONDS)
    house.tell_all(terminal)
    return look_after(house)


def look_after(house: HouseInHand) -> list[Message]:
    """Do what the controller's timers do."""

    def due(books):
        for ticket in sessions.held_by_who_failed(books):
            rights.recall(books, ticket, RecallWhy.MOVE)
        sessions.do_what_is_due(books)

    house.books.do(due)
    return house.books.heard()


def run(house: HouseInHand, terminal: TerminalInHand, session: str, seconds: float) -> None:
    """Let a program run for so long and end at its slot's end."""
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.clock.move(seconds)
    ended = a_program(session, "ended", delivered_seconds=seconds, ended_at=house.clock.now)
    terminal.do(running.note_seen, ended)
    house.tell_all(terminal)


def paid_back(house: HouseInHand) -> tuple[float, int]:
    rows = house.books.rows("compensations")
    cents = sum(row["cents"] for row in rows)
    assert balances(house) == {
        account: sign * cents
        for account, sign in ((Account.COMPENSATION, 1), (Account.CREDIT, -1))
        if cents
    }
    return sum(row["seconds"] for row in rows), cents


def test_a_failed_start_moves_the_ticket_to_a_device_that_is_free(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    session = start(house, terminal, device, token)
    (told,) = fail(house, terminal, session)
    assert isinstance(told, CustomerTold)
    assert (told.notice, told.to) == (Notice.GO_TO_DEVICE, "Booth b")
    assert house.books.one("reservations")["device_id"] == other
    assert house.books.one("problems")["kind"] == ProblemKind.PROGRAM_DID_NOT_START
    refused = house.scan(terminal, device, token)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.device) == (DenialReason.WRONG_DEVICE, other)
    second = start(house, terminal, other, token)
    run(house, terminal, second, 1700.0)
    granted = [row["granted_seconds"] for row in house.books.rows("sessions")]
    seconds, cents = paid_back(house)
    assert seconds == pytest.approx(granted[0] - 1700.0)
    assert cents == round(PRICE * seconds / SLOT_SECONDS)
    assert house.states()["reservations"] == ["completed"]


def test_the_customer_is_told_at_once_and_again_when_it_is_known_what_to_do(house, terminal):
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    (told,) = fail(house, terminal, session)
    assert isinstance(told, CustomerTold)
    assert NoticeShown(device=device, notice=Notice.DID_NOT_START) in terminal.shown
    terminal.hear(told, Channel.COMMANDS, told.command)
    shown = terminal.shown[-1]
    assert (shown.notice, shown.told.to) == (Notice.GO_TO_DEVICE, "Booth b")


def test_nothing_moves_before_the_first_terminal_has_said_that_it_runs_nothing(house, terminal):
    (device, _) = house.devices_of(terminal)
    start(house, terminal, device, house.book(device))
    house.clock.move(START_WITHIN_SECONDS + CLOCK_TOLERANCE_SECONDS + 1)
    assert look_after(house) == []
    assert house.books.one("reservations")["device_id"] == device
    house.books.do(sessions.call_for_unconfirmed)
    house.books.do(sessions.call_for_unconfirmed)
    problem = house.books.one("problems")
    assert (problem["kind"], problem["times"]) == (ProblemKind.PROGRAM_DID_NOT_START, 1)


def test_a_held_ticket_moves_only_after_its_terminal_has_given_it_back(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    session = start(house, terminal, device, token)
    (recall,) = fail(house, terminal, session)
    assert isinstance(recall, ReleaseTicket)
    assert house.books.one("reservations")["device_id"] == device
    terminal.hear(recall, Channel.COMMANDS, recall.command)
    house.tell_all(terminal)
    (told,) = look_after(house)
    assert isinstance(told, CustomerTold)
    assert house.books.one("reservations")["device_id"] == other


def test_with_no_device_free_the_ticket_stays_good_where_it_was(house):
    terminal = house.confirmed("a")
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    (told,) = fail(house, terminal, start(house, terminal, device, token))
    assert isinstance(told, CustomerTold)
    assert told.notice == Notice.NO_DEVICE_FREE
    assert house.states()["tickets"] == ["issued"]
    again = start(house, terminal, device, token)
    run(house, terminal, again, 1500.0)
    assert paid_back(house)[0] == pytest.approx(SLOT_SECONDS - 1500.0, abs=1)


def test_what_never_ran_is_paid_back_whole_and_is_no_no_show(house):
    terminal = house.confirmed("a")
    (device,) = house.devices_of(terminal)
    fail(house, terminal, start(house, terminal, device, house.book(device)))
    house.clock.move(SLOT_SECONDS)
    house.books.do(reservations.lapse)
    house.books.do(sessions.give_up_undelivered)
    assert house.states()["reservations"] == ["cancelled"]
    assert paid_back(house)[1] == PRICE
    house.books.do(sessions.give_up_undelivered)
    assert len(house.books.rows("compensations")) == 1


def test_what_was_lost_sight_of_is_paid_back_and_corrected_by_a_late_report(house, terminal):
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS + 1)
    look_after(house)
    house.books.do(sessions.give_up_undelivered)
    assert paid_back(house)[1] == PRICE, "nobody has said that it ran"
    ended = a_program(session, "ended", delivered_seconds=SLOT_SECONDS, ended_at=house.clock.now)
    terminal.do(running.note_seen, ended)
    house.tell_all(terminal)
    assert paid_back(house) == (0.0, 0), "it did, and to the end"
    assert house.states() == {
        "tickets": ["spent"],
        "sessions": ["ended"],
        "reservations": ["completed"],
    }
    assert len(house.books.rows("compensations")) == 2, "no entry is ever changed"


def test_what_the_customer_ended_himself_is_not_paid_back(house, terminal):
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.clock.move(600)
    ended = a_program(
        session,
        "ended",
        delivered_seconds=600.0,
        remaining_seconds=1200.0,
        end_reason=EndReason.CUSTOMER_ENDED,
    )
    terminal.do(running.note_seen, ended)
    house.tell_all(terminal)
    assert house.books.rows("compensations") == []


def test_a_program_that_comes_up_at_the_second_try_costs_nobody_anything(house, terminal):
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    assert terminal.do(running.note_refused, session, EndReason.PROGRAM_FAILED)
    assert terminal.do(running.waits_to_try_again)
    house.clock.move(START_AGAIN_SECONDS)
    (due,) = terminal.do(running.to_start)
    assert due.session == session
    run(house, terminal, session, SLOT_SECONDS - START_AGAIN_SECONDS)
    assert json.loads(house.books.rows("ledger")[-1]["body"]).get("cents", 0) <= PRICE
    assert house.states()["sessions"] == ["ended"]
    assert not house.books.rows("problems")


def test_one_failure_that_the_runner_tells_twice_is_one_try(house, terminal):
    """It answers that the program cannot be started, and says the same as an event, or first."""
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    failed = a_program(session, "failed", end_reason=EndReason.PROGRAM_FAILED)
    for number in range(1, START_TRIES + 1):
        terminal.do(running.note_seen, failed)
        is_tried_again = terminal.do(running.note_refused, session, EndReason.PROGRAM_FAILED)
        assert is_tried_again is (number < START_TRIES)
        assert ("session.failed" in terminal.told_types()) is (number == START_TRIES)
        house.clock.move(START_AGAIN_SECONDS)
    assert terminal.told_types().count("session.failed") == 1


def test_what_is_stopped_before_it_came_up_is_not_tried_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    failed = a_program(session, "failed", end_reason=EndReason.STAFF_ENDED)
    terminal.do(running.note_seen, failed)
    assert terminal.told_types()[-1] == "session.failed"
    assert not terminal.do(running.waits_to_try_again)


def test_a_device_with_a_claim_to_a_part_that_is_over_is_passed_over(house, terminal):
    """Nobody has said yet what became of that claim; until then its slot is taken."""
    (device, other) = house.devices_of(terminal)
    house.book(other)
    token = house.book(device, slots=2)
    slot = house.books.rows("reservations")[0]
    house.clock.move((slot["ends_at"] - house.clock.now) / 1000 + 1)
    (told,) = fail(house, terminal, start(house, terminal, device, token))
    assert isinstance(told, CustomerTold)
    assert told.notice == Notice.NO_DEVICE_FREE
    assert house.books.rows("reservations")[1]["device_id"] == device


def test_a_session_of_which_the_runner_has_forgotten_that_it_ran_is_over(
    house: HouseInHand, terminal: TerminalInHand
):
    """Else its device is in use for ever, and nobody is paid back."""
    device, _ = house.devices_of(terminal)
    session = start(house, terminal, device, house.book(device))
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    terminal.do(running.note_seen, a_program(session, "failed", remaining_seconds=0.0))
    assert terminal.rows("sessions")[0]["state"] == "ended"
    house.tell_all(terminal)
    (row,) = house.books.rows("sessions")
    assert (row["state"], row["end_reason"]) == ("ended", EndReason.UNKNOWN)
