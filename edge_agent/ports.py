"""What the agent's flows need of the world, in their own words; the rim stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from common.errors import RusubanError
from common.ids import TerminalId
from common.messages.base import NOTHING_IN_PARTICULAR, Message, Particulars
from common.messages.devices import DeviceMessage
from common.rules.enrolment import Ladder
from common.rules.scanners import ScannerHint
from common.rules.sessions import EndReason, ExtensionNo, Notice, SessionState
from common.rules.tickets import DenialReason
from common.topics import Channel

P = ParamSpec("P")
T = TypeVar("T")

Row: TypeAlias = Any
"""A row of a query; its columns are read by their names."""


class RunnerIsAway(RusubanError):
    """The runner on {socket} does not answer."""


class LadderGoesDown(RusubanError):
    """It offers less protection, step {asked} not {kept}; to start over, empty the state folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who this terminal is and how it proves it, as enrolment said and every renewal since."""

    terminal: TerminalId
    store: str
    epoch: str
    secret: str = field(repr=False)
    broker_host: str
    broker_port: int
    keys: Mapping[int, Ed25519PublicKey]

    ladder: Ladder = Ladder.LOOPBACK
    """How far up it has come; it never goes down."""

    authority: str = field(default="", repr=False)
    """The controller's own authority as PEM: nobody else vouches for the broker."""

    certificate: str = field(default="", repr=False)
    """The terminal's own as PEM, on the step that asks for one."""

    url: str = ""
    """Where it enrolled and renews."""

    pinned: str = field(default="", repr=False)
    """Who alone vouches for `url`, as PEM; empty: whom this PC trusts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Something to send towards the controller, now that the journal holds why."""

    channel: Channel
    message: Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a customer at a scanner is told; `reason` is None when the device opens.

    `is_alone`: this terminal has decided it, because nobody could be asked. `meant` is the device
    that the ticket is for, where it is another; `told` is what else there is to say.
    """

    device: str | None
    scan: str
    reason: DenialReason | None
    told: Particulars = NOTHING_IN_PARTICULAR
    is_alone: bool = False
    meant: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeShown:
    """What a customer is told besides: `told` names a device to go to, `said` the store's words."""

    device: str | None
    notice: Notice
    reason: DenialReason | None = None
    told: Particulars = NOTHING_IN_PARTICULAR
    said: DeviceMessage | None = None


Shown: TypeAlias = Verdict | NoticeShown
"""All that a customer's screen can be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionChoice:
    """One length by which a session can go on, and what it costs in minor units."""

    seconds: int
    price_cents: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionOffered:
    """By how much a session can be extended as things stand now.

    Attributes:
        session: which.
        choices: what can be had by one touch, the shortest first.
        currency: of their prices; empty where there are none.
        longest_seconds: how long it could go on at most.
        bound: what would end it then; None: nothing that we know of.
        refused: why it cannot be extended; None: it can.
        pay_url: where what costs money is paid, to be shown as a QR: then no touch here does it.
    """

    session: str
    choices: tuple[ExtensionChoice, ...] = ()
    currency: str = ""
    longest_seconds: int = 0
    bound: ExtensionNo | None = None
    refused: ExtensionNo | None = None
    pay_url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionAnswer:
    """What came of asking for more: so many seconds, or why none."""

    session: str
    added_seconds: float = 0.0
    refused: ExtensionNo | None = None


class Extending(Protocol):
    """Whom a customer's screen asks for more time; each answer comes in 15 seconds at most."""

    async def offer(self, session: str) -> ExtensionOffered:
        """Return by how much a session can be extended, and for how much; changes nothing."""
        ...

    async def extend(self, session: str, seconds: int) -> ExtensionAnswer:
        """Extend a session by what was offered for these seconds; once, however often touched."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramSeen:
    """A session as the runner knows it; seconds are measured on the clock that cannot be set."""

    session: str
    state: SessionState
    end_reason: EndReason | None
    remaining_seconds: float
    delivered_seconds: float
    started_at: int | None
    ended_at: int | None

    restarts: int = 0
    """How often its program has failed and was started again."""

    lost_seconds: float = 0.0
    """For how long it was down meanwhile; `delivered_seconds` is without them."""

    is_broken: bool = False
    """Whether this program on this device has failed too often and was not mended since."""

    waits: bool = False
    """Its PC's end has interrupted it, and it waits to go on."""

    was_interrupted: bool = False

    ready_by: str = ""
    """By which check of its catalogue it is known to run; empty: it is there, and no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandSeen:
    """One run of a catalogue's command as the runner knows it.

    `exit_code` is None while it runs, and when it could not be started, took too long, was killed
    or was cut off.
    """

    run: str
    command: str
    is_done: bool
    exit_code: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScannerSeen:
    """What one scanner sees now.

    Attributes:
        scanner: its name.
        hint: what to tell whoever stands before it.
        picture: what a camera sees, in grey and small, as a JPEG of a few kilobytes, not mirrored;
            None of a scanner without a camera, and while nobody looks.
    """

    scanner: str
    hint: ScannerHint
    picture: bytes | None = field(default=None, repr=False)


class Viewfinder(Protocol):
    """Where a screen sees what the scanners see; see `scanners.reading.Viewfinder`."""

    @property
    def seen(self) -> Mapping[str, ScannerSeen]:
        """Return what each scanner saw last, by its name."""
        ...

    def looking(self, look: Callable[[ScannerSeen], None]) -> AbstractContextManager[None]:
        """Have `look` called with what is seen by now and with all that is seen from now on."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionOnScreen:
    """A live session as the customer's screen is told of it.

    `ends_at` is in seconds since boot; None: it was begun before this boot, and is not known yet.
    `waits`: the power was gone, and it goes on when its ticket is shown again.
    """

    session: str
    state: SessionState
    ends_at: float | None
    granted_seconds: float
    waits: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceOnScreen:
    """A device as the customer's screen is told of it: `key` is its name in the settings.

    `device` is the controller's; `takes_code`: whoever has cleaned it is to say so by a code.
    """

    key: str
    title: str
    device: str | None = None
    number: int | None = None
    session: SessionOnScreen | None = None
    is_in_turnover: bool = False
    is_out_of_order: bool = False
    takes_code: bool = False


