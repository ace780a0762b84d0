"""What a route is: a row that says who may call it, what it asks and answers; no row, no route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, Final, Generic, TypeVar

from aiohttp.web import StreamResponse
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from cloud_controller.flows.accounts import Known, Lives
from cloud_controller.flows.enrolment import Given
from cloud_controller.ports import Books, Clock, Names, Packages, PaymentDesk
from cloud_controller.web.language import Language
from cloud_controller.web.wallet import Wallets
from common.messages.base import INSTANT_MAX
from common.rules.accounts import EVERY_STORE, Operator, Permission
from common.rules.payments import Method
from common.rules.setup import SetupKind

Asked = TypeVar("Asked")

API: Final = "/api/v1"

MANAGEMENT: Final = frozenset({"management"})
RESERVATION: Final = frozenset({"reservation"})
WEB: Final = frozenset({"web"})
COMMUNICATION: Final = frozenset({"communication"})
RESERVATION_OR_WEB: Final = RESERVATION | WEB
EVERY: Final[frozenset[str]] = frozenset()
"""No role in particular: every controller has the route."""

HOLDER: Final = "holder"
"""The cookie by which a browser is known again as whoever holds something."""

HELPER: Final = "helper"
"""The cookie by which a browser is known as a helper's."""

NOBODY: Final = Operator(operator="", name="")
"""Who runs no store."""

STRANGER: Final = Known(operator=NOBODY, is_whole=False)
"""A caller who is not known, and need not be."""

THE_TOKEN: Final = Operator(
    operator="token:controller",
    name="operator",
    permissions={EVERY_STORE: frozenset(Permission)},
)
"""Whoever has the controller's own token: it is made with its keys, for programs beside it."""

FILE_FIELD: Final = "photo"
"""What the field of a form's one file is called."""

ASKED_MAX: Final = INSTANT_MAX - 100 * 366 * 86_400_000
"""The latest instant that may be asked for: a length, a window and a zone beyond it still fit."""

FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""How long a browser keeps what never becomes another under its address."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_A_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class WebParts:
    """Everything the web is given; `main` gives the real ones, tests their own.

    Attributes:
        roles: the controller's roles; only the routes of these are made.
        public_url: where customers reach us, without a slash at the end.
        broker_address: where terminals reach the broker.
        credentials: what is ready for a terminal: a new secret, the ladder, who certifies.
        desk: how customers can pay, and what their provider says.
        packages: what terminals install from here.
        authority: our own authority's certificate as PEM text; empty where there is none.
        provider: who is paid for what costs something; None: that is settled outside.
        is_ready: whether each part is up, by name; all of them up is ready.
        waiting_count: how many functions wait for the writer.
        dropped_counts: messages dropped so far, by reason.
        viewers_max: how many pages may watch at once, and how many of them from one address.
        wallets: the wallets of phones that tickets can be put into.
        hook_hosts: hosts that webhooks may tell wherever they are, in small letters.
        lives: how long an operator's session lives.
        seeds: what the settings file says of what is set up, by kind and subject.
        enrol_pin: by what a PC knows the controller before it says its code; empty: by nothing.
    """

    books: Books
    clock: Clock
    names: Names
    roles: frozenset[str]
    operator_token: str
    public_url: str
    broker_address: Callable[[], tuple[str, int]]
    credentials: Callable[[], Given]
    authority: Callable[[], str]
    provider: Method | None
    desk: PaymentDesk
    packages: Packages
    is_ready: Callable[[], Mapping[str, bool]]
    waiting_count: Callable[[], int]
    dropped_counts: Callable[[], Mapping[str, int]]
    registry: CollectorRegistry
    viewers_max: int = 8_000
    viewers_of_a_peer_max: int = 1_000
    wallets: Wallets = field(default_factory=Wallets)
    hook_hosts: frozenset[str] = frozenset()
    lives: Lives = field(default_factory=Lives)
    seeds: Mapping[tuple[SetupKind, str], Mapping[str, Any]] = field(default_factory=dict)
    enrol_pin: Callable[[], str] = str


class Who(Enum):
    """Who may call a route."""

    ANYBODY = "anybody"
    LINK_HOLDER = "whoever has the ticket's link"
    TERMINAL = "a terminal that signs with its key"
    PACKAGE_HOLDER = "a terminal that shows our word for a file"
    OPERATOR = "an operator's program"
    CONSOLE = "an operator's browser that has signed in"
    PROVIDER = "the payment provider, which signs what it says"
    OUR_PAGES = "a form of our own pages"
    HELPER = "a helper's browser"


