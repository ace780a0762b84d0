"""`./dev prove deadlines`: whatever is gone, killed, stopped or set, a program ends on time.

A real controller and broker, and PCs with real agents and runners. On each PC a program that leaves
when asked and one that does not run to their deadlines, while every combination of faults meets
them. When the last process of a session is gone is seen from outside, by its pidfd and
CLOCK_BOOTTIME. The seed says who meets what, and when.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from common.system import SystemClock
from tests.demo.settings import SlotTerms
from tests.demo.world import DidNotHappen, World
from tests.prove.counts import Counts
from tests.prove.deadlines_cells import (
    AROUND,
    CELLS,
    Agent,
    Around,
    Cell,
    Round,
    Runner,
    Store,
    Wall,
    rounds,
)
from tests.prove.deadlines_pc import Blow, Pc, furnish
from tests.prove.deadlines_told import Ended, told
from tests.prove.deadlines_watch import Watch

NAME: Final = "deadlines"
SECONDS: Final = math.inf
"""It ends with its last cell, unless it is told to end before."""

ERROR_SECONDS_MAX: Final = 1.0
"""How long before or after its deadline a program may end (promise 4)."""

SHIFT_SECONDS_MAX: Final = 1.0
"""How long before its slot's end a deadline may lie: the way of the scan's answer counts."""

GIVE_UP_SECONDS: Final = 10.0
"""What is there so long after it was due will not end by itself."""

SETTLE_SECONDS_MAX: Final = 60.0
FAILED_STARTS_MAX: Final = 100
"""On a machine whose cores have other work, so many sessions may begin too late to be tried."""

TRIES: Final = 4
NOBODY: Final = "a runner that nobody starts again"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What is tried, on how many PCs at a time, and how fast.

    Attributes:
        managed: PCs on which a service manager starts the runner; on the others the agent does.
        length_seconds: of a session; everything happens to it in its last `strike_seconds`.
        spare_seconds: a runner is killed at least so long before the deadline.
    """

    cells: Sequence[Cell] = CELLS
    around: Sequence[Around] = AROUND
    managed: int = 2
    by_agent: int = 2
    length_seconds: int = 24
    strike_seconds: float = 5.0
    spare_seconds: float = 2.5
    stop_seconds: float = 30.0
    is_checked_itself: bool = True


@dataclass
class Found:
    """What came of it; `ended` in the order in which it was seen."""

    ended: list[Ended] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    sees_a_late_end: bool = False


async def prove(seconds: float, seed: int) -> Counts:
    """Try every combination, or as many as there is time for."""
    scope = Scope()
    found = await run(scope, seconds, seed)
    caught = [NOBODY] if found.sees_a_late_end else []
    return Counts(
        name=NAME,
        seed=seed,
        states=len({(each.cell, each.around) for each in found.ended}),
        schedules=len(found.ended),
        executions=0,
        violations=found.violations,
        variants=[NOBODY],
        caught=caught,
        told=told(scope.cells, scope.around, found.ended),
    )


