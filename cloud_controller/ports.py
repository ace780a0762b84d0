"""What the flows need of the world, in the flows' own words; the rim stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeAlias, TypeVar

from common.errors import RusubanError
from common.ids import TerminalId
from common.messages.base import Message
from common.messages.specification import Specification
from common.rules.payments import EntryKind, Method, Posting, ProviderSaid
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.seals import KeysSaid, ReadToken, TicketToken
from common.topics import BrokerRole, Channel

if TYPE_CHECKING:
    import asyncio

P = ParamSpec("P")
T = TypeVar("T")

Row: TypeAlias = Any
"""A row of a query; its columns are read by their names."""

LATELY_SECONDS: Final = 3_600
LATELY_MAX: Final = 50
"""How far back, and how many acts, are counted to see that something is done too often."""


class SlotIsTaken(RusubanError):
    """This time has just been taken by somebody else."""


class NotFound(RusubanError):
    """There is no such {what}."""


class NotAllowed(RusubanError):
    """This cannot be done: {why}."""


class CodeIsSpent(RusubanError):
    """This enrolment code is unknown, used or out of date."""


class Actor(StrEnum):
    """Who the audit names where nobody has a name of their own."""

    OPERATOR = "operator"
    """Whoever has the operator's token."""
    COMMAND_LINE = "command line"
    SETTINGS = "settings"
    """What the controller's settings say."""
    POLICY = "policy"
    """What a store confirms, or the controller shuts out, by itself."""
    CODE = "enrolment"
    """Whoever has a one-time code."""
    TERMINAL = "terminal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A message as it came in from a terminal, whose name the broker vouches for."""

    terminal: TerminalId
    epoch: str
    seq: int
    corr: str
    message: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A message for a terminal, to be sent now that its transaction is durable.

    `outbox_id` is None for what is not kept.
    """

    terminal: TerminalId
    channel: Channel
    message: Message
    corr: str = ""
    tail: str = ""
    outbox_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleGiven:
    """A word to the broker: this terminal has this role now, or with a secret: and this account."""

    terminal: TerminalId
    role: BrokerRole | None
    secret: str | None = None
    outbox_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something the operator must look at.

    Attributes:
        kind: which words are said of it.
        subject: what it is about: with its kind it is one problem, however often it is met.
        why: what was found, in a sentence.
        evidence: the facts it was found from.
        proposals: what can be done about it, the best first.
    """

    kind: ProblemKind
    subject: str
    why: str
    terminal: TerminalId | None = None
    reservation: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    proposals: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Money that moves: postings that sum to nought in each currency, and what they are about."""

    kind: EntryKind
    postings: Sequence[Posting]
    store: str
    order: str | None = None
    payment: str | None = None
    reservation: str | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A terminal as the management role has registered it."""

    terminal: TerminalId
    store: str
    store_number: int
    time_zone: str
    epoch: str
    standing: Standing
    gate_digest: str | None
    specification: Specification


@dataclass(frozen=True, kw_only=True, slots=True)
class Certified:
    """A terminal's certificate as PEM text, with what is kept of it."""

    pem: str
    serial: str
    expires_at: int


class WebhookIsForged(RusubanError):
    """This was not said by the payment provider, or not just now: {why}."""


class PaymentDesk(Protocol):
    """How customers can pay here, and what their provider says of it."""

    @property
    def methods(self) -> frozenset[Method]:
        """Return the ways of paying that this controller takes."""
        ...

    @property
    def provider(self) -> Method | None:
        """Return by whom this controller is paid; None: what is due is settled outside."""
        ...

    async def open_now(self, link: str) -> None:
        """See that the page is made on which an order is paid, by the order's link.

        Where the provider is away there is none yet: it is made as soon as that is back.
        """
        ...

    def read_word(self, body: bytes, signature: str) -> ProviderSaid | None:
        """Return a provider's signed word; None where it does not concern us.

        Raises:
            WebhookIsForged: it is not theirs, or too old.
        """
        ...


class Clock(Protocol):
    """What time it is."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970 UTC."""

    def steady_seconds(self) -> float:
        """Return seconds that only grow."""


class Names(Protocol):
    """Where new names and secrets come from."""

    def new(self, prefix: str) -> str:
        """Return a new name that begins with `prefix-`."""

    def hex_digits(self, count: int) -> str:
        """Return `count` random hex digits."""

    def secret_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""

    def short_code(self, length: int) -> str:
        """Return a code that a person can type."""


