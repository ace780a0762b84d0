"""`./dev prove kills`: customers come and go while everything is killed, and all must come right.

Real processes over a real broker: one controller, several terminals with many devices each. The
seed says what is killed, who comes and what he does; how it falls together is the machine's. Then
nothing is killed any more, and the books and all journals are held against the laws.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.demo.processes import WORLD
from tests.demo.settings import SlotTerms
from tests.demo.world import World
from tests.prove.counts import Counts
from tests.prove.kills_customers import Customers, Eye, Seat, seats_of
from tests.prove.kills_disasters import PROGRAM, Disasters, Pace
from tests.prove.kills_evidence import RAN, gather, journal_of
from tests.prove.kills_laws import LAWS, blind, breaches

NAME: Final = "kills"
SECONDS: Final = math.inf
"""It ends with its last redemption, unless it is told to end before."""

SETTLE_SECONDS_MAX: Final = 90.0
"""After the last kill: what was lost sight of is presumed, released, called in, paid back."""

LOOK_SECONDS: Final = 0.1
CALL_SECONDS_MAX: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How large the store is, and how many uses of it are watched.

    Attributes:
        lengths_seconds: of a use, over in seconds; the longer one outlasts a question that nobody
            answers.
    """

    redemptions: int = 2_000
    terminals: int = 4
    devices: int = 12
    lengths_seconds: tuple[int, ...] = (2, 5)
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of it.

    Attributes:
        blind: laws that did not see it when what they guard was broken on purpose.
    """

    redemptions: int
    kills: dict[str, int]
    violations: list[str]
    blind: list[str]
    told: list[str]


async def prove(seconds: float, seed: int) -> Counts:
    """Let customers be served for so many redemptions, or seconds, under kills; then judge."""
    found = await run(Scope(), seconds, seed)
    return Counts(
        name=NAME,
        seed=seed,
        states=0,
        schedules=sum(found.kills.values()),
        executions=found.redemptions,
        violations=found.violations,
        variants=[f"damage: {name}" for name in LAWS],
        caught=[f"damage: {name}" for name in LAWS if name not in found.blind],
        told=found.told,
    )


async def run(scope: Scope, seconds: float, seed: int) -> Found:
    """Run one storm and its calm, and judge what is left."""
    began = time.monotonic()
    with _a_store(scope) as world:
        await asyncio.to_thread(_open, world, scope)
        storm = _Storm(world, scope, seconds, seed)
        await storm.run()
        storm_seconds = time.monotonic() - began
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS_MAX):
                while not await asyncio.to_thread(_is_settled, world):  # noqa: ASYNC110 - books tell nobody
                    await asyncio.sleep(LOOK_SECONDS)
        storm.eye.look()
        evidence = world.folder / "evidence.db"
        gather(world, evidence)
        violations = list(breaches(evidence))
        told = [*storm.told(), *_told_of(world)]
        seconds_in_all = time.monotonic() - began
        told.append(f"{storm_seconds:.0f} s of kills, {seconds_in_all - storm_seconds:.0f} s after")
        if violations:
            told.append(f"all that is left of it: {_kept(world)}")
        return Found(
            redemptions=storm.eye.redemptions,
            kills=dict(storm.disasters.counted),
            violations=violations,
            blind=[] if violations else blind(evidence),
            told=told,
        )


class _Storm:
    """Customers and disasters at once."""

    def __init__(self, world: World, scope: Scope, seconds: float, seed: int) -> None:
        self.eye = Eye(world)
        self.disasters = Disasters(world, scope.pace, seed, lambda: self.eye.redemptions)
        self._world, self._scope = world, scope
        self._until = time.monotonic() + seconds
        self._customers = Customers(world, seats_of(world), seed, self.eye, self._is_over)

    async def run(self) -> None:
        """Go on until enough is redeemed, the last customer has left and all parts are back."""
        queues = [self._queue(seat) for seat in self._customers.seats]
        with self._shown() as show:
            async with asyncio.TaskGroup() as storm:
                watch = storm.create_task(self._watch(show), name="eye")
                async with asyncio.TaskGroup() as work:
                    work.create_task(self.disasters.strike(self._is_over), name="disasters")
                    for number, queue in enumerate(queues):
                        work.create_task(queue, name=f"queue {number}")
                watch.cancel()

    def told(self) -> Iterator[str]:
        """Yield what a person wants to read of it."""
        kills = self.disasters.counted
        of_each = ", ".join(f"{kills[kind]} {kind}" for kind in sorted(kills))
        yield f"{self.eye.redemptions:,} redemptions, {kills.total()} kills: {of_each}"
        customers = self._customers
        yield f"{customers.booked:,} tickets booked, held up {customers.shown:,} times"

    def _is_over(self) -> bool:
        return self.eye.redemptions >= self._scope.redemptions or time.monotonic() > self._until

    async def _queue(self, seat: Seat) -> None:
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS_MAX)
        async with aiohttp.ClientSession(self._world.url, timeout=timeout) as web:
            await self._customers.queue(web, seat)

    async def _watch(self, show: Callable[[], None]) -> None:
        while True:
            self.eye.look()
            show()
            await asyncio.sleep(LOOK_SECONDS)

    @contextlib.contextmanager
    def _shown(self) -> Iterator[Callable[[], None]]:
        """Show a bar while it goes on, where somebody looks."""
        columns = (
            TextColumn("redeemed"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=self._scope.redemptions)

            def show() -> None:
                killed = self.disasters.counted
                words = "  ".join(f"{kind} {killed[kind]}" for kind in sorted(killed))
                progress.update(task, completed=self.eye.redemptions, description=words)

            yield show


@contextlib.contextmanager
def _a_store(scope: Scope) -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="rusuban-kills-"))
    terms = SlotTerms(
        lengths_seconds=scope.lengths_seconds,
        grid_seconds=1,
        early_seconds=1,
        warn_before_seconds=(1,),
    )
    world = World(folder=folder, terms=terms)
    try:
        world.start_controller()
        for _ in range(scope.terminals):
            _add_terminal(world, scope.devices)
        yield world
    finally:
        world.end()
        shutil.rmtree(folder, ignore_errors=True)


def _add_terminal(world: World, devices: int) -> None:
    """Add a terminal whose program writes down that it has begun, before anything else."""
    terminal = world.new_terminal(offering="shared", devices=devices)
    program = terminal.folder / PROGRAM
    ran = terminal.folder / RAN
    program.write_text(f'#!/bin/sh\necho "$RUSUBAN_SESSION" >> "{ran}"\nexec sleep 600\n', "utf-8")
    program.chmod(0o700)
    catalogue = f"""
