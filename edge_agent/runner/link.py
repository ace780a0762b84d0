"""The agent's side of the runner's socket: one line out, one back; cut off, it asks again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from typing_extensions import override

from common.errors import TooManyWaiting
from common.rules.sessions import EndReason
from edge_agent.ports import RunnerIsAway
from edge_agent.runner.wire import (
    Answer,
    Ask,
    AskIsMalformed,
    CommandDone,
    CommandRecord,
    ExtendProgram,
    ForgetProgram,
    LineIsTooLong,
    Lines,
    ListPrograms,
    MendProgram,
    ProgramRecord,
    Refusal,
    Request,
    ResumeProgram,
    RunCommand,
    RunnerEvent,
    StartProgram,
    StopProgram,
    Told,
    WipeFolders,
    WipeRecord,
    WipeTold,
    read_said,
    write_ask,
)

ANSWER_SECONDS_MAX: Final = 2.0
"""How long a request may take in all; then the runner is away, and the reconciler tries again."""

FIRST_RETRY_SECONDS: Final = 0.05
"""A runner that was just started again is there about as fast."""

RETRY_SECONDS_MAX: Final = 1.0
"""A runner that is down is looked for once a second."""

WAITING_MAX: Final = 64
"""Requests under way at once; more means that somebody asks in a loop."""


class RunnerLink:
    """A connection to the runner that comes back by itself."""

    def __init__(
        self,
        socket: Path,
        *,
        on_event: Callable[[RunnerEvent], None],
        on_connected: Callable[[], None],
        when_away: Callable[[], object] | None = None,
    ) -> None:
        """Make the link; `run` connects it.

        Args:
            socket: where the runner listens.
            on_event: called for each event, in order, after the answer that led to it.
            on_connected: called after each connect; ask for the list then, for what was missed.
            when_away: called before each retry; `RunnerStarter.start` where nobody else starts it.
        """
        self._socket = socket
        self._on_event = on_event
        self._on_connected = on_connected
        self._when_away = when_away
        self._when_command_done: list[Callable[[CommandRecord], None]] = []
        self._when_wiped: list[Callable[[WipeRecord], None]] = []
        self._connected = asyncio.Event()
        self._connection: _Connection | None = None
        self._asked_count = 0

    def when_command_done(self, hear: Callable[[CommandRecord], None]) -> None:
        """Have `hear` called with each command that ends; what ends unheard is asked for again."""
        self._when_command_done.append(hear)

    def when_wiped(self, hear: Callable[[WipeRecord], None]) -> None:
        """Have `hear` called with how far each wipe has come, and when it is over."""
        self._when_wiped.append(hear)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        wait_seconds = FIRST_RETRY_SECONDS
        while True:
            was_heard = await self._connect_once()
            wait_seconds = FIRST_RETRY_SECONDS if was_heard else wait_seconds
            if self._when_away:
                self._when_away()
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)

    @property
    def socket(self) -> Path:
        """Return where the runner is."""
        return self._socket

    async def start(self, request: StartProgram) -> ProgramRecord | Refusal:
        """Start a program; asked again with the same session it gives the same answer.

        Raises:
            RunnerIsAway: no answer came; whether it started is known after the next list.
        """
        return _one(await self._ask(request))

    async def stop(self, session: str, reason: EndReason) -> ProgramRecord | Refusal:
        """Begin the end of a session; an earlier end keeps its own reason.

        Raises:
            RunnerIsAway: no answer came.
        """
        return _one(await self._ask(StopProgram(session=session, reason=reason)))

    async def extend(self, session: str, deadline_boot_seconds: float) -> ProgramRecord | Refusal:
        """Let a session end at another instant, in seconds since boot.

        Raises:
            RunnerIsAway: no answer came.
        """
        request = ExtendProgram(session=session, deadline_boot_seconds=deadline_boot_seconds)
        return _one(await self._ask(request))

    async def resume(self, session: str, deadline_boot_seconds: float) -> ProgramRecord | Refusal:
        """Go on with a session that waits, until this instant at most; asked again, it does once.

        Raises:
            RunnerIsAway: no answer came.
        """
        request = ResumeProgram(session=session, deadline_boot_seconds=deadline_boot_seconds)
        return _one(await self._ask(request))

    async def list(self) -> tuple[ProgramRecord, ...]:
        """Return every session the runner keeps, live or ended, by id.

        Raises:
            RunnerIsAway: no answer came.
        """
        records: tuple[ProgramRecord, ...] = ()
        while True:
            after = records[-1].session if records else ""
            answer = await self._ask(ListPrograms(after=after))
            records += answer.records
            if not answer.there_are_more:
                return records

    async def forget(self, session: str) -> Refusal | None:
        """Have an ended session dropped, once its end is journalled; harmless when asked again.

        Raises:
            RunnerIsAway: no answer came.
        """
        return (await self._ask(ForgetProgram(session=session))).refusal

    async def mend(self, device: str, program: str) -> Refusal | None:
        """Have a broken program taken for whole again; harmless when it is.

        Raises:
            RunnerIsAway: no answer came.
        """
        return (await self._ask(MendProgram(device=device, program=program))).refusal

    async def run_command(self, run: str, command: str) -> CommandRecord | Refusal:
        """Have a command run once for this `run`, or learn how that run stands.

        Raises:
            RunnerIsAway: no answer came; asked again for the same `run`, it runs once.
        """
        answer = await self._ask(RunCommand(run=run, command=command))
        if answer.refusal:
            return answer.refusal
        assert answer.command, "what is not refused is answered with the run"
        return answer.command

    async def wipe(self, run: str, program: str) -> WipeRecord | Refusal:
        """Have a program's folders emptied once for this `run`, or learn how that stands.

        Raises:
            RunnerIsAway: no answer came; asked again for the same `run`, it is done once.
        """
        answer = await self._ask(WipeFolders(run=run, program=program))
        if answer.refusal:
            return answer.refusal
        assert answer.wipe, "what is not refused is answered with the wipe"
        return answer.wipe

    async def _ask(self, request: Request) -> Answer:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await self._connected.wait()
                assert self._connection, "connected says so"
                self._asked_count += 1
                return await self._connection.ask(Ask(number=self._asked_count, request=request))
        except (TimeoutError, ConnectionError):
            raise RunnerIsAway(socket=self._socket) from None

    def _hear(self, told: Told) -> None:
        if isinstance(told, CommandDone):
            for hear in self._when_command_done:
                hear(told.record)
        elif isinstance(told, WipeTold):
            for hear_wipe in self._when_wiped:
                hear_wipe(told.record)
        else:
            self._on_event(told)

    async def _connect_once(self) -> bool:
        """Return, once the connection is lost, whether the runner ever said anything on it."""
        loop = asyncio.get_running_loop()
        try:
            transport, connection = await loop.create_unix_connection(
                lambda: _Connection(self._hear), str(self._socket)
            )
        except OSError:
            return False
        self._connection = connection
        self._connected.set()
        try:
            self._on_connected()
            await connection.lost.wait()
        finally:
            self._connected.clear()
            self._connection = None
            transport.abort()
        return connection.was_heard


class RunnerStarter:
    """Starts the runner where no service manager does, apart enough to outlive the agent."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = tuple(argv)
        self._pid: int | None = None

    def start(self) -> int:
        """Return the pid of the runner we started; a new one only if that one is gone."""
        if self._pid is None or self._has_ended(self._pid):
            self._pid = os.posix_spawn(
                self._argv[0],
                self._argv,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
                setsid=True,
            )
        return self._pid

    def _has_ended(self, pid: int) -> bool:
        try:
            return os.waitpid(pid, os.WNOHANG) != (0, 0)
        except ChildProcessError:
            return True


