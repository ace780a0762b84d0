"""A device between two customers: what its sessions did, what is done then, and what is shown."""

from __future__ import annotations

from itertools import product

import pytest

from common.rules.devices import (
    CODE_DIGITS,
    DEVICE,
    OFFLINE,
    OVER,
    RESERVED,
    Care,
    ConfirmBy,
    DeviceEvent,
    DeviceState,
    ForHolder,
    Seen,
    Stage,
    Step,
    Use,
    code_digest,
    events_since,
    is_cleaner_code,
    is_the_code,
    shown_state,
    step_after,
    steps_of,
    told_to_holder,
)

FREE, PREPARING, IN_USE, FINISHING, TURNOVER, OUT = DeviceState
SALT = "ab" * 32

STANDS_AFTER = {
    # state, how far its latest session is, if it is not taken in yet: where it stands then
    **{(FREE, Stage(stage)): PREPARING for stage in ("granted", "starting")},
    (FREE, Stage.RUNNING): IN_USE,
    (FREE, Stage.ENDING): FINISHING,
    (FREE, Stage.ENDED): TURNOVER,
    (FREE, Stage.FAILED): FREE,
    **{(PREPARING, Stage(stage)): PREPARING for stage in ("granted", "starting")},
    (PREPARING, Stage.RUNNING): IN_USE,
    (PREPARING, Stage.ENDING): FINISHING,
    (PREPARING, Stage.ENDED): TURNOVER,
    (PREPARING, Stage.FAILED): TURNOVER,
    **{(IN_USE, Stage(stage)): IN_USE for stage in ("granted", "starting", "running")},
    (IN_USE, Stage.ENDING): FINISHING,
    (IN_USE, Stage.ENDED): TURNOVER,
    (IN_USE, Stage.FAILED): TURNOVER,
    **{(FINISHING, stage): FINISHING for stage in Stage if stage not in OVER},
    (FINISHING, Stage.ENDED): TURNOVER,
    (FINISHING, Stage.FAILED): TURNOVER,
    **{(state, stage): state for state in (TURNOVER, OUT) for stage in Stage},
}


def stands(state: DeviceState, use: Use | None) -> DeviceState:
    """Return where a device stands after all that has happened; what is not named is refused."""
    for event in events_since(state, use):
        state = DEVICE.step(state, event) or state
    return state


@pytest.mark.parametrize(("state", "stage"), list(product(DeviceState, Stage)))
def test_whoever_looks_late_finds_the_whole_way_of_a_session(state, stage):
    assert stands(state, Use(stage=stage, is_taken_in=False)) is STANDS_AFTER[state, stage]


@pytest.mark.parametrize(("state", "stage"), list(product(DeviceState, Stage)))
def test_looked_at_again_it_stands_where_it_stood(state, stage):
    use = Use(stage=stage, is_taken_in=stage in OVER)
    after = STANDS_AFTER[state, stage]
    assert stands(after, use) is after


@pytest.mark.parametrize("state", DeviceState)
def test_whose_session_is_not_known_any_more_has_been_left(state):
    left = TURNOVER if state in {PREPARING, IN_USE, FINISHING} else state
    assert stands(state, None) is left
    assert stands(state, Use(stage=Stage.ENDED, is_taken_in=True)) is left


def test_nobody_but_an_operator_brings_a_device_back_and_it_is_made_ready_first():
    leads_out = {event: after for (state, event), after in DEVICE.table.items() if state is OUT}
    assert leads_out == {DeviceEvent.MEND: TURNOVER}
    assert {state for (state, _), after in DEVICE.table.items() if after is FREE} == {TURNOVER}


CARES = [
    Care(wipes=wipes, reset=reset, confirm_by=confirm_by)
    for wipes, reset, confirm_by in product((False, True), (None, "clean"), ConfirmBy)
]


