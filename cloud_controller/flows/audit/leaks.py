"""Leaks while they last: a device that is on without a session, a session without its device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from typing import Final

from cloud_controller.ports import Problem, Row, Transaction
from common.rules.audit import DeviceNow, Finding, Invariant, leak_of
from common.rules.presence import Presence
from common.rules.problems import ProblemKind
from common.rules.registration import Standing

DEVICES_MAX: Final = 1_000
"""Devices that are looked at for leaks at once: twenty times what one owner has."""

SuspectsBefore = Mapping[str, Invariant]
"""What the last look took for a leak, by device: only what is seen twice is one."""

_WHY: Final = {
    Invariant.DEVICE_WITHOUT_SESSION: "The device is on, and no session is.",
    Invariant.SESSION_WITHOUT_DEVICE: "A session runs, and its device is not on.",
}


def leaks_now(books: Transaction) -> list[Finding]:
    """Return every device that disagrees with the books just now."""
    rows = list(books.findings.devices_now(after="", most=DEVICES_MAX))
    return [
        Finding(
            invariant=invariant,
            subject=row["device_id"],
            store=row["store_id"],
            facts={"session": row["session_id"] or "", "title": row["title"]},
        )
        for row, now in devices_of(books, rows)
        if (invariant := leak_of(now)) is not None
    ]


def open_leaks(books: Transaction) -> dict[str, str]:
    """Return the kind of each leak that is not over, by its device."""
    return {row["device_id"]: row["kind"] for row in books.findings.open_leaks()}


def note_leaks(books: Transaction, seen: Iterable[Finding], certain: AbstractSet[str]) -> None:
    """Keep what is seen as leaks, and close those of devices that are not seen any more.

    Args:
        books: the open transaction.
        seen: what disagrees just now.
        certain: devices that the look before had found as well; others may only be late.
    """
    found = {each.subject: each for each in seen}
    known = {row["device_id"]: row for row in books.findings.open_leaks()}
    for device, row in list(known.items()):
        if device not in found or found[device].invariant != row["kind"]:
            books.findings.close_leak(leak_id=row["leak_id"], ended_at=books.now)
            books.solve_problem(ProblemKind.LEAK_FOUND, device)
            del known[device]
    for device, leak in found.items():
        if device in certain and device not in known:
            _open(books, leak)


def devices_of(books: Transaction, rows: Iterable[Row]) -> Iterator[tuple[Row, DeviceNow]]:
    """Yield each device with how it stands, as the rule takes it."""
    for row in rows:
        runs = row["running_at"] is not None
        beat_at = row["last_at"] or row["running_at"] or books.now
        yield (
            row,
            DeviceNow(
                state=row["state"],
                state_seconds=_since(books, row["state_at"]),
                is_here=row["presence"] == Presence.HERE and row["standing"] == Standing.CONFIRMED,
                session_state=row["session_state"] or "",
                running_seconds=_since(books, row["running_at"]) if runs else None,
                silent_seconds=_since(books, beat_at) if runs else None,
            ),
        )


def _open(books: Transaction, leak: Finding) -> None:
    books.findings.open_leak(
        leak_id=books.names.new("leak"),
        kind=leak.invariant,
        device_id=leak.subject,
        store_id=leak.store,
        session_id=leak.facts["session"],
        began_at=books.now,
    )
    books.raise_problem(
        Problem(
            kind=ProblemKind.LEAK_FOUND,
            subject=leak.subject,
            store=leak.store,
            why=f"{leak.facts['title']}: {_WHY[leak.invariant]}",
            evidence={"leak": leak.invariant, "session": leak.facts["session"]},
        )
    )


def _since(books: Transaction, at: int | None) -> float:
    return 0.0 if at is None else max(0.0, (books.now - at) / 1000)
