"""The same redemption by SQLAlchemy's async ORM over aiosqlite, one session and commit each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.ext.automap import automap_base

from cloud_controller.keys import FileKeys
from common.ids import CommId
from common.rules.tickets import (
    DoorFacts,
    Moment,
    TicketFacts,
    granted_seconds,
    is_the_one_issued,
    why_not,
)
from common.seals import digest_of, read_token
from common.system import SystemNames
from tests.bench.books import FILE, KEYS
from tests.bench.counter import Counter, Redemption
from tests.fakes.store import MORNING_AT

WAITING = 32
LIVE = ("granted", "starting", "running", "ending")


@dataclass(frozen=True, kw_only=True)
class Till:
    """What every redemption of a run shares."""

    tables: Any
    sessions: async_sessionmaker[AsyncSession]
    keys: FileKeys
    names: SystemNames


async def redeem_all(folder: Path, counter: Counter, count: int) -> float:
    """Return the seconds that so many redemptions take with 32 waiting for the one connection."""
    file = folder / FILE
    engine = _engine(file)
    till = Till(
        tables=_tables(file),
        sessions=async_sessionmaker(engine, expire_on_commit=False),
        keys=FileKeys(folder / KEYS, SystemNames()),
        names=SystemNames(),
    )
    waiting = iter(counter.redemptions[:count])

    async def redeem() -> None:
        for each in waiting:
            await _redeem(till, each)

    began = time.perf_counter()
    await asyncio.gather(*(redeem() for _ in range(WAITING)))
    seconds = time.perf_counter() - began
    await engine.dispose()
    return seconds


async def _redeem(till: Till, each: Redemption) -> None:
    seen = read_token(each.token).token
    asked, table = each.asked, till.tables
    comm_id = CommId.parse(each.said.message.comm_id)
    async with till.sessions() as session, session.begin():
        terminal = await session.get(table.terminals, each.said.terminal)
        exchange = await session.get(table.exchanges, (comm_id.party, comm_id.epoch, comm_id.kind))
        assert terminal is not None
        assert exchange is not None
        assert (terminal.standing, exchange.state) == ("confirmed", "announced")
        device = await session.get(table.devices, asked.device)
        ticket = await session.get(table.tickets, seen.ticket)
        assert device is not None
        assert ticket is not None
        reservation = await session.get(table.reservations, ticket.reservation_id)
        door = await _door(session, table, device)
        facts = await _facts(session, table, ticket, reservation)
        assert is_the_one_issued(each.token, facts)
        moment = Moment(now=MORNING_AT, store_opens_at=MORNING_AT)
        assert why_not(seen, facts, door, moment) is None
        _save(till, session, each, (ticket, reservation, device, exchange, facts))


async def _door(session: AsyncSession, table: Any, device: Any) -> DoorFacts:
    store = await session.get(table.stores, device.store_id)
    offered = await session.get(table.offered_devices, device.device_id)
    assert store is not None
    assert offered is not None
    live = select(table.sessions).where(
        table.sessions.device_id == device.device_id, table.sessions.state.in_(LIVE)
    )
    return DoorFacts(
        store_number=store.number,
        device=device.device_id,
        device_number=device.number,
        offering=offered.offering_id,
        terminal=device.terminal_id,
        is_out_of_order=bool(device.is_out_of_order),
        is_in_use=(await session.scalars(live)).first() is not None,
        store=store.store_id,
        program=device.program,
        last_fence=device.last_fence,
    )


async def _facts(session: AsyncSession, table: Any, ticket: Any, reservation: Any) -> TicketFacts:
    offering = await session.get(table.offerings, reservation.offering_id)
    assert offering is not None
    live = select(table.sessions).where(
        table.sessions.ticket_id == ticket.ticket_id, table.sessions.state.in_(LIVE)
    )
    used = (await session.scalars(live)).first()
    return TicketFacts(
        ticket_state=ticket.state,
        revision=ticket.revision,
        reservation_state=reservation.state,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        blocked_until=reservation.blocked_until,
        early_seconds=offering.early_seconds,
        device=reservation.device_id,
        offering=reservation.offering_id,
        live_terminal=used.terminal_id if used is not None else None,
        reservation=reservation.reservation_id,
        token=ticket.token,
    )


def _save(till: Till, session: AsyncSession, each: Redemption, rows: tuple[Any, ...]) -> None:
    """Change what is there and add what a redemption leaves; the commit writes all of it."""
    ticket, reservation, device, exchange, facts = rows
    ticket.state = "reserved"
    device.last_fence += 1
    document = {
        "right": till.names.new("g"),
        "comm_id": each.said.message.comm_id,
        "kind": exchange.kind,
        "terminal": each.said.terminal,
        "epoch": exchange.epoch,
        "session": till.names.new("s"),
        "device": device.device_id,
        "program": device.program,
        "fence": device.last_fence,
        "granted_seconds": granted_seconds(facts, now=MORNING_AT),
        "issued_at": MORNING_AT,
    }
    session.add_all(_left_by(till.tables, each, document, reservation, ticket))
    answer = {"document": document, "signature": till.keys.seal_document(document)}
    exchange.state, exchange.request_digest = "issued", each.said.message.digest
    exchange.answer, exchange.answer_digest = json.dumps(answer), digest_of(document)


def _left_by(
    table: Any, each: Redemption, document: dict[str, Any], reservation: Any, ticket: Any
) -> Iterator[Any]:
    """Yield the rows that are new: the session, its right, the scan and the ledger's line."""
    asked, use = each.asked, document["session"]
    where = {"terminal_id": document["terminal"]}
    yield table.sessions(
        session_id=use,
        ticket_id=ticket.ticket_id,
        reservation_id=reservation.reservation_id,
        store_id=reservation.store_id,
        device_id=document["device"],
        program=document["program"],
        fence=document["fence"],
        state="granted",
        granted_seconds=document["granted_seconds"],
        granted_at=MORNING_AT,
        deadline_at=reservation.ends_at,
        **where,
    )
    yield table.rights(
        right_id=document["right"],
        comm_id=document["comm_id"],
        party=document["terminal"],
        epoch=document["epoch"],
        kind=document["kind"],
        session_id=use,
        amount=1,
        issued_at=MORNING_AT,
        lease_ends_at=reservation.ends_at,
    )
    yield table.scans(
        scan_id=asked.scan,
        device_id=asked.device,
        ticket_id=ticket.ticket_id,
        verdict="opened",
        read_at=asked.read_at,
        received_at=MORNING_AT,
        **where,
    )
    yield table.ledger(
        at=MORNING_AT,
        type="right.issued",
        reservation_id=reservation.reservation_id,
        session_id=use,
        body=json.dumps({"scan": asked.scan}),
        **where,
    )


def _engine(file: Path) -> AsyncEngine:
    """Return an engine with one connection: SQLite has one writer, so more would only collide."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", pool_size=1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def _be_durable(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _tables(file: Path) -> Any:
    """Return a mapped class for each table of the schema as it is."""
    base = automap_base()
    engine = create_engine(f"sqlite:///{file}")
    base.prepare(engine, generate_relationship=lambda *_, **__: None)
    engine.dispose()
    return base.classes
