"""Redeem races: readers and customers at once, over the flows of both programs, under faults.

A schedule is one seed: four readers, three tickets that any of them opens, messages lost, doubled
and reordered, transactions cut off, both sides restarted. Then it grows calm, and what is left must
be right. Each seed can be run again.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from typing_extensions import override

from cloud_controller.flows import reservations
from common.logs import set_up_logs
from common.rules.reservations import Range
from edge_agent.ports import Identity
from tests.fakes.store import (
    MORNING_AT,
    ClockInHand,
    Offer,
    Opened,
    StoreKit,
    a_specification,
    store_kit,
)
from tests.prove.checker import wrong
from tests.prove.counts import Counts
from tests.prove.office import Damage, Office
from tests.prove.reader import Reader, Seat
from tests.prove.wire import Wire

NAME = "redeem_race"
READERS = 4
TICKETS = 3
STEPS = 60
CALM_ROUNDS_MAX = 60
"""Rounds without a fault after which nothing may be owed any more."""

VARIANT_SCHEDULES_MAX = 40
"""Schedules in which a broken variant must show."""

LOG_LEVEL = "critical"


def _ticket_is_not_reserved(books: Any) -> None:
    books.rights.reserve_ticket = lambda **_: 1


def _answer_is_not_stored(books: Any) -> None:
    keep = books.rights.keep_exchange

    def keep_but_answers(**row: Any) -> object:
        return None if row["answer"] else keep(**row)

    books.rights.keep_exchange = keep_but_answers


def _mark_is_not_raised(books: Any) -> None:
    books.post.raise_mark = lambda **_: 1


VARIANTS: Mapping[str, Damage] = {
    "the ticket is not reserved": _ticket_is_not_reserved,
    "the answer is not stored": _answer_is_not_stored,
    "events are not counted": _mark_is_not_raised,
}
"""One statement left out of each; a checker that does not see it is worth nothing."""


async def prove(seconds: float, seed: int) -> Counts:
    """Run schedules for so long, seed after seed, then each broken variant until it is caught."""
    set_up_logs(level=LOG_LEVEL)
    until = time.monotonic() + seconds
    tally = _Tally()
    with tempfile.TemporaryDirectory(prefix="rusuban-prove-") as name:
        shop = await _shop(Path(name))
        while not tally.schedules or time.monotonic() < until:
            await _run(shop, seed + tally.schedules, tally)
        caught = [name for name, damage in VARIANTS.items() if await _is_caught(shop, seed, damage)]
    return Counts(
        name=NAME,
        seed=seed,
        states=len(tally.states),
        schedules=tally.schedules,
        executions=tally.executions,
        violations=tally.violations,
        variants=list(VARIANTS),
        caught=caught,
    )


@dataclass
class _Tally:
    """What has been tried so far."""

    schedules: int = 0
    executions: int = 0
    states: set[tuple[tuple[str, ...], ...]] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class _Shop:
    """Where every schedule begins: confirmed readers that have their service, and sold tickets."""

    folder: Path
    seats: tuple[Seat, ...]
    tokens: tuple[str, ...]


class _RaceClock(ClockInHand):
    """One clock for all: no promise of these leans on clocks that agree."""

    @override
    def boot_seconds(self) -> float:
        return self.steady


class _DiceNames:
    """Names drawn from the schedule's dice, so that it can be run again."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice

    def new(self, prefix: str) -> str:
        return f"{prefix}-{self._dice.getrandbits(80):020x}"

    def hex_digits(self, count: int) -> str:
        return f"{self._dice.getrandbits(4 * count):0{count}x}"

    def secret_bytes(self, count: int) -> bytes:
        return self._dice.randbytes(count)

    def short_code(self, length: int) -> str:
        return self.hex_digits(length)


