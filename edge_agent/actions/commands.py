"""Switches that a command of the runner's catalogue moves: it has done so when it ends with 0."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from common.rules.actions import Level, Trouble
from common.switches import SWITCHES_MAX, Hearing
from edge_agent.ports import CommandSeen, RunnerIsAway
from edge_agent.settings import AgentSwitch

WAITING_MAX: Final = 2 * SWITCHES_MAX
"""Commands that wait to be asked for: each switch has one, and perhaps one it was told before."""

UNDER_WAY_MAX: Final = 256
"""Commands whose end is waited for; of older ones nobody remembers why they were asked for."""


class RunsCommands(Protocol):
    """The runner, as far as it runs commands."""

    async def run_command(self, run: str, command: str) -> CommandSeen | None:
        """Have a command run, once under one name; None when the runner will not.

        Raises:
            RunnerIsAway: there is no answer.
        """
        ...

    def when_command_done(self, hear: Callable[[CommandSeen], None]) -> None:
        """Have `hear` called with each command that ends."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Act:
    switch: str
    level: Level
    command: str
    run: str


class Commands:
    """Moves switches by commands; a `common.switches.Doer`."""

    def __init__(
        self, switches: Sequence[AgentSwitch], runner: RunsCommands, hearing: Hearing
    ) -> None:
        """Take the switches that are moved by commands, and the runner; `run` is the loop."""
        self._commands: Mapping[str, AgentSwitch] = {each.switch: each for each in switches}
        self._runner = runner
        self._hearing = hearing
        self._waiting: asyncio.Queue[_Act] = asyncio.Queue(WAITING_MAX)
        self._under_way: dict[str, _Act] = {}
        self._is_away = False
        runner.when_command_done(self._on_seen)

    def in_the_way(self) -> Trouble | None:
        """See `Doer`; it is known only of the last time that it was asked."""
        return Trouble.RUNNER_AWAY if self._is_away or self._waiting.full() else None

    def do(self, switch: str, level: Level, run: str) -> Trouble | None:
        """See `Doer`; the runner holds that one name is run once."""
        if self._waiting.full():
            return Trouble.RUNNER_AWAY
        known = self._commands[switch]
        command = known.command_on if level is Level.ON else known.command_off
        self._waiting.put_nowait(_Act(switch=switch, level=level, command=command, run=run))
        return None

    async def run(self) -> None:
        """Ask the runner for each command in turn, for ever."""
        while True:
            act = await self._waiting.get()
            while len(self._under_way) >= UNDER_WAY_MAX:
                self._under_way.pop(next(iter(self._under_way)))
            self._under_way[act.run] = act  # its end may be told before the answer is read
            try:
                seen = await self._runner.run_command(act.run, act.command)
            except RunnerIsAway:
                self._is_away = True
                self._give_up(act, Trouble.RUNNER_AWAY)
                continue
            self._is_away = False
            if seen is None:
                self._give_up(act, Trouble.COMMAND_REFUSED)
            else:
                self._on_seen(seen)

    def _on_seen(self, seen: CommandSeen) -> None:
        """Take in that a command has ended; without an exit code it was ended, or never began."""
        act = self._under_way.pop(seen.run, None) if seen.is_done else None
        if act is None:
            return
        if seen.exit_code == 0:
            self._hearing.on_taken(act.switch, act.level)
        else:
            is_late = seen.exit_code is None
            trouble = Trouble.COMMAND_TIMED_OUT if is_late else Trouble.COMMAND_FAILED
            self._hearing.on_failed(act.switch, act.level, trouble)

    def _give_up(self, act: _Act, trouble: Trouble) -> None:
        if self._under_way.pop(act.run, None) is not None:
            self._hearing.on_failed(act.switch, act.level, trouble)
