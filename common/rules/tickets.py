"""Does this ticket open this device now? If not, the closest reason a customer can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from common.errors import TokenIsMalformed
from common.machine import Machine
from common.seals import ReadToken, TicketToken, read_token


class DenialReason(StrEnum):
    """Why a scan does not open a device: the closed list of the vocabulary."""

    UNKNOWN_TICKET = "unknown_ticket"
    BAD_SIGNATURE = "bad_signature"
    EXPIRED = "expired"
    TOO_EARLY = "too_early"
    ALREADY_USED = "already_used"
    IN_USE_ELSEWHERE = "in_use_elsewhere"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    WRONG_STORE = "wrong_store"
    WRONG_DEVICE = "wrong_device"
    DEVICE_IN_USE = "device_in_use"
    DEVICE_OUT_OF_ORDER = "device_out_of_order"
    DEVICE_IN_TURNOVER = "device_in_turnover"
    RESERVED_FOR_ANOTHER = "reserved_for_another"
    STORE_CLOSED = "store_closed"
    UNPAID = "unpaid"
    NOT_REGISTERED = "not_registered"
    NOT_ON_OFFLINE_LIST = "not_on_offline_list"
    CLOCK_UNTRUSTED = "clock_untrusted"
    BUSY_TRY_AGAIN = "busy_try_again"


class TicketState(StrEnum):
    """A right issued for a ticket reserves it; the program that verifiably runs spends it."""

    ISSUED = "issued"
    RESERVED = "reserved"
    SPENT = "spent"
    VOID = "void"


class RecallWhy(StrEnum):
    """Why a ticket is called back from the terminal that alone may redeem it."""

    CANCEL = "cancel"
    """Its customer gives it up: that counts when nobody can use it any more."""
    MOVE = "move"
    """Its program did not start there: it is to be used on another device."""
    ELSEWHERE = "elsewhere"
    """It was shown to another terminal, whose device it may open as well."""
    LAPSE = "lapse"
    """Its time is over: whether it was used, only the terminal knows."""


class Admission(StrEnum):
    """By what a session was begun."""

    RIGHT = "right"
    """By the controller's right for this very scan."""
    HELD = "held"
    """By the terminal, which held this ticket, with the line down."""
    SIGNATURE = "signature"
    """By nothing but the ticket's good signature: the operator allows it, and it is flagged."""


class TicketEvent(StrEnum):
    """What happens to a ticket."""

    GRANT = "grant"
    RUN = "run"
    GIVE_BACK = "give_back"
    CANCEL = "cancel"


TICKET: Final = Machine(
    name="ticket",
    first=TicketState.ISSUED,
    table={
        (TicketState.ISSUED, TicketEvent.GRANT): TicketState.RESERVED,
        (TicketState.RESERVED, TicketEvent.RUN): TicketState.SPENT,
        (TicketState.RESERVED, TicketEvent.GIVE_BACK): TicketState.ISSUED,
        (TicketState.ISSUED, TicketEvent.CANCEL): TicketState.VOID,
        (TicketState.VOID, TicketEvent.RUN): TicketState.SPENT,
    },
)

HOLD_AHEAD_SECONDS: Final = 4 * 3_600
"""How far ahead a terminal holds its devices' tickets: an outage of an evening."""

_RECALLS: Final = (RecallWhy.LAPSE, RecallWhy.ELSEWHERE, RecallWhy.MOVE, RecallWhy.CANCEL)

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


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldFacts:
    """A ticket that a terminal holds."""

    device: str
    token_digest: str
    opens_at: int
    ends_at: int
    is_released: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AloneFacts:
    """All that a terminal without the line knows of a ticket at one of its devices.

    `is_used`: by its own journal. `may_start_by_signature`: the operator allows what is not held.
    """

    token: TicketToken
    token_digest: str
    is_signed: bool
    held: HeldFacts | None
    is_used: bool
    device: str
    device_number: int
    device_is_in_use: bool
    store_number: int
    may_start_by_signature: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Alone:
    """What a terminal begins by itself: by what, at which trusted instant, for how long."""

    ticket: str
    admission: Admission
    at: int
    granted_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """What is wrong with a start that nobody was asked about; one `is_impossible`: no session."""

    why: str
    is_impossible: bool


def outranks(why: RecallWhy, other: RecallWhy) -> bool:
    """Say whether a reason to call a ticket back counts for more than another."""
    return _RECALLS.index(why) > _RECALLS.index(other)


