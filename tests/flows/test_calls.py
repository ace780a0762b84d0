"""A customer at a device and a helper write: kept, told once, in order, and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.messages.help import (
    LINES_MAX,
    Bilingual,
    HelpChosen,
    HelperThere,
    HelpHeard,
    HelpJoined,
    HelpLeft,
    HelpLine,
    HelpThere,
    HelpTold,
    LineTold,
)
from common.topics import Channel
from edge_agent.flows import enrolment, help as calls
from edge_agent.flows.help import QUIET_SECONDS, SHOWN_SECONDS, Call, Refused, Wish
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand

AIKO = HelperThere(helper="p-1", name="Aiko", title=Bilingual(ja="機器"), languages=("ja", "en"))
BEN = HelperThere(helper="p-2", name="Ben", price_cents=300)
FREE = Wish(helper="p-1", price_cents=0, language="ja")
DEVICE = "d-1"


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a terminal in service, where Aiko and Ben are there and nothing else is to be told."""
    found = house.confirmed("vr")
    house.tell_all(found)
    hears(found, HelpThere(number=1, helpers=(AIKO, BEN)))
    return found


def hears(terminal: TerminalInHand, message: Any) -> None:
    terminal.hear(message, Channel.DESIRED)


def chosen(terminal: TerminalInHand, session: str | None = None) -> str:
    """Choose Aiko, and return the call."""
    assert terminal.do(calls.choose, DEVICE, session, FREE) is None
    return shown(terminal).call


def shown(terminal: TerminalInHand) -> Call:
    found: Call = terminal.do(calls.look).calls[DEVICE]
    return found


def has_call(terminal: TerminalInHand) -> bool:
    return DEVICE in terminal.do(calls.look).calls


def told(call: str, *lines: LineTold, state: Any = "open", **having: Any) -> HelpTold:
    return HelpTold(call=call, device=DEVICE, state=state, lines=lines, **having)


def line(number: int, text: str, own: int = 0) -> LineTold:
    by: Any = "customer" if own else "helper"
    return LineTold(number=number, by=by, text=text, at=1, own=own)


def texts(terminal: TerminalInHand) -> list[str]:
    return [each.text for each in shown(terminal).lines]


def test_e6_who_is_there_is_the_newest_list_and_an_older_one_brings_nobody_back(
    terminal: TerminalInHand,
):
    hears(terminal, HelpThere(number=3, helpers=(BEN,)))
    hears(terminal, HelpThere(number=2, helpers=(AIKO, BEN)))
    assert terminal.do(calls.look).helpers == (BEN,)
    assert terminal.do(calls.choose, DEVICE, None, FREE) is Refused.NOT_THERE
    assert terminal.told_types() == []


def test_e6_nobody_is_called_for_more_than_was_shown(terminal: TerminalInHand):
    dear = Wish(helper="p-2", price_cents=200, language="en")
    assert terminal.do(calls.choose, DEVICE, None, dear) is Refused.NOT_THERE
    agreed = Wish(helper="p-2", price_cents=300, language="en")
    assert terminal.do(calls.choose, DEVICE, None, agreed) is None
    assert terminal.told_types() == [HelpChosen.type]


def test_e6_a_helper_chosen_twice_is_one_call(terminal: TerminalInHand):
    first = chosen(terminal)
    assert chosen(terminal) == first
    assert terminal.told_types() == [HelpChosen.type]


def test_e4_lines_of_both_sides_stand_in_the_order_of_the_controller_whatever_comes_twice(
    terminal: TerminalInHand,
):
    call = chosen(terminal)
    for text in ("no sound", "hello?"):
        assert terminal.do(calls.write, DEVICE, call, text) is None
    assert [each.is_told for each in shown(terminal).lines] == [False, False]
    first = told(call, line(1, "no sound", own=1), line(2, "Turn the knob."))
    for each in (first, first, told(call, line(2, "Turn the knob."), line(3, "hello?", own=2))):
        hears(terminal, each)
    assert texts(terminal) == ["no sound", "Turn the knob.", "hello?"]
    assert terminal.told_types()[1:3] == [HelpLine.type] * 2
    heard = [body for _, kind, body in terminal.tells() if kind == HelpHeard.type]
    assert [HelpHeard.model_validate_json(each).number for each in heard] == [2, 3]


def test_a_line_after_a_gap_waits_until_what_is_missing_was_told(terminal: TerminalInHand):
    call = chosen(terminal)
    hears(terminal, told(call, line(2, "second")))
    assert texts(terminal) == []
    hears(terminal, told(call, line(1, "first"), line(2, "second")))
    assert texts(terminal) == ["first", "second"]


