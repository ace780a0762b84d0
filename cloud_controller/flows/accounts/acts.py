"""What was done with a privilege: by whom, to what, why; read by those who own every store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import Row, Transaction

AUDIT_PAGE: Final = 100
"""Acts of one page: two screens of a desk."""

ENTRY_MAX: Final = 2**62
"""Beyond every entry's number."""

_LATELY_SECONDS: Final = 90 * 86_400
"""Who has done something since is offered as a filter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditWanted:
    """Which acts are wanted; what is empty filters nothing. Instants are in UTC milliseconds."""

    actor: str = ""
    act: str = ""
    subject: str = ""
    since: int = 0
    until: int = ENTRY_MAX
    before: int = ENTRY_MAX
    most: int = AUDIT_PAGE


def acts(books: Transaction, wanted: AuditWanted) -> list[Row]:
    """Return acts, the latest first."""
    return list(
        books.accounts.acts(
            before=wanted.before,
            actor=wanted.actor,
            act=wanted.act,
            subject=wanted.subject,
            since=wanted.since,
            until=wanted.until,
            most=wanted.most,
        )
    )


def actors(books: Transaction) -> list[str]:
    """Return who has done something of late."""
    return [row["actor"] for row in books.accounts.actors(since=books.now - _LATELY_SECONDS * 1000)]