def token_digest(text: str) -> str:
    """Return what a terminal knows a ticket's token by, without holding the token itself."""
    return sha256(text.encode()).hexdigest()


def why_doubted(
    ticket: TicketFacts | None, door: DoorFacts | None, *, is_held: bool, admission: Admission
) -> Doubt | None:
    """Say what is doubtful about a session that a terminal began by itself, or None: nothing is.

    `is_held`: that terminal alone could redeem the ticket.
    """
    why = _why_impossible(ticket, door)
    if why is not None:
        return Doubt(why=why, is_impossible=True)
    if not is_held:
        why = "It was begun without the line, and its terminal did not hold its ticket."
    elif admission is Admission.SIGNATURE:
        why = "It was begun on its ticket's signature alone."
    return Doubt(why=why, is_impossible=False) if why is not None else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Began:
    """When a session began by a terminal's own word, and for how long, as far as it can be so."""

    at: int
    granted_seconds: float


def believed(ticket: TicketFacts, at: int, granted_seconds: float) -> Began:
    """Return when and for how long a session may have begun by a terminal's word: in its slot."""
    opens_at = ticket.starts_at - ticket.early_seconds * 1000
    began_at = min(max(at, opens_at), ticket.ends_at - 1)
    longest_seconds = (ticket.ends_at - began_at) / 1000
    return Began(at=began_at, granted_seconds=min(granted_seconds, longest_seconds))


def decide_alone(facts: AloneFacts, *, now: int | None) -> Alone | DenialReason:
    """Say whether a terminal without the line may begin a session, or why not.

    `now` is None where no clock can be trusted: then no window can be judged. Only what it holds
    nobody else can redeem; what it only finds well signed may be used, cancelled or moved already.
    """
    token, held = facts.token, facts.held
    ends_at = token.starts_at + token.length_seconds * 1000
    window = (token.starts_at, ends_at) if held is None else (held.opens_at, held.ends_at)
    reason = _why_not_good(facts) or _why_not_ours(facts) or _why_not_alone_now(facts, window, now)
    if reason is not None:
        return reason
    assert now is not None, "without a time no window is open"
    return Alone(
        ticket=token.ticket,
        admission=Admission.SIGNATURE if held is None else Admission.HELD,
        at=now,
        granted_seconds=(window[1] - now) / 1000,
    )


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


def _why_impossible(ticket: TicketFacts | None, door: DoorFacts | None) -> str | None:
    if ticket is None or door is None:
        return "Nothing is known of its ticket or its device."
    if ticket.device != door.device and ticket.offering != door.offering:
        return "Its ticket is for another device."
    return _why_not_free(ticket, door)


def _why_not_free(ticket: TicketFacts, door: DoorFacts) -> str | None:
    """Say why a ticket could not be redeemed at this door by itself, whatever it says."""
    if ticket.held_by not in {None, door.terminal}:
        return "Another terminal alone may redeem its ticket."
    if ticket.ticket_state in {TicketState.SPENT, TicketState.VOID}:
        return "Its ticket had been used, or was not good any more."
    if ticket.live_terminal not in {None, door.terminal}:
        return "Its ticket is in use on another terminal."
    if door.is_in_use and ticket.live_terminal is None:
        return "Another session holds its device."
    return None


def _why_not_good(facts: AloneFacts) -> DenialReason | None:
    if not facts.is_signed:
        return DenialReason.BAD_SIGNATURE
    if facts.token.store_number != facts.store_number:
        return DenialReason.WRONG_STORE
    return DenialReason.ALREADY_USED if facts.is_used else None


def _why_not_ours(facts: AloneFacts) -> DenialReason | None:
    """Say why a ticket is not this terminal's to redeem, at this device of its own."""
    held = facts.held
    if held is None:
        if not facts.may_start_by_signature:
            return DenialReason.NOT_ON_OFFLINE_LIST
        is_its_device = facts.token.device_number in {0, facts.device_number}
    else:
        if held.is_released or held.token_digest != facts.token_digest:
            return DenialReason.REVOKED
        is_its_device = held.device == facts.device
    return None if is_its_device else DenialReason.WRONG_DEVICE


def _why_not_alone_now(
    facts: AloneFacts, window: tuple[int, int], now: int | None
) -> DenialReason | None:
    opens_at, ends_at = window
    if now is None:
        return DenialReason.CLOCK_UNTRUSTED
    if now < opens_at:
        return DenialReason.TOO_EARLY
    if now >= ends_at:
        return DenialReason.EXPIRED
    return DenialReason.DEVICE_IN_USE if facts.device_is_in_use else None
