"""A use from its right to its completion: two-phase tickets, stops, presumptions (C5, C6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_controller.flows import sessions
from cloud_controller.ports import NotFound
from common.messages.registration import Hello, Welcome
from common.messages.rights import Right
from common.messages.sessions import (
    CommandTold,
    Desired,
    SessionEnded,
    SessionFailed,
    SessionRunning,
    StopSession,
)
from common.rules.sessions import (
    CLOCK_TOLERANCE_SECONDS,
    START_AGAIN_SECONDS,
    START_TRIES,
    STOP_ACCEPT_SECONDS,
    EndReason,
)
from common.topics import Channel
from edge_agent.flows import registration as own, sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("vr")


@pytest.fixture
def session(house: HouseInHand, terminal: TerminalInHand) -> str:
    """Return a session whose right is held at both ends."""
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    return str(right.document["session"])


def see(terminal: TerminalInHand, session: str, state: str, **seen: Any) -> None:
    terminal.do(running.note_seen, a_program(session, state, **seen))


def run(house: HouseInHand, terminal: TerminalInHand, session: str) -> None:
    """Let the program be seen running, and the controller hear of it."""
    see(terminal, session, "running", started_at=house.clock.now)
    house.tell_all(terminal)


def due(house: HouseInHand) -> list[StopSession]:
    """Do what is due in the controller; return the stops it sends."""
    for flow in (sessions.stop_what_is_due, sessions.send_commands_again, sessions.presume_stopped):
        house.books.do(flow)
    return [message for message in house.books.heard() if isinstance(message, StopSession)]


def ledger(house: HouseInHand) -> list[str]:
    return [row["type"] for row in house.books.rows("ledger")]


def test_c6_a_whole_use_needs_nobody(house, terminal, session):
    run(house, terminal, session)
    assert house.states() == {
        "tickets": ["spent"],
        "sessions": ["running"],
        "reservations": ["in_use"],
    }
    house.clock.move(SLOT_SECONDS)
    (stop,) = due(house)
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    see(terminal, session, "ended", delivered_seconds=1799.5, ended_at=house.clock.now)
    house.tell_all(terminal)
    assert house.states() == {
        "tickets": ["spent"],
        "sessions": ["ended"],
        "reservations": ["completed"],
    }
    assert ledger(house) == [
        *("reservation.confirmed", "right.issued", "session.starting", "session.running"),
        *("stop.instructed", "command.state", "session.ending", "session.ended"),
        *("reservation.completed", "command.state"),
    ]
    assert house.books.one("sessions")["delivered_seconds"] == pytest.approx(1799.5)
    assert not terminal.tells()


def test_the_right_reserves_the_ticket_and_the_running_program_spends_it(house, terminal, session):
    assert house.states()["tickets"] == ["reserved"]
    run(house, terminal, session)
    assert house.states()["tickets"] == ["spent"]


def test_a_program_that_never_ran_gives_the_ticket_back(house, terminal, session):
    for _ in range(START_TRIES):
        see(terminal, session, "failed", end_reason=EndReason.PROGRAM_FAILED)
        house.clock.move(START_AGAIN_SECONDS)
    house.tell_all(terminal)
    assert house.states() == {
        "tickets": ["issued"],
        "sessions": ["failed"],
        "reservations": ["confirmed"],
    }
    (device,) = house.devices_of(terminal)
    (row,) = house.books.rows("tickets", "token")
    assert isinstance(house.scan(terminal, device, row["token"]), Right)


def test_c5_every_session_is_told_to_stop_at_its_end_and_only_once(house, terminal, session):
    run(house, terminal, session)
    assert due(house) == []
    house.clock.move(SLOT_SECONDS)
    (stop,) = due(house)
    assert (stop.session, stop.reason) == (session, EndReason.TIME_UP)
    assert due(house) == []
    assert house.books.one("sessions")["wanted"] == "stop"


def test_c5_a_stop_is_repeated_with_its_id_until_it_is_accepted(house, terminal, session):
    run(house, terminal, session)
    house.clock.move(SLOT_SECONDS)
    (stop,) = due(house)
    house.clock.move(2)
    assert due(house) == [stop]
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    house.tell_all(terminal)
    house.clock.move(4)
    assert due(house) == []
    assert house.books.one("commands")["state"] == "accepted"


def test_c5_a_stop_nobody_accepts_is_known_to_be_unconfirmed_in_time(house, terminal, session):
    run(house, terminal, session)
    house.clock.move(SLOT_SECONDS)
    due(house)
    for _ in range(int(STOP_ACCEPT_SECONDS)):
        assert house.books.one("commands")["state"] == "queued"
        house.clock.move(1)
        due(house)
    assert house.books.one("commands")["state"] == "expired"


def test_c5_a_stop_after_the_end_is_answered_already_ended(house, terminal, session):
    run(house, terminal, session)
    house.clock.move(SLOT_SECONDS)
    (stop,) = due(house)
    see(terminal, session, "ended", delivered_seconds=1800.0)
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    house.tell_all(terminal)
    command = house.books.one("commands")
    assert (command["state"], command["detail"]) == ("succeeded", running.ALREADY_ENDED)
    assert house.states()["sessions"] == ["ended"]


def test_c5_an_end_that_is_told_before_the_stop_still_gets_its_stop(house, terminal, session):
    """The terminal's own deadline may ring first; then the controller's word comes after it."""
    run(house, terminal, session)
    house.clock.move(SLOT_SECONDS)
    see(terminal, session, "ended", delivered_seconds=1800.0)
    house.tell_all(terminal)
    assert house.states()["sessions"] == ["ended"]
    assert ledger(house).count("stop.instructed") == 1
    assert due(house) == []


def test_c5_the_same_stop_twice_changes_nothing_more(house, terminal, session):
    run(house, terminal, session)
    house.books.do(sessions.ask_to_stop, session, terminal.who.terminal, EndReason.STAFF_ENDED)
    (stop, desired) = house.books.heard()
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    told = terminal.everything()
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    assert terminal.everything() == told
    assert isinstance(desired, Desired)
    other = stop.model_copy(update={"command": "c-99", "reason": EndReason.EMERGENCY})
    terminal.hear(other, Channel.COMMANDS, other.command)
    assert terminal.told_types().count("session.ending") == 1
    assert [each.reason for each in terminal.do(running.to_stop)] == [EndReason.STAFF_ENDED]


def test_asking_twice_for_a_stop_makes_one_command(house, terminal, session):
    run(house, terminal, session)
    for reason in (EndReason.STAFF_ENDED, EndReason.EMERGENCY):
        house.books.do(sessions.ask_to_stop, session, terminal.who.terminal, reason)
    assert len(house.books.rows("commands")) == 1
    assert ledger(house).count("stop.instructed") == 1
    with pytest.raises(NotFound):
        house.books.do(sessions.ask_to_stop, session, "t-99", EndReason.STAFF_ENDED)


def test_a_stop_before_the_start_starts_nothing(house, terminal, session):
    stop = StopSession(command="c-9", session=session, reason="revoked", accept_by=1)
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    assert terminal.do(running.to_start) == []
    assert terminal.told_types()[1:] == ["command.state", "session.failed", "command.state"]
    house.tell_all(terminal)
    assert house.states()["tickets"] == ["issued"]


def test_a_stop_for_a_session_nobody_knows_is_answered_and_forgotten(house, terminal):
    stop = StopSession(command="c-9", session="s-99", reason="time_up", accept_by=1)
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    ((_, kind, body),) = terminal.tells()
    told = CommandTold.model_validate_json(body)
    assert (kind, told.state, told.detail) == ("command.state", "succeeded", "already_ended")
    assert house.states()["sessions"] == []


def test_what_nobody_reports_is_presumed_stopped_and_later_settled(house, terminal, session):
    run(house, terminal, session)
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS - 1)
    due(house)
    assert house.states()["sessions"] == ["running"]
    house.clock.move(1)
    due(house)
    row = house.books.one("sessions")
    assert (row["state"], row["is_presumed"], row["end_reason"]) == ("ended", 1, "unknown")
    see(terminal, session, "ended", delivered_seconds=1800.0, ended_at=house.clock.now - 5000)
    house.tell_all(terminal)
    row = house.books.one("sessions")
    assert (row["is_presumed"], row["end_reason"], row["delivered_seconds"]) == (0, "time_up", 1800)
    assert house.states()["reservations"] == ["completed"]


def test_a_use_heard_of_only_afterwards_is_counted_all_the_same(house, terminal, session):
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS)
    due(house)
    assert house.states()["sessions"] == ["failed"]
    see(terminal, session, "running", started_at=house.clock.now)
    see(terminal, session, "ended", delivered_seconds=1800.0)
    house.tell_all(terminal)
    assert house.states() == {
        "tickets": ["spent"],
        "sessions": ["ended"],
        "reservations": ["completed"],
    }
    assert house.books.one("sessions")["is_presumed"] == 0


def test_a_start_that_failed_unheard_is_settled_and_gives_the_ticket_back(house, terminal, session):
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS)
    due(house)
    see(terminal, session, "failed", end_reason=EndReason.PROGRAM_FAILED)
    house.tell_all(terminal)
    row = house.books.one("sessions")
    assert (row["state"], row["is_presumed"]) == ("failed", 0)
    assert house.states()["tickets"] == ["issued"]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_reported_again_is_entered_once(house, terminal, session, times):
    ran = SessionRunning(session=session, at=house.clock.now, remaining_seconds=9.0)
    ended = SessionEnded(
        session=session, at=house.clock.now, reason="time_up", delivered_seconds=9.0
    )
    seq = len(terminal.tells())
    house.tell_all(terminal)
    for message in [ran] * times + [ended] * times:
        seq += 1
        house.take(terminal, message, Channel.EVENTS, seq)
    assert ledger(house).count("session.running") == 1
    assert ledger(house).count("session.ended") == 1


def test_what_was_running_cannot_have_failed_to_start(house, terminal, session):
    run(house, terminal, session)
    failed = SessionFailed(session=session, at=house.clock.now, reason="program_failed")
    house.take(terminal, failed, Channel.EVENTS, 3)
    assert house.states()["tickets"] == ["spent"]
    assert house.states()["sessions"] == ["running"]


def test_another_terminal_cannot_report_a_session(house, session):
    second = house.confirmed("tv")
    ended = SessionEnded(session=session, at=1, reason="time_up", delivered_seconds=1.0)
    before = house.states()
    house.take(second, ended, Channel.EVENTS, 1)
    assert house.states() == before


def test_hello_is_answered_with_what_was_received_and_what_is_wanted(house, terminal, session):
    run(house, terminal, session)
    house.books.do(sessions.ask_to_stop, session, terminal.who.terminal, EndReason.STAFF_ENDED)
    house.books.said.clear()
    terminal.do(own.greet, "c-1")
    (hello,) = terminal.asks()
    assert isinstance(hello, Hello)
    assert [(held.session, held.state) for held in hello.sessions] == [(session, "running")]
    (welcome, desired) = house.take(terminal, hello, Channel.HELLO)
    assert isinstance(welcome, Welcome)
    assert (welcome.acknowledged_up_to, welcome.desired_revision) == (2, 1)
    terminal.hear(desired, Channel.DESIRED)
    assert [each.session for each in terminal.do(running.to_stop)] == [session]
    terminal.do(own.greet, "c-1")
    (again,) = terminal.asks()
    assert len(house.take(terminal, again, Channel.HELLO)) == 1, "the revision is known by now"


def test_an_older_revision_changes_nothing(terminal, session):
    wanted = {"session": session, "device": "d-1", "wanted": "stop"}
    terminal.hear(Desired(revision=5), Channel.DESIRED)
    before = terminal.everything()
    for revision in (0, 4, 5):
        old = Desired.model_validate({"revision": revision, "sessions": [wanted]})
        terminal.hear(old, Channel.DESIRED)
    assert terminal.everything() == before
    assert terminal.do(running.to_stop) == []


def test_what_the_runner_says_again_is_told_once(terminal, session):
    for state in ("starting", "running", "running", "ending", "ended", "ended", "running"):
        see(terminal, session, state, started_at=1, delivered_seconds=1.0)
    assert terminal.told_types() == ["session.starting", "session.running", "session.ended"]
    see(terminal, "s-99", "running")
    assert len(terminal.tells()) == 3


def test_an_end_seen_without_its_beginning_is_told_with_it(terminal, session):
    see(terminal, session, "ended", started_at=5, delivered_seconds=1.0)
    assert terminal.told_types() == ["session.starting", "session.running", "session.ended"]


def test_what_the_runner_has_lost_is_over(terminal, session):
    see(terminal, session, "running", started_at=1)
    terminal.do(running.note_missing, session)
    terminal.do(running.note_missing, session)
    assert terminal.told_types().count("session.ended") == 1
    assert terminal.do(running.is_over, session)
    terminal.do(running.note_missing, "s-99")


@pytest.mark.parametrize(
    ("reason", "tries"), [(EndReason.PROGRAM_FAILED, 3), (EndReason.START_TIMEOUT, 1)]
)
def test_a_start_the_runner_refuses_has_failed_for_its_reason(
    house, terminal, session, reason, tries
):
    for number in range(1, tries + 1):
        assert [due.session for due in terminal.do(running.to_start)] == [session]
        is_tried_again = terminal.do(running.note_refused, session, reason)
        assert is_tried_again is (number < tries)
        assert terminal.do(running.to_start) == [], "not at once"
        house.clock.move(START_AGAIN_SECONDS)
    _, kind, body = terminal.tells()[-1]
    assert (kind, json.loads(body)["reason"]) == ("session.failed", reason)
    assert terminal.do(running.to_start) == []


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(("seconds", "starts"), [(0, 1), (29, 1), (30, 0), (1e6, 0)])
def test_a_late_start_does_nothing(house, terminal, seconds, starts):
    house.clock.move(seconds)
    assert len(terminal.do(running.to_start)) == starts


@pytest.mark.usefixtures("session")
def test_a_reboot_starts_nothing_on_a_guess(house, terminal):
    terminal.restart(boot_id="boot-2")
    assert terminal.do(running.to_start) == []
    house.tell_all(terminal)
    assert house.states()["tickets"] == ["issued"]


def test_what_is_over_is_forgotten_after_a_week_and_what_lives_never(house, terminal, session):
    see(terminal, session, "running", started_at=1)
    house.clock.move(8 * 86_400)
    terminal.do(running.forget_old, house.clock.now)
    assert len(terminal.rows("sessions")) == 1
    see(terminal, session, "ended", delivered_seconds=1.0)
    terminal.do(running.forget_old, None)
    terminal.do(running.forget_old, house.clock.now - 8 * 86_400_000)
    assert len(terminal.rows("sessions")) == 1, "a wall clock alone makes nothing forgotten"
    terminal.do(running.forget_old, house.clock.now)
    assert terminal.rows("sessions") == []


def test_the_next_moment_is_when_something_is_due(house, terminal, session):
    run(house, terminal, session)
    moment = house.books.do(sessions.next_moment)
    assert moment == house.books.one("sessions")["deadline_at"]
    house.clock.move(SLOT_SECONDS)
    due(house)
    assert house.books.do(sessions.next_moment) == house.clock.now + 2000
