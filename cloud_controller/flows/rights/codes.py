"""A short code that was typed instead of a ticket: which of the store's tickets it is for (C3).

Its law: wrong ones are counted, and after the most that may be, the right one is refused too, in
the same words. So whoever guesses learns nothing more, however long it goes on.
"""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import Problem, Transaction
from common.ids import TerminalId
from common.rules.problems import ProblemKind
from common.rules.tickets import Denial, DenialReason

WRONG_CODES_SECONDS: Final = 900
"""How long a wrong code counts."""

WRONG_OF_TERMINAL_MAX: Final = 5
"""Wrong codes of one terminal in that time: a customer who mistypes needs two or three."""

WRONG_OF_STORE_MAX: Final = 20
"""Wrong codes of all a store's terminals in that time: at most 2 000 of 10^15 are tried a day."""


def token_of(books: Transaction, code: str, *, scan: str, terminal: str) -> str | Denial:
    """Return the token of the ticket that a short code is for, or why there is none.

    Args:
        books: where wrong codes are counted.
        code: a short code in its one spelling.
        scan: this reading, so that one that is told twice is counted once.
        terminal: who read it; only tickets of its store are looked for.
    """
    store = books.rights.store_of(terminal_id=terminal)
    if store is None:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)
    store_id = store["store_id"]
    since = books.now - WRONG_CODES_SECONDS * 1000
    wrong = books.rights.wrong_codes(store_id=store_id, terminal_id=terminal, since=since)
    is_too_much = wrong["of_terminal"] >= WRONG_OF_TERMINAL_MAX
    if is_too_much or wrong["of_store"] >= WRONG_OF_STORE_MAX:
        _raise_guessed(
            books, store_id, TerminalId(terminal), wrong["of_terminal"], wrong["of_store"]
        )
        return Denial(reason=DenialReason.BUSY_TRY_AGAIN)
    token = books.rights.token_of_code(store_id=store_id, short_code=code)
    if token is None:
        books.rights.forget_wrong_codes(before=since)
        books.rights.add_wrong_code(
            scan_id=scan, store_id=store_id, terminal_id=terminal, at=books.now
        )
        return Denial(reason=DenialReason.UNKNOWN_TICKET)
    return str(token)


def _raise_guessed(
    books: Transaction, store: str, terminal: TerminalId, of_terminal: int, of_store: int
) -> None:
    books.raise_problem(
        Problem(
            kind=ProblemKind.CODES_GUESSED,
            subject=store,
            terminal=terminal,
            why="Too many short codes were wrong: for a while none is taken there.",
            evidence={
                "of_terminal": of_terminal,
                "of_store": of_store,
                "within_seconds": WRONG_CODES_SECONDS,
            },
            proposals=({"do": "look_at_terminal"}, {"do": "close"}),
        )
    )
