"""Somebody before a screen calls: kept without the line, told once, one problem a device."""

from __future__ import annotations

from common.messages.problems import HelpAsked
from common.rules.problems import ProblemKind
from edge_agent.flows import help as calls
from tests.fakes.house import HouseInHand


def device_of(house: HouseInHand) -> str:
    return str(house.books.rows("devices")[0]["device_id"])


def called(house: HouseInHand) -> list[str]:
    rows = house.books.rows("problems")
    return [row["subject"] for row in rows if row["kind"] == ProblemKind.HELP_ASKED]


def test_a_call_waits_for_the_line_and_is_one_until_it_is_told(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.tell_all(terminal)
    device = device_of(house)
    for _ in range(3):
        terminal.do(calls.call, device, None, "device")
    assert terminal.told_types() == [HelpAsked.type]
    assert not terminal.do(calls.is_told)
    house.tell_all(terminal)
    assert terminal.do(calls.is_told)
    assert called(house) == [device]


def test_who_calls_again_is_the_same_problem_until_it_is_settled(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.tell_all(terminal)
    for about in ("device", "person"):
        terminal.do(calls.call, device_of(house), "s-1", about)
        house.tell_all(terminal)
    assert called(house) == [device_of(house)]


def test_a_terminal_calls_for_no_device_but_its_own(house: HouseInHand):
    honest, rogue = house.confirmed("vr"), house.enrol("pc-2")
    assert honest.who.terminal != rogue.who.terminal
    rogue.do(calls.call, device_of(house), None, "person")
    house.tell_all(rogue)
    assert called(house) == []
