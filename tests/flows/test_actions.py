"""Switches follow what the journal and the books say, over restarts; what fails is a problem."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from cloud_controller.flows import actions as of_controller, registration
from common.messages.rights import Right
from common.rules.actions import (
    Kind,
    Level,
    PulseState,
    Sight,
    Standing,
    Switch,
    SwitchSeen,
    Trouble,
    When,
)
from common.rules.presence import Presence
from edge_agent.flows import actions as of_agent, sessions as running
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program
from tests.flows.device_kit import TURNOVER, Booth

ENGINES = ["sqlite", "postgres"]

LAMP = Switch(name="lamp", when=When.FROM_PREPARING, after_seconds=300.0)
DOOR = Switch(name="door", kind=Kind.PULSE, when=When.FROM_PREPARING, after_seconds=10.0)
SIGN = Switch(name="sign", when=When.PRESENCE_HERE)


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("vr")


def begin(house: HouseInHand, terminal: TerminalInHand) -> str:
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    return str(right.document["session"])


def end(house: HouseInHand, terminal: TerminalInHand, session: str) -> None:
    for state in ("running", "ended"):
        terminal.do(running.note_seen, a_program(session, state, started_at=house.clock.now))
    house.tell_all(terminal)


def look(terminal: TerminalInHand, *switches: Switch) -> Sight:
    seen: Sight = terminal.do(partial(of_agent.look, is_here=True), switches, ["vr"])[0]
    return seen


def test_a_lamp_stays_on_after_a_session_over_a_restart_and_not_over_another_boot(house, terminal):
    assert look(terminal, LAMP).levels == {"lamp": Level.OFF}
    session = begin(house, terminal)
    assert look(terminal, LAMP).levels == {"lamp": Level.ON}
    end(house, terminal, session)
    terminal.restart()
    seen = look(terminal, LAMP)
    assert seen.levels == {"lamp": Level.ON}
    assert seen.next_at == house.clock.steady + 300
    house.clock.move(299)
    assert look(terminal, LAMP).levels == {"lamp": Level.ON}
    terminal.restart()
    assert look(terminal, LAMP).levels == {"lamp": Level.ON}
    terminal.restart(boot_id="another")
    assert look(terminal, LAMP).levels == {"lamp": Level.OFF}


def test_a_door_is_noted_as_opened_before_it_is_and_no_restart_opens_it_again(house, terminal):
    session = begin(house, terminal)
    (due,) = look(terminal, DOOR).due
    assert (due.session, due.state) == (session, PulseState.DUE)
    terminal.restart()
    assert [pulse.session for pulse in look(terminal, DOOR).due] == [session]
    assert terminal.do(of_agent.begin_pulse, due)
    assert not terminal.do(of_agent.begin_pulse, due)
    terminal.restart()
    assert look(terminal, DOOR) == Sight(levels={"door": None}, next_at=house.clock.steady + 10)
    terminal.restart(boot_id="another")
    assert look(terminal, DOOR).levels == {"door": Level.OFF}
    house.clock.move(8 * 86_400)
    terminal.do(of_agent.forget_others, ["door"])
    assert not look(terminal, DOOR).due, "the session is live still"


def test_a_switch_is_told_of_once_each_time_it_stands_otherwise(house, terminal):
    seen = a_seen(Standing.UNANSWERED, Trouble.NO_ANSWER, tries=4)
    for _ in range(3):
        terminal.do(of_agent.note, seen)
    assert terminal.told_types() == ["switch.told"]
    house.tell_all(terminal)
    (problem,) = house.books.rows("problems")
    assert problem["kind"] == "switch_did_not_answer"
    assert problem["subject"] == f"{terminal.who.terminal}/lamp"
    assert json.loads(problem["evidence"])["trouble"] == "no_answer"
    assert problem["solved_at"] is None
    terminal.do(of_agent.note, a_seen(Standing.CONFIRMED))
    house.tell_all(terminal)
    (problem,) = house.books.rows("problems")
    assert problem["solved_at"] == house.clock.now
    assert terminal.do(of_agent.seen) == [a_seen(Standing.CONFIRMED)]
    (row,) = house.books.rows("switches")
    assert (row["owner"], row["standing"]) == (terminal.who.terminal, "confirmed")


def test_a_switch_that_the_settings_have_no_more_is_nobodys_problem(house, terminal):
    terminal.do(of_agent.note, a_seen(Standing.UNANSWERED, Trouble.BROKER_AWAY))
    house.tell_all(terminal)
    terminal.do(of_agent.forget_others, ["another"])
    house.tell_all(terminal)
    assert not house.books.rows("switches")
    assert [row["solved_at"] for row in house.books.rows("problems")] == [house.clock.now]


def test_what_a_strange_agent_says_of_switches_is_no_standing_and_fills_nothing(house, terminal):
    for number in range(of_controller.SWITCHES_OF_ONE_MAX + 5):
        terminal.do(of_agent.note, a_seen(Standing.CONFIRMED, switch=f"lamp-{number}"))
    terminal.do(of_agent.note, a_seen(_word("lit"), switch="strange"))
    house.tell_all(terminal)
    names = {row["switch"] for row in house.books.rows("switches")}
    assert len(names) == of_controller.SWITCHES_OF_ONE_MAX
    assert "strange" not in names


def test_the_controller_moves_its_own_for_any_terminal_and_for_one_that_is_gone(house, terminal):
    place = f"{terminal.who.terminal}/vr"
    own = [Switch(name="lamp", when=When.IN_USE, places=frozenset({place})), SIGN]
    assert house.books.do(of_controller.look, own)[0].levels == {
        "lamp": Level.OFF,
        "sign": Level.ON,
    }
    session = begin(house, terminal)
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    assert house.books.do(of_controller.look, own)[0].levels["lamp"] is Level.ON
    gone = {terminal.who.terminal: Presence.GONE}
    house.books.do(registration.note_presence, gone)
    assert house.books.do(of_controller.look, own)[0].levels == {
        "lamp": Level.ON,
        "sign": Level.OFF,
    }


def test_lights_for_cleaners_and_for_what_is_broken_follow_the_device_on_both_sides(house):
    """A device is in turnover, or out of order, when no session says anything of it."""
    cleaning = Switch(name="cleaning", when=When.UNTIL_CLEAN, places=frozenset({"a"}))
    broken = Switch(name="broken", when=When.OUT_OF_ORDER, places=frozenset({"a"}))
    booth = Booth(house, house.confirmed("a", "b"))
    place = frozenset({f"{booth.terminal.who.terminal}/a"})
    own = [replace(cleaning, places=place), replace(broken, places=place)]

    def levels() -> set[tuple[Level | None, ...]]:
        at_terminal = partial(of_agent.look, is_here=True)
        found = [
            booth.terminal.do(at_terminal, [cleaning, broken], ["a", "b"])[0].levels,
            house.books.do(of_controller.look, own)[0].levels,
        ]
        return {tuple(each.values()) for each in found}

    assert levels() == {(Level.OFF, Level.OFF)}
    booth.use()
    assert booth.state is TURNOVER
    assert levels() == {(Level.ON, Level.OFF)}
    booth.done()
    booth.done()
    assert booth.enter(booth.new_code()) is None
    assert levels() == {(Level.OFF, Level.OFF)}
    booth.order(is_out=True)
    assert levels() == {(Level.OFF, Level.ON)}


def test_of_two_controllers_on_one_database_one_makes_the_pulse(house, terminal):
    begin(house, terminal)
    (first,) = house.books.do(of_controller.look, [DOOR])[0].due
    (second,) = house.books.do(of_controller.look, [DOOR])[0].due
    assert first == second
    made = [house.books.do(of_controller.begin_pulse, due) for due in (first, second)]
    assert made == [True, False]
    assert not house.books.do(of_controller.look, [DOOR])[0].due
    house.books.do(of_controller.forget_others, ["door"])
    house.books.do(of_controller.note_own, a_seen(Standing.UNANSWERED, Trouble.BROKER_AWAY))
    (problem,) = house.books.rows("problems")
    assert (problem["subject"], problem["terminal_id"]) == ("controller/lamp", None)
    pulsed = [row for row in house.books.rows("ledger") if row["type"] == "switch.pulsed"]
    assert [row["reservation_id"] for row in pulsed] == ["r-1"], "in its timeline, and once"


def a_seen(standing: Standing, trouble: Trouble | None = None, **other: Any) -> SwitchSeen:
    known = {"switch": "lamp", "title": "Lamp 1", "wanted": Level.ON}
    return SwitchSeen(**known | other, standing=standing, trouble=trouble)


def _word(text: str) -> Any:
    return text
