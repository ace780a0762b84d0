"""What crosses between a controller that has terminals and who keeps their reservations (C1).

The one that has terminals always calls: it may stand in a store where nobody can call in.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from common.messages.base import (
    Count,
    Digest,
    Instant,
    Name,
    Particulars,
    ShortText,
    Text,
    Texts,
)

TOKEN_CHARACTERS_MAX: Final = 200
"""Characters of a ticket's text: 144 or 154 of ours, of a foreign system's some more."""

HOURS_CHARACTERS_MAX: Final = 20_000
"""Characters of a store's opening hours with all their exceptions."""

TERMINALS_MAX: Final = 2_000
DEVICES_MAX: Final = 4_000
OFFERINGS_MAX: Final = 500
"""What one store may have: far more than any has, few enough for one call."""

LINES_MAX: Final = 100
"""Lines of the ledger in one report."""

USES_MAX: Final = 20
"""Sessions of one ticket that are reported: each but the last has failed to start."""

KEYS_MAX: Final = 16

Cents = Annotated[int, Field(ge=0, le=10**12)]
ShortSeconds = Annotated[int, Field(ge=0, le=10**8)]
TokenText = Annotated[str, Field(min_length=1, max_length=TOKEN_CHARACTERS_MAX)]


class _Said(BaseModel):
    """Frozen, and forgives fields it does not know, so that either side may be newer."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class StoreTold(_Said):
    """A store; `number` is the one that its tickets carry."""

    store: Name
    number: Annotated[int, Field(ge=1, lt=2**24)]
    title: ShortText
    time_zone: Annotated[str, Field(min_length=1, max_length=64)]
    hours: Annotated[str, Field(max_length=HOURS_CHARACTERS_MAX)] = ""
    directions: Text = ""


class OfferingTold(_Said):
    """What is sold there and how, as its terminals have registered it (E1)."""

    offering: Name
    key: Name
    title: ShortText
    content: Text
    texts: Texts = Field(default_factory=dict)
    price_cents: Cents
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    lengths_seconds: Annotated[tuple[ShortSeconds, ...], Field(min_length=1, max_length=20)]
    grid_seconds: Annotated[int, Field(ge=1, le=10**8)]
    turnover_seconds: ShortSeconds
    early_seconds: ShortSeconds
    lead_seconds: ShortSeconds = 0
    horizon_seconds: ShortSeconds = 60 * 86_400
    change_seconds: ShortSeconds = 0
    cancel_seconds: ShortSeconds = 0
    hold_seconds: ShortSeconds = 600
    grace_seconds: ShortSeconds | None = None
    party_max: Annotated[int, Field(ge=1, le=1_000)] = 1
    rotates_code: bool = False


class TerminalTold(_Said):
    """A terminal that hosts devices, and how its registration stands."""

    terminal: Name
    hostname: ShortText
    standing: Name


class DeviceTold(_Said):
    """A device, the offering it serves, and whether that is on (E2)."""

    device: Name
    terminal: Name
    number: Annotated[int, Field(ge=1, le=65_535)]
    key: Name
    title: ShortText
    program: ShortText
    is_out_of_order: bool
    offering: Name | None
    state: Name | None
    reason: ShortText = ""


class Directory(_Said):
    """All that is to be known of a store by whoever sells its time."""

    store: StoreTold
    offerings: Annotated[tuple[OfferingTold, ...], Field(max_length=OFFERINGS_MAX)]
    terminals: Annotated[tuple[TerminalTold, ...], Field(max_length=TERMINALS_MAX)]
    devices: Annotated[tuple[DeviceTold, ...], Field(max_length=DEVICES_MAX)]


class StoreSaid(_Said):
    """A store's terminals that are here, said again and again: what is silent is not sold.

    `digest` is the directory's, which is there itself where the other side does not know it.
    """

    store: Name
    digest: Digest
    here: Annotated[tuple[Name, ...], Field(max_length=TERMINALS_MAX)]
    directory: Directory | None = None


class KeyTold(_Said):
    """A public key by which tickets are signed."""

    key_id: Annotated[int, Field(ge=0, lt=KEYS_MAX)]
    public_key: Digest


class StoreHeard(_Said):
    """Whether the directory of that digest is known, and the keys of the tickets that are sold."""

    is_known: bool
    keys: Annotated[tuple[KeyTold, ...], Field(max_length=KEYS_MAX)] = ()


class TicketAsked(_Said):
    """What would become of this ticket, at this device or wherever it is for? Changes nothing."""

    token: TokenText
    device: Name | None = None
    terminal: Name | None = None


class UseAsked(_Said):
    """Let this ticket be used here, by me alone, until I give it back (C4).

    `claim` counts what we ask for this ticket, kept before it is sent. Asked again, it is answered
    the same; a higher one gives every lower one back, and a lower one that comes late is nothing.
    """

    claim: Count
    token: TokenText
    device: Name
    terminal: Name


class DenialTold(Particulars):
    """Why not, in the closed list of reasons, and what there is to say of it in particular."""

    type: ClassVar[str] = "reservations.denied"
    reason: Name
    device: Name | None = None


class TicketLent(_Said):
    """A reservation and its ticket, as who has terminals has to know them: no name, no price."""

    ticket: Name
    reservation: Name
    store: Name
    offering: Name
    device: Name
    device_number: Annotated[int, Field(ge=0, le=65_535)]
    revision: Annotated[int, Field(ge=0, le=255)]
    starts_at: Instant
    ends_at: Instant
    blocked_until: Instant
    party_size: Annotated[int, Field(ge=1, le=1_000)] = 1


class TicketFound(_Said):
    """The answer: the ticket, or why it opens nothing; a denial may come with the ticket too."""

    ticket: TicketLent | None = None
    denied: DenialTold | None = None


class GiveBack(_Said):
    """Claims up to this one are over, the ticket unused; `failed_on`: what did not start there."""

    claim: Count
    ticket: Name
    failed_on: Name | None = None


class GivenBack(_Said):
    """The ticket is where it was; `moved_to` is another device that its time is kept on now."""

    moved_to: Name | None = None


class LineTold(_Said):
    """A line of the teller's ledger about a reservation; `entry` only grows."""

    entry: Count
    at: Instant
    type: Annotated[str, Field(min_length=1, max_length=100)]
    reservation: Name
    terminal: Name | None = None
    session: Name | None = None
    body: dict[str, Any]


