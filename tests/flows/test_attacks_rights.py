"""What was tried to play twice, longer or for nothing, and to speak for others: none works."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import registration, reservations, rights, sessions
from common.messages.rights import HoldTickets, ReleaseTicket, Right, TicketKept
from common.messages.sessions import SessionAdmitted
from common.rules.problems import ProblemKind
from common.rules.registration import StandingEvent
from common.rules.rights import ClientState
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, START_AGAIN_SECONDS, EndReason
from common.rules.tickets import DenialReason, RecallWhy
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer, whose clock the controller has set."""
    made = house.confirmed("a", "b")
    made.do(asking.take_time, house.clock.now)
    return made


def admitted(house: HouseInHand, device: str, ticket: str, **said: Any) -> SessionAdmitted:
    facts = {"at": house.clock.now, "granted_seconds": 60.0, "admission": "held", **said}
    return SessionAdmitted(
        session=house.names.new("s"),
        scan="x-1",
        ticket=ticket,
        device=device,
        program="game",
        **facts,
    )


def fail_to_start(house: HouseInHand, terminal: TerminalInHand) -> str:
    """Let what is to be started fail as often as it is tried; return its session."""
    (due,) = terminal.do(running.to_start)
    while terminal.do(running.note_refused, due.session, EndReason.PROGRAM_FAILED):
        house.clock.move(START_AGAIN_SECONDS)
    house.tell_all(terminal)
    return str(due.session)


def suspend(house: HouseInHand, terminal: TerminalInHand, event: StandingEvent) -> None:
    house.books.do(registration.decide, terminal.who.terminal, event, "owner", "seen")
    for told in house.books.heard():
        terminal.hear(told, Channel.REGISTRATION)