async def run(scope: Scope, seconds: float, seed: int) -> Found:
    """Run the rounds of a scope and say what came of each session."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(scope.managed + scope.by_agent + 2))
    clock, found = SystemClock(), Found()
    until = clock.boot_seconds() + seconds
    dice = Random(f"{seed} deadlines")
    todo = list(
        rounds(
            scope.cells,
            scope.around,
            managed=scope.managed,
            by_agent=scope.by_agent,
            dice=dice,
        )
    )
    dice.shuffle(todo)  # what there is no time for is not always the same
    with _shown(sum(each.size for each in todo)) as bar:
        async with _a_store(scope, loop) as store:
            for each in todo:
                if clock.boot_seconds() > until:
                    break
                again = await store.play(each, dice, found)
                todo += again
                size = each.size - sum(one.size for one in again)
                bar.update(bar.task_ids[0], advance=size, description=str(each.around))
            if scope.is_checked_itself:
                found.sees_a_late_end = await store.leaves_a_runner_dead(dice)
    return found


class _Store:
    """The PCs, and what is around them."""

    def __init__(self, world: World, pcs: Sequence[Pc], scope: Scope, watch: Watch) -> None:
        self._world, self._pcs, self._scope, self._watch = world, pcs, scope, watch
        self._failed_starts = 0

    async def play(self, each: Round, dice: Random, found: Found) -> list[Round]:
        """Have sessions run, let happen to them what the round says, and see when they end.

        Returns:
            What has to be played again, since a session has not begun in time for it.
        """
        everybody = self._cast(each)
        await asyncio.gather(*(asyncio.to_thread(pc.begin, self._watch) for pc, _ in everybody))
        cast = [one for one in everybody if one[0].has_time(self._scope.strike_seconds)]
        blows = [self._blow(dice) for _ in everybody]
        async with self._around(each.around):
            async with asyncio.TaskGroup() as faults:
                for (pc, cell), blow in zip(cast, blows, strict=False):
                    faults.create_task(pc.meet(cell, blow), name=f"{pc.terminal.name}: {cell}")
            for pc, cell in cast:
                await self._judge(pc, cell, each.around, found)
        await self._heal([pc for pc, _ in cast], found)
        return self._again(each, [one for one in everybody if one not in cast], found)

    def _again(self, each: Round, left: Sequence[tuple[Pc, Cell]], found: Found) -> list[Round]:
        """Return the round in which those are tried once more who could not begin."""
        self._failed_starts += len(left)
        if not left:
            return []
        if self._failed_starts > FAILED_STARTS_MAX:
            found.violations += [f"{cell} | {each.around}: {pc.why_not}" for pc, cell in left]
            return []
        again = replace(
            each,
            managed=[cell for pc, cell in left if pc.manager is not None],
            by_agent=[cell for pc, cell in left if pc.manager is None],
        )
        return [again]

    async def leaves_a_runner_dead(self, dice: Random) -> bool:
        """Say whether a program that ends late is seen to: what is not seen proves nothing."""
        pc = next(pc for pc in self._pcs if pc.manager is None)
        await self._begin_at_last(pc)
        cell = Cell(agent=Agent.GONE, runner=Runner.KILLED, wall=Wall.RIGHT)
        agent_first = replace(self._blow(dice), agent=3.0, runner=2.0)
        await pc.meet(cell, agent_first)
        late = [use.deadline + ERROR_SECONDS_MAX for use in pc.uses]
        seen = [
            await self._watch.until_ended(use.session, at)
            for use, at in zip(pc.uses, late, strict=True)
        ]
        return seen == [None] * len(pc.uses)

    async def _begin_at_last(self, pc: Pc) -> None:
        for _ in range(TRIES):
            if await asyncio.to_thread(pc.begin, self._watch):
                return
        raise DidNotHappen(pc.why_not)

    def _cast(self, each: Round) -> list[tuple[Pc, Cell]]:
        managed = [pc for pc in self._pcs if pc.manager is not None]
        by_agent = [pc for pc in self._pcs if pc.manager is None]
        return [
            *zip(managed, each.managed, strict=False),
            *zip(by_agent, each.by_agent, strict=False),
        ]

    def _blow(self, dice: Random) -> Blow:
        scope = self._scope
        return Blow(
            agent=dice.uniform(0.2, scope.strike_seconds),
            runner=dice.uniform(scope.spare_seconds, scope.strike_seconds),
            wall=dice.uniform(0.2, scope.strike_seconds),
            back_seconds=dice.uniform(0.0, 2.0),
            stop_seconds=scope.stop_seconds,
        )

    async def _judge(self, pc: Pc, cell: Cell, around: Around, found: Found) -> None:
        for use in pc.uses:
            due = pc.due(use)
            at = await self._watch.until_ended(use.session, due + GIVE_UP_SECONDS)
            where = f"{cell} | {around} | {use.program} on {pc.terminal.name}"
            shift = use.slot_ends - use.deadline
            if not -0.1 <= shift <= SHIFT_SECONDS_MAX:
                found.violations.append(f"{where}: the deadline is {shift:.2f} s before its slot's")
            if at is None:
                found.violations.append(f"{where}: still there {GIVE_UP_SECONDS:g} s after its end")
                continue
            ended = Ended(
                cell=cell,
                around=around,
                program=use.program,
                is_managed=pc.manager is not None,
                error_seconds=at - due,
            )
            found.ended.append(ended)
            if abs(ended.error_seconds) > ERROR_SECONDS_MAX:
                found.violations.append(f"{where}: {ended.error_seconds:+.3f} s")

    @contextlib.asynccontextmanager
    async def _around(self, around: Around) -> AsyncIterator[None]:
        """Let happen what happens to everybody, as long as this lasts."""
        burning = [_burn() for _ in range(os.cpu_count() or 1)] if around.burns else []
        stopped: list[int] = []
        try:
            if around.store is Store.BROKER_GONE:
                stopped = await asyncio.to_thread(self._world.processes, "mosquitto.conf")
                _send(stopped, signal.SIGSTOP)
            elif around.store is Store.CONTROLLER_GONE and self._world.controller is not None:
                self._world.controller.kill()
                await asyncio.to_thread(self._world.controller.wait)
            yield
        finally:
            for each in burning:
                each.kill()
                each.wait()
            _send(stopped, signal.SIGCONT)

    async def _heal(self, pcs: Sequence[Pc], found: Found) -> None:
        """Have everything back, and see the ledger come right: what was delivered is what ran."""
        controller = self._world.controller
        if controller is None or controller.poll() is not None:
            await asyncio.to_thread(self._world.start_controller)
        for pc in pcs:
            pc.heal()
        for pc in pcs:
            try:
                await asyncio.to_thread(
                    self._world.wait_for,
                    f"the ledger of {pc.terminal.name}",
                    pc.is_told,
                    seconds=SETTLE_SECONDS_MAX,
                )
            except AssertionError as fault:
                found.violations.append(str(fault).partition("\n")[0])


@contextlib.asynccontextmanager
async def _a_store(scope: Scope, loop: asyncio.AbstractEventLoop) -> AsyncIterator[_Store]:
    folder = Path(tempfile.mkdtemp(prefix="rusuban-deadlines-"))
    terms = SlotTerms(
        lengths_seconds=(scope.length_seconds,), grid_seconds=1, warn_before_seconds=(1,)
    )
    world = World(folder=folder, terms=terms)
    managers: list[asyncio.Task[None]] = []
    watch = Watch(loop)
    try:
        await asyncio.to_thread(world.start_controller)
        kinds = [True] * scope.managed + [False] * scope.by_agent
        pcs = [await asyncio.to_thread(furnish, world, is_managed=each) for each in kinds]
        for pc in pcs:
            if pc.manager is not None:
                managers.append(loop.create_task(pc.manager.run(), name=pc.terminal.name))
            pc.start_agent()
        await asyncio.to_thread(_wait_until_open, world, 2 * len(pcs))
        yield _Store(world, pcs, scope, watch)
    finally:
        for manager in managers:
            manager.cancel()
        await asyncio.gather(*managers, return_exceptions=True)
        await asyncio.to_thread(world.end)
        watch.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_open(world: World, count: int) -> None:
    """Wait for the devices, on a machine whose cores have other work for longer."""
    for patience in reversed(range(TRIES)):
        try:
            world.wait_until_on_offer(count)
        except DidNotHappen:
            if not patience:
                raise
        else:
            return


@contextlib.contextmanager
def _shown(total: int) -> Iterator[Progress]:
    """Show a bar while it goes on, where somebody looks."""
    columns = (
        TextColumn("PCs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task("", total=total)
        yield bar


def _burn() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"])


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
