"""Does this ticket open this device now? If not, the closest reason a customer can act on."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from common.errors import TokenIsMalformed
from common.rules.tickets.states import DenialReason, TicketState
from common.seals import ReadToken, TicketToken, read_token

_CLOSED_STATES: Final = {
    "cancelled": DenialReason.CANCELLED,
    "expired": DenialReason.EXPIRED,
    "no_show": DenialReason.EXPIRED,
    "held": DenialReason.UNPAID,
    "completed": DenialReason.ALREADY_USED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFacts:
    """What the books know of a ticket: its reservation, its device, and who uses it now."""

    ticket_state: str
    revision: int
    reservation_state: str
    starts_at: int
    ends_at: int
    blocked_until: int
    token: str
    early_seconds: int
    device: str
    offering: str
    live_terminal: str | None
    held_by: str | None = None
    cancel_asked_at: int | None = None
    reservation: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DoorFacts:
    """What the books know of the device that the reader asks for, and of its store."""

    store_number: int
    device: str
    device_number: int
    offering: str | None
    terminal: str
    is_out_of_order: bool
    is_in_use: bool
    store: str
    program: str
    last_fence: int
    title: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Denial:
    """A no with its reason; `opens_at` and `device` say what to do about it.

    `is_held`: another terminal alone may redeem the ticket, and has to be asked to give it back.
    """

    reason: DenialReason
    opens_at: int | None = None
    device: str | None = None
    is_held: bool = False


def sight(text: str) -> ReadToken | Denial:
    """Return the token that a scanned text spells, not yet believed, or why it is no ticket."""
    try:
        return read_token(text)
    except TokenIsMalformed:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)


def is_the_one_issued(text: str, ticket: TicketFacts | None) -> bool:
    """Say whether a text is, to the letter, the token that we signed for this ticket.

    Then its signature need not be checked again: it is our own.
    """
    return ticket is not None and compare_digest(text, ticket.token)


def why_not(
    token: TicketToken, ticket: TicketFacts | None, door: DoorFacts, *, now: int
) -> Denial | None:
    """Return why a ticket whose signature is good does not open this door now, or None: it does.

    The order: store, revision and revocation, use, device, window, and the device itself; that a
    ticket has been used is true at every door and at every hour, so it is said before both.
    """
    if token.store_number != door.store_number:
        return Denial(reason=DenialReason.WRONG_STORE)
    if ticket is None:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)
    return (
        _why_revoked(token, ticket)
        or _why_used(ticket, door)
        or _why_not_here(token, ticket, door)
        or _why_not_now(ticket, now)
        or _why_not_this_device(door)
        or _why_held(ticket, door)
    )


def granted_seconds(ticket: TicketFacts, *, now: int) -> float:
    """Return how long a session that begins now may run: until its slot's end and no longer."""
    return (ticket.ends_at - now) / 1000


def _why_revoked(token: TicketToken, ticket: TicketFacts) -> Denial | None:
    if token.revision != ticket.revision:
        return Denial(reason=DenialReason.REVOKED)
    if ticket.ticket_state == TicketState.VOID:
        return Denial(reason=_CLOSED_STATES.get(ticket.reservation_state, DenialReason.REVOKED))
    if ticket.cancel_asked_at is not None:
        return Denial(reason=DenialReason.CANCELLED)
    return None


def _why_used(ticket: TicketFacts, door: DoorFacts) -> Denial | None:
    if ticket.ticket_state == TicketState.ISSUED:
        closed = _CLOSED_STATES.get(ticket.reservation_state)
        return Denial(reason=closed) if closed is not None else None
    if ticket.live_terminal is not None and ticket.live_terminal != door.terminal:
        return Denial(reason=DenialReason.IN_USE_ELSEWHERE)
    return Denial(reason=DenialReason.ALREADY_USED)


def _why_not_here(token: TicketToken, ticket: TicketFacts, door: DoorFacts) -> Denial | None:
    """Say no at a door that is neither the reservation's, wherever it was moved, nor as good."""
    any_device = token.device_number == 0 and ticket.offering == door.offering
    if any_device or ticket.device == door.device:
        return None
    return Denial(reason=DenialReason.WRONG_DEVICE, device=ticket.device)


def _why_not_now(ticket: TicketFacts, now: int) -> Denial | None:
    opens_at = ticket.starts_at - ticket.early_seconds * 1000
    if now < opens_at:
        return Denial(reason=DenialReason.TOO_EARLY, opens_at=opens_at)
    if now >= ticket.ends_at:
        return Denial(reason=DenialReason.EXPIRED)
    return None


def _why_held(ticket: TicketFacts, door: DoorFacts) -> Denial | None:
    if ticket.held_by is None or ticket.held_by == door.terminal:
        return None
    return Denial(reason=DenialReason.BUSY_TRY_AGAIN, is_held=True)


def _why_not_this_device(door: DoorFacts) -> Denial | None:
    if door.is_out_of_order:
        return Denial(reason=DenialReason.DEVICE_OUT_OF_ORDER)
    if door.is_in_use:
        return Denial(reason=DenialReason.DEVICE_IN_USE)
    return None
