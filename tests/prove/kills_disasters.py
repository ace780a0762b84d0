"""Kills what a store is made of, one after the other as the seed says, and has it back later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from tests.demo.terminal import Terminal
from tests.demo.world import World

PAUSE_SECONDS_MAX: Final = 5.0
"""Where nothing is redeemed, since too much is away, the next disaster comes all the same."""

LOOK_SECONDS: Final = 0.05
PROGRAM: Final = "program.sh"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How thick and fast disasters come.

    Attributes:
        pause_redemptions: the fewest and the most redemptions between two of them.
        away_seconds_max: how long what nobody starts again by himself stays away.
        long_part: the part of them that lasts longer than a session is believed to go on unheard.
    """

    pause_redemptions: tuple[int, int] = (10, 40)
    away_seconds_max: float = 3.0
    long_part: float = 1 / 8
    long_seconds: float = 9.0


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One disaster as the dice have it: whom it meets, for how long, and which of several."""

    kind: str
    whom: Terminal
    away_seconds: float
    aim: float


Strike: TypeAlias = Callable[[Blow], Coroutine[Any, Any, None]]


class Disasters:
    """What is killed, how often, and what is being put right."""

    def __init__(self, world: World, pace: Pace, seed: int, redemptions: Callable[[], int]) -> None:
        self.counted: Counter[str] = Counter()
        self._world, self._pace, self._redemptions = world, pace, redemptions
        self._dice = Random(f"{seed} disasters")
        self._away: set[str] = set()
        self._kinds: dict[str, tuple[int, Strike]] = {
            "controller": (3, self._controller),
            "agent": (4, self._agent),
            "broker": (3, self._broker),
            "runner": (2, self._runner),
            "agent and runner": (1, self._agent_and_runner),
            "program": (2, self._program),
            "program's file": (1, self._file),
            "line": (1, self._line),
        }

    async def strike(self, is_over: Callable[[], bool]) -> None:
        """Let one disaster after the other happen until it is over, and have everything back."""
        async with asyncio.TaskGroup() as repairs:
            while not is_over():
                pause, blow = self._dice.randint(*self._pace.pause_redemptions), self._next()
                await self._pause(pause, is_over)
                if not is_over():
                    strike = self._kinds[blow.kind][1]
                    repairs.create_task(strike(blow), name=blow.kind)

    def _next(self) -> Blow:
        """Throw the dice, as often whatever happens: the same seed has the same disasters."""
        names, weights = list(self._kinds), [weight for weight, _ in self._kinds.values()]
        is_long = self._dice.random() < self._pace.long_part
        away_seconds = self._dice.uniform(0, self._pace.away_seconds_max)
        return Blow(
            kind=self._dice.choices(names, weights)[0],
            whom=self._dice.choice(self._world.terminals),
            away_seconds=self._pace.long_seconds if is_long else away_seconds,
            aim=self._dice.random(),
        )

    async def _pause(self, count: int, is_over: Callable[[], bool]) -> None:
        """Wait until so many more are redeemed, or nobody can be served for long."""
        enough = self._redemptions() + count
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS_MAX):
                while self._redemptions() < enough and not is_over():  # noqa: ASYNC110 - books tell nobody
                    await asyncio.sleep(LOOK_SECONDS)

    async def _controller(self, blow: Blow) -> None:
        controller = self._world.controller
        with self._struck("controller") as is_here:
            if is_here and controller is not None:
                controller.kill()
                await asyncio.to_thread(controller.wait)
                while self._world.processes("mosquitto.conf"):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(LOOK_SECONDS)
                await asyncio.sleep(blow.away_seconds)
                await asyncio.to_thread(self._world.start_controller)

    async def _agent(self, blow: Blow) -> None:
        with self._struck("agent", blow.whom.name) as is_here:
            if is_here:
                await self._start_agent_later(blow)

    async def _agent_and_runner(self, blow: Blow) -> None:
        with self._struck("agent", blow.whom.name) as is_here:
            if is_here:
                self._kill("runner", "runner", str(blow.whom.settings))
                await self._start_agent_later(blow)

    async def _start_agent_later(self, blow: Blow) -> None:
        whom = blow.whom
        assert whom.agent is not None
        whom.agent.kill()
        await asyncio.to_thread(whom.agent.wait)
        await asyncio.sleep(blow.away_seconds)
        self._world.start_agent(whom)

    async def _broker(self, _: Blow) -> None:
        self._kill("broker", "mosquitto.conf")

    async def _runner(self, blow: Blow) -> None:
        self._kill("runner", "runner", str(blow.whom.settings))

    async def _program(self, blow: Blow) -> None:
        running = self._world.processes("sleep")
        if running:
            self._send([running[int(blow.aim * len(running))]], signal.SIGKILL)
            self.counted["program"] += 1

    async def _file(self, blow: Blow) -> None:
        """Take a program's file away: whatever is started meanwhile cannot be."""
        with self._struck("program's file", blow.whom.name) as is_here:
            if is_here:
                whom = blow.whom.folder
                file = whom / PROGRAM
                file.rename(whom / "away")
                await asyncio.sleep(blow.away_seconds)
                (whom / "away").rename(file)

    async def _line(self, blow: Blow) -> None:
        """Stop the broker: every connection is there, and nothing comes through."""
        with self._struck("line") as is_here:
            stopped = self._world.processes("mosquitto.conf")
            if is_here and stopped:
                self._send(stopped, signal.SIGSTOP)
                await asyncio.sleep(blow.away_seconds)
                self._send(stopped, signal.SIGCONT)

    def _kill(self, what: str, *words: str) -> None:
        found = self._world.processes(*words)
        if found:
            self._send(found, signal.SIGKILL)
            self.counted[what] += 1

    @staticmethod
    def _send(pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextlib.contextmanager
    def _struck(self, what: str, whom: str = "") -> Iterator[bool]:
        """Say whether it is here to be struck; nobody else strikes it until it is back."""
        name = f"{what} {whom}"
        is_here = name not in self._away
        self._away.add(name)
        self.counted[what] += is_here
        try:
            yield is_here
        finally:
            if is_here:
                self._away.discard(name)
