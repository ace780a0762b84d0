"""The controller's switches put together: the board, the link to their broker, the books behind it.

Two controllers on one database need not agree who of them does it: both find the same level in the
same books, and a pulse is whose transaction notes it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from cloud_controller.flows import actions
from cloud_controller.ports import Books, Clock
from cloud_controller.settings import ControllerSettings
from common.errors import RusubanError
from common.rules.actions import Pulse, Sight, Switch, SwitchSeen
from common.switches import Board, Line
from common.system import SystemNames

CLIENT_DIGITS: Final = 8
"""Hex digits of our client id at the broker: of two controllers neither throws the other out."""


class BooksKeeper:
    """See `common.switches.Keeper`: the books say what should be, and keep what became of it."""

    def __init__(self, books: Books, switches: Sequence[Switch]) -> None:
        """Take the books and the switches."""
        self._books = books
        self._switches = switches

    async def look(self) -> tuple[Sight, float]:
        """See `Keeper`; mostly there is nothing to keep, and nobody waits for the writer."""
        seen, now = await self._books.read(actions.glance, self._switches)
        if seen.held or seen.pulses:
            return await self._books.transact(actions.look, self._switches)
        return seen, now

    async def begin_pulse(self, pulse: Pulse) -> bool:
        """See `Keeper`."""
        return await self._books.transact(actions.begin_pulse, pulse)

    async def note(self, seen: SwitchSeen) -> None:
        """See `Keeper`."""
        await self._books.transact(actions.note_own, seen)


class Switches:
    """Every switch of this controller; without one it does nothing."""

    def __init__(
        self, settings: ControllerSettings, books: Books, clock: Clock, names: SystemNames
    ) -> None:
        """Make the parts and join them; `run` connects what has to be.

        Raises:
            CannotStart: a file of the broker's cannot be read.
        """
        self._books = books
        self._log = structlog.get_logger("switches")
        switches = settings.switches
        self._names = [each.switch for each in switches]
        self.board = Board(
            switches,
            BooksKeeper(books, [each.as_rule() for each in switches]),
            seconds=clock.steady_seconds,
            random=names.fraction,
            new_run=lambda: names.new("a"),
        )
        self._line: Line | None = None
        if settings.switch_broker is not None and switches:
            self._line = Line(
                settings.switch_broker,
                switches,
                self.board,
                client=f"rusuban-{names.hex_digits(CLIENT_DIGITS)}",
                random=names.fraction,
                report=self._report,
            )
            self.board.doers = {each.switch: self._line for each in switches}

    def nudge(self) -> None:
        """Look again at what should be: something has changed in the books."""
        self.board.nudge()

    async def run(self) -> None:
        """Make each switch what it should be, for ever; a stop leaves them as they are."""
        try:
            await self._books.transact(actions.forget_others, self._names)
        except RusubanError as fault:
            self._log.warning("what is over stays in the books", why=str(fault))
        if self._line is None:
            return
        await self._line.start()
        try:
            await self.board.run()
        finally:
            await self._line.stop()

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.error("the switches' broker", where=where, exc_info=fault)
