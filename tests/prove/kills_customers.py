"""Customers who go on whatever is killed: they book, hold up their ticket, and try again.

What each of them does follows the seed; when, follows from what he meets.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import aiohttp

from cloud_controller.web.qr import ticket_png
from common.seals import read_token
from tests.demo.terminal import Terminal
from tests.demo.world import World
from tests.prove.kills_evidence import journal_of

AGAIN_SECONDS: Final = 1.0
"""After a ticket was held up and nothing has opened, it is held up again."""

CALL_AGAIN_SECONDS: Final = 0.25
"""After a call that nobody answered, it is made again."""

LATE_SECONDS_MAX: Final = 0.5
"""How long after the slot has begun a customer comes at most."""

LEAD_SECONDS: Final = 0.3
"""From the booking to the slot, at least: until then the answer may be on its way."""

PIXELS: Final = 4
"""To a module of the code: a small picture that every reader takes."""

CREATED: Final = 201

_HAS_BEGUN: Final = "SELECT ticket_id FROM sessions WHERE state <> 'failed' AND granted_at > ?"
_HAVE_RUN: Final = "SELECT count(*) FROM sessions WHERE running_at IS NOT NULL"
_REMEMBERED_MS: Final = 60_000


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A device that is on offer, and the terminal that has it."""

    device: str
    number: int
    offering: str
    terminal: Terminal


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What a customer holds in his hand."""

    name: str
    token: str
    link: str
    opens_at: float
    ends_at: float


@dataclass
class Eye:
    """Sees in the books what has begun, so that each customer need not ask for himself."""

    world: World
    begun: set[str] = field(default_factory=set)
    redemptions: int = 0

    def look(self) -> None:
        """Look once; while nobody writes, the books can be read all the same."""
        since = int(time.time() * 1000) - _REMEMBERED_MS
        with contextlib.suppress(sqlite3.OperationalError):
            self.begun.update(row[0] for row in self.world.books(_HAS_BEGUN, since))
            self.redemptions = self.world.books(_HAVE_RUN)[0][0]


class Customers:
    """A queue before each device: one is served there while the next has booked."""

    def __init__(
        self,
        world: World,
        seats: Sequence[Seat],
        seed: int,
        eye: Eye,
        is_over: Callable[[], bool],
    ) -> None:
        self.booked = self.shown = 0
        self.seats = seats
        self._world, self._seed, self._eye = world, seed, eye
        self._is_over = is_over

    async def queue(self, web: aiohttp.ClientSession, seat: Seat) -> None:
        """Have one customer after the other come to a device until it is over."""
        dice = Random(f"{self._seed} queue {seat.number}")
        last: asyncio.Task[None] | None = None
        free_from = time.time()
        while not self._is_over():
            ticket = await self._book(web, seat, free_from, dice)
            free_from = ticket.ends_at
            if last is not None:
                await last
            visit = self._visit(web, ticket, seat, Random(dice.random()))
            last = asyncio.create_task(visit, name=ticket.name)
        if last is not None:
            await last

    async def _book(
        self, web: aiohttp.ClientSession, seat: Seat, free_from: float, dice: Random
    ) -> Ticket:
        """Book the next slot of a device; a call without an answer is repeated as it was."""
        length, is_any = dice.choice(self._world.terms.lengths_seconds), dice.random() < 0.15
        for starts_at in _seconds_from(free_from):
            body: dict[str, Any] = {
                "offering": seat.offering,
                "starts_at": f"{datetime.fromtimestamp(starts_at, UTC):%Y-%m-%dT%H:%M:%SZ}",
                "length_seconds": length,
                **({} if is_any else {"device": seat.device}),
            }
            key = f"{self._seed}-{seat.number}-{starts_at}-{length}"
            status, told = await self._call(web, "/api/v1/reservations", body, key)
            if status == CREATED:
                self.booked += 1
                return _ticket_in(told)
        raise AssertionError

    async def _call(
        self, web: aiohttp.ClientSession, path: str, body: object, key: str
    ) -> tuple[int, Any]:
        while True:
            try:
                headers = {"Idempotency-Key": key}
                async with web.post(path, json=body, headers=headers) as answer:
                    if answer.status < 500:
                        return answer.status, await answer.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(CALL_AGAIN_SECONDS)

    async def _visit(
        self, web: aiohttp.ClientSession, ticket: Ticket, seat: Seat, dice: Random
    ) -> None:
        """Come, hold the ticket up until its device opens, and leave when the time is over."""
        if dice.random() < 0.05:
            path = f"/api/v1/tickets/{ticket.link}/cancel"
            await self._call(web, path, None, ticket.link)
        doors = [seat.terminal]
        if dice.random() < 0.15:
            doors.insert(0, dice.choice(self.seats).terminal)
        await _until(ticket.opens_at + dice.uniform(0, LATE_SECONDS_MAX + 1.0))
        picture = ticket_png(ticket.token, module_pixels=PIXELS)
        while time.time() < ticket.ends_at and ticket.name not in self._eye.begun:
            terminal = doors.pop(0) if len(doors) > 1 else doors[0]
            terminal.show(picture, ticket.name)
            self.shown += 1
            await asyncio.sleep(AGAIN_SECONDS)
        await _until(ticket.ends_at)
        for each in {seat.terminal.name: seat.terminal, doors[0].name: doors[0]}.values():
            (each.tickets / f"{ticket.name}.png").unlink(missing_ok=True)


def seats_of(world: World) -> list[Seat]:
    """Return every device on offer, in the order of their numbers."""
    terminals = {_name_of(each): each for each in world.terminals}
    rows = world.books(
        "SELECT device_id, number, offering_id, terminal_id FROM devices "
        "JOIN offered_devices USING (device_id) ORDER BY number"
    )
    return [
        Seat(
            device=row["device_id"],
            number=row["number"],
            offering=row["offering_id"],
            terminal=terminals[row["terminal_id"]],
        )
        for row in rows
    ]


def _name_of(terminal: Terminal) -> str:
    with closing(sqlite3.connect(journal_of(terminal), uri=True)) as journal:
        return str(journal.execute("SELECT terminal FROM identity").fetchone()[0])


def _ticket_in(told: Any) -> Ticket:
    return Ticket(
        name=read_token(told["token"]).token.ticket,
        token=told["token"],
        link=told["link"],
        opens_at=datetime.fromisoformat(told["opens_at"]).timestamp(),
        ends_at=datetime.fromisoformat(told["ends_at"]).timestamp(),
    )


def _seconds_from(free_from: float) -> Iterator[int]:
    """Yield the seconds at which a slot may begin, none that has come meanwhile."""
    starts_at = 0
    while True:
        starts_at = max(starts_at + 1, math.ceil(max(free_from, time.time() + LEAD_SECONDS)))
        yield starts_at


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.time()))
