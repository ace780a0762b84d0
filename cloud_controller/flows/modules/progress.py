"""How far installs are, by the latest word of each terminal: shown, and nothing else."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import Received, Row, Transaction
from common.messages.modules import ModulesProgress

SHOWN_MAX: Final = 60
"""Installs that are shown at once: more than one looks through."""

SHOWN_SECONDS: Final = 86_400
"""How long an install that says no more is shown: until the next day somebody looks."""

FINISHED_SECONDS: Final = 600
"""How long one that went well is shown: whoever watched it sees that it did."""


def keep_progress(books: Transaction, said: Received) -> None:
    """Keep the latest word on an install, in the place of the one before it.

    Each package that was ever heard of has one row of a terminal; names that are made up have none.
    """
    message: ModulesProgress = said.message
    if not books.modules.is_known_package(package=message.package):
        return
    books.modules.keep_progress(
        terminal_id=said.terminal,
        package=message.package,
        version=message.version,
        state=message.state,
        detail=message.detail,
        done_bytes=message.done_bytes,
        all_bytes=message.all_bytes,
        told_at=books.now,
    )


def progress(books: Transaction) -> list[Row]:
    """Return the installs to be shown, the one told of last first."""
    return list(
        books.modules.progress_shown(
            since=books.now - SHOWN_SECONDS * 1000,
            lately=books.now - FINISHED_SECONDS * 1000,
            most=SHOWN_MAX,
        )
    )
