"""Many want the same slots at once: each is sold once, and who was late is told what is free."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cloud_controller.flows import reservations
from cloud_controller.keys import FileKeys
from cloud_controller.ports import SlotIsTaken
from cloud_controller.web.reservations import alternatives
from common.rules.reservations import Range
from common.system import SystemNames
from tests.contracts.engines import ENGINES, POSTGRES, Engine, opened_for
from tests.fakes.store import ClockInHand, Offer, Opened, StoreKit

EACH = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
CLIENTS = 16
SLOTS = 200
PARTS = 4  # since one test has half a minute, also on a machine that has much else to do
ATTEMPTS = 400
SLOT_SECONDS = 1800
DEVICES = 8

OVERLAPS = """
SELECT count(*) FROM reservations AS a JOIN reservations AS b
    ON a.device_id = b.device_id AND a.reservation_id < b.reservation_id
    AND a.starts_at < b.blocked_until AND b.starts_at < a.blocked_until
WHERE a.state IN ('held', 'confirmed', 'in_use') AND b.state IN ('held', 'confirmed', 'in_use')
"""


class Crowd:
    """Clients of one store, spread over the processes that serve it."""

    def __init__(self, processes: list[Any], opened: Opened, clock: ClockInHand) -> None:
        self.processes = processes
        self.offering = opened.offering
        self.clock = clock

    def wish(self, starts_at: int, length_seconds: int = SLOT_SECONDS) -> reservations.Wish:
        slot = Range(starts_at=starts_at, ends_at=starts_at + length_seconds * 1000)
        return reservations.Wish(offering=self.offering, slot=slot)

    async def book(self, client: int, wish: reservations.Wish) -> str | Exception:
        """Book as a client; return the ticket's link, or why there is none."""
        books = self.processes[client % len(self.processes)]
        try:
            link: str = await books.transact(reservations.book, wish)
        except SlotIsTaken as fault:
            return fault
        return link


@asynccontextmanager
async def a_crowd(engine: Engine, folder: Path, offer: Offer) -> AsyncIterator[Crowd]:
    """Open a store: on SQLite in one process, on PostgreSQL as if four served it."""
    clock, names = ClockInHand(), SystemNames()
    keys = FileKeys(folder / "keys", names)
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(opened_for(engine, folder, clock, names, keys))
            for _ in range(4 if engine is POSTGRES else 1)
        ]
        kit = StoreKit(books=processes[0], clock=clock, keys=keys, names=names)
        yield Crowd(processes, await kit.open(offer), clock)


@EACH
@pytest.mark.parametrize("part", range(PARTS))
async def test_c2_of_sixteen_who_want_each_slot_one_gets_it(engine, tmp_path: Path, part: int):
    async with a_crowd(engine, tmp_path, Offer(devices=1, grid_seconds=SLOT_SECONDS)) as crowd:
        first_at = crowd.clock.now + SLOT_SECONDS * 1000
        for number in range(part, SLOTS, PARTS):
            wish = crowd.wish(first_at + number * SLOT_SECONDS * 1000)
            told = await asyncio.gather(*(crowd.book(client, wish) for client in range(CLIENTS)))
            kinds = Counter(type(each) for each in told)
            assert kinds == {str: 1, SlotIsTaken: CLIENTS - 1}, f"slot {number}: {kinds}"
            assert await crowd.processes[0].read(alternatives, wish), "there is something near"
    assert engine.look(tmp_path, "SELECT count(*) FROM reservations") == [(SLOTS // PARTS,)]
    assert engine.look(tmp_path, OVERLAPS) == [(0,)]


@EACH
async def test_c2_of_hundreds_that_overlap_none_is_sold_on_another(engine, tmp_path, seed: int):
    """Each that was refused was in the way of one that was sold, on every device."""
    lengths = (1800, 3600, 5400)
    offer = Offer(devices=DEVICES, lengths_seconds=lengths, grid_seconds=900, turnover_seconds=600)
    dice = Random(seed)
    async with a_crowd(engine, tmp_path, offer) as crowd:
        first_at = crowd.clock.now + 3_600_000
        wishes = [
            crowd.wish(first_at + dice.randrange(80) * 900_000, dice.choice(lengths))
            for _ in range(ATTEMPTS)
        ]
        told: list[str | Exception] = []
        for at in range(0, ATTEMPTS, CLIENTS):
            group = enumerate(wishes[at : at + CLIENTS])
            told += await asyncio.gather(*(crowd.book(client, wish) for client, wish in group))
    sold = engine.look(tmp_path, "SELECT device_id, starts_at, blocked_until FROM reservations")
    assert engine.look(tmp_path, OVERLAPS) == [(0,)]
    assert len(sold) == sum(isinstance(each, str) for each in told)
    assert ATTEMPTS / 10 < len(sold) < ATTEMPTS * 9 / 10
    for wish, each in zip(wishes, told, strict=True):
        if isinstance(each, SlotIsTaken):
            until = wish.slot.ends_at + offer.turnover_seconds * 1000
            in_the_way = {
                device
                for device, starts_at, ends_at in sold
                if starts_at < until and wish.slot.starts_at < ends_at
            }
            assert len(in_the_way) == DEVICES