def test_a_call_goes_only_forward_and_what_came_late_opens_nothing_again(
    terminal: TerminalInHand,
):
    call = chosen(terminal)
    hears(terminal, told(call, state="waiting", place=2))
    assert (shown(terminal).state, shown(terminal).place) == ("waiting", 2)
    for state in ("open", "waiting", "ended", "open"):
        hears(terminal, told(call, state=state, why="helper_ended" if state == "ended" else ""))
    assert (shown(terminal).state, shown(terminal).why) == ("ended", "helper_ended")
    assert terminal.do(calls.write, DEVICE, call, "too late") is Refused.OVER


def test_e4_what_is_written_without_the_line_is_told_once_after_a_restart(
    terminal: TerminalInHand,
):
    call = chosen(terminal)
    terminal.do(calls.write, DEVICE, call, "still here")
    terminal.restart()
    assert texts(terminal) == ["still here"]
    assert terminal.told_types() == [HelpChosen.type, HelpLine.type]


def test_who_leaves_is_told_and_leaves_nothing_behind(terminal: TerminalInHand):
    call = chosen(terminal)
    terminal.do(calls.write, DEVICE, call, "private")
    assert terminal.do(calls.leave, DEVICE, call)
    assert not terminal.do(calls.leave, DEVICE, call)
    hears(terminal, told(call, line(1, "private", own=1), line(2, "are you there?")))
    assert not has_call(terminal)
    assert terminal.rows("help_lines") == []
    assert terminal.told_types()[-2:] == [HelpLeft.type, HelpHeard.type]


def test_a_call_that_nobody_knows_here_is_confirmed_so_that_it_ends(terminal: TerminalInHand):
    hears(terminal, told("h-of-another", line(1, "who are you?")))
    assert terminal.told_types() == [HelpHeard.type]
    assert not has_call(terminal)


def test_without_a_session_a_call_in_which_nobody_writes_is_left(
    terminal: TerminalInHand, house: HouseInHand
):
    chosen(terminal)
    house.clock.move(QUIET_SECONDS - 1)
    assert has_call(terminal)
    house.clock.move(2)
    assert not has_call(terminal)
    assert terminal.told_types() == [HelpChosen.type, HelpLeft.type]


def test_what_the_helper_has_ended_can_be_read_for_a_while_and_by_nobody_later(
    terminal: TerminalInHand, house: HouseInHand
):
    call = chosen(terminal)
    hears(terminal, told(call, line(1, "Good bye."), state="ended", why="helper_ended"))
    assert texts(terminal) == ["Good bye."]
    house.clock.move(SHOWN_SECONDS + 1)
    assert not has_call(terminal)
    assert terminal.rows("help_lines") == terminal.rows("help_calls") == []


def test_a_call_has_an_end_to_its_lines(terminal: TerminalInHand):
    call = chosen(terminal)
    answers = [terminal.do(calls.write, DEVICE, call, "x") for _ in range(LINES_MAX + 1)]
    assert answers == [None] * LINES_MAX + [Refused.FULL]


def test_a_call_ends_with_its_session_and_the_next_customer_reads_nothing_of_it(
    terminal: TerminalInHand,
):
    begins(terminal, "s-1")
    call = chosen(terminal, "s-1")
    terminal.do(calls.write, DEVICE, call, "private")
    ends(terminal, "s-1")
    begins(terminal, "s-2")
    assert not has_call(terminal)
    assert terminal.rows("help_lines") == []
    assert terminal.told_types()[-1] == HelpLeft.type


def test_who_was_helped_to_begin_goes_on_with_his_helper_and_needs_not_write_to_be_there(
    terminal: TerminalInHand, house: HouseInHand
):
    call = chosen(terminal)
    begins(terminal, "s-1")
    assert shown(terminal).call == call
    assert terminal.told_types() == [HelpChosen.type, HelpJoined.type]
    house.clock.move(QUIET_SECONDS * 3)
    assert has_call(terminal)
    ends(terminal, "s-1")
    assert not has_call(terminal)


def test_a_terminal_of_a_new_epoch_has_nobody_there_and_no_call(
    terminal: TerminalInHand,
):
    chosen(terminal)
    terminal.do(enrolment.keep_identity, replace(terminal.who, epoch="0" * 16))
    around = terminal.do(calls.look)
    assert (around.helpers, around.calls) == ((), {})


def begins(terminal: TerminalInHand, session: str) -> None:
    """Have a session begin at the device."""
    facts = {"fence": 1, "ticket": f"t-{session}", "admission": "", "right_document": "{}"}
    clocks = {"start_by_boot_seconds": 9e9, "deadline_boot_seconds": 9e9, "boot_id": "boot-1"}
    more = {"granted_seconds": 60.0, "extends_itself": 0, "state": "starting", "made_at": 1}
    names = {"session": session, "device": DEVICE, "program": "vr"}
    terminal.do(lambda journal: journal.rows.add_session(**names, **facts, **clocks, **more))


def ends(terminal: TerminalInHand, session: str) -> None:
    """Have the session come to its end."""
    move = {"session": session, "before": "starting", "state": "ended"}
    terminal.do(lambda journal: journal.rows.move_session(**move))
