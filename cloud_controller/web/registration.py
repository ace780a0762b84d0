"""Stores, enrolment and standing: how a terminal gets in, and the operator's word on it."""

from __future__ import annotations

import zoneinfo
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator

from cloud_controller.flows import registration
from cloud_controller.ports import Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import StoreId, TerminalId
from common.messages.base import Name, ShortText
from common.rules.registration import Policy, Standing, StandingEvent

OPERATOR = "operator"
"""Who the audit names for what is done with the operator's token."""


class Store(Shape):
    """A store."""

    store: str
    number: int
    title: str
    time_zone: str


class Stores(Shape):
    """All stores."""

    stores: tuple[Store, ...]


class StoreWanted(Shape):
    """A store to be made known; one that is known keeps what it has."""

    store: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    time_zone: Annotated[str, Field(examples=["Asia/Tokyo"], max_length=64)]
    policy: Policy = Policy.MANUAL

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            message = "this is not the IANA name of a time zone"
            raise ValueError(message)
        return name


class CodeWanted(Shape):
    """An enrolment code for a store."""

    store: Name


class CodeMade(Shape):
    """A code that enrols one terminal, once, before it expires."""

    code: str
    store: str
    life_seconds: int


class EnrolmentAsked(Shape):
    """A new terminal's code and the public half of the key that never leaves it."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    hostname: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,253}$")]


class BrokerAddress(Shape):
    """Where the broker listens."""

    host: str
    port: int


class Enrolment(Shape):
    """A terminal's identity; its secret is said here and never again."""

    terminal: str
    store: str
    epoch: str
    secret: str
    broker: BrokerAddress
    public_keys: dict[int, str]


class Terminal(Shape):
    """A terminal as the books know it."""

    terminal: str
    store: str
    hostname: str
    standing: Standing
    reason: str
    broker_role: str
    presence: str
    enrolled_at: InstantText


class Terminals(Shape):
    """All terminals, the oldest first."""

    terminals: tuple[Terminal, ...]


class OperatorsWord(StrEnum):
    """What the operator can say of a registration."""

    CONFIRM = StandingEvent.CONFIRM.value
    REJECT = StandingEvent.REJECT.value
    SUSPEND = StandingEvent.SUSPEND.value
    RETIRE = StandingEvent.RETIRE.value


class StandingWanted(Shape):
    """The operator's word, and why."""

    event: OperatorsWord
    reason: ShortText = ""


async def list_stores(call: Call[None]) -> Stores:
    """Return every store."""
    rows = await call.parts.books.read(_stores)
    return Stores(stores=tuple(_store_of(row) for row in rows))


async def add_store(call: Call[StoreWanted]) -> Store:
    """Make a store known and return it as it is known now."""
    wanted = call.asked
    return _store_of(await call.parts.books.transact(_add_store, wanted))


async def make_code(call: Call[CodeWanted]) -> CodeMade:
    """Return a new enrolment code; it can be read here and nowhere else."""
    store = StoreId(call.asked.store)
    code = await call.parts.books.transact(registration.make_code, store, OPERATOR)
    return CodeMade(code=code, store=store, life_seconds=registration.CODE_LIFE_SECONDS)


async def enrol(call: Call[EnrolmentAsked]) -> Enrolment:
    """Return a new terminal's identity for a good code."""
    asked, parts = call.asked, call.parts
    enrolled = await parts.books.transact(
        registration.enrol, asked.code, asked.public_key, asked.hostname, parts.salt_secret()
    )
    host, port = parts.broker_address()
    return Enrolment(
        terminal=enrolled.terminal,
        store=enrolled.store,
        epoch=enrolled.epoch,
        secret=enrolled.secret,
        broker=BrokerAddress(host=host, port=port),
        public_keys=enrolled.public_keys,
    )


async def list_terminals(call: Call[None]) -> Terminals:
    """Return every terminal with its standing and presence."""
    rows = await call.parts.books.read(_terminals)
    return Terminals(terminals=tuple(_terminal_of(row) for row in rows))


async def change_standing(call: Call[StandingWanted]) -> Terminal:
    """Carry out the operator's word on a registration and return the terminal as it stands now."""
    terminal = TerminalId(call.names["terminal"])
    return await call.parts.books.transact(_decide, terminal, call.asked)


def _stores(books: Transaction) -> list[Any]:
    return list(books.registration.stores())


def _add_store(books: Transaction, wanted: StoreWanted) -> Any:  # noqa: ANN401 - a row
    store = StoreId(wanted.store)
    registration.add_store(books, store, wanted.title, wanted.time_zone, wanted.policy)
    return books.registration.store(store_id=store)


def _store_of(row: Any) -> Store:  # noqa: ANN401 - a row
    return Store(
        store=row["store_id"],
        number=row["number"],
        title=row["title"],
        time_zone=row["time_zone"],
    )


def _decide(books: Transaction, terminal: TerminalId, wanted: StandingWanted) -> Terminal:
    event = StandingEvent(wanted.event)
    registration.decide(books, terminal, event, OPERATOR, wanted.reason)
    return next(_terminal_of(row) for row in _terminals(books) if row["terminal_id"] == terminal)


def _terminals(books: Transaction) -> list[Any]:
    return list(books.registration.terminals())


def _terminal_of(row: Any) -> Terminal:  # noqa: ANN401 - a row
    return Terminal(
        terminal=row["terminal_id"],
        store=row["store_id"],
        hostname=row["hostname"],
        standing=row["standing"],
        reason=row["standing_reason"],
        broker_role=row["broker_role"],
        presence=row["presence"],
        enrolled_at=row["enrolled_at"],
    )
