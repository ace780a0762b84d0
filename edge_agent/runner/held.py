"""What the runner holds: every session that is not forgotten, written down, with its alarms."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from common.rules.sessions import SESSION, SessionEvent
from edge_agent.runner.catalogue import Catalogue, Program
from edge_agent.runner.deadlines import Alarm, Clock, Deadlines
from edge_agent.runner.programs import Programs
from edge_agent.runner.records import Records, RecordsCannotBeUsed, Session
from edge_agent.runner.wire import EventKind, ProgramRecord, RunnerEvent, Told

CHECKPOINT_SECONDS: Final = 5.0
"""How often the remaining time is written: the most that a power cut may cost the customer."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """All that the keeping of sessions works with."""

    catalogue: Catalogue
    warn_before_seconds: tuple[int, ...]
    resume_limit_seconds: float
    resume_requires_scan: bool
    boot_id: str
    clock: Clock
    deadlines: Deadlines
    records: Records
    programs: Programs
    tasks: asyncio.TaskGroup
    announce: Callable[[Told], None]
    report: Callable[[str], None]


class Held:
    """Every session that is not forgotten; what is to become of it is the course's."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self.sessions: dict[str, Session] = {}
        self.broken: set[tuple[str, str]] = set()
        """Each device and the program that is broken on it."""
        self._alarms: dict[str, list[Alarm]] = {}
        self._unsaved: set[str] = set()
        self._checkpoint: Alarm | None = None

    def now(self) -> float:
        """Return seconds since boot."""
        return self.means.clock.boot_seconds()

    def trusted_now(self) -> int | None:
        """Return the wall clock in milliseconds, or None where no time server keeps it."""
        clock = self.means.clock
        return clock.now_ms() if clock.is_synchronised() else None

    def checkpoint(self, session: Session) -> Session:
        """Return a session as it is now, with when that was as far as a clock can be trusted."""
        if session.waits:
            return session
        return replace(session.counted(self.now()), checkpoint_at=self.trusted_now())

    def program(self, session: Session) -> Program:
        """Return what the catalogue says now; a program taken out of it may be ended at once."""
        gone = Program(argv=(), environment={}, stop_grace_seconds=0)
        return self.means.catalogue.programs.get(session.program, gone)

    def told(self, session: Session) -> ProgramRecord:
        """Return what the agent is told of a session at this instant."""
        ready = self.program(session).ready
        return session.counted(self.now()).record(
            is_broken=(session.device, session.program) in self.broken,
            ready_by=ready.kind if ready else "",
        )

    def announce(self, kind: EventKind, session: Session, seconds_left: int | None = None) -> None:
        """Tell everybody who listens what has happened to a session."""
        record = self.told(session)
        self.means.announce(RunnerEvent(kind=kind, record=record, seconds_left=seconds_left))

    def ring(self, name: str, at_boot_seconds: float, ring: Callable[[], None]) -> None:
        """Set one alarm of a session."""
        alarm = self.means.deadlines.ring_at(at_boot_seconds, ring)
        self._alarms.setdefault(name, []).append(alarm)

    def cancel_alarms(self, name: str) -> None:
        """Let nothing more ring for a session."""
        for alarm in self._alarms.pop(name, ()):
            alarm.cancel()

    def keep(self, session: Session) -> None:
        """Hold what is now true, and write it: a full disk delays the writing, never an end."""
        self.sessions[session.session] = session
        try:
            self.means.records.save([session])
        except RecordsCannotBeUsed as fault:
            self.means.report(f"session {session.session} is written later: {fault}")
            self._unsaved.add(session.session)
            self.checkpoint_later()

    def drop(self, name: str) -> None:
        """Hold an ended session no longer."""
        del self.sessions[name]
        self._unsaved.discard(name)

    def checkpoint_later(self) -> None:
        """See to it that what runs is written again soon."""
        if self._checkpoint is None:
            due_at = self.now() + CHECKPOINT_SECONDS
            self._checkpoint = self.means.deadlines.ring_at(due_at, self._write_checkpoint)

    def rest(self) -> None:
        """Write no more checkpoints when nothing is left to write: no wake-up without need."""
        if self._checkpoint and not self._due():
            self._checkpoint.cancel()
            self._checkpoint = None

    def save_all(self) -> None:
        """Write where everything stands.

        Raises:
            RecordsCannotBeUsed: the disk takes nothing.
        """
        self.means.records.save([self.checkpoint(one) for one in self._due()])
        self._unsaved.clear()

    def _write_checkpoint(self) -> None:
        self._checkpoint = None
        try:
            self.save_all()
        except RecordsCannotBeUsed as fault:
            self.means.report(f"no checkpoint: {fault}")
        if self._due():
            self.checkpoint_later()

    def _due(self) -> tuple[Session, ...]:
        """Return the sessions that a checkpoint has to write: what runs, and what could not be."""
        kept = self.sessions.values()
        # What waits after a power cut keeps its last checkpoint: by that it is known what is left.
        return tuple(
            one for one in kept if (one.is_live and not one.waits) or one.session in self._unsaved
        )


def moved(session: Session, event: SessionEvent) -> Session:
    """Return it one step on; one that never ran has no `ending` and stays `starting`."""
    return replace(session, state=SESSION.step(session.state, event) or session.state)