[programs.racer]
argv = ["{program}"]
environment = {{ {WORLD} = "{world.folder}" }}
"""
    (terminal.folder / "catalogue.toml").write_text(catalogue, "utf-8")
    world.enrol(terminal, world.new_code())
    world.start_agent(terminal)


def _open(world: World, scope: Scope) -> None:
    world.wait_until_on_offer(scope.terminals * scope.devices)


def _is_settled(world: World) -> bool:
    """Say whether nobody owes anybody a word, and everything that began is over and settled."""
    return not world.books(_UNSETTLED)[0][0] and not any(map(_owes, _journals(world)))


_UNSETTLED: Final = """
SELECT EXISTS (SELECT 1 FROM sessions WHERE state NOT IN ('ended', 'failed') OR is_presumed = 1
        OR is_to_move = 1)
    OR EXISTS (SELECT 1 FROM exchanges WHERE state IN ('issued', 'refused'))
    OR EXISTS (SELECT 1 FROM tickets WHERE state = 'reserved')
    OR EXISTS (SELECT 1 FROM inbox)
    OR EXISTS (SELECT 1 FROM reservations AS r WHERE state IN ('confirmed', 'in_use')
        AND EXISTS (SELECT 1 FROM sessions AS s WHERE s.reservation_id = r.reservation_id))
"""

_OWED: Final = """
SELECT EXISTS (SELECT 1 FROM outbox)
    OR EXISTS (SELECT 1 FROM exchanges WHERE state NOT IN ('idle', 'announced', 'quarantined'))
    OR EXISTS (SELECT 1 FROM sessions WHERE state NOT IN ('ended', 'failed'))
"""


def _journals(world: World) -> Iterator[str]:
    return (journal_of(terminal) for terminal in world.terminals)


def _owes(journal: str) -> bool:
    with contextlib.closing(sqlite3.connect(journal, uri=True)) as looked_at:
        return bool(looked_at.execute(_OWED).fetchone()[0])


def _told_of(world: World) -> Iterator[str]:
    """Yield what became of the uses: a proof in which nothing went wrong has proved nothing."""
    counted = world.books(
        """SELECT (SELECT count(*) FROM sessions) AS sessions,
            (SELECT count(*) FROM sessions WHERE state = 'failed') AS failed,
            (SELECT count(*) FROM sessions WHERE admission = 'held') AS alone,
            (SELECT count(*) FROM ledger WHERE type = 'reservation.moved') AS moved,
            (SELECT count(*) FROM ledger WHERE type = 'session.presumed_stopped') AS presumed,
            (SELECT count(*) FROM scans) AS scans,
            (SELECT count(*) FROM problems WHERE kind = 'identity_taken_over') AS alarms,
            (SELECT count(*) FROM compensations) AS paid,
            (SELECT coalesce(sum(seconds), 0) FROM compensations) AS seconds,
            (SELECT coalesce(sum(cents), 0) FROM compensations) AS cents"""
    )[0]
    yield (
        f"{counted['sessions']:,} sessions: {counted['alone']} begun without the line, "
        f"{counted['failed']} failed, {counted['moved']} moved, {counted['presumed']} presumed; "
        f"{counted['alarms']} alarms of a name taken over"
    )
    yield (
        f"{counted['scans']:,} scans judged; {counted['paid']} entries pay back "
        f"{counted['seconds']:.1f} s and {counted['cents']} cents"
    )


def _kept(world: World) -> Path:
    """Keep a copy of everything for whoever looks at what went wrong."""
    kept = Path(tempfile.mkdtemp(prefix="rusuban-kills-kept-"))
    shutil.copytree(world.folder, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
    return kept