class _Race:
    """One schedule under way."""

    def __init__(self, shop: _Shop, folder: Path, seed: int, tally: _Tally) -> None:
        self._shop, self._tally = shop, tally
        self.dice = Random(seed)
        clock, names = _RaceClock(), _DiceNames(self.dice)
        self._clock = clock
        self.up = Wire(dice=self.dice)
        self.down = {str(seat.who.terminal): Wire(dice=self.dice) for seat in shop.seats}
        self.office = Office(folder, self.down, clock, names, self.dice)
        self.readers = [
            Reader(
                Seat(**{**vars(seat), "file": folder / seat.file}), self.up, clock, names, self.dice
            )
            for seat in shop.seats
        ]

    async def storm(self) -> None:
        """Let everything happen in any order."""
        steps = (self._scan, self._carry, self._carry, self._carry, self._ask_again, self._programs)
        for _ in range(STEPS):
            await self.dice.choice(steps)()
            if self.dice.random() < 0.03:
                await self._disaster()
            self._tally.states.add(tuple(sorted(reader.states() for reader in self.readers)))

    async def calm(self) -> bool:
        """Let no fault happen any more; say whether everything comes to rest."""
        self.office.cuts = 0.0
        for wire in (self.up, *self.down.values()):
            wire.calm()
        for _ in range(CALM_ROUNDS_MAX):
            await self._programs()
            await self._carry(everything=True)
            if all(reader.is_settled() for reader in self.readers):
                return True
            await self._ask_again(everybody=True)
        return False

    async def _scan(self) -> None:
        token = self.dice.choice(self._shop.tokens)
        for reader in self.dice.sample(self.readers, self.dice.randint(1, READERS)):
            reader.scan(token)

    async def _carry(self, *, everything: bool = False) -> None:
        most = 1_000 if everything else self.dice.randint(1, 8)
        arriving = self.up.arriving(most)
        self._tally.executions += len(arriving)
        await self.office.take(arriving)
        for reader in self.readers:
            for delivery in self.down[reader.terminal].arriving(most):
                self._tally.executions += 1
                reader.take(delivery)

    async def _ask_again(self, *, everybody: bool = False) -> None:
        for reader in self.readers if everybody else [self.dice.choice(self.readers)]:
            reader.ask_again()

    async def _programs(self) -> None:
        self._clock.move(self.dice.uniform(0.0, 2.0))
        for reader in self.readers:
            reader.step_programs()

    async def _disaster(self) -> None:
        if self.dice.random() < 0.3:
            await self.office.restart()
        else:
            self.dice.choice(self.readers).restart()


async def _run(shop: _Shop, seed: int, tally: _Tally, damage: Damage | None = None) -> None:
    """Run one schedule and add to the tally what it tried and what was wrong."""
    with tempfile.TemporaryDirectory(prefix="rusuban-race-") as name:
        folder = Path(name) / "shop"
        shutil.copytree(shop.folder, folder)
        race = _Race(shop, folder, seed, tally)
        race.office.damage = damage or race.office.damage
        await race.office.open()
        try:
            await race.storm()
            if not await race.calm():
                tally.violations.append(f"seed {seed}: it does not come to rest")
        finally:
            await race.office.books.close()
        found = wrong(folder / "books.sqlite", race.readers, race.office.answers)
        tally.violations += (f"seed {seed}: {sentence}" for sentence in found)
        tally.schedules += 1
        for reader in race.readers:
            reader.journal.close()


async def _is_caught(shop: _Shop, seed: int, damage: Damage) -> bool:
    tally = _Tally()
    while not tally.violations and tally.schedules < VARIANT_SCHEDULES_MAX:
        await _run(shop, seed + tally.schedules, tally, damage)
    return bool(tally.violations)


async def _shop(folder: Path) -> _Shop:
    """Open the readers and sell the tickets, once for all schedules."""
    async with store_kit(folder) as kit:
        offer = Offer(devices=1)
        opened = [await kit.open(offer) for _ in range(READERS)]
        tokens = [await _token(kit, opened[0]) for _ in range(TICKETS)]
        keys = kit.keys.verifying_keys()
    seats = tuple(_seats(opened, offer, keys))
    return _Shop(folder=folder, seats=seats, tokens=tuple(tokens))


async def _token(kit: StoreKit, opened: Opened) -> str:
    """Sell a ticket that every device of the offering opens."""
    slot = Range(starts_at=MORNING_AT, ends_at=MORNING_AT + 1_800_000)
    wish = reservations.Wish(offering=opened.offering, slot=slot)
    link = await kit.books.transact(reservations.book, wish)
    ticket: Any = await kit.books.read(reservations.ticket, link)
    token: str = ticket["token"]
    return token


def _seats(opened: list[Opened], offer: Offer, keys: Mapping[int, Any]) -> Iterator[Seat]:
    for number, each in enumerate(opened):
        yield Seat(
            who=Identity(
                terminal=each.terminal,
                store="shinjuku",
                epoch=each.epoch,
                secret="",
                broker_host="",
                broker_port=0,
                keys=keys,
            ),
            what=a_specification(offer),
            device=each.devices[0],
            file=Path(f"journal-{number}.db"),
        )
