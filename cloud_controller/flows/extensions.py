"""A session that goes on: how long it could, and its new end, in the claim and the session at once.

Its law: claim and session end at the same instant, and both move in one statement each of the same
transaction; what the rule has left room for, the database has to have free as well (C2).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.reservations import closing_after, read_hours
from common.rules.sessions import (
    EXTENSION_SECONDS_MAX,
    ExtensionNo,
    Longest,
    Room,
    SessionFacts,
    longest,
    steps,
    why_none,
    why_not_by_itself,
)

WAITING_SECONDS: Final = 86_400
"""How far ahead whoever waits for a place counts as waiting for this one: the rest of the day."""

GRANTED: Final = "session.extension_granted"
"""The ledger's word for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A session as it stands, and how it could go on.

    Attributes:
        row: the session with its claim.
        room: what lies after it.
        choices: by how many seconds it can be extended, the fewest first.
        step_seconds: the shortest uncut step of its offering.
        refused: why it cannot be extended; None: it can.
    """

    row: Row
    room: Room
    choices: tuple[int, ...]
    step_seconds: int
    refused: ExtensionNo | None

    @property
    def longest(self) -> Longest:
        """Return how long it could go on at most, and what would end it then."""
        return longest(self.room)


def of_session(books: Transaction, session: str, terminal: str) -> Found | None:
    """Return a session of a terminal's and how it could go on, or None: there is none."""
    row = books.extensions.running(session_id=session, terminal_id=terminal)
    return None if row is None else _found(books, row)


def of_ticket(books: Transaction, link: str) -> Found | None:
    """Return the session of a ticket and how it could go on, or None: it has none.

    Raises:
        NotFound: there is no such ticket.
    """
    latest = books.extensions.latest_of(link=link)
    if latest is not None:
        return of_session(books, latest["session_id"], latest["terminal_id"])
    if books.reservations.by_link(link=link) is None:
        raise NotFound(what="ticket")
    return None


def why_not_by_itself_now(books: Transaction, found: Found) -> ExtensionNo | None:
    """Return why a session does not go on by itself, or None: its customer agreed, nobody waits."""
    ends_at = found.room.ends_at
    waits = books.extensions.somebody_waits(
        offering_id=found.row["offering_id"],
        from_at=ends_at,
        until_at=ends_at + WAITING_SECONDS * 1000,
    )
    return why_not_by_itself(
        found.room,
        found.step_seconds,
        is_agreed=found.row["extends_itself"] == 1,
        somebody_waits=bool(waits),
    )


def extend(books: Transaction, found: Found, seconds: int, cents: int, by: str) -> int:
    """Let a session go on, and its claim with it; return its new end in ms.

    Whoever calls this has cleared away what is over, and charges for it in this transaction.

    Raises:
        SlotIsTaken: somebody has a claim to that time.
    """
    row, room = found.row, found.room
    assert 0 < seconds <= found.longest.seconds, "whoever grants it has looked"
    ends_at = room.ends_at + seconds * 1000
    claims = books.extensions.extend_reservation(
        reservation_id=row["reservation_id"],
        before=room.ends_at,
        more_ms=seconds * 1000,
        cents=cents,
        changed_at=books.now,
    )
    used = books.extensions.extend_session(
        session_id=row["session_id"],
        before=row["deadline_at"],
        deadline_at=ends_at,
        seconds=seconds,
    )
    assert claims == used == 1, "one writer decides, so both are as they were read"
    facts = {"seconds": seconds, "ends_at": ends_at, "cents": cents, "by": by}
    books.enter(
        GRANTED,
        {**facts, "currency": row["currency"]},
        terminal=row["terminal_id"],
        reservation=row["reservation_id"],
        session=row["session_id"],
    )
    return ends_at


def shorten(books: Transaction, row: Row, less_cents: int) -> bool:
    """Let a session end now, its claim with it, and so much of its price go elsewhere.

    Of `row` are needed session and claim, and when both end; False: it is over or ending anyway.
    """
    seconds = (row["deadline_at"] - books.now) / 1000
    if seconds <= 0 or row["starts_at"] >= books.now:
        return False
    used = books.extensions.shorten_session(
        session_id=row["session_id"],
        before=row["deadline_at"],
        deadline_at=books.now,
        seconds=seconds,
    )
    if not used:
        return False
    books.extensions.shorten_reservation(
        reservation_id=row["reservation_id"],
        before=row["ends_at"],
        ends_at=books.now,
        less_cents=less_cents,
        changed_at=books.now,
    )
    return True


