"""What is missing only for a while counts as here: a sleeping monitor closes no gate (A8)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.messages.base import PROGRAMS_MAX
from common.messages.specification import (
    PARTS_MAX,
    Display,
    Part,
    ProgramFound,
    Specification,
)
from common.rules.specification import ABSENCE_SECONDS, PARTS, Remembered, is_sealed, settled
from tests.rules.specification_kit import (
    DEVICES,
    FOUND,
    GPU,
    MACHINE,
    PROGRAMS,
    USUAL,
    a_specification,
)

NOON = 1_750_000_000_000
MINUTE = 60_000
PATIENCE = ABSENCE_SECONDS * 1000
YEARS = 10 * 365 * 24 * 60 * MINUTE

ASLEEP = a_specification(displays=(Display(name="DP-1"),))


def looks(*steps: tuple[int, Specification]) -> Remembered:
    """Return what is remembered after each of these was found at its instant."""
    remembered: Remembered | None = None
    for at, found in steps:
        remembered = settled(found, remembered, at)
    assert remembered is not None
    return remembered


def test_a_first_look_is_taken_as_it_is():
    assert settled(ASLEEP, None, NOON) == Remembered(specification=ASLEEP, missing_since={})


@pytest.mark.parametrize("later", [0, MINUTE, PATIENCE - 1])
def test_a_sleeping_monitor_closes_no_gate_for_ten_minutes(later: int):
    then = looks((NOON, USUAL), (NOON, ASLEEP), (NOON + later, ASLEEP))
    assert then.specification.gate_digest == USUAL.gate_digest
    assert then.specification.digest != USUAL.digest
    assert then.missing_since == {"displays:HDMI-A-1": NOON}
    assert is_sealed(then.specification)


@pytest.mark.parametrize("later", [PATIENCE, PATIENCE + 1, YEARS])
def test_a_part_that_stays_away_is_gone_after_ten_minutes(later: int):
    then = looks((NOON, USUAL), (NOON, ASLEEP), (NOON + later, ASLEEP))
    assert then == Remembered(specification=ASLEEP, missing_since={})


@pytest.mark.parametrize("kind", PARTS)
def test_every_kind_of_part_is_waited_for(kind: str):
    gone = a_specification(**{kind: ()})
    away = looks((NOON, USUAL), (NOON, gone))
    assert [part.is_here for part in getattr(away.specification.machine, kind)] == [
        False for _ in getattr(MACHINE, kind)
    ]
    assert settled(gone, away, NOON + PATIENCE).specification == gone


def test_a_program_that_is_being_replaced_is_waited_for():
    gone = a_specification(programs=PROGRAMS[:1])
    away = looks((NOON, USUAL), (NOON, gone))
    assert away.specification.gate_digest == USUAL.gate_digest
    assert away.specification.programs[1].is_here is False
    assert settled(gone, away, NOON + PATIENCE).specification == gone


def test_what_returns_is_here_at_once_and_has_its_whole_patience_again():
    back = looks((NOON, USUAL), (NOON, ASLEEP), (NOON + 9 * MINUTE, USUAL))
    assert back == Remembered(specification=USUAL, missing_since={})
    again = looks(
        (NOON, USUAL),
        (NOON, ASLEEP),
        (NOON + 9 * MINUTE, USUAL),
        (NOON + 11 * MINUTE, ASLEEP),
        (NOON + 20 * MINUTE, ASLEEP),
    )
    assert again.specification.gate_digest == USUAL.gate_digest


def test_what_becomes_unknown_is_kept_for_a_while_and_then_unknown():
    blind = a_specification(displays=None)
    away = looks((NOON, USUAL), (NOON, blind), (NOON + PATIENCE - 1, blind))
    assert away.specification.gate_digest == USUAL.gate_digest
    assert set(away.missing_since) == {"displays", "displays:HDMI-A-1", "displays:DP-1"}
    assert settled(blind, away, NOON + PATIENCE).specification == blind


def test_that_there_is_none_is_also_kept_for_a_while_when_nobody_can_tell():
    none, blind = a_specification(cameras=()), a_specification(cameras=None)
    away = looks((NOON, none), (NOON, blind))
    assert away.specification == none
    assert settled(blind, away, NOON + PATIENCE).specification == blind


def test_a_monitor_that_does_not_say_its_size_yet_has_the_one_it_had():
    waking = a_specification(displays=(Display(name="HDMI-A-1"), Display(name="DP-1")))
    away = looks((NOON, USUAL), (NOON, waking))
    assert away.specification == USUAL
    assert settled(waking, away, NOON + PATIENCE).specification == waking


def test_what_is_new_or_was_set_counts_at_once():
    for change in ({"memory_bytes": 2**33}, {"devices": DEVICES[:1]}, {"gpus": (GPU, GPU)}):
        found = a_specification(**change)
        assert looks((NOON, USUAL), (NOON, found)).specification == found


def test_a_clock_that_is_set_back_begins_an_absence_anew():
    steps = [(NOON, USUAL), (NOON, ASLEEP), (NOON - YEARS, ASLEEP)]
    assert looks(*steps).missing_since == {"displays:HDMI-A-1": NOON - YEARS}
    still = looks(*steps, (NOON - YEARS + PATIENCE - 1, ASLEEP)).specification
    assert still.gate_digest == USUAL.gate_digest
    assert looks(*steps, (NOON - YEARS + PATIENCE, ASLEEP)).specification == ASLEEP


@given(looked=st.lists(st.tuples(st.integers(0, 2 * PATIENCE), FOUND), min_size=1))
def test_whatever_is_found_the_result_is_sealed_and_the_same_look_changes_nothing(looked):
    then = looks(*looked)
    assert is_sealed(then.specification)
    at, found = looked[-1]
    assert settled(found, then, at) == then
    assert all(0 <= at - since < PATIENCE for since in then.missing_since.values())


def test_what_is_missing_gives_way_where_a_list_is_full():
    many = tuple(Part(name=f"old-{number}") for number in range(PARTS_MAX))
    new = tuple(Part(name=f"new-{number}") for number in range(PARTS_MAX - 1))
    then = looks((NOON, a_specification(cameras=many)), (NOON, a_specification(cameras=new)))
    cameras = then.specification.machine.cameras
    assert cameras is not None
    assert len(cameras) == PARTS_MAX
    assert set(new) < set(cameras)
    old = tuple(ProgramFound(program=f"p{number}") for number in range(PROGRAMS_MAX))
    full = looks((NOON, a_specification(programs=old)), (NOON, USUAL))
    assert len(full.specification.programs) == PROGRAMS_MAX
    assert set(PROGRAMS) < set(full.specification.programs)
