"""What runs and what ran, for the operator."""

from __future__ import annotations

from typing import Any, Final

from cloud_controller.ports import Transaction
from cloud_controller.web.routes import Call, InstantText, Shape

SESSIONS_MAX: Final = 100
"""Sessions that are listed: a busy day of a store."""


class Session(Shape):
    """One use of a device; `is_presumed` where its end is only supposed."""

    session: str
    reservation: str
    device: str
    terminal: str
    state: str
    is_presumed: bool
    granted_seconds: float
    granted_at: InstantText
    deadline_at: InstantText
    running_at: InstantText | None
    ended_at: InstantText | None
    end_reason: str | None
    delivered_seconds: float | None


class Sessions(Shape):
    """The latest sessions, the newest first."""

    sessions: tuple[Session, ...]


async def list_sessions(call: Call[None]) -> Sessions:
    """Return the latest sessions."""
    rows = await call.parts.books.read(_recent)
    return Sessions(sessions=tuple(_session_of(row) for row in rows))


def live_count(books: Transaction) -> int:
    """Return how many sessions hold a device now."""
    return int(books.sessions.live_count())


def _recent(books: Transaction) -> list[Any]:
    return list(books.sessions.recent(most=SESSIONS_MAX))


def _session_of(row: Any) -> Session:  # noqa: ANN401 - a row
    return Session(
        session=row["session_id"],
        reservation=row["reservation_id"],
        device=row["device_id"],
        terminal=row["terminal_id"],
        state=row["state"],
        is_presumed=bool(row["is_presumed"]),
        granted_seconds=row["granted_seconds"],
        granted_at=row["granted_at"],
        deadline_at=row["deadline_at"],
        running_at=row["running_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        delivered_seconds=row["delivered_seconds"],
    )
