"""A program starts with its modules here and a seat of each, or as the licence says without."""

from __future__ import annotations

from itertools import product

import pytest

from common.rules.modules import (
    Basis,
    Need,
    OverLimit,
    RunState,
    StartRefusal,
    StartVerdict,
    may_go_on,
    may_start,
)

HELD = Need(module="physics", basis=Basis.CONCURRENT, run=RunState.HELD)
OPTICS = Need(module="optics", basis=Basis.INSTALLED, is_leased=True)


def test_what_needs_nothing_starts():
    assert may_start([]).verdict is StartVerdict.GO


def test_with_a_seat_of_each_it_starts_and_nothing_is_reported():
    start = may_start([HELD, OPTICS, Need(module="tools")])
    assert (start.verdict, start.uncovered) == (StartVerdict.GO, ())


def test_without_a_module_it_does_not_start_whatever_the_licence_says():
    missing = Need(module="optics", is_here=False, over_limit=OverLimit.RUN_AND_REPORT)
    start = may_start([HELD, missing])
    assert (start.verdict, start.why) == (StartVerdict.REFUSE, StartRefusal.NOT_HERE)
    assert start.module == "optics"


@pytest.mark.parametrize("run", [None, RunState.WANTED, RunState.ASKED])
@pytest.mark.parametrize("over_limit", OverLimit)
def test_while_there_is_no_answer_it_waits(run, over_limit):
    asked = Need(module="physics", basis=Basis.CONCURRENT, over_limit=over_limit, run=run)
    assert may_start([asked, OPTICS]).verdict is StartVerdict.WAIT


@pytest.mark.parametrize("judge", [may_start, may_go_on])
@pytest.mark.parametrize("over_limit", OverLimit)
def test_while_no_clock_can_be_trusted_a_lease_is_neither_over_nor_good(judge, over_limit):
    unknown = Need(module="optics", basis=Basis.INSTALLED, over_limit=over_limit, is_leased=None)
    assert judge([HELD, unknown]).verdict is StartVerdict.WAIT


@pytest.mark.parametrize("judge", [may_start, may_go_on])
@pytest.mark.parametrize(
    ("need", "why"),
    [
        (Need(module="m", basis=Basis.CONCURRENT, run=RunState.WITHOUT), StartRefusal.NO_SEAT),
        (Need(module="m", basis=Basis.INSTALLED), StartRefusal.LEASE_OVER),
    ],
)
def test_without_a_seat_it_is_refused_where_the_licence_says_so(judge, need, why):
    start = judge([HELD, need])
    assert (start.verdict, start.why, start.module) == (StartVerdict.REFUSE, why, "m")


@pytest.mark.parametrize("judge", [may_start, may_go_on])
@pytest.mark.parametrize(
    "lacks",
    [{"basis": Basis.CONCURRENT, "run": RunState.WITHOUT}, {"basis": Basis.INSTALLED}],
)
def test_without_a_seat_it_runs_and_is_reported_where_the_licence_says_so(judge, lacks):
    need = Need(module="m", over_limit=OverLimit.RUN_AND_REPORT, **lacks)
    start = judge([HELD, need])
    assert (start.verdict, start.uncovered) == (StartVerdict.GO, ("m",))


def test_what_was_started_goes_on_when_its_files_cannot_be_found():
    assert may_go_on([Need(module="m", is_here=False)]).verdict is StartVerdict.GO


def test_no_module_runs_uncovered_and_unreported():
    """Over every standing of two modules: it waits, is refused, or each without a seat is named."""
    standings = [
        Need(module="", basis=basis, over_limit=over, is_leased=leased, run=run)
        for basis, over, leased, run in product(
            (None, *Basis), OverLimit, (None, False, True), (None, *RunState)
        )
    ]
    for one, two in product(standings, standings):
        start = may_start([one, two])
        if start.verdict is StartVerdict.GO:
            assert len(start.uncovered) == (not one.is_covered) + (not two.is_covered)
            assert all(
                each.is_covered or each.over_limit is OverLimit.RUN_AND_REPORT
                for each in (one, two)
            )
