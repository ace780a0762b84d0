"""Whoever runs a store is written to by its rule: once of each problem, and when it is over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_controller import bookings
from cloud_controller.flows import alerts, problems
from cloud_controller.ports import Problem, Transaction
from common.rules.accounts import EVERY_STORE
from common.rules.letters import LetterKind
from common.rules.problems import AlertRule, ProblemKind
from tests.fakes.house import STORE, HouseInHand

RULE = AlertRule(
    mails=("aiko@x.example",),
    escalates_to=("boss@x.example",),
    language="ja",
    escalate_seconds=900,
)


@pytest.fixture
def ruled(house: HouseInHand) -> HouseInHand:
    """Return a house whose store has a rule."""
    house.books.do(alerts.keep_rule, STORE, RULE, "Aiko")
    return house


def raise_problem(house: HouseInHand, subject: str = "d-1", **changed: Any) -> None:
    facts = {"kind": ProblemKind.HELP_ASKED, "why": "Called.", "store": STORE, **changed}

    def raised(books: Transaction) -> None:
        books.raise_problem(Problem(subject=subject, **facts))

    house.books.do(raised)


def letters(house: HouseInHand, *, after: float = 60.0) -> list[tuple[str, str, int]]:
    """Tell what is due twice; return all letters, each with how many problems it names."""
    house.clock.move(after)
    house.books.do(bookings.tell_problems)
    house.books.do(bookings.tell_problems)
    return [
        (row["kind"], row["recipient"], len(json.loads(row["facts"])["problems"]))
        for row in house.books.rows("letters")
    ]


RAISED = (LetterKind.PROBLEM_RAISED, "aiko@x.example", 1)
ESCALATED = (LetterKind.PROBLEM_ESCALATED, "boss@x.example", 1)


def test_a_problem_is_told_once_then_to_others_then_that_it_is_over(ruled):
    raise_problem(ruled)
    assert letters(ruled, after=59) == []
    assert letters(ruled, after=1) == [RAISED]
    raise_problem(ruled)  # met again, it is the same
    assert letters(ruled, after=899) == [RAISED]
    assert letters(ruled, after=1) == [RAISED, ESCALATED]
    (row,) = ruled.books.rows("problems")
    ruled.books.do(problems.solve_problem, row["problem_id"], "Aiko", "I went there")
    over = [(LetterKind.PROBLEM_SOLVED, who, 1) for _, who, _ in (RAISED, ESCALATED)]
    assert letters(ruled) == [RAISED, ESCALATED, *over]
    assert letters(ruled, after=86_400) == [RAISED, ESCALATED, *over]


def test_who_takes_it_on_is_left_to_it(ruled):
    raise_problem(ruled)
    assert letters(ruled) == [RAISED]
    (row,) = ruled.books.rows("problems")
    ruled.books.do(problems.take_on, row["problem_id"], "Aiko")
    ruled.books.do(problems.take_on, row["problem_id"], "Somebody else")
    assert letters(ruled, after=3_600) == [RAISED]
    assert ruled.books.one("problems")["taken_by"] == "Aiko"
    acts = [row["act"] for row in ruled.books.rows("audit")]
    assert acts.count("problem.taken") == 1


def test_a_power_cut_is_one_letter(ruled):
    for number in range(40):
        raise_problem(ruled, f"d-{number}")
    assert letters(ruled) == [(LetterKind.PROBLEM_RAISED, "aiko@x.example", 10)]
    assert json.loads(ruled.books.one("letters")["facts"])["more"] == 30


def test_a_store_without_a_rule_is_told_by_that_of_every_store(house):
    raise_problem(house)
    assert letters(house) == []
    house.books.do(alerts.keep_rule, EVERY_STORE, AlertRule(mails=("all@x.example",)), "Aiko")
    assert letters(house) == [(LetterKind.PROBLEM_RAISED, "all@x.example", 1)]
    house.books.do(alerts.keep_rule, STORE, RULE, "Aiko")
    raise_problem(house, "d-2")
    assert letters(house)[1:] == [(LetterKind.PROBLEM_RAISED, "aiko@x.example", 2)]
    house.books.do(alerts.forget_rule, STORE, "Aiko")
    acts = [row["act"] for row in house.books.rows("audit")]
    assert (acts.count("alerts.changed"), acts.count("alerts.forgotten")) == (2, 1)


def test_a_rule_is_kept_as_it_was_said(ruled):
    (kept,) = ruled.books.do(alerts.kept)
    assert (kept.store, kept.rule, kept.changed_by) == (STORE, RULE, "Aiko")
