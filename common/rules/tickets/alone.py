"""What a terminal without the line may begin by itself, and what is believed of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from common.rules.tickets.door import DoorFacts, TicketFacts
from common.rules.tickets.states import Admission, DenialReason, TicketState
from common.seals import TicketToken


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
    `dead_revision`: up to which the ticket was told to be dead. `revoked_until`: of tickets that
    end later, not all that are dead were told; None: all were.
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
    dead_revision: int | None = None
    revoked_until: int | None = None


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
        reason = _why_not_by_signature(facts)
        if reason is not None:
            return reason
        is_its_device = facts.token.device_number in {0, facts.device_number}
    else:
        if held.is_released or held.token_digest != facts.token_digest:
            return DenialReason.REVOKED
        is_its_device = held.device == facts.device
    return None if is_its_device else DenialReason.WRONG_DEVICE


def _why_not_by_signature(facts: AloneFacts) -> DenialReason | None:
    """Say why a ticket that is only well signed is not enough: it may be known to be dead."""
    token, dead, until = facts.token, facts.dead_revision, facts.revoked_until
    if not facts.may_start_by_signature:
        return DenialReason.NOT_ON_OFFLINE_LIST
    if dead is not None and token.revision <= dead:
        return DenialReason.REVOKED
    is_listed = until is None or token.starts_at + token.length_seconds * 1000 <= until
    return None if is_listed else DenialReason.NOT_ON_OFFLINE_LIST


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
