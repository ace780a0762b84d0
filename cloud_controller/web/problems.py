"""What the operator must look at: what is wrong, from which facts, and what can be done."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from pydantic import Field

from cloud_controller.flows import problems
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.language import Language
from cloud_controller.web.routes import Call, InstantText, Shape
from common.messages.base import ShortText
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.problems import SEVERITIES, ProblemKind, Severity
from common.words import problem_words_for

PROBLEMS_MAX: Final = 100
"""Problems that are listed: more than one person works off in a day."""

LOOKED_THROUGH_MAX: Final = 1_000
"""Problems that are looked through for those of one's own stores."""


class Problem(Shape):
    """Something the operator must look at.

    Attributes:
        what: what is wrong, in the language asked for.
        next: what to do next, in the same.
        why: what was found.
        evidence: the facts it was found from; a terminal may have said some of them.
        proposals: what can be done about it, the best first.
        times: how often it was met.
        solved_at: when there was nothing to look at any more; None while it is open.
        severity: how soon somebody has to look.
        store: where it is; None where it is no store's.
        taken_by: who has said that he looks after it; empty: nobody yet.
    """

    problem: str
    kind: ProblemKind
    what: str
    next: str
    why: str
    evidence: dict[str, Any]
    proposals: tuple[dict[str, Any], ...]
    times: int
    raised_at: InstantText
    seen_at: InstantText
    solved_at: InstantText | None
    terminal: str | None
    reservation: str | None
    severity: Severity
    store: str | None
    taken_by: str


class ProblemSettled(Shape):
    """The operator's word that there is nothing to look at any more, and what was done."""

    reason: Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


class Problems(Shape):
    """The open problems first, the latest of them first."""

    problems: tuple[Problem, ...]


async def list_problems(call: Call[None]) -> Problems:
    """Return what the operator must look at in his stores; of no store is who has all."""
    may = call.operator.stores(Permission.LOOK)
    rows = [
        row
        for row in await call.parts.books.read(_latest)
        if EVERY_STORE in may or row["store_id"] in may
    ][:PROBLEMS_MAX]
    return Problems(problems=tuple(_problem_of(row, call.language) for row in rows))


async def solve_problem(call: Call[ProblemSettled]) -> Problem:
    """Note that an operator has settled a problem, and return it; said again, it stays as it is.

    Raises:
        NotFound: there is no such problem.
    """
    solve, problem = problems.solve_problem, call.names["problem"]
    row = await call.parts.books.transact(solve, problem, call.operator.name, call.asked.reason)
    return _problem_of(row, call.language)


async def take_problem(call: Call[None]) -> Problem:
    """Note who looks after a problem, so that nobody else is called; who was first has it.

    Raises:
        NotFound: there is no such problem.
    """
    problem, actor = call.names["problem"], call.operator.name
    row = await call.parts.books.transact(problems.take_on, problem, actor)
    return _problem_of(row, call.language)


def open_count(books: Transaction) -> int:
    """Return how many problems wait for somebody to look."""
    return int(books.problems.open_count())


def _latest(books: Transaction) -> list[Row]:
    return list(books.problems.latest(most=LOOKED_THROUGH_MAX))


def _problem_of(row: Row, language: Language) -> Problem:
    kind = ProblemKind(row["kind"])
    words = problem_words_for(kind, language.code)
    return Problem(
        problem=row["problem_id"],
        kind=kind,
        what=words.what,
        next=words.next,
        why=row["why"],
        evidence=json.loads(row["evidence"]),
        proposals=json.loads(row["proposals"]),
        times=row["times"],
        raised_at=row["raised_at"],
        seen_at=row["seen_at"],
        solved_at=row["solved_at"],
        terminal=row["terminal_id"],
        reservation=row["reservation_id"],
        severity=SEVERITIES[kind],
        store=row["store_id"],
        taken_by=row["taken_by"],
    )
