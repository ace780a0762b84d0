"""Stores, terminals and standing: what a terminal says it is, and the operator's word on it."""

from __future__ import annotations

import zoneinfo
from typing import Annotated, Final

from pydantic import Field, ValidationInfo, field_validator

from cloud_controller.flows import registration, service
from cloud_controller.flows.registration import NewStore, OfflineStarts
from cloud_controller.ports import Actor, Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from cloud_controller.web.service import Allowed, allowed_by
from common.ids import StoreId, TerminalId
from common.messages.base import Digest, Name, ShortText, Text
from common.messages.service import Requirements
from common.messages.specification import Specification
from common.rules.registration import OperatorsWord, Policy, Standing, StandingEvent
from common.rules.reservations import OpeningHours, read_hours
from common.rules.specification import Difference

AUDIT_MAX: Final = 100
"""Lines of a terminal's audit that are shown: years of decisions."""

STANDING_ACTS: Final = ("registration.", "terminal.enrolled")
"""How the audit's acts begin that give a terminal its standing."""


class Store(Shape):
    """A store."""

    store: str
    number: int
    title: str
    time_zone: str
    hours: Annotated[OpeningHours | None, Field(description="when it is open; null is always")]
    directions: Annotated[str, Field(description="how customers find it")]


class Stores(Shape):
    """All stores."""

    stores: tuple[Store, ...]


class StoreWanted(Shape):
    """A store to be made known; one that is known keeps what it has."""

    store: Name
    title: Annotated[str, Field(min_length=1, max_length=200)]
    time_zone: Annotated[str, Field(examples=["Asia/Tokyo"], max_length=64)]
    policy: Policy = Policy.MANUAL
    rules: Annotated[Requirements | None, Field(validate_default=True)] = None
    hours: OpeningHours | None = None
    directions: Text = ""

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in zoneinfo.available_timezones():
            message = "this is not the IANA name of a time zone"
            raise ValueError(message)
        return name

    @field_validator("rules")
    @classmethod
    def _come_with_their_policy(
        cls, rules: Requirements | None, info: ValidationInfo
    ) -> Requirements | None:
        if (rules is not None) != (info.data.get("policy") is Policy.RULES):
            message = "the policy `rules` and the rules come together"
            raise ValueError(message)
        return rules


class OfflineStartsWanted(Shape):
    """The operator's switch, and why: what is started by signature may have been used before."""

    signature_starts: bool
    reason: Annotated[ShortText, Field(min_length=1)]


class OfflineStartsNow(Shape):
    """What terminals of a store may do by themselves now; not for customers to read."""

    store: str
    signature_starts: bool


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


class AuditLine(Shape):
    """One privileged act: who did what, and why."""

    at: InstantText
    actor: str
    act: str
    reason: str


class TerminalInFull(Terminal):
    """Everything a person needs to decide on a registration.

    Attributes:
        since: when it came to its standing.
        gate_digest: said back with the operator's word, it says what was looked at.
        specification: what the terminal says it is now.
        differences: what is not as it was when it was last confirmed.
        allows: what confirming it as it is now would let it carry.
        policy: who confirms in its store.
        unmet: what its store's rules ask for and it does not have.
        audit: the latest acts on it, the newest first.
    """

    since: InstantText
    gate_digest: str | None
    specification: Specification | None
    specified_at: InstantText | None
    confirmed_at: InstantText | None
    differences: tuple[Difference, ...]
    allows: Allowed
    policy: Policy
    unmet: tuple[str, ...]
    audit: tuple[AuditLine, ...]


ASKED_WHY: Final = frozenset({StandingEvent.REJECT, StandingEvent.SUSPEND, StandingEvent.RETIRE})
"""Words that shut a terminal out: whoever stands before it has to be told why."""


class StandingWanted(Shape):
    """The operator's word, why, and for which specification: the one that was looked at."""

    event: OperatorsWord
    reason: Annotated[ShortText, Field(validate_default=True)] = ""
    gate_digest: Digest | None = None

    @field_validator("reason")
    @classmethod
    def _is_given(cls, reason: str, info: ValidationInfo) -> str:
        if info.data.get("event") in ASKED_WHY and not reason.strip():
            message = "a terminal is not shut out without a reason"
            raise ValueError(message)
        return reason