class SessionTold(_Said):
    """A session as its own controller's books have it."""

    session: Name
    device: Name
    terminal: Name
    program: ShortText
    fence: Count
    state: Name
    is_presumed: bool
    granted_seconds: Annotated[float, Field(gt=0, le=10**8)]
    granted_at: Instant
    deadline_at: Instant
    running_at: Instant | None
    ended_at: Instant | None
    end_reason: Name | None
    delivered_seconds: Annotated[float, Field(ge=0, le=10**8)] | None
    remaining_seconds: Annotated[float, Field(ge=0, le=10**8)] | None = None
    lost_seconds: Annotated[float, Field(ge=0, le=10**8)] = 0.0
    admission: Name


class UseTold(_Said):
    """What has become of a ticket that was lent, all of it, as it stands now."""

    reservation: Name
    ticket: Name
    ticket_state: Name
    reservation_state: Name
    sessions: Annotated[tuple[SessionTold, ...], Field(max_length=USES_MAX)]


class Report(_Said):
    """The lines after `since` up to `up_to`, with the uses that they are about as they stand."""

    since: Count
    up_to: Count
    lines: Annotated[tuple[LineTold, ...], Field(max_length=LINES_MAX)]
    uses: Annotated[tuple[UseTold, ...], Field(max_length=LINES_MAX)]


class Reported(_Said):
    """Up to which line everything is kept: the next report begins there."""

    up_to: Count


class IssueAsked(_Said):
    """Book this time and issue its ticket; the same `key` again is the same reservation (C2)."""

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
    offering: Name
    starts_at: Instant
    length_seconds: Annotated[int, Field(ge=1, lt=2**24)]
    device: Name | None = None


class ReservationAsked(_Said):
    """Which reservation is meant."""

    reservation: Name


class ReservationKept(_Said):
    """A reservation with its ticket, as who keeps it has it; `link` opens its page."""

    reservation: Name
    link: Annotated[str, Field(max_length=200)]
    ticket: Name
    token: TokenText
    state: Name
    ticket_state: Name
    store: Name
    offering: Name
    device: Name
    starts_at: Instant
    ends_at: Instant
