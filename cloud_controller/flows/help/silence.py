"""What time alone does: who is silent has gone, and a call that nobody goes on with is over."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.help.calls import end
from cloud_controller.flows.help.people import log_out
from cloud_controller.flows.help.telling import differs, review, tell_unheard, unheard
from cloud_controller.ports import Row, Transaction
from common.rules.help import (
    GRACE_SECONDS,
    SILENCE_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    CallState,
    overdue,
)

LINES_KEPT_SECONDS: Final = 90 * 86_400
"""How long what was said is kept: a quarter, in which whoever complains does so. That somebody was
called, by whom, when and for how long stays in the ledger."""

OVERDUE_MAX: Final = 100
"""Calls that are ended in one transaction, so that it stays short."""


def begin(books: Transaction) -> None:
    """Take nobody for gone by our own silence: after a start each helper has his grace anew.

    He is not offered before his page has been heard of again.
    """
    books.help.keep_leases(now=books.now)


def has_to_look(books: Transaction) -> bool:
    """Say whether there is anything to do; mostly there is not."""
    return bool(
        _silent(books)
        or _overdue(books)
        or any(differs(books, row["store_id"]) for row in books.help.stores())
        or unheard(books)
    )


def look_after(books: Transaction) -> None:
    """Let whoever is silent go, end what is overdue, and tell terminals what they lack."""
    for row in _silent(books):
        log_out(books, books.help.helper(helper_id=row["helper_id"]))
    for row in _overdue(books):
        call = books.help.call(call_id=row["call_id"])
        state = CallState(call["state"])
        why = overdue(state, call["chosen_at"], call["last_line_at"], books.now)
        if why is not None:
            end(books, call, why)
    for row in list(books.help.stores()):
        review(books, row["store_id"])
    tell_unheard(books)


def forget_old(books: Transaction) -> None:
    """Forget what was said in calls that are long over."""
    books.help.forget_lines(before=books.now - LINES_KEPT_SECONDS * 1000)


def _silent(books: Transaction) -> list[Row]:
    return list(books.help.silent(before=books.now - int(GRACE_SECONDS * 1000)))


def _overdue(books: Transaction) -> list[Row]:
    rows = books.help.overdue(
        waiting_before=books.now - int(WAIT_SECONDS_MAX * 1000),
        silent_before=books.now - int(SILENCE_SECONDS_MAX * 1000),
        most=OVERDUE_MAX,
    )
    return list(rows)