async def list_stores(call: Call[None]) -> Stores:
    """Return every store."""
    rows = await call.parts.books.read(_stores)
    return Stores(stores=tuple(store_of(row) for row in rows))


async def add_store(call: Call[StoreWanted]) -> Store:
    """Make a store known and return it as it is known now."""
    wanted = call.asked
    return store_of(await call.parts.books.transact(_add_store, wanted))


async def allow_offline_starts(call: Call[OfflineStartsWanted]) -> OfflineStartsNow:
    """Say whether terminals may start what they do not hold while the line is down.

    Raises:
        NotFound: there is no such store.
    """
    wish = OfflineStarts(
        store=StoreId(call.names["store"]),
        is_on=call.asked.signature_starts,
        reason=call.asked.reason,
    )
    allow = registration.allow_offline_starts
    row = await call.parts.books.transact(allow, wish, call.operator.name)
    return OfflineStartsNow(
        store=row["store_id"], signature_starts=bool(row["offline_signature_starts"])
    )


async def list_terminals(call: Call[None]) -> Terminals:
    """Return every terminal with its standing and presence."""
    rows = await call.parts.books.read(_terminals)
    return Terminals(terminals=tuple(_terminal_of(row) for row in rows))


async def show_terminal(call: Call[None]) -> TerminalInFull:
    """Return everything a person needs to decide on a terminal."""
    return await call.parts.books.read(in_full, TerminalId(call.names["terminal"]))


async def change_standing(call: Call[StandingWanted]) -> Terminal:
    """Carry out the operator's word on a registration and return the terminal as it stands now."""
    terminal = TerminalId(call.names["terminal"])
    actor = call.operator.name
    return await call.parts.books.transact(_decide, terminal, call.asked, actor)


def store_of(row: Row) -> Store:
    """Return a store as it is answered."""
    return Store(
        store=row["store_id"],
        number=row["number"],
        title=row["title"],
        time_zone=row["time_zone"],
        hours=read_hours(row["hours"]),
        directions=row["directions"],
    )


def _stores(books: Transaction) -> list[Row]:
    return list(books.registration.stores())


def _add_store(books: Transaction, wanted: StoreWanted) -> Row:
    store = StoreId(wanted.store)
    new = NewStore(
        store=store,
        title=wanted.title,
        time_zone=wanted.time_zone,
        policy=wanted.policy,
        rules=wanted.rules,
        hours=wanted.hours,
        directions=wanted.directions,
    )
    registration.add_store(books, new, Actor.OPERATOR)
    return books.registration.store(store_id=store)


def _decide(
    books: Transaction, terminal: TerminalId, wanted: StandingWanted, actor: str
) -> Terminal:
    word, reason, seen = wanted.event, wanted.reason, wanted.gate_digest
    registration.decide(books, terminal, word, actor, reason, seen=seen)
    return _terminal_of(books.registration.terminal(terminal_id=terminal))


def _terminals(books: Transaction) -> list[Row]:
    return list(books.registration.terminals())


def in_full(books: Transaction, terminal: TerminalId) -> TerminalInFull:
    """Return everything a person needs to decide on a terminal.

    Raises:
        NotFound: there is no such terminal.
    """
    explanation = service.explain(books, terminal)
    known = books.registration.terminal(terminal_id=terminal)
    registered = books.registration.specification(terminal_id=terminal)
    acts = list(books.post.audit_of(subject=terminal, most=AUDIT_MAX))
    return TerminalInFull(
        **dict(_terminal_of(known)),
        since=_since(known, acts),
        gate_digest=known["gate_digest"],
        specification=explanation.specification,
        specified_at=None if registered is None else registered["registered_at"],
        confirmed_at=None if registered is None else registered["confirmed_at"],
        differences=explanation.differences,
        allows=allowed_by(explanation),
        policy=known["policy"],
        unmet=explanation.unmet,
        audit=tuple(_audit_line_of(row) for row in acts),
    )


def _since(known: Row, acts: list[Row]) -> int:
    """Return when the terminal came to its standing: the latest act that gave it one."""
    given = (row["at"] for row in acts if row["act"].startswith(STANDING_ACTS))
    since: int = next(given, known["enrolled_at"])
    return since


def _audit_line_of(row: Row) -> AuditLine:
    return AuditLine(at=row["at"], actor=row["actor"], act=row["act"], reason=row["reason"])


def _terminal_of(row: Row) -> Terminal:
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