class Buttons(Protocol):
    """What a touch on the customer's screen does; sessions and devices are named by their ids."""

    def end(self, session: str) -> bool:
        """End a session by its customer's wish; False when it is over anyway."""
        ...

    def call_for_help(self, device: str, session: str | None, about: str) -> None:
        """Tell the operator that somebody at this device needs him."""
        ...

    def note_warning_seen(self, session: str, seconds_left: int) -> None:
        """Take in that the page has shown a warning of so many seconds."""
        ...

    def note_message_seen(self, device: str, message: str) -> None:
        """Take in that the page has shown what the store said."""
        ...

    def confirm_turnover(self, device: str, code: str) -> bool:
        """Take a cleaner's code; say whether it is the right one."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class WipeSeen:
    """A wipe of a program's folders as the runner knows it; `fault` is what was in its way."""

    run: str
    entries: int
    is_done: bool
    fault: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One version of a package that may be fetched: what of, and by which document.

    Attributes:
        kind: `program` or `module`.
        target: its path among the signed targets.
        sha256: of its archive, of so many bytes: `length`.
        document: what lets us fetch it: a module's right, or an offer that names a program.
        signature: of that document.
    """

    package: str
    kind: str
    version: str
    target: str
    sha256: str
    length: int
    document: Mapping[str, Any]
    signature: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What is in use of a package: the version, its folder, and the digest of what lies there."""

    package: str
    kind: str
    version: str
    sha256: str
    folder: str
    digest: str
    release_counter: int = 0


class Clock(Protocol):
    """What time it is."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970 UTC; it may be wrong."""
        ...

    def boot_seconds(self) -> float:
        """Return seconds since boot, counting suspend; it cannot be set."""
        ...

    def is_synchronised(self) -> bool:
        """Say whether a time server keeps the wall clock."""
        ...


class Names(Protocol):
    """Where new names come from."""

    def new(self, prefix: str) -> str:
        """Return a new name that begins with `prefix-`."""
        ...

    def hex_digits(self, count: int) -> str:
        """Return `count` random hex digits."""
        ...


class Queries(Protocol):
    """The named queries of `queries/*.sql`, bound to the open transaction."""

    def __getattr__(self, query: str) -> Callable[..., Any]:
        """Return the query of this name; its arguments are the query's named parameters."""
        ...


class Transaction(Protocol):
    """An open transaction; what is said, asked or shown in it leaves after its commit."""

    now: int
    boot_seconds: float
    boot_id: str
    is_synchronised: bool
    names: Names
    rows: Queries

    def say(self, event: Message) -> None:
        """Add an event to the ordered stream; it is told until the controller has it."""
        ...

    def ask(self, channel: Channel, message: Message) -> None:
        """Send something whose repetition is a row of the journal anyway."""
        ...

    def show(self, shown: Shown) -> None:
        """Tell the customer in front of the scanner."""
        ...


class Journal(Protocol):
    """What must survive a power cut: durable before anything is done or said."""

    def transact(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)` in a durable transaction and return what it returns.

        It holds the loop for one commit: a terminal has one customer at a time, and its deadlines
        are kept by another process.
        """
        ...
