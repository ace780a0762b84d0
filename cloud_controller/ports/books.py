"""The controller's database, as flows and rim speak to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, Protocol, TypeAlias, TypeVar

from cloud_controller.ports.values import Movement, Problem, Received, SetupChange
from cloud_controller.ports.world import Keys, Names, Registry
from common.ids import TerminalId
from common.messages.base import Message
from common.rules.hooks import Happened
from common.rules.modules import ModuleEvent
from common.rules.problems import ProblemKind
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
    findings: Queries
    figures: Queries
    enrolment: Queries
    registration: Queries
    service: Queries
    offerings: Queries
    reservations: Queries
    rights: Queries
    escrow: Queries
    sessions: Queries
    extensions: Queries
    acts: Queries
    devices: Queries
    letters: Queries
    actions: Queries
    payments: Queries
    lending: Queries
    directory: Queries
    lists: Queries
    console: Queries
    home: Queries
    metrics: Queries
    modules: Queries
    provenance: Queries
    royalties: Queries
    help: Queries
    setup: Queries
    accounts: Queries
    hooks: Queries
    privacy: Queries
    post: Queries
    problems: Queries
    alerts: Queries
    watches: Queries
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

    def log_module(self, event: ModuleEvent) -> None:
        """Add a line to this controller's own log of modules, which other controllers copy (D4)."""
        ...

    def move_money(self, moved: Movement) -> None:
        """Enter a movement of money; one without postings has moved nothing and is none."""
        ...

    def tell_hooks(self, happened: Happened, *, store: str | None = None) -> None:
        """Have webhooks told of an event, in this transaction; without a store, where it happened.

        What `enter` and `move_money` enter is told by them, where it is an event.
        """
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

    def keep_version(self, change: SetupChange, actor: str, reason: str = "") -> None:
        """Keep what a document of the set-up says now as its next version, if it is another."""
        ...

    def acts_lately(self, act: str, subject: str) -> int:
        """Return how often this was done in the last `LATELY_SECONDS`; at `LATELY_MAX` it stops."""
        ...


Flow: TypeAlias = Callable[[Transaction, Received], None]
"""What is done in the books about one message of a terminal."""


class Books(Protocol):
    """The controller's database.

    Attributes:
        on_committed: called in the loop after each commit of this process: something may be new.
    """

    on_committed: Callable[[], None]

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