OPERATORS: Final = frozenset({Who.OPERATOR, Who.CONSOLE})
"""Routes of these state which permission they ask."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call(Generic[Asked]):
    """One call of a route, checked: what it asks has the route's shape.

    `language` is the one to answer in where people read the answer. `holder` is what the browser is
    known by as a holder, empty where it is not; `helper` the key that a helper's browser shows,
    whosever it is. `bearer` is what a terminal shows for a package. `key` is the call's
    Idempotency-Key and `digest` what it was first said with; both are empty where the route needs
    none. `operator` is whoever runs a store, where the route is for one, else nobody; `known` is by
    which session or token. `session_key` is what the browser shows as an operator's, whosever that
    is; `peer` the address that calls, and `browser` what its program calls itself.
    """

    parts: WebParts
    route: str
    names: Mapping[str, str]
    asked: Asked
    language: Language
    key: str = ""
    digest: str = ""
    holder: str = ""
    helper: str = ""
    bearer: str = ""
    operator: Operator = NOBODY
    known: Known = STRANGER
    session_key: str = ""
    peer: str = ""
    browser: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page as a value: its template and the facts it shows."""

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    refresh_seconds: int | None = None
    status: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A file that pages refer to, by the name that carries its digest."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A script by which a browser keeps something; it has one address for good.

    Attributes:
        name: the file's: that for tickets, or that for all other pages.
    """

    name: str = "worker.js"


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """A stream that tells an open page what is new to it; `web/live` writes it.

    Attributes:
        topic: the shelves, or a page by its kind and name, such as `ticket:4f02…`.
        store: of which store the shelves are; empty: of all.
        since: the event up to which the page has heard, where its browser does not say it.
    """

    topic: str
    store: str = ""
    since: str = ""


Whole = BaseModel | Page | Asset | Worker | StreamResponse
"""An answer that is written at once; the other kind goes on until its viewer leaves."""

Answer = Whole | Watch


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table; written as a row, its first six columns without their names.

    Attributes:
        roles: the roles that have this route; empty means that every controller has it.
        asks: the shape of the body, or of the query where the method is GET.
        answers: the shape of the answer; None where it is not JSON.
        media_type: what is answered where `answers` is None.
        takes_key: whether an Idempotency-Key is required.
        file_bytes_max: bytes of a form that carries a file; None: its forms carry none.
        permission: what is asked of an operator, in the stores of whatever the path names; None
            where the route is for others.
        by_store: whether the act itself keeps to the stores where its caller may do this, as its
            path names nothing of a store. Else, where its query or body has a `store`, that one
            decides, and without one it takes somebody who may do it in every store.
        calls_a_minute: how many calls one peer may make; None is as many as it likes.
        calls_a_minute_in_all: how many calls all peers together may make.
    """

    method: str
    path: str
    act: Callable[[Call[Any]], Awaitable[Answer]]
    who: Who
    roles: frozenset[str]
    summary: str
    asks: type[BaseModel] | None = None
    answers: type[BaseModel] | None = None
    status: int = 200
    media_type: str = "application/json"
    takes_key: bool = False
    file_bytes_max: int | None = None
    calls_a_minute: int | None = None
    calls_a_minute_in_all: int | None = None
    permission: Permission | None = None
    by_store: bool = False

    def __post_init__(self) -> None:
        """Refuse a row that is for operators and does not say what it asks of them."""
        assert (self.permission is not None) is (self.who in OPERATORS), self.path

    @property
    def is_api(self) -> bool:
        """Say whether a program calls it, and not a browser."""
        return self.path.startswith(f"{API}/")


class Shape(BaseModel):
    """What is asked or answered: exactly these fields, and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SignedBody(BaseModel):
    """A body byte for byte, with the header that signs it; whoever acts on it checks that."""

    model_config = ConfigDict(frozen=True)

    body: bytes
    signature: str


class SentFile(BaseModel):
    """What a form's one file holds, as it came; whoever acts on it looks what it is."""

    model_config = ConfigDict(frozen=True)

    content: bytes


def iso(at: int) -> str:
    """Return an instant as ISO 8601 in UTC; milliseconds only where there are any."""
    moment = _EPOCH + at * _A_MILLISECOND
    precision = "milliseconds" if at % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def from_iso(text: object) -> int:
    """Return an ISO 8601 text with its offset as an instant.

    Raises:
        ValueError: it is no such text, or says no offset, or is out of our time.
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text  # made by ourselves: what comes from outside is text
    if not isinstance(text, str):
        message = "an instant is a text such as 2026-01-31T09:00:00Z"
        raise ValueError(message)  # noqa: TRY004 - pydantic tells a ValueError as the caller's fault
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "an instant needs its offset from UTC, such as Z or +09:00"
        raise ValueError(message)
    at = (moment - _EPOCH) // _A_MILLISECOND
    if not 0 <= at <= ASKED_MAX:
        message = "an instant lies between the years 1970 and 9899"
        raise ValueError(message)
    return at


InstantText = Annotated[
    int,
    BeforeValidator(from_iso),
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T09:00:00Z"]}),
]
"""An instant: ISO 8601 outside, milliseconds since 1970 UTC inside."""
