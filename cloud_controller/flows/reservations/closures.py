"""Blackouts, in which a device or a store is not sold; and what was sold for such a time already.

A blackout, like new opening hours, gives nobody's slot away: an operator is called to each claim in
it, with what could be done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.flows.reservations.slots import free_slots
from cloud_controller.ports import NotAllowed, NotFound, Problem, Row, Transaction
from common.ids import OfferingId, TerminalId
from common.rules.problems import ProblemKind
from common.rules.reservations import Range, is_open_throughout, read_hours

BLACKOUTS_MAX: Final = 1_000
"""Blackouts of a store that are not over: each is looked at when its devices are sold."""

BLACKOUT_SECONDS_MAX: Final = 366 * 86_400
"""The longest blackout: a device that is away for longer is no longer offered."""

KEPT_SECONDS: Final = 30 * 86_400
"""How long a blackout that is over is kept; the audit keeps it longer."""

SOLD_MAX: Final = 50_000
"""Coming claims of a store that are looked at: those of fifty devices for two months."""

CALLED_MAX: Final = 200
"""Claims that an operator is called to at once; their proposals take two milliseconds each."""

PROPOSED_MAX: Final = 3
"""Other devices and times that are proposed for one claim."""

AROUND_MS: Final = 24 * 3_600_000
"""How far around its time another one is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBlackout:
    """What is not sold, when, and why; without a device, the whole store."""

    store: str
    device: str | None
    stretch: Range
    reason: str


def add_blackout(books: Transaction, new: NewBlackout, actor: str) -> Row:
    """Stop selling a device, or a whole store, for a stretch of time; return the blackout.

    What was sold before stays sold: whoever calls this has an operator called to it.

    Raises:
        NotFound: there is no such store, or it has no such device.
        NotAllowed: it is over already, too long, or one too many.
    """
    if books.registration.store(store_id=new.store) is None:
        raise NotFound(what="store")
    if new.device is not None and not books.reservations.has_device(
        store_id=new.store, device_id=new.device
    ):
        raise NotFound(what="device in this store")
    _check_stretch(books, new)
    blackout = books.names.new("b")
    books.reservations.add_blackout(
        blackout_id=blackout,
        store_id=new.store,
        device_id=new.device,
        starts_at=new.stretch.starts_at,
        ends_at=new.stretch.ends_at,
        reason=new.reason,
        made_at=books.now,
    )
    books.audit(actor, "blackout.added", new.device or new.store, new.reason)
    return books.reservations.blackout(blackout_id=blackout)


def remove_blackout(books: Transaction, blackout: str, actor: str) -> Row:
    """Sell again what a blackout kept from sale; return what it was.

    Raises:
        NotFound: there is no such blackout.
    """
    known = books.reservations.blackout(blackout_id=blackout)
    if known is None:
        raise NotFound(what="blackout")
    books.reservations.remove_blackout(blackout_id=blackout)
    books.audit(actor, "blackout.removed", known["device_id"] or known["store_id"], known["reason"])
    solve_shut_out(books)
    return known


def blackouts(
    books: Transaction, store: str | None, window: Range, *, most: int, after: str = ""
) -> list[Row]:
    """Return the blackouts that touch a window, the first to begin first, after the one named."""
    return list(
        books.reservations.blackouts(
            store_id=store,
            from_at=window.starts_at,
            to_at=window.ends_at,
            after=after,
            most=most,
        )
    )


def call_to_shut_out(books: Transaction, store: str, within: Range | None = None) -> int:
    """Call an operator to claims of a store whose time is shut out now; return how many there are.

    Those that are not shut out any more are solved.
    """
    solve_shut_out(books)
    sold = books.reservations.sold(
        store_id=store,
        from_at=books.now if within is None else max(within.starts_at, books.now),
        to_at=None if within is None else within.ends_at,
        now=books.now,
        most=SOLD_MAX,
    )
    shut_out = [(row, why) for row in sold if (why := _why_shut_out(row))]
    for row, why in shut_out[:CALLED_MAX]:
        books.raise_problem(_shut_out(books, row, why))
    return len(shut_out)


def solve_shut_out(books: Transaction) -> None:
    """Have nobody look any more at claims that are over, given up, or moved to where it is open."""
    for row in list(books.reservations.called_to_shut_out(now=books.now, most=SOLD_MAX)):
        if not row["is_coming"] or not _why_shut_out(row):
            books.solve_problem(ProblemKind.RESERVATION_SHUT_OUT, row["reservation_id"])


def forget_blackouts(books: Transaction) -> None:
    """Drop blackouts that are long over."""
    books.reservations.forget_blackouts(before=books.now - KEPT_SECONDS * 1000)


def _check_stretch(books: Transaction, new: NewBlackout) -> None:
    if new.stretch.ends_at <= books.now:
        raise NotAllowed(why="a blackout that is over changes nothing")
    if new.stretch.ends_at - new.stretch.starts_at > BLACKOUT_SECONDS_MAX * 1000:
        raise NotAllowed(why="a blackout lasts a year at most")
    if books.reservations.count_blackouts(store_id=new.store, now=books.now) >= BLACKOUTS_MAX:
        raise NotAllowed(why=f"a store has {BLACKOUTS_MAX} blackouts at most")


def _why_shut_out(row: Row) -> str:
    """Return why a claim's time is not sold now, or nothing."""
    sold = f"{row['device_title']} is sold for this time"
    if row["blackout"] is not None:
        return f"{sold}, which is blacked out: {row['blackout']}"
    slot = Range(starts_at=row["starts_at"], ends_at=row["ends_at"])
    if is_open_throughout(read_hours(row["hours"]), row["time_zone"], slot):
        return ""
    return f"{sold}, in which the store is closed now"


def _shut_out(books: Transaction, row: Row, why: str) -> Problem:
    return Problem(
        kind=ProblemKind.RESERVATION_SHUT_OUT,
        subject=row["reservation_id"],
        terminal=TerminalId(row["terminal_id"]),
        reservation=row["reservation_id"],
        why=f"{why}.",
        evidence={
            "device": row["device_id"],
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "link": row["link"],
        },
        proposals=(*instead(books, row), {"do": "refund"}),
    )


def instead(books: Transaction, row: Row) -> Sequence[dict[str, Any]]:
    """Return what can be had instead of a claim: other devices at its time, else times near it.

    Of a row are needed its offering, its times, and the lengths in which that is sold now.
    """
    length_seconds = (row["ends_at"] - row["starts_at"]) // 1000
    if length_seconds not in json.loads(row["lengths_seconds"]):
        return ()  # it was made longer or shorter: in this length it is not sold anew
    offering = OfferingId(row["offering_id"])
    its_own = Range(starts_at=row["starts_at"], ends_at=row["ends_at"])
    for slot in free_slots(books, offering, length_seconds, its_own):
        if slot["starts_at"] == row["starts_at"]:
            free = slot["devices"][:PROPOSED_MAX]
            return [{"do": "move", "device": it["device"], "title": it["title"]} for it in free]
    around = Range(starts_at=row["starts_at"] - AROUND_MS, ends_at=row["ends_at"] + AROUND_MS)
    found = free_slots(books, offering, length_seconds, around)
    found.sort(key=lambda slot: abs(slot["starts_at"] - row["starts_at"]))
    return [
        {"do": "reschedule", "starts_at": slot["starts_at"], "ends_at": slot["ends_at"]}
        for slot in found[:PROPOSED_MAX]
    ]
