"""What operators begin on devices from afar: each noted with who and what for, until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import NotFound, Row, Transaction
from common.rules.acts import Place, Purpose
from common.rules.devices import DeviceState
from common.rules.presence import Presence
from common.topics import BrokerRole

SETTLED_MAX: Final = 100
"""Uses that are looked after in one transaction, so that it stays short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """Something that an operator has begun.

    Attributes:
        purpose: what for.
        operator: by whom, as the audit calls him.
        from_session: which session it takes over from, where it does.
        puts_out: whether the device is out of order again when it is over.
        is_to_scan: whether its device is made ready first, and takes its ticket then.
    """

    purpose: Purpose
    operator: str
    from_session: str | None = None
    puts_out: bool = False
    is_to_scan: bool = False


def device(books: Transaction, device_id: str) -> Row:
    """Return a device as it stands, with its terminal and an offering that it serves.

    Raises:
        NotFound: there is no such device.
    """
    row = books.acts.place(device_id=device_id)
    if row is None:
        raise NotFound(what="device")
    return row


def place_of(row: Row, next_at: int | None) -> Place:
    """Return what the rule asks about a device; `next_at` is when it is claimed next (ms)."""
    return Place(
        is_registered=row["standing"] == "confirmed" and row["broker_role"] == BrokerRole.SERVICE,
        is_here=row["presence"] != Presence.GONE,
        is_used=bool(row["is_used"]),
        is_ready=row["state"] in ("", None, DeviceState.AVAILABLE),
        is_out_of_order=row["is_out_of_order"] == 1,
        is_offered=row["offering_id"] is not None,
        next_at=next_at,
    )


def live_on(books: Transaction, device_id: str) -> Row | None:
    """Return the session that holds a device now, with its claim, or None."""
    row: Row | None = books.acts.live_on(device_id=device_id)
    return row


def reservation(books: Transaction, reservation_id: str) -> Row:
    """Return a claim with its latest session.

    Raises:
        NotFound: there is no such reservation.
    """
    row = books.acts.reservation(reservation_id=reservation_id)
    if row is None:
        raise NotFound(what="reservation")
    return row


def ticket_of(books: Transaction, reservation_id: str) -> Row:
    """Return the ticket of a claim that was just made: its id, token and link."""
    return books.acts.token_of(reservation_id=reservation_id)


def moved_from(books: Transaction, session: str) -> Row | None:
    """Return a session that is moved away from, with its claim, or None: it is not known."""
    row: Row | None = books.acts.moved_from(session_id=session)
    return row


def note(books: Transaction, reservation_id: str, device_id: str, begun: Begun) -> None:
    """Keep that something was begun, until it is settled."""
    books.acts.note_use(
        reservation_id=reservation_id,
        device_id=device_id,
        purpose=begun.purpose.value,
        operator=begun.operator,
        from_session=begun.from_session,
        puts_out=int(begun.puts_out),
        is_to_scan=int(begun.is_to_scan),
        made_at=books.now,
    )


def has_to_settle(books: Transaction) -> bool:
    """Say whether anything that was begun is not over yet."""
    return bool(books.acts.has_to_settle())


def unsettled(books: Transaction) -> list[Row]:
    """Return what is under way, the oldest first, each with how far it has come."""
    return list(books.acts.unsettled(most=SETTLED_MAX))


def note_scanned(books: Transaction, reservation_id: str) -> None:
    """Note that its device was told to take its ticket."""
    books.acts.note_scanned(reservation_id=reservation_id)


def hand_over(books: Transaction, reservation_id: str) -> None:
    """Note that whom it was moved from has been told to stop."""
    books.acts.hand_over(reservation_id=reservation_id)


def settle(books: Transaction, reservation_id: str) -> None:
    """Note that it is over."""
    books.acts.settle(reservation_id=reservation_id, settled_at=books.now)