def test_a_lost_right_for_one_device_does_not_undo_the_start_on_its_sister(house, terminal):
    """The ticket is for any device: granted on one, its answer lost, opened alone on the other."""
    device, other = house.devices_of(terminal)
    token = house.book(None)
    house.hold(terminal)
    house.announce(terminal, other)
    terminal.scan(other, token)
    (request,) = terminal.asks()
    (lost,) = house.ask(terminal, request)
    assert isinstance(lost, Right)
    house.clock.move(4)
    terminal.scan(device, token, line_is_up=False)
    (due,) = terminal.do(running.to_start)
    terminal.do(running.note_seen, a_program(due.session, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    states = {row["session_id"]: row["state"] for row in house.books.rows("sessions")}
    assert states == {lost.document["session"]: "failed", due.session: "running"}
    assert house.states()["tickets"] == ["spent"]
    kinds = [row["type"] for row in house.books.rows("ledger")]
    assert kinds.count("session.failed") == 1
    assert "event.set_aside" not in kinds


def test_a_ticket_that_was_used_after_all_is_called_back_no_more(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    fail_to_start(house, terminal)
    terminal.scan(device, token, line_is_up=False)
    (due,) = terminal.do(running.to_start)
    terminal.do(running.note_seen, a_program(due.session, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    for _ in range(3):
        for ticket in house.books.do(sessions.held_by_who_failed):
            house.books.do(rights.recall, ticket, RecallWhy.MOVE)
        house.recall(terminal)
    assert house.books.do(sessions.held_by_who_failed) == []
    assert terminal.told_types().count("ticket.kept") == 0


def test_what_was_given_back_is_held_again_only_by_a_right_that_came_after(house, terminal):
    """Suspended and resumed while a renewal is under way: no moment has two redeemers."""
    (device, _) = house.devices_of(terminal)
    token = house.book(None)
    house.hold(terminal)
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    terminal.do(asking.hold, terminal.who, device)
    (announce,) = terminal.asks()
    (announced,) = house.ask(terminal, announce)
    terminal.hear(announced)
    (request,) = terminal.asks()
    (renewed,) = house.ask(terminal, request)
    assert isinstance(renewed, Right)
    suspend(house, terminal, StandingEvent.SUSPEND)
    suspend(house, terminal, StandingEvent.RESUME)
    house.tell_all(terminal)
    house.announce(second, other)
    second.scan(other, token)
    (asked,) = second.asks()
    recall, refused = house.ask(second, asked)
    assert isinstance(recall, ReleaseTicket)
    assert refused.type == "rights.refused", "the renewed right may still be heard"
    terminal.hear(recall, Channel.COMMANDS, recall.command)
    house.tell_all(terminal)
    terminal.hear(renewed)
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.REVOKED


def test_nobody_answers_a_recall_for_another_terminal(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    house.hold(terminal)
    house.give_up()
    asked_at = house.books.one("held_tickets")["recall_asked_at"]
    ticket = house.books.one("tickets")["ticket_id"]
    second = house.confirmed("c")
    kept = TicketKept(ticket=ticket, at=house.clock.now, asked_at=asked_at)
    house.books.do(rights.note_kept, house.received(second, kept))
    assert house.books.one("held_tickets")["state"] == "recalled"
    assert house.books.one("reservations")["cancel_asked_at"] is not None


def test_a_terminal_cannot_burn_a_ticket_that_another_holds(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    ticket = house.books.one("tickets")["ticket_id"]
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    lie = admitted(house, other, ticket, granted_seconds=9_999_999.0)
    house.books.do(rights.note_admitted, house.received(second, lie))
    assert house.states() == {"tickets": ["issued"], "sessions": [], "reservations": ["confirmed"]}
    assert house.books.one("problems")["kind"] == ProblemKind.OFFLINE_START_DOUBTED
    assert isinstance(house.scan(terminal, device, token), Right)


def test_a_session_told_of_is_believed_inside_its_slot_and_no_further(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    house.hold(terminal)
    ticket = house.books.one("tickets")["ticket_id"]
    lie = admitted(house, device, ticket, granted_seconds=9_999_999.0, at=253_402_300_799_999)
    house.books.do(rights.note_admitted, house.received(terminal, lie))
    session, slot = house.books.one("sessions"), house.books.one("reservations")
    assert slot["starts_at"] <= session["granted_at"] < slot["ends_at"]
    assert session["granted_seconds"] <= (slot["ends_at"] - session["granted_at"]) / 1000
    assert session["deadline_at"] == slot["ends_at"]


def test_a_wall_clock_days_ahead_makes_nothing_forgotten_that_was_used(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    (due,) = terminal.do(running.to_start)
    terminal.do(running.note_seen, a_program(due.session, "running", started_at=1))
    terminal.do(running.note_seen, a_program(due.session, "ended", delivered_seconds=1.0))
    house.clock.now += 8 * 86_400_000
    terminal.do(running.forget_old, terminal.do(asking.trusted_now))
    terminal.do(running.forget_old, house.clock.now)
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.ALREADY_USED


def test_a_clock_set_back_over_a_restart_is_not_believed(house, terminal):
    house.clock.move(3_600)
    terminal.do(asking.note_time)
    house.clock.is_kept = True
    terminal.restart(boot_id="boot-2")
    house.clock.now -= 600_000
    assert terminal.do(asking.trusted_now) is None
    house.clock.now += 600_000
    assert terminal.do(asking.trusted_now) == house.clock.now


def test_a_terminal_suspended_with_tickets_on_their_way_gives_them_back_too(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    terminal.do(asking.hold, terminal.who, device)
    (announce,) = terminal.asks()
    (announced,) = house.ask(terminal, announce)
    terminal.hear(announced)
    (request,) = terminal.asks()
    house.ask(terminal, request)
    suspend(house, terminal, StandingEvent.SUSPEND)
    assert terminal.gate.role == house.books.one("terminals")["broker_role"] == "settling"
    house.give_up()
    house.books.do(rights.settle_held)
    house.clock.move(3)
    house.books.do(rights.settle_held)
    house.recall(terminal)
    assert house.states()["reservations"] == ["cancelled"]


def test_a_late_report_is_taken_also_where_the_time_after_it_was_sold_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    session = right.document["session"]
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS + 1)
    house.books.do(sessions.do_what_is_due)
    house.books.do(sessions.give_up_undelivered)
    house.books.connection.execute("UPDATE reservations SET blocked_until = blocked_until + 900000")
    house.books.do(reservations.lapse)
    house.books.connection.execute(
        "UPDATE offerings SET grid_seconds = 60, lengths_seconds = '[1800]'"
    )
    assert house.book(device)
    house.books.heard()
    house.tell_all(terminal)
    kinds = [row["type"] for row in house.books.rows("ledger")]
    assert "event.set_aside" not in kinds
    assert house.books.rows("reservations")[0]["state"] == "completed"


def test_a_moved_ticket_names_its_device_also_without_the_line(house, terminal):
    device, other = house.devices_of(terminal)
    token = house.book(device)
    house.books.connection.execute("UPDATE reservations SET device_id = ?", [other])
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    shown = terminal.shown[-1]
    assert (shown.reason, shown.meant) == (DenialReason.WRONG_DEVICE, other)


def test_made_up_sessions_call_an_operator_once(house, terminal):
    (device, _) = house.devices_of(terminal)
    for number in range(20):
        lie = admitted(house, device, f"{number:016x}")
        house.books.do(rights.note_admitted, house.received(terminal, lie))
    (problem,) = house.books.rows("problems")
    assert problem["times"] == 20


def test_a_device_that_is_not_ours_is_held_by_no_exchange_of_ours(house, terminal):
    for device in ("d-99", "d-1:x", house.devices_of(house.confirmed("c"))[0]):
        terminal.hear(HoldTickets(command="h", device=device), Channel.COMMANDS, "h")
    assert all(row["state"] == ClientState.IDLE for row in terminal.rows("exchanges"))
    assert not terminal.asks()
