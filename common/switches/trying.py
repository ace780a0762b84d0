"""One switch moved by a person who installs it: told, heard, and what came of it said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from common.rules.actions import Level, Pulse, Sight, Standing, SwitchSeen
from common.switches.board import Board
from common.switches.doers import Doer, Line
from common.switches.settings import MqttSwitch, SwitchBroker


class Chance(Protocol):
    """Where new names and chance come from."""

    def new(self, prefix: str) -> str:
        """Return a new name that begins with `prefix-`."""
        ...

    def fraction(self) -> float:
        """Return a random number from 0 up to 1."""
        ...


async def try_switch(
    switch: MqttSwitch,
    level: Level,
    doer_for: Callable[[Board], AbstractAsyncContextManager[Doer]],
    *,
    seconds: Callable[[], float],
    names: Chance,
) -> SwitchSeen:
    """Move a switch as the running program would, and return what came of it.

    Args:
        switch: which one.
        level: what it should be; of one that is a pulse, its end is not waited for.
        doer_for: what moves it, open while the block lasts, given who is told what came of it.
        seconds: a clock that only grows.
        names: where new names and chance come from.
    """
    wish = _Wish(switch.switch, level)
    new_run = lambda: names.new("a")  # noqa: E731 - as short as its name
    board = Board([switch], wish, seconds=seconds, random=names.fraction, new_run=new_run)
    async with doer_for(board) as doer, asyncio.TaskGroup() as tasks:
        board.doers = {switch.switch: doer}
        task = tasks.create_task(board.run(), name="switch on trial")
        seen = await wish.settled
        task.cancel()
    return seen


@asynccontextmanager
async def line_on_trial(
    broker: SwitchBroker,
    switch: MqttSwitch,
    names: Chance,
    report: Callable[[str, BaseException], None],
    board: Board,
) -> AsyncIterator[Doer]:
    """Hold a link to the switches' broker, beside that of a program that runs.

    Its client id is a new one: the broker would throw out whoever has the same.

    Raises:
        CannotStart: a file of the broker's cannot be read.
    """
    line = Line(
        broker.model_copy(update={"client": ""}),
        [switch],
        board,
        client=names.new("try"),
        random=names.fraction,
        report=report,
    )
    await line.start()
    try:
        yield line
    finally:
        await line.stop()


def told(seen: SwitchSeen) -> str:
    """Return a line of where a switch stands, for a person at a terminal."""
    words = [seen.switch.ljust(20), seen.wanted.ljust(4), seen.standing.ljust(11)]
    if seen.standing is Standing.UNANSWERED:
        words.append(f"{seen.trouble} after {seen.tries} tries")
    if seen.heard:
        words.append(f"it says {seen.heard!r}")
    return " ".join(words).rstrip()


class _Wish:
    """A `Keeper` that wants one level of one switch, until it has settled."""

    def __init__(self, switch: str, level: Level) -> None:
        self.settled: asyncio.Future[SwitchSeen] = asyncio.get_running_loop().create_future()
        self._sight = Sight(levels={switch: level})

    async def look(self) -> tuple[Sight, float]:
        return self._sight, 0.0

    async def begin_pulse(self, _pulse: Pulse) -> bool:
        return False

    async def note(self, seen: SwitchSeen) -> None:
        if not self.settled.done():
            self.settled.set_result(seen)
