"""Wipes under way: each run has an id, is done in a thread of its own, and tells how far it is.

Nothing of them is written down: a wipe that is cut off is begun again, and finds less to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Final

from edge_agent.runner.held import Means
from edge_agent.runner.wipe import Wiped, WipeStops, wipe
from edge_agent.runner.wire import Refusal, WipeFolders, WipeRecord, WipeTold
from edge_agent.threads import in_own_thread

WIPES_MAX: Final = 8
"""Wipes under way at once: each is a thread, and they share one disk."""

REMEMBERED_MAX: Final = 64
"""Wipes that are over and still told of to whoever asks again."""

WIPE_SECONDS_MAX: Final = 600.0
"""How long a wipe may take before it is told to stop: a disk so slow is no disk any more."""

HANGS_SECONDS: Final = 5.0
"""How long one that was told to stop may take for it; what hangs then hangs in the kernel."""

TELL_SECONDS: Final = 2.0
"""How often it is told how far a wipe has come."""

IS_STARTED: Final = "a program that uses it was started"
"""Why a wipe stops before its end, and goes on when that program has left."""

FAULT_LENGTH_MAX: Final = 200
"""Characters of what was in the way."""


@dataclass(kw_only=True, slots=True)
class _Wipe:
    program: str
    folders: Sequence[PurePosixPath]
    wiped: Wiped = field(default_factory=Wiped)
    is_done: bool = False
    fault: str = ""
    gives_way: bool = False
    """Whether it was stopped for a program that is being started, and is to go on after that."""

    def record(self, run: str) -> WipeRecord:
        return WipeRecord(
            run=run,
            program=self.program,
            entries=self.wiped.entries,
            is_done=self.is_done,
            fault=self.fault,
        )


class Wipes:
    """Every wipe that is under way, and the last that are over."""

    def __init__(
        self,
        means: Means,
        live_programs: Callable[[], Iterable[str]],
        spared: Sequence[PurePosixPath],
    ) -> None:
        """Take what it works with.

        Args:
            means: the catalogue, and whom to tell.
            live_programs: returns the programs that run now: nothing of theirs is emptied.
            spared: what is ours, and never inside of anything that is emptied.
        """
        self._means = means
        self._live_programs = live_programs
        self._spared = spared
        self._wipes: dict[str, _Wipe] = {}

    def wipe(self, ask: WipeFolders) -> WipeRecord | Refusal:
        """Begin to empty a program's folders, or tell how the wipe of this id stands."""
        if known := self._wipes.get(ask.run):
            return known.record(ask.run) if known.program == ask.program else Refusal.BAD_REQUEST
        folders = self._folders(ask.program)
        if folders is None:
            return Refusal.UNKNOWN_PROGRAM
        if any(_overlap(folder, ours) for folder in folders for ours in self._spared):
            self._means.report(f"{ask.program}: a folder to be emptied holds the runner's own")
            return Refusal.BAD_REQUEST
        if self._is_used(folders):
            return Refusal.STILL_LIVE
        if sum(not each.is_done for each in self._wipes.values()) >= WIPES_MAX:
            return Refusal.TOO_MANY_RUN
        self._wipes[ask.run] = begun = _Wipe(program=ask.program, folders=folders)
        self._means.tasks.create_task(self._do(ask.run, begun), name=f"wipe {ask.run}")
        return begun.record(ask.run)

    def make_way(self, program: str) -> None:
        """Touch nothing more of what a program uses that is started now; go on when it has left.

        An operator may have opened its device before the wipe was over.
        """
        used = self._folders(program) or ()
        for each in self._wipes.values():
            if not each.is_done and any(_overlap(one, two) for one in each.folders for two in used):
                each.gives_way = True
                each.wiped.stop(IS_STARTED)

    def _folders(self, program: str) -> tuple[PurePosixPath, ...] | None:
        known = self._means.catalogue.programs.get(program)
        return None if known is None else known.wipe

    def _is_used(self, folders: Iterable[PurePosixPath]) -> bool:
        """Say whether a program that runs now keeps something in one of these folders."""
        used = [
            folder for program in self._live_programs() for folder in self._folders(program) or ()
        ]
        return any(_overlap(folder, other) for folder in folders for other in used)

    async def _do(self, run: str, begun: _Wipe) -> None:
        give_up_at = self._means.clock.boot_seconds() + WIPE_SECONDS_MAX
        begun.fault = await self._wipe(run, begun, give_up_at)
        while begun.fault and begun.gives_way:
            if self._means.clock.boot_seconds() >= give_up_at:
                break
            if self._is_used(begun.folders):
                await asyncio.sleep(TELL_SECONDS)
                continue
            begun.gives_way, begun.wiped = False, Wiped()
            begun.fault = await self._wipe(run, begun, give_up_at)
        begun.is_done = True
        if begun.fault:
            self._means.report(f"wipe {run} of {begun.program}: {begun.fault}")
        self._tell(run, begun)
        over = [name for name, each in self._wipes.items() if each.is_done]
        for name in over[:-REMEMBERED_MAX]:
            del self._wipes[name]

    async def _wipe(self, run: str, begun: _Wipe, give_up_at: float) -> str:
        """Empty the folders and return what was in the way, or nothing."""
        work = in_own_thread(f"wipe {run}", partial(wipe, begun.folders, begun.wiped))
        while not (await asyncio.wait([work], timeout=TELL_SECONDS))[0]:
            self._tell(run, begun)
            now = self._means.clock.boot_seconds()
            if now >= give_up_at:
                begun.wiped.stop(f"it took more than {WIPE_SECONDS_MAX:g} s")
            if now >= give_up_at + HANGS_SECONDS:
                work.cancel()
                return "it hangs"
        try:
            work.result()
        except (WipeStops, OSError) as fault:
            return str(fault)[:FAULT_LENGTH_MAX]
        return ""

    def _tell(self, run: str, begun: _Wipe) -> None:
        self._means.announce(WipeTold(record=begun.record(run)))


def _overlap(one: PurePosixPath, other: PurePosixPath) -> bool:
    """Say whether one of two folders is in the other, or both are the same."""
    return one.is_relative_to(other) or other.is_relative_to(one)
