"""What a terminal without the line may begin by itself, and what is believed of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from common.rules.tickets.door import Denial, DoorFacts, TicketFacts
from common.rules.tickets.rotating import token_part
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
    device_is_out_of_order: bool = False
    device_is_in_turnover: bool = False


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
    return sha256(token_part(text).encode()).hexdigest()


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
    began_at = min(max(at, ticket.opens_at), ticket.ends_at - 1)
    longest_seconds = (ticket.ends_at - began_at) / 1000
    return Began(at=began_at, granted_seconds=min(granted_seconds, longest_seconds))


def decide_alone(facts: AloneFacts, *, now: int | None) -> Alone | Denial:
    """Say whether a terminal without the line may begin a session, or why not.

    `now` is None where no clock can be trusted: then no window can be judged. Only what it holds
    nobody else can redeem; what it only finds well signed may be used, cancelled or moved already.
    """
    held = facts.held
    window = _window(facts)
    denial = _why_no_good(facts, window, now) or _why_not_ours(facts) or _why_not_now(window, now)
    denial = denial or _why_not_this_device(facts)
    if denial is not None:
        return denial
    assert now is not None, "without a time no window is open"
    return Alone(
        ticket=facts.token.ticket,
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


def _window(facts: AloneFacts) -> tuple[int, int]:
    """Return from when until when a ticket opens its device, by what is held or what is signed."""
    if facts.held is not None:
        return facts.held.opens_at, facts.held.ends_at
    starts_at = facts.token.starts_at
    return starts_at, starts_at + facts.token.length_seconds * 1000


def _why_no_good(facts: AloneFacts, window: tuple[int, int], now: int | None) -> Denial | None:
    """Say why this code opens nothing anywhere, in the order in which `CLOSEST_FIRST` says it."""
    if not facts.is_signed:
        return Denial(reason=DenialReason.BAD_SIGNATURE)
    if _is_known_to_be_dead(facts):
        return Denial(reason=DenialReason.REVOKED)
    if facts.is_used:
        return Denial(reason=DenialReason.ALREADY_USED)
    if now is not None and now >= window[1]:
        return Denial(reason=DenialReason.EXPIRED)
    return None


def _is_known_to_be_dead(facts: AloneFacts) -> bool:
    held, dead = facts.held, facts.dead_revision
    if held is not None:
        return held.is_released or held.token_digest != facts.token_digest
    return dead is not None and facts.token.revision <= dead


def _may_start_by_signature(facts: AloneFacts) -> bool:
    """Say whether a good signature is enough: it is allowed, and known not to be dead."""
    token, until = facts.token, facts.revoked_until
    is_listed = until is None or token.starts_at + token.length_seconds * 1000 <= until
    return facts.may_start_by_signature and is_listed


def _why_not_ours(facts: AloneFacts) -> Denial | None:
    """Say why a ticket is not this terminal's to redeem, at this device of its own.

    Of one that is not held it is not known whether it was moved since: its number is where it is
    best tried, and no more.
    """
    held, number = facts.held, facts.token.device_number
    is_its_number = number in {0, facts.device_number}
    if facts.token.store_number != facts.store_number:
        return Denial(reason=DenialReason.WRONG_STORE)
    if facts.token.rotates:  # its code is the controller's alone to check, whatever is held
        return Denial(reason=DenialReason.NOT_ON_OFFLINE_LIST)
    if held is None and not _may_start_by_signature(facts):
        there = None if is_its_number else number
        return Denial(reason=DenialReason.NOT_ON_OFFLINE_LIST, number=there)
    if held is None and not is_its_number:
        return Denial(reason=DenialReason.WRONG_DEVICE, number=number)
    if held is not None and held.device != facts.device:
        return Denial(reason=DenialReason.WRONG_DEVICE, device=held.device)
    return None


def _why_not_this_device(facts: AloneFacts) -> Denial | None:
    """Say why a device opens for nobody now, in the order in which `CLOSEST_FIRST` says it."""
    if facts.device_is_out_of_order:
        return Denial(reason=DenialReason.DEVICE_OUT_OF_ORDER)
    if facts.device_is_in_use:
        return Denial(reason=DenialReason.DEVICE_IN_USE)
    if facts.device_is_in_turnover:
        return Denial(reason=DenialReason.DEVICE_IN_TURNOVER)
    return None


def _why_not_now(window: tuple[int, int], now: int | None) -> Denial | None:
    if now is None:
        return Denial(reason=DenialReason.CLOCK_UNTRUSTED)
    if now < window[0]:
        return Denial(reason=DenialReason.TOO_EARLY, opens_at=window[0])
    return None
