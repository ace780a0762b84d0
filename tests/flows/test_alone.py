"""With the line down a terminal redeems what it holds, once, and nobody else can (C3, C4)."""

from __future__ import annotations

from functools import partial

import pytest

from cloud_controller.flows import registration, rights
from common.messages.registration import Welcome
from common.messages.rights import Right
from common.messages.sessions import SessionAdmitted
from common.rules.presence import LineMode
from common.rules.problems import ProblemKind
from common.rules.sessions import EndReason
from common.rules.tickets import DenialReason
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import ASKED, TerminalInHand, a_program


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer, whose clock the controller has set."""
    made = house.confirmed("a", "b")
    made.do(asking.take_time, house.clock.now)
    return made


def test_c4_a_ticket_that_is_held_opens_its_device_without_the_line(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    shown = terminal.shown[-1]
    assert (shown.reason, shown.is_alone) == (None, True)
    (due,) = terminal.do(running.to_start)
    terminal.do(running.note_seen, a_program(due.session, "running", started_at=house.clock.now))
    assert terminal.told_types() == ["session.admitted", "session.starting", "session.running"]
    house.tell_all(terminal)
    assert house.states() == {
        "tickets": ["spent"],
        "sessions": ["running"],
        "reservations": ["in_use"],
    }
    session = house.books.one("sessions")
    assert (session["session_id"], session["admission"]) == (due.session, "held")
    assert not house.books.rows("problems")


def test_a_ticket_is_admitted_once_from_its_own_journal(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    terminal.restart()
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.ALREADY_USED
    assert terminal.told_types().count("session.admitted") == 1


def test_what_is_used_online_is_not_admitted_again_without_the_line(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    assert isinstance(house.scan(terminal, device, token), Right)
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.ALREADY_USED


def test_a_ticket_bought_while_the_line_was_down_is_not_on_the_list(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.hold(terminal)
    terminal.scan(device, house.book(device), line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.NOT_ON_OFFLINE_LIST
    assert terminal.told_types() == ["scan.denied"]


def switch(house: HouseInHand, terminal: TerminalInHand, *, is_on: bool) -> None:
    """Let the operator allow starts by signature, and the terminal hear of it."""
    wish = registration.OfflineStarts(store=STORE, is_on=is_on, reason="the line is bad here")
    house.books.do(registration.allow_offline_starts, wish, "owner")
    house.hold(terminal)


def test_a_start_by_signature_is_only_the_operator_s_to_allow_and_is_flagged(house, terminal):
    (device, _) = house.devices_of(terminal)
    switch(house, terminal, is_on=True)
    terminal.scan(device, house.book(device), line_is_up=False)
    assert terminal.shown[-1].reason is None
    (due,) = terminal.do(running.to_start)
    house.tell_all(terminal)
    assert house.books.one("sessions")["admission"] == "signature"
    problem = house.books.one("problems")
    assert (problem["kind"], problem["subject"]) == (ProblemKind.OFFLINE_START_DOUBTED, due.session)


def test_a_start_by_signature_of_what_was_used_meanwhile_makes_no_second_session(house, terminal):
    (device, _) = house.devices_of(terminal)
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    switch(house, terminal, is_on=True)
    token = house.book(None)
    used = house.scan(second, other, token)
    assert isinstance(used, Right)
    terminal.scan(device, token, line_is_up=False)
    house.tell_all(terminal)
    (session,) = house.books.rows("sessions")
    assert session["session_id"] == used.document["session"]
    assert house.books.one("problems")["kind"] == ProblemKind.OFFLINE_START_DOUBTED


def test_the_operator_s_switch_is_heard_of_when_it_is_turned_back(house, terminal):
    (device, _) = house.devices_of(terminal)
    switch(house, terminal, is_on=True)
    switch(house, terminal, is_on=False)
    terminal.scan(device, house.book(device), line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.NOT_ON_OFFLINE_LIST
    acts = [row["act"] for row in house.books.rows("audit")]
    assert acts.count("store.offline_starts") == 2


def test_a_right_whose_answer_was_lost_is_superseded_by_the_start_without_it(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    house.announce(terminal, device)
    terminal.scan(device, token)
    (request,) = terminal.asks()
    (lost,) = house.ask(terminal, request)
    assert isinstance(lost, Right)
    house.clock.move(4)
    (late,) = terminal.do(asking.late_requests)
    terminal.do(asking.give_up, terminal.who, terminal.a_scan(device, token, name=late.scan))
    assert terminal.shown[-1].reason is None
    (due,) = terminal.do(running.to_start)
    house.carry(terminal)
    assert [each.session for each in terminal.do(running.to_start)] == [due.session]
    house.tell_all(terminal)
    ended = {row["session_id"]: row["end_reason"] for row in house.books.rows("sessions")}
    assert ended == {lost.document["session"]: EndReason.SUPERSEDED, due.session: None}


def test_a_late_right_after_giving_up_starts_nothing_and_gives_the_ticket_back(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.announce(terminal, device)
    terminal.scan(device, token)
    (request,) = terminal.asks()
    (right,) = house.ask(terminal, request)
    house.clock.move(4)
    terminal.do(asking.give_up, terminal.who, terminal.a_scan(device, token))
    assert terminal.shown[-1].reason is DenialReason.NOT_ON_OFFLINE_LIST
    terminal.hear(right)
    assert terminal.do(running.to_start) == []
    house.carry(terminal)
    house.tell_all(terminal)
    assert house.states()["tickets"] == ["issued"]
    assert isinstance(house.scan(terminal, device, token), Right), "and it opens at the next scan"


def test_without_a_clock_that_can_be_trusted_nothing_is_opened(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.restart(boot_id="boot-2")
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.CLOCK_UNTRUSTED
    house.clock.is_kept = True
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is None


@pytest.mark.parametrize(("corr", "kept"), [(ASKED, True), ("m-other", False)])
def test_only_the_answer_to_our_own_hello_says_what_time_it_is(house, terminal, corr, kept):
    """A welcome may have waited at the broker for an hour."""
    terminal.restart(boot_id="boot-2")
    welcome = Welcome(
        epoch=terminal.who.epoch,
        acknowledged_up_to=0,
        desired_revision=0,
        server_at=house.clock.now,
    )
    terminal.hear(welcome, Channel.WELCOME, corr=corr)
    assert (terminal.do(asking.trusted_now) is not None) is kept


def test_a_wall_clock_set_anywhere_opens_no_window(house, terminal):
    """Only the controller's word and the clock since boot count; the wall is anybody's."""
    (device, _) = house.devices_of(terminal)
    token = house.book(device, in_seconds=2 * SLOT_SECONDS)
    house.hold(terminal)
    house.clock.now += 2 * SLOT_SECONDS * 1000
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.TOO_EARLY
    house.clock.steady += 2 * SLOT_SECONDS
    terminal.scan(device, token, line_is_up=False)
    assert terminal.shown[-1].reason is None


def test_an_admission_that_is_told_twice_makes_one_session(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    told = terminal.tells()
    for _ in range(2):
        for seq, kind, body in told:
            house.tell(terminal, seq, kind, body)
    assert len(house.books.rows("sessions")) == 1


def test_an_admission_of_what_is_not_ours_changes_nothing_but_calls_somebody(house, terminal):
    (device, _) = house.devices_of(terminal)
    message = SessionAdmitted(
        session="s-x",
        scan="x-x",
        ticket="00" * 8,
        device=device,
        program="game",
        granted_seconds=10.0,
        at=house.clock.now,
        admission="held",
    )
    house.books.do(rights.note_admitted, house.received(terminal, message))
    assert not house.books.rows("sessions")
    assert house.books.one("problems")["kind"] == ProblemKind.OFFLINE_START_DOUBTED


def test_a_terminal_says_honestly_whom_it_can_ask(terminal):
    mode = partial(asking.line_mode, serves=True)
    assert terminal.do(partial(mode, line_is_up=True)) is LineMode.ASKS
    assert terminal.do(partial(mode, line_is_up=False)) is LineMode.ALONE
    terminal.restart(boot_id="boot-2")
    assert terminal.do(partial(mode, line_is_up=False)) is LineMode.UNSURE
    stopped = partial(asking.line_mode, serves=False, line_is_up=True)
    assert terminal.do(stopped) is LineMode.STOPPED


def test_a_ticket_of_one_device_opens_no_other_without_the_line(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.scan(other, token, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.WRONG_DEVICE


def test_a_start_without_the_line_ends_what_was_granted_for_the_device_and_never_began(
    house, terminal
):
    (device, _) = house.devices_of(terminal)
    first, second = house.book(device), house.book(device, in_seconds=SLOT_SECONDS)
    house.hold(terminal)
    house.announce(terminal, device)
    terminal.scan(device, first)
    (request,) = terminal.asks()
    (lost,) = house.ask(terminal, request)
    assert isinstance(lost, Right)
    house.clock.move(SLOT_SECONDS)
    terminal.scan(device, second, line_is_up=False)
    (due,) = terminal.do(running.to_start)
    house.carry(terminal)
    assert [each.session for each in terminal.do(running.to_start)] == [due.session]
    house.tell_all(terminal)
    states = {row["session_id"]: row["state"] for row in house.books.rows("sessions")}
    assert states == {lost.document["session"]: "failed", due.session: "starting"}
    assert not house.books.rows("problems")


def test_what_began_without_the_line_is_told_before_anything_is_asked_for_its_device(
    house, terminal
):
    """A right that is issued before the controller knows of that start would be ended by it."""
    (device, _) = house.devices_of(terminal)
    first = house.book(device)
    coming = house.book(device, in_seconds=SLOT_SECONDS)
    house.hold(terminal)
    bought = house.book(device, in_seconds=2 * SLOT_SECONDS)
    house.announce(terminal, device)
    terminal.scan(device, first, line_is_up=False)
    (due,) = terminal.do(running.to_start)
    terminal.do(running.note_seen, a_program(due.session, "running", started_at=house.clock.now))
    house.clock.move(SLOT_SECONDS)
    terminal.do(running.note_seen, a_program(due.session, "ended", ended_at=house.clock.now))
    terminal.scan(device, bought)
    assert terminal.shown[-1].reason is DenialReason.BUSY_TRY_AGAIN, "in a moment it can be asked"
    assert terminal.asks() == []
    terminal.scan(device, coming)
    shown = terminal.shown[-1]
    assert (shown.reason, shown.is_alone) == (None, True)
    house.tell_all(terminal)
    assert [row["admission"] for row in house.books.rows("sessions")] == ["held", "held"]
    assert {row["end_reason"] for row in house.books.rows("sessions")} == {"time_up", None}
