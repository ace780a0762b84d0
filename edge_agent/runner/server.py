"""The runner's door: a Unix socket that hears allowed users only and tells all what happens."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, assert_never

from typing_extensions import override

from common.errors import CannotStart
from edge_agent.runner.keeper import Keeper
from edge_agent.runner.runs import Runs
from edge_agent.runner.wipes import Wipes
from edge_agent.runner.wire import (
    Answer,
    Ask,
    AskIsMalformed,
    CommandRecord,
    ExtendProgram,
    ForgetProgram,
    LineIsTooLong,
    Lines,
    ListPrograms,
    MendProgram,
    ProgramRecord,
    Refusal,
    ResumeProgram,
    RunCommand,
    StartProgram,
    StopProgram,
    Told,
    WipeFolders,
    WipeRecord,
    read_ask,
    write_answer,
    write_event,
)

PEERS_MAX: Final = 8
"""Connections at once: the agent has one, a person looking has another."""

BACKLOG_BYTES_MAX: Final = 65_536
"""Bytes a peer may leave unread; a slower one is let go, comes back and asks for the list."""

ANSWER_WITHIN_SECONDS: Final = 1.0
"""How long another runner may take to be there when we knock."""

_CREDENTIALS: Final = struct.Struct("3i")


class RunnerIsThereAlready(CannotStart):
    """Another runner already listens on {socket}."""


class SocketCannotBeMade(CannotStart):
    """The socket {socket} cannot be made: {why}."""


def peer_uid(connection: socket.socket) -> int:
    """Return the user at the other end, as the kernel knows it."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(packed)
    return int(uid)


def may_ask(uid: int, allowed_uids: Collection[int]) -> bool:
    """Return whether this user is heard: nobody is by being root alone."""
    return uid in allowed_uids


def heard_uids(
    named: Collection[int], own: int, *, is_started_by_agent: bool = False
) -> frozenset[int]:
    """Return which users are heard: those that the settings name, and our own where they name none.

    The programs that we start have our own user: they must not move their own deadlines. An agent
    that starts us has it as well, and is heard all the same.
    """
    is_own_heard = is_started_by_agent or not named
    return frozenset({*named, own} if is_own_heard else named)


