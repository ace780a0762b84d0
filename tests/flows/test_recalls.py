"""A ticket has one redeemer: taken over, called back, given back, and then something else (B9)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration, reservations, rights
from common.messages.rights import Refused, ReleaseTicket, Right
from common.rules.registration import StandingEvent
from common.rules.sessions import START_AGAIN_SECONDS, START_TRIES, EndReason
from common.rules.tickets import HOLD_AHEAD_SECONDS, DenialReason
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand, asked
from tests.fakes.terminal import TerminalInHand


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer, whose clock the controller has set."""
    made = house.confirmed("a", "b")
    made.do(asking.take_time, house.clock.now)
    return made


def test_nobody_else_can_redeem_a_ticket_that_a_terminal_holds(house, terminal):
    token = house.book(None)
    device = house.books.one("reservations")["device_id"]
    house.hold(terminal)
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    request = asked(house, second, token, other)
    recall, answer = house.ask(second, request)
    assert isinstance(recall, ReleaseTicket)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.BUSY_TRY_AGAIN
    second.hear(answer)
    house.carry(second)
    house.clock.move(3)
    house.books.do(rights.settle_held)
    house.recall(terminal)
    assert isinstance(house.scan(second, other, token), Right), "given back, it opens there"
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.REVOKED


def test_a_cancellation_counts_when_the_terminal_has_given_the_ticket_back(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    house.give_up()
    assert house.states()["reservations"] == ["confirmed"], "nobody knows yet if it was used"
    house.recall(terminal)
    assert house.states()["reservations"] == ["cancelled"]
    assert house.states()["tickets"] == ["void"]
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.REVOKED


def test_a_cancellation_that_comes_after_the_use_does_not_count(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    house.give_up()
    house.recall(terminal)
    assert house.states()["reservations"] == ["confirmed"]
    assert house.states()["sessions"] == ["starting"]
    assert house.books.one("reservations")["cancel_asked_at"] is None


def test_a_ticket_whose_program_failed_alone_stays_held_until_it_is_given_back(house, terminal):
    """Else it would open elsewhere, and here again without the line: two uses of one ticket."""
    token = house.book(None)
    device = house.books.one("reservations")["device_id"]
    house.hold(terminal)
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    terminal.scan(device, token, line_is_up=False)
    for _ in range(START_TRIES):
        (due,) = terminal.do(running.to_start)
        terminal.do(running.note_refused, due.session, EndReason.PROGRAM_FAILED)
        house.clock.move(START_AGAIN_SECONDS)
    house.tell_all(terminal)
    assert house.states()["tickets"] == ["issued"]
    recall, refused = house.ask(second, asked(house, second, token, other))
    assert isinstance(recall, ReleaseTicket)
    assert isinstance(refused, Refused)
    assert refused.reason == DenialReason.BUSY_TRY_AGAIN
    terminal.scan(device, token, line_is_up=False)
    house.tell_all(terminal)
    assert house.states()["sessions"] == ["failed", "starting"]
    assert house.books.rows("problems") == []
    terminal.hear(recall, Channel.COMMANDS, recall.command)
    house.tell_all(terminal)
    assert house.books.one("held_tickets")["state"] == "held"


def test_a_recall_that_overtakes_the_right_it_recalls_still_counts(house, terminal):
    """The right is issued, its answer lost; the recall comes first, and the right after it."""
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    terminal.do(asking.hold, terminal.who, device)
    (announce,) = terminal.asks()
    (announced,) = house.ask(terminal, announce)
    terminal.hear(announced)
    (request,) = terminal.asks()
    (right,) = house.ask(terminal, request)
    house.clock.move(1)
    house.give_up()
    house.recall(terminal)
    assert house.states()["reservations"] == ["cancelled"]
    terminal.hear(right)
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.REVOKED


def test_only_tickets_of_the_coming_hours_are_held_and_the_list_is_renewed(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    house.book(device, in_seconds=HOLD_AHEAD_SECONDS + SLOT_SECONDS)
    house.hold(terminal)
    assert len(terminal.rows("held_tickets")) == 1
    house.clock.move(2 * SLOT_SECONDS)
    house.hold(terminal)
    held = [row for row in terminal.rows("held_tickets") if row["ends_at"] > house.clock.now]
    assert len(held) == 1
    house.books.do(rights.hold_what_comes)
    assert not house.books.heard(), "what is held already is asked for no more"


def test_a_no_show_is_one_only_when_its_holder_has_said_that_it_was_not_used(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    house.hold(terminal)
    house.clock.move(3 * SLOT_SECONDS)
    house.books.do(reservations.lapse)
    assert house.states()["reservations"] == ["confirmed"]
    house.books.do(rights.settle_held)
    house.recall(terminal)
    house.books.do(reservations.lapse)
    assert house.states()["reservations"] == ["no_show"]


def test_a_terminal_that_is_suspended_gives_everything_back(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    house.books.do(
        registration.decide, terminal.who.terminal, StandingEvent.SUSPEND, "owner", "broken"
    )
    for told in house.books.heard():
        terminal.hear(told, Channel.REGISTRATION)
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.REVOKED
    house.tell_all(terminal)
    assert {row["state"] for row in house.books.rows("held_tickets")} == {"released"}


def test_a_terminal_that_is_suspended_says_nothing_of_what_was_used(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    house.tell_all(terminal)
    house.books.do(
        registration.decide, terminal.who.terminal, StandingEvent.SUSPEND, "owner", "broken"
    )
    for told in house.books.heard():
        terminal.hear(told, Channel.REGISTRATION)
    assert terminal.tells() == []


def test_an_operator_s_new_enrolment_frees_what_the_old_disk_held(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    house.hold(terminal)
    house.give_up()
    house.enrol(again=terminal.who.terminal)
    house.books.do(rights.settle_held)
    assert house.states()["reservations"] == ["cancelled"]


def test_what_was_used_online_is_let_go_when_its_time_is_over(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    assert isinstance(house.scan(terminal, device, token), Right)
    house.clock.move(3 * SLOT_SECONDS)
    house.books.do(rights.settle_held)
    house.recall(terminal)
    assert {row["state"] for row in house.books.rows("held_tickets")} <= {"released"}
    house.books.do(rights.settle_held)
    assert not house.books.rows("held_tickets")


def test_a_terminal_cannot_take_over_the_tickets_of_another_s_device(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.book(device)
    second = house.confirmed("c")
    second.do(asking.hold, second.who, device)
    house.carry(second)
    assert not house.books.rows("held_tickets")