def restore(books: Transaction, document: Mapping[str, Any], terminal: str) -> None:
    """Enter an extension that an old backup has forgotten; its claim moves where that is free."""
    row = books.extensions.running(session_id=document["session"], terminal_id=terminal)
    if row is None:
        return
    ends_at, extended = document["ends_at"], document["extended_seconds"]
    is_news = books.extensions.extend_forgotten(
        session_id=row["session_id"], deadline_at=ends_at, extended_seconds=extended
    )
    more_ms = ends_at - row["ends_at"]
    until = row["blocked_until"] + more_ms
    if is_news and more_ms > 0 and _next_at(books, row, until) is None:
        books.extensions.extend_reservation(
            reservation_id=row["reservation_id"],
            before=row["ends_at"],
            more_ms=more_ms,
            cents=0,
            changed_at=books.now,
        )


def agree(books: Transaction, link: str, *, is_agreed: bool) -> None:
    """Note whether a ticket's session is to go on by itself while nobody waits.

    Raises:
        NotFound: there is no such ticket, or it is over.
    """
    if not books.extensions.agree(link=link, extends_itself=int(is_agreed), changed_at=books.now):
        raise NotFound(what="ticket")


def agree_order(books: Transaction, order: str) -> None:
    """Note that every session of an order is to go on by itself while nobody waits."""
    books.extensions.agree_order(order_id=order)


def ask_for_pay(books: Transaction, found: Found, payment: str, seconds: int, cents: int) -> None:
    """Note that a session goes on by so much as soon as this payment has come in."""
    row = found.row
    books.extensions.ask_for_pay(
        payment_id=payment,
        session_id=row["session_id"],
        terminal_id=row["terminal_id"],
        order_id=row["order_id"],
        seconds=seconds,
        cents=cents,
        asked_at=books.now,
    )


def is_asked_for_another(books: Transaction, found: Found) -> bool:
    """Say whether its order is asked just now to pay for another session's time."""
    row = found.row
    session = books.extensions.asked_for(order_id=row["order_id"])
    return session is not None and session != row["session_id"]


def paid(books: Transaction, order: str) -> list[Row]:
    """Return the extensions of an order whose money has come and that are not settled."""
    return list(books.extensions.paid(order_id=order))


def payment_url(books: Transaction, session: str) -> str | None:
    """Return where the extension is paid that was asked for a session, if it still is, or None."""
    url = books.extensions.payment_url(session_id=session)
    return None if url is None else str(url)


def extends_itself(books: Transaction, reservation: str) -> bool:
    """Say whether a session is to go on by itself while nobody waits."""
    return bool(books.extensions.extends_itself(reservation_id=reservation))


def settle(books: Transaction, payment: str, *, is_granted: bool) -> None:
    """Note what has become of an extension that was paid for."""
    state = "granted" if is_granted else "refused"
    books.extensions.settle(payment_id=payment, state=state, changed_at=books.now)


def _found(books: Transaction, row: Row) -> Found:
    terms = books.offerings.terms(offering_id=row["offering_id"])
    grid, lengths = terms["grid_seconds"], json.loads(terms["lengths_seconds"])
    until = row["blocked_until"] + EXTENSION_SECONDS_MAX * 1000
    room = Room(
        ends_at=row["ends_at"],
        turnover_ms=row["blocked_until"] - row["ends_at"],
        next_at=_next_at(books, row, until),
        closes_at=closing_after(read_hours(terms["hours"]), terms["time_zone"], row["ends_at"]),
    )
    choices = steps(grid, lengths, longest(room).seconds)
    is_wanted = row["wanted"] == "run" and not row["is_told_to_stop"]
    is_running = row["state"] == "running" and row["reservation_state"] == "in_use"
    facts = SessionFacts(
        is_running=is_running and is_wanted, is_ours=row["is_ours"] == 1, now=books.now
    )
    return Found(
        row=row,
        room=room,
        choices=choices,
        step_seconds=min(grid, *lengths),
        refused=why_none(facts, room, choices),
    )


def _next_at(books: Transaction, row: Row, until: int) -> int | None:
    """Return when a session's device is next claimed or kept from sale, before an instant (ms)."""
    taken = books.reservations.taken(
        device_id=row["device_id"],
        from_at=row["ends_at"],
        to_at=until,
        now=books.now,
        instead_of=row["reservation_id"],
        holder="",
    )
    return min((each["starts_at"] for each in taken), default=None)