@pytest.mark.parametrize("was_used", [False, True])
@pytest.mark.parametrize("care", CARES, ids=str)
def test_what_is_asked_for_is_done_in_its_order_and_once(care: Care, was_used: bool):  # noqa: FBT001 - a case
    done: list[Step] = []
    while (step := step_after(done[-1] if done else None, care, was_used=was_used)) is not None:
        done.append(step)
    asked = {
        Step.WIPE: care.wipes,
        Step.RESET: care.reset is not None,
        Step.CONFIRM: was_used and care.confirm_by is not ConfirmBy.NONE,
    }
    assert done == [step for step in Step if asked[step]] == list(steps_of(care, was_used=was_used))


@pytest.mark.parametrize("step", Step)
def test_a_step_that_is_asked_for_no_more_is_followed_by_what_comes_after_it(step: Step):
    rest = step_after(step, Care(reset="clean"), was_used=True)
    assert rest is (Step.RESET if step is Step.WIPE else None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "1234567",
        "12345a",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "-12345",
        "123 56",
        "RSB1",
    ],
)
def test_nothing_else_is_a_cleaners_code(text: str):
    assert not is_cleaner_code(text)
    assert not is_the_code(text, SALT, code_digest(text, SALT))


def test_a_code_is_known_by_its_digest_and_no_other_code_is():
    code = "0" * CODE_DIGITS
    digest = code_digest(code, SALT)
    assert is_the_code(code, SALT, digest)
    assert not is_the_code("0" * (CODE_DIGITS - 1) + "1", SALT, digest)
    assert code_digest(code, "cd" * 32) != digest
    assert code not in digest


def shown(**facts: object) -> str:
    seen = {
        "state": None,
        "stage": None,
        "is_out_of_order": False,
        "is_claimed": False,
        "is_here": True,
        **facts,
    }
    return shown_state(Seen(**seen))  # type: ignore[arg-type] # as each test says it


@pytest.mark.parametrize("state", [None, *DeviceState])
def test_a_terminal_that_is_gone_leaves_nothing_but_that_to_be_shown(state):
    assert shown(state=state, stage=Stage.RUNNING, is_here=False) == OFFLINE


@pytest.mark.parametrize("state", [None, *DeviceState])
def test_a_session_counts_more_than_a_word_that_came_before_it(state):
    for stage, says in (("granted", PREPARING), ("running", IN_USE), ("ending", FINISHING)):
        assert shown(state=state, stage=Stage(stage)) == says
        assert shown(state=state, stage=Stage(stage), is_out_of_order=True) == says


@pytest.mark.parametrize("state", [None, *DeviceState])
def test_what_the_books_keep_from_use_is_out_of_order_whatever_is_told(state):
    assert shown(state=state, is_out_of_order=True, is_claimed=True) == OUT


def test_a_device_that_is_put_back_in_order_is_made_ready_until_its_terminal_says_so():
    assert shown(state=OUT) == TURNOVER
    assert shown(state=TURNOVER, is_claimed=True) == TURNOVER
    assert shown(state=FREE) == shown() == FREE
    assert shown(state=FREE, is_claimed=True) == shown(is_claimed=True) == RESERVED


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({}, ForHolder.READY),
        ({"is_claimed": True}, ForHolder.BOOKED),
        ({"stage": Stage.STARTING}, ForHolder.IN_USE),
        ({"stage": Stage.RUNNING, "is_claimed": True}, ForHolder.IN_USE),
        ({"stage": Stage.ENDING}, ForHolder.BEING_MADE_READY),
        ({"state": TURNOVER, "is_claimed": True}, ForHolder.BEING_MADE_READY),
        ({"is_out_of_order": True}, ForHolder.OUT_OF_ORDER),
        ({"is_here": False, "stage": Stage.RUNNING}, ForHolder.UNREACHABLE),
    ],
)
def test_e5_a_holder_is_told_how_the_device_of_his_ticket_stands(facts, told):
    nothing = {"state": None, "stage": None, "is_out_of_order": False, "is_claimed": False}
    assert told_to_holder(Seen(**{**nothing, "is_here": True, **facts})) is told
