"""What a letter to who runs a store says of problems, by how they stand when it is written."""

from __future__ import annotations

from dataclasses import dataclass

from cloud_controller.flows.letters import Letter
from cloud_controller.ports import Transaction
from cloud_controller.web.language import Language
from common.rules.problems import ProblemKind
from common.words import problem_words_for


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemTold:
    """One problem as a letter shows it; `store` is empty where it is no store's."""

    what: str
    next: str
    store: str
    since: str


def problems_told(books: Transaction, letter: Letter, language: Language) -> list[ProblemTold]:
    """Return what a letter is about; one to a customer is about no problem."""
    told = []
    for problem in letter.facts.get("problems", ()):
        row = books.problems.told(problem_id=problem)
        if row is None:
            continue
        words = problem_words_for(ProblemKind(row["kind"]), language.code)
        zone = row["time_zone"] or "UTC"
        told.append(
            ProblemTold(
                what=words.what,
                next=words.next,
                store=row["store_title"] or "",
                since=language.moment(row["raised_at"], zone, now=books.now),
            )
        )
    return told


def named(problems: list[ProblemTold], letter: Letter, language: Language) -> str:
    """Return what the subject says: the problem, or how many there are."""
    number = len(problems) + letter.facts.get("more", 0)
    if number == 1:
        return problems[0].what
    return language.say("letter.problems", number=language.number(number))
