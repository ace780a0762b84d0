"""What an operator must look at: told by terminals, and settled by a person's word or by itself."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import NotFound, Problem, Received, Row, Transaction
from common.messages.problems import HelpAsked, ProblemTold
from common.rules.problems import TOLD_BY_TERMINALS, ProblemKind

_ABOUT: Final = {
    "device": "something does not work",
    "person": "a person is needed",
    "other": "about something else",
}


def note_problem(books: Transaction, said: Received) -> None:
    """Enter what a terminal has met; of kinds that are not its to tell nothing is made."""
    message: ProblemTold = said.message
    if message.kind in TOLD_BY_TERMINALS:
        books.raise_problem(
            Problem(
                kind=ProblemKind(message.kind),
                subject=said.terminal,
                terminal=said.terminal,
                why="The terminal reports it.",
                evidence={"detail": message.detail, "at": message.at},
            )
        )


def note_help(books: Transaction, said: Received) -> None:
    """Enter that somebody at a device needs a person; called again, it is the same problem."""
    message: HelpAsked = said.message
    title = books.problems.title_of_device(device_id=message.device, terminal_id=said.terminal)
    if title is None:
        return
    books.raise_problem(
        Problem(
            kind=ProblemKind.HELP_ASKED,
            subject=message.device,
            terminal=said.terminal,
            why=f"Somebody at {title} has called: {_ABOUT[message.about]}.",
            evidence={"about": message.about, "session": message.session, "at": message.at},
        )
    )


def solve_problem(books: Transaction, problem: str, actor: str, reason: str) -> Row:
    """Take an operator's word that a problem is settled, and return it; met again, it is a new one.

    Raises:
        NotFound: there is no such problem.
    """
    known = books.problems.problem(problem_id=problem)
    if known is None:
        raise NotFound(what="problem")
    if known["solved_at"] is None:
        books.solve_problem(ProblemKind(known["kind"]), known["subject"])
        books.problems.note_settled(problem_id=problem, settled_by=actor, settled_why=reason)
        books.audit(actor, f"problem.{known['kind']}.solved", known["subject"], reason)
    return books.problems.problem(problem_id=problem)


def take_on(books: Transaction, problem: str, actor: str) -> Row:
    """Take an operator's word that he looks after a problem, so that nobody else is called.

    Who was first has it; of one that is over nothing is changed.

    Raises:
        NotFound: there is no such problem.
    """
    known = books.problems.problem(problem_id=problem)
    if known is None:
        raise NotFound(what="problem")
    if known["solved_at"] is None and known["taken_at"] is None:
        books.problems.take(problem_id=problem, taken_by=actor, at=books.now)
        books.audit(actor, "problem.taken", known["subject"])
    return books.problems.problem(problem_id=problem)


def solve_reservations(books: Transaction) -> None:
    """Have nobody look any more at reservations that are over, or have their device back, ready."""
    books.problems.solve_reservations(at=books.now)
    books.problems.solve_turnovers(at=books.now)