def refuse_second(path: Path) -> None:
    """Return if nobody answers at this socket.

    Raises:
        RunnerIsThereAlready: somebody does.
        SocketCannotBeMade: the place cannot be reached at all.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        knocking.settimeout(ANSWER_WITHIN_SECONDS)
        try:
            knocking.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return
        except OSError as fault:
            raise SocketCannotBeMade(socket=path, why=fault.strerror or fault) from None
    raise RunnerIsThereAlready(socket=path)


def listen_on(path: Path) -> socket.socket:
    """Return a listening socket that our own user and group can open; each peer is asked who it is.

    A socket nobody answers on is replaced; any other file is left where it is.

    Raises:
        RunnerIsThereAlready: somebody answers there.
        SocketCannotBeMade: the folder is missing or not to be written, or the path is too long.
    """
    refuse_second(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous_umask = os.umask(0o117)
    try:
        if path.is_socket():
            path.unlink()
        listening.bind(str(path))
        listening.listen(PEERS_MAX)
    except OSError as fault:
        listening.close()
        raise SocketCannotBeMade(socket=path, why=fault.strerror or fault) from None
    finally:
        os.umask(previous_umask)
    return listening


class Door:
    """All peers that are connected."""

    def __init__(self, *, allowed_uids: Collection[int], report: Callable[[str], None]) -> None:
        self._allowed_uids = allowed_uids
        self._report = report
        self._peers: set[Peer] = set()

    async def open(self, listening: socket.socket, desk: Desk) -> asyncio.Server:
        """Hear everybody who comes."""
        loop = asyncio.get_running_loop()
        return await loop.create_unix_server(
            lambda: Peer(answer=desk.answer, door=self), sock=listening
        )

    def announce(self, event: Told) -> None:
        """Tell every peer, after the answer that is being given just now."""
        asyncio.get_running_loop().call_soon(self._say, write_event(event))

    def admit(self, peer: Peer, connection: socket.socket) -> bool:
        """Return whether this peer is heard, and count it in if so."""
        uid = peer_uid(connection)
        if not may_ask(uid, self._allowed_uids):
            self._report(f"user {uid} may not ask the runner")
            return False
        if len(self._peers) >= PEERS_MAX:
            self._report(f"more than {PEERS_MAX} peers at the runner's socket")
            return False
        self._peers.add(peer)
        return True

    def dismiss(self, peer: Peer) -> None:
        """Forget a peer that is gone."""
        self._peers.discard(peer)

    def _say(self, line: bytes) -> None:
        for peer in tuple(self._peers):
            peer.say(line)


class Desk:
    """Turns each request into its answer."""

    def __init__(self, keeper: Keeper, runs: Runs, wipes: Wipes) -> None:
        self.keeper = keeper
        self._runs = runs
        self._wipes = wipes

    def answer(self, line: bytes) -> Answer:
        """Return the answer to a line, whatever the line holds."""
        try:
            ask = read_ask(line)
        except AskIsMalformed as fault:
            return Answer(number=fault.number, refusal=Refusal.BAD_REQUEST)
        return self._do(ask)

    def _do(self, ask: Ask) -> Answer:
        match ask.request:
            case ListPrograms() as request:
                records, more = self.keeper.list(request)
                return Answer(number=ask.number, records=records, there_are_more=more)
            case MendProgram() as request:
                return _answer(ask.number, self.keeper.mend(request))
            case RunCommand() | WipeFolders() as request:
                return _answer(ask.number, self._carry_out(request))
            case request:
                return _answer(ask.number, self._about_session(request))

    def _about_session(
        self,
        request: StartProgram | StopProgram | ExtendProgram | ResumeProgram | ForgetProgram,
    ) -> ProgramRecord | Refusal | None:
        match request:
            case StartProgram():
                self._wipes.make_way(request.program)
                return self.keeper.start(request)
            case StopProgram():
                return self.keeper.stop(request)
            case ExtendProgram():
                return self.keeper.extend(request)
            case ResumeProgram():
                return self.keeper.resume(request)
            case ForgetProgram():
                return self.keeper.forget(request)
            case never:
                assert_never(never)

    def _carry_out(self, request: RunCommand | WipeFolders) -> CommandRecord | WipeRecord | Refusal:
        if isinstance(request, RunCommand):
            return self._runs.run(request)
        return self._wipes.wipe(request)


class Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, *, answer: Callable[[bytes], Answer], door: Door) -> None:
        self._answer = answer
        self._door = door
        self._lines = Lines()
        self._transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, or close at once."""
        assert isinstance(transport, asyncio.Transport)
        if self._door.admit(self, transport.get_extra_info("socket")):
            self._transport = transport
        else:
            transport.abort()

    @override
    def data_received(self, data: bytes) -> None:
        """Answer every whole line; who sends an endless one is let go."""
        if self._transport is None:
            return
        try:
            lines = self._lines.feed(data)
        except LineIsTooLong:
            self._transport.abort()
            return
        for line in lines:
            self.say(write_answer(self._answer(line)))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone; what it started goes on."""
        self._transport = None
        self._door.dismiss(self)

    def say(self, line: bytes) -> None:
        """Send a line, or let go of a peer that does not read."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > BACKLOG_BYTES_MAX:
            self._transport.abort()
            return
        self._transport.write(line)


def _answer(
    number: int, outcome: ProgramRecord | CommandRecord | WipeRecord | Refusal | None
) -> Answer:
    if isinstance(outcome, Refusal):
        return Answer(number=number, refusal=outcome)
    if isinstance(outcome, CommandRecord):
        return Answer(number=number, command=outcome)
    if isinstance(outcome, WipeRecord):
        return Answer(number=number, wipe=outcome)
    return Answer(number=number, records=(outcome,) if outcome else ())
