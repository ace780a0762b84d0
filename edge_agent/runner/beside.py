"""The runner as the reconciler sees it: the socket's own words turned into the flows'."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from common.rules.sessions import EndReason
from edge_agent.flows.sessions import ToStart
from edge_agent.ports import CommandSeen, ProgramSeen, RunnerIsAway, WipeSeen
from edge_agent.runner.link import RunnerLink
from edge_agent.runner.wire import CommandRecord, ProgramRecord, Refusal, StartProgram, WipeRecord


class RunnerBeside:
    """See `reconciler.Runner`; every call raises `RunnerIsAway` when there is no answer."""

    def __init__(self, link: RunnerLink) -> None:
        """Take the link to the runner."""
        self._link = link

    async def start(self, due: ToStart) -> ProgramSeen | EndReason:
        """Start a program; a reason when the runner will not."""
        answer = await self._link.start(
            StartProgram(
                session=due.session,
                device=due.device,
                program=due.program,
                deadline_boot_seconds=due.deadline_boot_seconds,
                fence=due.fence,
            )
        )
        return failed_by(answer) if isinstance(answer, Refusal) else seen(answer)

    async def extend(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        """Let a session end at this instant; None when it is over, or not known."""
        answer = await self._link.extend(session, deadline_boot_seconds)
        if answer is Refusal.NOT_JOURNALLED:
            raise RunnerIsAway(socket=self._link.socket)
        return None if isinstance(answer, Refusal) else seen(answer)

    async def resume(self, session: str, deadline_boot_seconds: float) -> ProgramSeen | None:
        """Go on with a session that waits, until this instant at most; None when it will not."""
        answer = await self._link.resume(session, deadline_boot_seconds)
        if answer is Refusal.NOT_JOURNALLED:
            raise RunnerIsAway(socket=self._link.socket)
        return None if isinstance(answer, Refusal) else seen(answer)

    async def stop(self, session: str, reason: EndReason) -> ProgramSeen | None:
        """Begin the end of a session; None when the runner does not know it."""
        answer = await self._link.stop(session, reason)
        return None if isinstance(answer, Refusal) else seen(answer)

    async def list(self) -> Sequence[ProgramSeen]:
        """Return every session the runner keeps."""
        return [seen(record) for record in await self._link.list()]

    async def forget(self, session: str) -> None:
        """Let the runner drop an ended session."""
        await self._link.forget(session)

    async def mend(self, device: str, program: str) -> bool:
        """Have a broken program taken for whole again; False where that could not be written."""
        return await self._link.mend(device, program) is None

    async def run_command(self, run: str, command: str) -> CommandSeen | None:
        """Have a command run once for this `run`, or learn how it stands; None if it is refused."""
        answer = await self._link.run_command(run, command)
        return None if isinstance(answer, Refusal) else command_seen(answer)

    async def wipe(self, run: str, program: str) -> WipeSeen | str:
        """Have a program's folders emptied once for this `run`, or why that is refused."""
        answer = await self._link.wipe(run, program)
        return str(answer) if isinstance(answer, Refusal) else wipe_seen(answer)

    def when_wiped(self, hear: Callable[[WipeSeen], None]) -> None:
        """Have `hear` called with how far each wipe has come."""
        self._link.when_wiped(lambda record: hear(wipe_seen(record)))

    def when_command_done(self, hear: Callable[[CommandSeen], None]) -> None:
        """Have `hear` called with each command that ends; what ends unheard is asked for again."""
        self._link.when_command_done(lambda record: hear(command_seen(record)))


def failed_by(refusal: Refusal) -> EndReason:
    """Return what a session that the runner will not start has failed by, in the flows' words."""
    is_late = refusal is Refusal.TOO_LATE
    return EndReason.START_TIMEOUT if is_late else EndReason.PROGRAM_FAILED


def seen(record: ProgramRecord) -> ProgramSeen:
    """Return a record of the runner in the flows' words."""
    return ProgramSeen(
        session=record.session,
        state=record.state,
        end_reason=record.end_reason,
        remaining_seconds=record.remaining_seconds,
        delivered_seconds=record.delivered_seconds,
        started_at=record.started_at,
        ended_at=record.ended_at,
        restarts=record.restarts,
        lost_seconds=record.lost_seconds,
        is_broken=record.is_broken,
        waits=record.waits,
        was_interrupted=record.was_interrupted,
        ready_by=record.ready_by,
    )


def wipe_seen(record: WipeRecord) -> WipeSeen:
    """Return a wipe of the runner in the flows' words."""
    return WipeSeen(
        run=record.run, entries=record.entries, is_done=record.is_done, fault=record.fault
    )


def command_seen(record: CommandRecord) -> CommandSeen:
    """Return a run of the runner in the flows' words."""
    return CommandSeen(
        run=record.run,
        command=record.command,
        is_done=record.is_done,
        exit_code=record.exit_code,
    )
