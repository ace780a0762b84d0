"""Every device as it is now, and a store's day, for whoever runs it; nothing is written here.

Law: a ticket is told by its code. Who has it is nobody's business who passes the screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import Row, Transaction
from common.rules.devices import (
    HELD,
    OFFLINE,
    DeviceState,
    Seen,
    Stage,
    shown_state,
)
from common.rules.presence import Presence
from common.rules.reservations import Range, open_ranges, read_hours

DEVICES_MAX: Final = 200
"""Devices of a store that are shown: more than any has on one floor."""

CLAIMS_MAX: Final = 4_000
"""Claims of a store's day that are shown: each device anew every half an hour, and some."""

BLACKOUTS_MAX: Final = 200
"""Blackouts of a store's day that are shown."""

TOLD_SECONDS: Final = 900
"""For so long it is shown what was said on a device's screen last."""

CODE_LETTERS: Final = 4
"""Letters of a ticket's code that tell it from the others of a day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceNow:
    """A device as it is now.

    Attributes:
        row: what the books say of it, of its session and of the next claim to it.
        state: what its reader is told: a `DeviceState`, reserved, or offline.
        since_at: since when it is so, UTC ms; None: it has not been told.
        problems: how many are open about it.
    """

    row: Row
    state: str
    since_at: int | None
    problems: int

    @property
    def code(self) -> str:
        """Return by what the ticket that has it is told; empty: nobody has it, or no ticket."""
        return short(self.row["short_code"])

    @property
    def next_code(self) -> str:
        """Return by what the next ticket is told."""
        return short(self.row["next_code"])


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOf:
    """A store's day: its devices, what each is kept for, and when nobody is served.

    Attributes:
        window: from its first instant to its last, UTC ms.
        open: when the store is open within it.
        claims, blackouts: by device; of the whole store under the empty name.
    """

    window: Range
    devices: Sequence[Row]
    open: Sequence[Range]
    claims: Mapping[str, Sequence[Row]]
    blackouts: Mapping[str, Sequence[Row]]


def short(code: str | None) -> str:
    """Return the letters by which a ticket is told on a screen that others see."""
    return (code or "")[:CODE_LETTERS]


def devices_now(books: Transaction, store: str) -> list[DeviceNow]:
    """Return a store's devices by number, each as it is now."""
    open_counts = {
        row["device_id"]: row["open_count"] for row in books.console.problems_of_devices()
    }
    since = books.now - TOLD_SECONDS * 1000
    rows = books.console.devices_now(
        store_id=store, now=books.now, told_since=since, most=DEVICES_MAX
    )
    return [_now(row, open_counts.get(row["device_id"], 0)) for row in rows]


def day_of(books: Transaction, store: Row, window: Range) -> DayOf:
    """Return what a store's day looks like."""
    asked = {"store_id": store["store_id"], "from_at": window.starts_at, "to_at": window.ends_at}
    claims = books.console.claims_of_day(**asked, now=books.now, most=CLAIMS_MAX)
    blackouts = books.console.blackouts_of_day(**asked, most=BLACKOUTS_MAX)
    return DayOf(
        window=window,
        devices=list(books.console.devices_of_day(store_id=store["store_id"], most=DEVICES_MAX)),
        open=open_ranges(read_hours(store["hours"]), store["time_zone"], window),
        claims=_by_device(claims),
        blackouts=_by_device(blackouts),
    )


def _by_device(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["device_id"] or "", []).append(row)
    return found


def _now(row: Row, problems: int) -> DeviceNow:
    stage = row["session_state"]
    state = shown_state(
        Seen(
            state=DeviceState(row["state"]) if row["state"] else None,
            stage=None if stage is None else Stage(stage),
            is_out_of_order=bool(row["is_out_of_order"]),
            is_claimed=bool(row["claims"]),
            is_here=row["presence"] != Presence.GONE,
        )
    )
    return DeviceNow(row=row, state=state, since_at=_since(row, state), problems=problems)


def _since(row: Row, state: str) -> int | None:
    at: int | None
    if state == OFFLINE:
        at = row["presence_at"] or None
    elif state in HELD:
        at = row["running_at"] or row["granted_at"] or row["state_at"]
    else:
        at = row["state_at"]
    return at
