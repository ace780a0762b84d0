"""Who watches: thousands of open answers, each written to at once, and cut when it falls behind.

A viewer's queue is what the system has not taken yet of what was written to its line: it is
bounded in bytes and in time. Everybody is written to in slices, so that nothing else waits long.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import HttpVersion11, web
from prometheus_client import CollectorRegistry, Counter as Counted, Gauge
from typing_extensions import override

from cloud_controller.web.faults import TooManyViewers
from cloud_controller.web.live.written import BEAT, chunk

SLICE_SECONDS: Final = 0.0015
"""How long viewers are written to before everything else has its turn: half of what is promised."""

AT_ONCE: Final = 8
"""Viewers that are written to between two looks at the clock: some 80 µs."""

QUEUE_BYTES_MAX: Final = 262_144
"""Bytes that a viewer may be behind when there is something new: twice a page of fifty cards."""

SEND_BUFFER_BYTES: Final = 65_536
"""What the system keeps for a viewer that is slow, beside our own: it would take megabytes."""

SWEEP_SECONDS: Final = 5.0
"""Between two looks at each viewer: whether it has left, is behind, or was told nothing."""

BEHIND_LOOKS_MAX: Final = 2
"""Looks in a row at which a viewer is behind before it is cut; it comes again."""

BEAT_LOOKS: Final = 3
"""Looks between two words to a viewer whom nothing is told: proxies cut what is silent for 60 s."""

GONE_MS: Final = 20_000
"""How long what was written may stay unacknowledged before the line counts as dead."""

FILES_SPARED: Final = 512
"""Files that a process may open and that no viewer takes: everybody else's calls, the books."""


Topic = tuple[str, str, str]
"""What is watched: the shelves, or a page by its kind and name; the language; the store."""


