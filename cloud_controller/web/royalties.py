"""Modules by their licences, and royalty reports: drafted, closed, and as a sheet (D6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import modules
from cloud_controller.flows.rights import pools
from cloud_controller.flows.rights.pools import Pool
from cloud_controller.ports import Actor, NotFound, Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.rules.modules import Match
from common.seals import digest_of


class MatchTold(Shape):
    """The download log beside the user log: numbers of clients, up to an instant."""

    issued: int
    users: int
    via_this_system: int
    obtained_elsewhere: int
    issued_never_used: int


class Seats(Shape):
    """The seats of a module here; `given` are those in use that other controllers have."""

    owned: int
    used: int
    given: int


class Module(Shape):
    """A licensed module; `seats` is null where this controller has no pool of it."""

    module: str
    title: str
    vendor: str
    version: str | None
    basis: str
    royalty_basis: str
    royalty_cents: int
    currency: str
    seats: Seats | None
    match: MatchTold


class Modules(Shape):
    """Every module that is published or has seats here, by its name."""

    modules: tuple[Module, ...]


class RoyaltyLine(Shape):
    """One line of a report; `report` names another one's where it is a correction of its period."""

    report: int
    starts_at: InstantText
    ends_at: InstantText
    basis: str
    royalty_cents: int
    currency: str
    counted: int
    cents: int


class Report(Shape):
    """A royalty report, with the very document that is signed.

    Attributes:
        starts_at: where the last one ended; of the first one, the beginning of time.
        match: of all clients up to its end.
        due_cents: by currency, in whole minor units; below nought where too much was paid.
        is_complete: whether every controller's log was whole up to its end.
        closed_at: null where it is not closed.
        sha256: of the document in its canonical form: sorted keys, no spaces, UTF-8.
        signature: by a key of this controller's, Ed25519, in hex; empty where it is not closed.
    """

    module: str
    number: int
    starts_at: InstantText
    ends_at: InstantText
    closed_at: InstantText | None
    match: MatchTold
    runs_over_limit: int
    lines: tuple[RoyaltyLine, ...]
    due_cents: dict[str, int]
    is_complete: bool
    document: dict[str, Any]
    sha256: str
    signature: str


class Reports(Shape):
    """The closed reports of a module, the first one first, and what the next would say now."""

    reports: tuple[Report, ...]
    next: Report


class ReportWanted(Shape):
    """Where the period of a report ends that is to be closed; null: now."""

    until: Annotated[InstantText | None, Field(description="an instant that is past")] = None


async def list_modules(call: Call[None]) -> Modules:
    """Return every licensed module with its seats and its match."""
    return await call.parts.books.read(_all)


async def list_reports(call: Call[None]) -> Reports:
    """Return the reports of a module.

    Raises:
        NotFound: there is no such module.
    """
    module = call.names["module"]
    closed, drafted = await call.parts.books.read(_reports, module)
    return Reports(reports=tuple(map(_closed, closed)), next=_report(drafted))


async def close_report(call: Call[ReportWanted]) -> Report:
    """Sign the next report of a module and keep it for good.

    Raises:
        NotFound: there is no such module.
        NotAllowed: its period is not over, or another report was closed meanwhile.
    """
    books, module = call.parts.books, call.names["module"]
    drafted = await books.read(modules.draft_report, module, call.asked.until)
    return _closed(await books.transact(modules.close_report, drafted, Actor.OPERATOR))


async def show_sheet(call: Call[None]) -> web.Response:
    """Return the closed reports of a module as CSV.

    Raises:
        NotFound: it has none.
    """
    module = call.names["module"]
    rows = await call.parts.books.read(modules.reports, module)
    if not rows:
        raise NotFound(what="report")
    text = modules.sheet_of(json.loads(row["document"]) for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{rows[0]["module"]}-royalties.csv"'}
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


def seats_of(books: Transaction) -> Mapping[str, Pool]:
    """Return the pool of each module that has one here."""
    return {pool.module: pool for pool in pools.pools(books, "")}


def _all(books: Transaction) -> Modules:
    seats = seats_of(books)
    return Modules(
        modules=tuple(
            _module(row, seats.get(row["module"]), match)
            for row in modules.licensed(books)
            for match in modules.matches(books, row["module"], [books.now + 1])
        )
    )


def _reports(books: Transaction, module: str) -> tuple[list[Row], dict[str, Any]]:
    return modules.reports(books, module), modules.draft_report(books, module)


def _module(row: Row, pool: Pool | None, match: Match) -> Module:
    return Module(
        module=row["module"],
        title=row["title"],
        vendor=row["vendor"],
        version=row["version"],
        basis=row["basis"],
        royalty_basis=row["royalty_basis"],
        royalty_cents=row["royalty_cents"],
        currency=row["currency"],
        seats=None if pool is None else Seats(owned=pool.owned, used=pool.used, given=pool.given),
        match=MatchTold(**{name: getattr(match, name) for name in MatchTold.model_fields}),
    )


def _closed(row: Row) -> Report:
    return _report(json.loads(row["document"]), row["closed_at"], row["signature"])


def _report(document: dict[str, Any], closed_at: int | None = None, signature: str = "") -> Report:
    told = ("module", "number", "starts_at", "ends_at", "runs_over_limit", "is_complete")
    return Report(
        **{name: document[name] for name in told},
        closed_at=closed_at,
        match=MatchTold(**document["match"]),
        lines=tuple(RoyaltyLine(**line) for line in document["lines"]),
        due_cents=document["due_cents"],
        document=document,
        sha256=digest_of(document),
        signature=signature,
    )
