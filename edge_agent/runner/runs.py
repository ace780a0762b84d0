"""Commands of the catalogue: each run has an id and happens once, ends with all it started."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from edge_agent.runner.deadlines import Alarm
from edge_agent.runner.held import Means
from edge_agent.runner.programs import ProgramCannotStart
from edge_agent.runner.records import RecordsCannotBeUsed
from edge_agent.runner.wire import CommandDone, CommandRecord, Refusal, RunCommand

RUNS_MAX: Final = 32
"""Commands under way at once: some for each device that changes hands at the same minute."""

LEAVE_SECONDS: Final = 2.0
"""How long a command that took too long may take to leave when asked, before it is killed."""


class Runs:
    """Every command that is under way; what has been run is in the records."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._underway: dict[str, Alarm | None] = {}
        self._unwritten: dict[str, CommandRecord] = {}

    def run(self, ask: RunCommand) -> CommandRecord | Refusal:
        """Run a command, or tell how the run of this id stands."""
        try:
            if known := self._unwritten.get(ask.run) or self._means.records.run(ask.run):
                return known if known.command == ask.command else Refusal.BAD_REQUEST
            if ask.command not in self._means.catalogue.commands:
                return Refusal.UNKNOWN_COMMAND
            if len(self._underway) >= RUNS_MAX:
                return Refusal.TOO_MANY_RUN
            begun = CommandRecord(run=ask.run, command=ask.command, is_done=False, exit_code=None)
            self._means.records.add_run(begun, at=self._means.clock.now_ms())
        except RecordsCannotBeUsed as fault:
            self._means.report(f"command {ask.command} refused: {fault}")
            return Refusal.NOT_JOURNALLED
        return self._spawn(begun)

    def take_up(self) -> None:
        """Close what an earlier runner was cut off in: nobody knows what it has done."""
        for cut_off in self._means.records.unfinished_runs():
            self._means.report(f"command {cut_off.command} ({cut_off.run}) was cut off")
            self._close(cut_off, None)

    def _spawn(self, begun: CommandRecord) -> CommandRecord:
        command = self._means.catalogue.commands[begun.command]
        try:
            leader = self._means.programs.start(marked_as(begun.run), command)
        except ProgramCannotStart as fault:
            self._means.report(f"command {begun.command}: {fault}")
            return self._close(begun, None)
        give_up_at = self._means.clock.boot_seconds() + command.timeout_seconds
        self._underway[begun.run] = self._means.deadlines.ring_at(
            give_up_at, partial(self._give_up, begun)
        )
        self._means.programs.watch(leader, partial(self._gone, begun))
        return begun

    def _gone(self, begun: CommandRecord, exit_code: int | None) -> None:
        """It has ended by itself: so does, at once, whatever it has left behind."""
        if alarm := self._underway.get(begun.run):
            alarm.cancel()
            self._see_out(begun, exit_code, grace_seconds=0.0)

    def _give_up(self, begun: CommandRecord) -> None:
        self._means.report(f"command {begun.command} ({begun.run}) takes too long and is ended")
        self._see_out(begun, None, grace_seconds=LEAVE_SECONDS)

    def _see_out(self, begun: CommandRecord, exit_code: int | None, grace_seconds: float) -> None:
        self._underway[begun.run] = None  # from here on its end is in hand
        self._means.tasks.create_task(
            self._end(begun, exit_code, grace_seconds), name=f"end command {begun.run}"
        )

    async def _end(self, begun: CommandRecord, exit_code: int | None, grace_seconds: float) -> None:
        kill_at = self._means.clock.boot_seconds() + grace_seconds
        left = await self._means.programs.end(marked_as(begun.run), kill_at_boot_seconds=kill_at)
        if left:
            self._means.report(f"{left} processes of command {begun.run} cannot be killed")
        self._underway.pop(begun.run, None)
        self._close(begun, exit_code)

    def _close(self, begun: CommandRecord, exit_code: int | None) -> CommandRecord:
        said = exit_code if exit_code is not None and exit_code >= 0 else None
        done = replace(begun, is_done=True, exit_code=said)
        try:
            self._means.records.end_run(done)
        except RecordsCannotBeUsed as fault:  # for the next runner it will have been cut off
            self._means.report(f"the end of command {begun.run} is not written: {fault}")
            self._unwritten[begun.run] = done
        self._means.announce(CommandDone(record=done))
        return done


def marked_as(run: str) -> str:
    """Return what the processes of a run are marked with; no session's id has a blank."""
    return f"run {run}"