class _Connection(asyncio.Protocol):
    """One connection and the answers waited for on it."""

    def __init__(self, on_told: Callable[[Told], None]) -> None:
        self.lost = asyncio.Event()
        self.was_heard = False
        self._on_told = on_told
        self._lines = Lines()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._transport: asyncio.Transport | None = None

    async def ask(self, ask: Ask) -> Answer:
        """Return the answer to this request.

        Raises:
            ConnectionError: the connection was lost first.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise TooManyWaiting
        if self._transport is None:
            raise ConnectionResetError
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[ask.number] = answered
        self._transport.write(write_ask(ask))
        try:
            return await answered
        finally:
            self._waiting.pop(ask.number, None)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        assert self._transport, "what arrives arrives on a connection"
        self.was_heard = True
        try:
            for line in self._lines.feed(data):
                self._hear(read_said(line))
        except (AskIsMalformed, LineIsTooLong):
            self._transport.abort()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        for answered in self._waiting.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError())
        self.lost.set()

    def _hear(self, said: Answer | Told) -> None:
        if not isinstance(said, Answer):
            self._on_told(said)
            return
        answered = self._waiting.get(said.number) if said.number is not None else None
        if answered and not answered.done():
            answered.set_result(said)


def _one(answer: Answer) -> ProgramRecord | Refusal:
    return answer.refusal or answer.records[0]
