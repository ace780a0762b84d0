"""The line between a terminal and its controller, which stops at a chosen word and lets go later.

It carries calls and MQTT as they are, but for the broker's port: there it names its own.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from common.codec import read
from common.errors import MessageIsMalformed
from common.messages.base import Message

HERE: Final = "127.0.0.1"

HOLD_SECONDS_MAX: Final = 30.0
"""How long a word is held at most: nobody hangs who is not let go."""

ADDRESSES: Final = 250
"""Calls come from so many addresses of this machine, for each may enrol ten times a minute."""

PUBLISH: Final = 3
PUBACK: Final = 4
"""The types of MQTT packets that are looked into."""

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Word:
    """What is said at once: a whole call or answer, or an MQTT packet.

    `message` is what the packet carries, `acknowledges` what its sender has taken by now.
    """

    raw: bytes
    is_up: bool
    is_call: bool = False
    message: Message | None = None
    acknowledges: Message | None = None


Asks = Callable[[Word], bool]
"""Says whether this is the word to stop at."""


@dataclass(kw_only=True)
class _Stop:
    """Where the line stops: what is done there, and how much of the word is still given."""

    asks: Asks
    part: float
    first: Callable[[], object]
    reached: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def is_at(self, word: Word) -> bool:
        return not self.free.is_set() and not self.reached.is_set() and self.asks(word)


class Line:
    """Listens for calls and for MQTT, and carries them to the controller's ports."""

    def __init__(self, *, web_port: int, broker_port: int) -> None:
        self._stop: _Stop | None = None
        self._is_cut = False
        self._turn = threading.Lock()
        self._open: set[socket.socket] = set()
        self._caller = itertools.count()
        self._web_port, self._broker_port = web_port, broker_port
        self._calls, self._mqtt = (socket.create_server((HERE, 0)) for _ in range(2))
        for server, serve in ((self._calls, self._call), (self._mqtt, self._speak)):
            _in_a_thread(self._accept, server, serve)

    @property
    def url(self) -> str:
        """Where a terminal calls."""
        return f"http://{HERE}:{self._calls.getsockname()[1]}"

    @contextlib.contextmanager
    def stopped_at(
        self, asks: Asks, *, part: float = 0.0, first: Callable[[], object] = int
    ) -> Iterator[threading.Event]:
        """Stop at the first such word; give what says that it came.

        Letting go ends every connection there is: nothing that was held comes late.

        Args:
            asks: says which word.
            part: how much of it is still given, 0 to 1.
            first: is called when it has come, before anything of it is given.
        """
        self._stop = stop = _Stop(asks=asks, part=part, first=first)
        try:
            yield stop.reached
        finally:
            self._stop = None
            self._hang_up()
            stop.free.set()

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Be cut: what is connected is not any more, and nobody gets through until it is mended."""
        self._is_cut = True
        self._hang_up()
        try:
            yield
        finally:
            self._is_cut = False

    def close(self) -> None:
        """Carry nothing any more."""
        for server in (self._calls, self._mqtt):
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._hang_up()

    def _accept(self, server: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        with contextlib.suppress(OSError):  # it is closed: nobody comes any more
            while True:
                near, _ = server.accept()
                _in_a_thread(serve, near)

    def _call(self, near: socket.socket) -> None:
        """Carry one call and its answer."""
        with contextlib.suppress(OSError, EOFError), self._joined(near, self._web_port) as far:
            asked, answered = near.makefile("rb"), far.makefile("rb")
            self._say(Word(raw=_whole(asked), is_up=True, is_call=True), far)
            answer = self._with_our_port(_whole(answered))
            self._say(Word(raw=answer, is_up=False, is_call=True), near)
            asked.read()

    def _speak(self, near: socket.socket) -> None:
        """Carry one MQTT connection, both ways."""
        with contextlib.suppress(OSError), self._joined(near, self._broker_port) as far:
            told: dict[bytes, Message] = {}
            back = _in_a_thread(self._carry, far, near, told, is_up=False)
            self._carry(near, far, told, is_up=True)
            _end(far)
            back.join()

    def _carry(
        self,
        source: socket.socket,
        to: socket.socket,
        told: dict[bytes, Message],
        *,
        is_up: bool,
    ) -> None:
        """Carry packets; `told` are the messages that went down, by their packets' numbers."""
        stream = source.makefile("rb")
        with contextlib.suppress(OSError, EOFError):
            while raw := _packet(stream):
                self._say(_word(raw, told, is_up=is_up), to)
        _end(to)

    def _say(self, word: Word, to: socket.socket) -> None:
        """Pass a word on, or stop at it.

        Raises:
            EOFError: it stopped here, and has been let go.
        """
        with self._turn:
            stop = self._stop
            is_here = stop is not None and stop.is_at(word)
            if stop is not None and is_here:
                stop.first()
                to.sendall(word.raw[: round(len(word.raw) * stop.part)])
                stop.reached.set()
        if stop is not None and is_here:
            stop.free.wait(HOLD_SECONDS_MAX)
            raise EOFError
        to.sendall(word.raw)

    @contextlib.contextmanager
    def _joined(self, near: socket.socket, port: int) -> Iterator[socket.socket]:
        """Join who has come with the controller.

        Raises:
            OSError: it is not there, or the line is cut.
        """
        if self._is_cut:
            near.close()
            raise ConnectionAbortedError
        source = (f"127.0.0.{2 + next(self._caller) % ADDRESSES}", 0)
        with (
            near,
            socket.create_connection((HERE, port), source_address=source) as far,
        ):
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open |= {near, far}
            try:
                yield far
            finally:
                self._open -= {near, far}

    def _with_our_port(self, answer: bytes) -> bytes:
        """Return an answer in which the broker listens where this line does."""
        head, _, body = answer.partition(b"\r\n\r\n")
        if b'"broker"' not in body:
            return answer
        told = json.loads(body)
        told["broker"]["port"] = self._mqtt.getsockname()[1]
        body = json.dumps(told).encode()
        return _LENGTH.sub(b"Content-Length: %d" % len(body), head) + b"\r\n\r\n" + body

    def _hang_up(self) -> None:
        for end in tuple(self._open):
            _end(end)