class Keys(Protocol):
    """The controller's signing keys, which never leave its machine."""

    @property
    def key_id(self) -> int:
        """Return which key signs."""

    @property
    def revision(self) -> int:
        """Return how often the keys were changed."""

    def said(self) -> KeysSaid | None:
        """Return what is told of the keys since they were changed, or None: they never were."""

    def is_live(self, key_id: int) -> bool:
        """Say whether what this key signed still counts."""

    def seal_token(self, token: TicketToken) -> str:
        """Return a ticket's token, signed with the key that `key_id` names."""

    def have_signed(self, read: ReadToken) -> bool:
        """Say whether one of our live keys signed this token."""

    def seal_document(self, document: dict[str, Any]) -> str:
        """Return the signature of a right, in hex."""

    def have_sealed(self, document: Mapping[str, Any], signature: str) -> bool:
        """Say whether one of our live keys signed this right."""

    def code_key(self, ticket: str, revision: int) -> bytes:
        """Return the key of the codes that a ticket shows, where they change by themselves."""

    def public_keys(self) -> dict[int, str]:
        """Return the live public keys in hex, by key id."""


class Registry(Protocol):
    """What the service role may ask of the management role, and all that it may ask (A6)."""

    def registered(self, terminal: TerminalId) -> Registered | None:
        """Return what is registered of a terminal, or None: nothing is."""
        ...


class Queries(Protocol):
    """The named queries of one file of `storage/queries`, bound to the open transaction."""

    def __getattr__(self, query: str) -> Callable[..., Any]:
        """Return the query of this name; its arguments are the query's named parameters."""
        ...


class Transaction(Protocol):
    """An open transaction: facts are read from it, what becomes true is written to it.

    `now` is one instant for the whole of it. Each group of queries is written by one flow only.
    """

    now: int
    names: Names
    keys: Keys
    enrolment: Queries
    registration: Queries
    service: Queries
    offerings: Queries
    reservations: Queries
    rights: Queries
    sessions: Queries
    extensions: Queries
    devices: Queries
    letters: Queries
    actions: Queries
    payments: Queries
    lending: Queries
    directory: Queries
    lists: Queries
    post: Queries
    problems: Queries
    registry: Registry

    def say(
        self,
        terminal: TerminalId,
        channel: Channel,
        message: Message,
        *,
        corr: str = "",
        tail: str = "",
        kept: bool = False,
    ) -> None:
        """Have a message sent after the commit.

        One that is `kept` stays in the outbox until the broker has it. That is not needed where a
        row that is saved anyway makes the terminal's repetition find the same answer.
        """
        ...

    def tell_broker(
        self, terminal: TerminalId, role: BrokerRole | None, *, secret: str | None = None
    ) -> None:
        """Have the broker give a terminal this role, or None: nothing at all.

        A word with a `secret`, for a new account, is not kept, so that no secret is: a broker that
        starts anew reads the account's digest from the books.
        """
        ...

    def enter(
        self,
        kind: str,
        facts: Mapping[str, Any],
        *,
        terminal: str | None = None,
        reservation: str | None = None,
        session: str | None = None,
        at: int | None = None,
    ) -> None:
        """Add a line to the ledger: what happened, and whom it is about.

        `at` is when, by whoever reports it, in UTC milliseconds; without it, now.
        """
        ...

    def move_money(self, moved: Movement) -> None:
        """Enter a movement of money; one without postings has moved nothing and is none."""
        ...

    def raise_problem(self, problem: Problem) -> None:
        """Have an operator look at something; one that is open already is seen once more."""
        ...

    def solve_problem(self, kind: ProblemKind, subject: str) -> None:
        """Note that there is nothing to look at any more, if there was."""
        ...

    def audit(self, actor: str, act: str, subject: str, reason: str = "") -> None:
        """Enter a privileged act: who did what to whom or what, and why."""
        ...

    def acts_lately(self, act: str, subject: str) -> int:
        """Return how often this was done in the last `LATELY_SECONDS`; at `LATELY_MAX` it stops."""
        ...


Flow: TypeAlias = Callable[[Transaction, Received], None]
"""What is done in the books about one message of a terminal."""


class Books(Protocol):
    """The controller's database."""

    def transact(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Call `function(transaction, …)` in a durable transaction; await what it returns.

        What is called by this is done, and what it said is sent, in the order of the calls. The
        function may be called again, where another was in its way: nothing it did before counts.

        Raises:
            TooManyWaiting: the queue before the writer is full, or others were always in the way.
            StorageIsAway: the database does not answer; it may have happened all the same.
            Exception: whatever the function raised; then nothing of it has happened.
        """
        ...

    def transact_for(
        self,
        whose: str,
        function: Callable[Concatenate[Transaction, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> asyncio.Future[T]:
        """Do the same, in order only for what is called for the same one, such as a terminal.

        Others need not wait for it, where the engine can do several at once.
        """
        ...

    async def read(
        self, function: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call `function(transaction, …)` on a snapshot, without waiting for the writer."""
        ...
