"""Whether a program is there for its customer: looked at again and again, for so long at most."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_agent.runner import tree
from edge_agent.runner.catalogue import Catalogue, Program, Ready, ReadyKind
from edge_agent.runner.deadlines import Clock
from edge_agent.runner.programs import ProgramCannotStart, Programs
from edge_agent.runner.windows import DisplayIsAway, windows

LOOK_AGAIN_SECONDS: Final = 0.1
"""Between two looks: a customer sees no difference, and it costs a thousandth of a core."""

COMMAND_AGAIN_SECONDS: Final = 0.5
"""Between two runs of a command: each is a process of its own."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """How the file that a program makes stood before its start; None: it was not there."""

    file: tuple[int, int, int] | None = None


class Readiness:
    """Looks after programs that are starting."""

    def __init__(self, programs: Programs, catalogue: Catalogue, clock: Clock) -> None:
        self._programs = programs
        self._catalogue = catalogue
        self._clock = clock

    def before(self, program: Program) -> Before:
        """Note what would otherwise be taken for the work of a program that is yet to start."""
        is_file = program.ready and program.ready.kind is ReadyKind.FILE
        return Before(file=_state(program.ready.what)) if program.ready and is_file else Before()

    async def is_ready_in_time(self, session: str, program: Program, before: Before) -> bool:
        """Return whether a program that has been started becomes ready within its time."""
        ready = program.ready
        assert ready, "who has none is ready at once"
        give_up_at = self._clock.boot_seconds() + ready.within_seconds
        is_command = ready.kind is ReadyKind.COMMAND
        pause_seconds = COMMAND_AGAIN_SECONDS if is_command else LOOK_AGAIN_SECONDS
        while not await self._is_ready(session, program, ready, before, give_up_at):
            if self._clock.boot_seconds() + pause_seconds > give_up_at:
                return False
            await asyncio.sleep(pause_seconds)
        return True

    async def _is_ready(
        self, session: str, program: Program, ready: Ready, before: Before, give_up_at: float
    ) -> bool:
        match ready.kind:
            case ReadyKind.FILE:
                return _state(ready.what) not in {None, before.file}
            case ReadyKind.PROCESS:
                names = map(tree.name_of, self._programs.members(session))
                return ready.what[: tree.NAME_LENGTH_MAX] in names
            case ReadyKind.PORT:
                members = self._programs.members(session)
                return any(tree.listens_on(member, int(ready.what)) for member in members)
            case ReadyKind.WINDOW:
                return await self._has_window(session, program, ready.what)
            case ReadyKind.COMMAND:
                return await self._says_so(session, ready.what, give_up_at)

    async def _has_window(self, session: str, program: Program, title: str) -> bool:
        assert program.display, "the catalogue asks for one"
        authority = program.environment.get("XAUTHORITY")
        try:
            found = await windows(program.display, Path(authority) if authority else None)
        except DisplayIsAway:
            return False
        pids = {member.pid for member in self._programs.members(session)}
        return any(window.pid in pids and title in window.title for window in found)

    async def _says_so(self, session: str, command: str, give_up_at: float) -> bool:
        try:
            code = await self._programs.run_through(
                f"ready {session}",
                self._catalogue.commands[command],
                give_up_at_boot_seconds=give_up_at,
            )
        except ProgramCannotStart:
            return False
        return code == 0


def _state(file: str) -> tuple[int, int, int] | None:
    try:
        seen = Path(file).stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
