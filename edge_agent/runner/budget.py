"""How often a program may fail: started again inside its budget, broken past it."""

from __future__ import annotations

from collections import defaultdict

from edge_agent.runner.held import Held
from edge_agent.runner.records import RecordsCannotBeUsed, Session
from edge_agent.runner.wire import EventKind, MendProgram, Refusal


class Budget:
    """The failures of each program on each device, of this runner's time."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._failed_at: dict[tuple[str, str], list[float]] = defaultdict(list)

    def allows(self, session: Session) -> bool:
        """Note a failure, and return whether the program may be started again.

        One that has a budget and has used it up is broken from then on.
        """
        restarts = self._held.program(session).restarts
        if restarts is None:
            return False
        now = self._held.now()
        failed_at = self._failed_at[session.device, session.program]
        failed_at[:] = [at for at in failed_at if at > now - restarts.within_seconds]
        failed_at.append(now)
        if len(failed_at) <= restarts.times:
            return True
        self._break(session)
        return False

    def mend(self, ask: MendProgram) -> Refusal | None:
        """Take a program for whole again, with all of its budget; asked twice, no harm."""
        try:
            self._held.means.records.mend(ask.device, ask.program)
        except RecordsCannotBeUsed as fault:
            self._held.means.report(f"{ask.program} on {ask.device} stays broken: {fault}")
            return Refusal.NOT_JOURNALLED
        self._held.broken.discard((ask.device, ask.program))
        self._failed_at.pop((ask.device, ask.program), None)
        return None

    def _break(self, session: Session) -> None:
        means = self._held.means
        means.report(f"program {session.program} on {session.device} is broken: it fails too often")
        self._held.broken.add((session.device, session.program))
        try:
            means.records.add_broken(session.device, session.program, at=means.clock.now_ms())
        except RecordsCannotBeUsed as fault:  # the next runner finds out again by itself
            means.report(f"that {session.program} is broken is not written: {fault}")
        self._held.announce(EventKind.BROKEN, session)
