"""The terminal's switches put together: the board, what moves them, and the journal behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import structlog

from common.errors import StorageIsFull
from common.rules.actions import Pulse, Sight, Switch, SwitchSeen
from common.switches import Board, Line
from common.system import SystemNames
from edge_agent.actions.commands import Commands, RunsCommands
from edge_agent.flows import actions
from edge_agent.ports import Clock, Identity, Journal
from edge_agent.settings import AgentSettings


class Opened(Protocol):
    """Who and what this terminal is, with its journal open."""

    @property
    def who(self) -> Identity:
        """Return who it is."""
        ...

    @property
    def journal(self) -> Journal:
        """Return what should be, and what became of it."""
        ...

    @property
    def clock(self) -> Clock:
        """Return what time it is."""
        ...

    @property
    def names(self) -> SystemNames:
        """Return where new names and chance come from."""
        ...


class JournalKeeper:
    """See `common.switches.Keeper`: the journal says what should be, and keeps what became."""

    def __init__(
        self,
        journal: Journal,
        switches: Sequence[Switch],
        devices: Sequence[str],
        is_here: Callable[[], bool],
    ) -> None:
        """Take the journal, the switches, the devices here, and whether the line is up."""
        self._journal = journal
        self._switches = switches
        self._devices = devices
        self._is_here = is_here

    async def look(self) -> tuple[Sight, float]:
        """See `Keeper`."""
        look = partial(actions.look, is_here=self._is_here())
        return self._journal.transact(look, self._switches, self._devices)

    async def begin_pulse(self, pulse: Pulse) -> bool:
        """See `Keeper`."""
        return self._journal.transact(actions.begin_pulse, pulse)

    async def note(self, seen: SwitchSeen) -> None:
        """See `Keeper`."""
        self._journal.transact(actions.note, seen)


class Switches:
    """Every switch of this terminal; without one it does nothing."""

    def __init__(
        self,
        settings: AgentSettings,
        opened: Opened,
        runner: RunsCommands,
        is_here: Callable[[], bool],
    ) -> None:
        """Make the parts and join them; `run` connects what has to be.

        Args:
            settings: what the agent was told.
            opened: who and what this terminal is.
            runner: who runs commands of the catalogue.
            is_here: whether this terminal and its controller hear each other.

        Raises:
            CannotStart: a file of the broker's cannot be read.
        """
        self._journal = opened.journal
        self._log = structlog.get_logger("switches")
        switches, names = settings.switches, opened.names
        self._names = [each.switch for each in switches]
        rules = [each.as_rule() for each in switches]
        devices = [device.key for device in settings.devices]
        self.board = Board(
            switches,
            JournalKeeper(opened.journal, rules, devices, is_here),
            seconds=opened.clock.boot_seconds,
            random=names.fraction,
            new_run=lambda: names.new("a"),
        )
        by_command = [each for each in switches if not each.is_by_mqtt]
        by_mqtt = [each for each in switches if each.is_by_mqtt]
        self.commands = Commands(by_command, runner, self.board)
        self._line: Line | None = None
        if settings.switch_broker is not None and by_mqtt:
            self._line = Line(
                settings.switch_broker,
                by_mqtt,
                self.board,
                client=f"{opened.who.terminal}-switches",
                random=names.fraction,
                report=self._report,
            )
        self.board.doers = {
            each.switch: self._line if self._line is not None and each.is_by_mqtt else self.commands
            for each in switches
        }

    def nudge(self) -> None:
        """Look again at what should be: something has happened here."""
        self.board.nudge()

    async def run(self) -> None:
        """Make each switch what it should be, for ever; a stop leaves them as they are."""
        try:
            self._journal.transact(actions.forget_others, self._names)
        except StorageIsFull as fault:
            self._log.warning("what is over stays in the journal", why=str(fault))
        if self._line is not None:
            await self._line.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.board.run(), name="switches' board")
                tasks.create_task(self.commands.run(), name="switches' commands")
        finally:
            if self._line is not None:
                await self._line.stop()

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.error("the switches' broker", where=where, exc_info=fault)
