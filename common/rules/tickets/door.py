"""A ticket at a door: what is known of both, and of the moment; and what a denial says."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest

from common.errors import TokenIsMalformed
from common.rules.tickets.rotating import read_shown, token_part
from common.rules.tickets.states import DenialReason
from common.seals import ReadToken


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFacts:
    """What the books know of a ticket: its reservation, its device, and who uses it now.

    `hours` are the opening hours of its store as they are kept, in `time_zone`; `changed_at` is
    when the reservation came to its state.
    """

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
    hold_ends_at: int | None = None
    changed_at: int = 0
    device_is_out_of_order: bool = False
    hours: str = ""
    time_zone: str = "UTC"

    @property
    def opens_at(self) -> int:
        """Return when its earliest scan opens its device."""
        return self.starts_at - self.early_seconds * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class DoorFacts:
    """What the books know of the device that the reader asks for, and of its store.

    `ready_at` is when the turnover after its last use is over, or was; where somebody has looked
    and said that it is ready, None. `device_state` is its terminal's own word; empty: none yet.
    """

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
    ready_at: int | None = None
    device_state: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """What is so at the time of a scan.

    Attributes:
        now: that time, in ms.
        store_opens_at: the first instant at which the ticket's store is open, from the time on at
            which its slot allows a scan; None: it is not open any more as far as is known.
        is_taken: somebody else has a claim to the device within what the ticket asks for.
    """

    now: int
    store_opens_at: int | None
    is_taken: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Denial:
    """A no with its reason, and what the rule itself knows to say about it.

    Attributes:
        reason: which.
        opens_at: when the same scan would do.
        store_opens_at: when the store opens again, where that is too late for this ticket.
        released_at: when the reservation was given to others.
        pay_by: until when its slot is kept for whoever has not paid.
        device: the one that it is for, if it is another.
        number: the number of that one, where nothing else is known of it.
        is_held: another terminal alone may redeem the ticket, and has to be asked to give it back.
    """

    reason: DenialReason
    opens_at: int | None = None
    store_opens_at: int | None = None
    released_at: int | None = None
    pay_by: int | None = None
    device: str | None = None
    number: int | None = None
    is_held: bool = False


def sight(text: str) -> ReadToken | Denial:
    """Return the token that a scanned text spells, not yet believed, or why it is no ticket."""
    try:
        return read_shown(text)
    except TokenIsMalformed:
        return Denial(reason=DenialReason.UNKNOWN_TICKET)


def is_the_one_issued(text: str, ticket: TicketFacts | None) -> bool:
    """Say whether a text's token is, to the letter, the one that we signed for this ticket.

    Then its signature need not be checked again: it is our own.
    """
    return ticket is not None and compare_digest(token_part(text), ticket.token)


def granted_seconds(ticket: TicketFacts, *, now: int) -> float:
    """Return how long a session that begins now may run: until its slot's end and no longer."""
    return (ticket.ends_at - now) / 1000