def _in_a_thread(
    function: Callable[..., None], *args: object, **kwargs: object
) -> threading.Thread:
    name = f"line {function.__name__.strip('_')}"
    thread = threading.Thread(target=function, name=name, args=args, kwargs=kwargs, daemon=True)
    thread.start()
    return thread


def _end(line: socket.socket) -> None:
    """Wake whoever reads from it."""
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _whole(stream: BinaryIO) -> bytes:
    """Read one request or answer of HTTP.

    Raises:
        EOFError: it has no end.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if not (line := stream.readline()):
            raise EOFError
        head += line
    length = _LENGTH.search(head)
    return head + stream.read(int(length[1]) if length else 0)


def _packet(stream: BinaryIO) -> bytes:
    """Read one MQTT packet; nothing at the end of the connection."""
    head = stream.read(2)
    while head and head[-1] & 0x80:
        head += stream.read(1)
    return head + stream.read(_number(head, 1)[0]) if head else b""


def _word(raw: bytes, told: dict[bytes, Message], *, is_up: bool) -> Word:
    """Return what a packet says."""
    kind, body = raw[0] >> 4, raw[_number(raw, 1)[1] :]
    if kind == PUBACK and is_up:
        return Word(raw=raw, is_up=True, acknowledges=told.get(body[:2]))
    if kind != PUBLISH:
        return Word(raw=raw, is_up=is_up)
    at = 2 + int.from_bytes(body[:2], "big")
    has_number = bool(raw[0] & 0b0110)
    number, at = body[at : at + 2], at + 2 * has_number
    length, at = _number(body, at)
    message = _message(body[at + length :])
    if message is not None and has_number and not is_up:
        told[number] = message
    return Word(raw=raw, is_up=is_up, message=message)


def _message(payload: bytes) -> Message | None:
    try:
        return read(payload).message
    except MessageIsMalformed:  # what the broker says of its own, or an empty will
        return None


def _number(raw: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length that begins here, and where it ends."""
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not raw[at - 1] & 0x80:
            return value, at