AGAIN_SECONDS: Final = 30
"""When a page for which there was no place looks whether there is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """How many may watch at once: in all, and from one address."""

    viewers_max: int
    viewers_of_a_peer_max: int


def places_for(viewers_max: int, viewers_of_a_peer_max: int) -> Places:
    """Return how many places there are: fewer than this process may open files."""
    files_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Places(
        viewers_max=max(1, min(viewers_max, files_max - FILES_SPARED)),
        viewers_of_a_peer_max=viewers_of_a_peer_max,
    )


class Viewer:
    """One open answer."""

    __slots__ = ("_is_chunked", "_transport", "behind", "gone", "silent")

    def __init__(self, transport: asyncio.WriteTransport, *, is_chunked: bool) -> None:
        self._transport = transport
        self._is_chunked = is_chunked
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.behind = 0
        self.silent = 0

    def write(self, written: Written) -> str:
        """Write what everybody is told; return why that was not possible, or nothing."""
        transport = self._transport
        if transport.is_closing():
            return "left"
        if transport.get_write_buffer_size() > QUEUE_BYTES_MAX:
            return "slow"
        transport.write(written.chunk if self._is_chunked else written.plain)
        self.silent = 0
        return ""

    def look(self) -> str:
        """Note how it does; return why it is to be let go, or nothing."""
        if self._transport.is_closing():
            return "left"
        self.silent += 1
        self.behind = self.behind + 1 if self._transport.get_write_buffer_size() else 0
        return "slow" if self.behind >= BEHIND_LOOKS_MAX else ""

    def leave(self, *, is_cut: bool) -> None:
        """End its answer; one that is cut is given no time to take what it has left lying."""
        if is_cut:
            self._transport.abort()
        if not self.gone.done():
            self.gone.set_result(None)


class Written:
    """What is told, as it goes over the line: made once, written to all."""

    __slots__ = ("chunk", "plain")

    def __init__(self, body: bytes) -> None:
        self.plain = body
        self.chunk = chunk(body)


_BEAT: Final = Written(BEAT)


class Crowd:
    """Everybody who watches, by what each of them watches."""

    def __init__(self, places: Places, registry: CollectorRegistry) -> None:
        """Begin with nobody."""
        self._places = places
        self._size = 0
        self._peers: Counter[str] = Counter()
        self._watching: dict[Topic, dict[Viewer, None]] = {}
        self._is_open = True
        self._count = Gauge("rusuban_viewers", "Pages that watch now.", registry=registry)
        self._gone = Counted(
            "rusuban_viewers_gone",
            "Pages that watch no more: they left, were slow, or found no place.",
            ("why",),
            registry=registry,
        )
        self._told = Counted(
            "rusuban_viewers_told", "Words written to pages that watch.", registry=registry
        )

    def __len__(self) -> int:
        """Return how many watch."""
        return self._size

    def topics(self) -> list[Topic]:
        """Return what is watched by anybody."""
        return list(self._watching)

    @contextmanager
    def place(self, peer: str) -> Iterator[None]:
        """Keep a place for a viewer.

        Raises:
            TooManyViewers: there is none, or none for this peer.
        """
        places = self._places
        is_full = len(self) >= places.viewers_max
        if is_full or not self._is_open or self._peers[peer] >= places.viewers_of_a_peer_max:
            self._gone.labels("no place").inc()
            raise TooManyViewers(retry_seconds=AGAIN_SECONDS)
        self._peers[peer] += 1
        self._size += 1
        self._count.set(self._size)
        try:
            yield
        finally:
            self._size -= 1
            self._count.set(self._size)
            self._peers[peer] -= 1
            if not self._peers[peer]:
                del self._peers[peer]

    async def keep(self, topic: Topic, viewer: Viewer, first: Written) -> None:
        """Tell a viewer the first, then all that is told of its topic, until it goes."""
        watching = self._watching.setdefault(topic, {})
        watching[viewer] = None
        try:
            why = viewer.write(first)
            if why:
                self._let_go(viewer, why)
            await viewer.gone
        finally:
            del watching[viewer]
            if not watching and self._watching.get(topic) is watching:
                del self._watching[topic]

    async def tell(self, topic: Topic, body: bytes) -> None:
        """Write to all who watch it now, in slices."""
        if body:
            viewers = list(self._watching.get(topic, ()))
            await self._write(viewers, Written(body))
            self._told.inc(len(viewers))

    async def look(self) -> None:
        """Let go of who has left or is slow, and say a word to whom nothing is told."""
        silent: list[Viewer] = []
        clock = asyncio.get_running_loop().time
        until = clock() + SLICE_SECONDS
        for watching in list(self._watching.values()):
            for viewer in list(watching):
                why = viewer.look()
                if why:
                    self._let_go(viewer, why)
                elif viewer.silent >= BEAT_LOOKS:
                    silent.append(viewer)
                if clock() > until:
                    await asyncio.sleep(0)
                    until = clock() + SLICE_SECONDS
        await self._write(silent, _BEAT)

    def close(self) -> None:
        """End every answer, and begin none any more."""
        self._is_open = False
        for watching in self._watching.values():
            for viewer in watching:
                viewer.leave(is_cut=False)

    async def _write(self, viewers: list[Viewer], written: Written) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + SLICE_SECONDS
        for at in range(0, len(viewers), AT_ONCE):
            for viewer in viewers[at : at + AT_ONCE]:
                why = viewer.write(written)
                if why:
                    self._let_go(viewer, why)
            if clock() > until:
                await asyncio.sleep(0)
                until = clock() + SLICE_SECONDS

    def _let_go(self, viewer: Viewer, why: str) -> None:
        if not viewer.gone.done():
            self._gone.labels(why).inc()
        viewer.leave(is_cut=why == "slow")


class _Line(asyncio.Protocol):
    """Stands before the protocol of an answer that goes on, to hear at once when its line is lost.

    The answer's own handler waits for nothing but its viewer's going, and is not told of it.
    """

    def __init__(self, before: asyncio.Protocol, viewer: Viewer) -> None:
        self._before = before
        self._viewer = viewer

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._viewer.leave(is_cut=False)
        self._before.connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._before.data_received(data)

    @override
    def eof_received(self) -> bool | None:
        return self._before.eof_received()

    @override
    def pause_writing(self) -> None:
        self._before.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._before.resume_writing()


def viewer_of(request: web.Request) -> Viewer:
    """Return the viewer behind an answer whose headers are written.

    Raises:
        ConnectionError: it has gone already.
    """
    transport = request.transport
    if transport is None:
        message = "whoever asked has gone"
        raise ConnectionResetError(message)
    line = transport.get_extra_info("socket")
    if line is not None:
        with suppress(OSError):  # a kernel that knows one of them less serves all the same
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
    viewer = Viewer(transport, is_chunked=request.version >= HttpVersion11)
    transport.set_protocol(_Line(request.protocol, viewer))
    return viewer
