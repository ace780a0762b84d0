"""A server of one file that may lie, stall, or hang up, each time as a test says."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from common.messages.modules import CHUNK_BYTES
from edge_agent.modules.download import Source
from edge_agent.modules.part import Archive

_RANGE = re.compile(rb"\r\nRange: bytes=(\d+)-\r\n")


@dataclass(frozen=True)
class Asked:
    """One request as it came, and the line to answer on; `start` is where it wants to begin."""

    line: socket.socket
    start: int
    head: bytes

    def say(self, text: str) -> None:
        self.line.sendall(text.replace("\n", "\r\n").encode())

    def reset(self) -> None:
        """End the connection as a router does that has forgotten it."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Behaviour: TypeAlias = Callable[[Asked], None]


def archive_of(content: bytes) -> Archive:
    """Return what would be signed of these bytes."""
    pieces = [content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES)]
    return Archive(
        target="modules/physics/1.0.zip",
        length=len(content),
        sha256=sha256(content).hexdigest(),
        chunks=tuple(sha256(piece).hexdigest() for piece in pieces),
    )


def honest(content: bytes, up_to: int | None = None) -> Behaviour:
    """Answer as one should; with `up_to`, hang up after so many bytes of the body."""

    def answer(asked: Asked) -> None:
        body = content[asked.start :]
        if asked.start:
            whole, last = len(content), len(content) - 1
            asked.say(f"HTTP/1.1 206 Partial\nContent-Range: bytes {asked.start}-{last}/{whole}\n")
        else:
            asked.say("HTTP/1.1 200 OK\n")
        asked.say(f"Content-Length: {len(body)}\n\n")
        asked.line.sendall(body[:up_to])

    return answer


def saying(head: str, body: bytes = b"") -> Behaviour:
    """Answer with this, whatever is asked."""

    def answer(asked: Asked) -> None:
        asked.say(head)
        asked.line.sendall(body)

    return answer


def ranged(first: int, last: int, whole: object, body: bytes = b"x") -> Behaviour:
    """Answer that this part comes, whatever was asked."""
    head = f"HTTP/1.1 206 Partial\nContent-Range: bytes {first}-{last}/{whole}\n"
    return saying(f"{head}Content-Length: {last - first + 1}\n\n", body)


class Server:
    """Answers one request after the other, each as the next behaviour says, the last for ever."""

    def __init__(self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.behaviours = list(behaviours)
        self.asked: list[Asked] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="lying server", daemon=True)

    @property
    def source(self) -> Source:
        port = self._listening.getsockname()[1]
        return Source(url=f"http://127.0.0.1:{port}", bearer="word")

    @contextmanager
    def going(self) -> Iterator[Server]:
        self._thread.start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            with line, contextlib.suppress(OSError):
                if self._tls is None:
                    self._answer(line)
                else:
                    with self._tls.wrap_socket(line, server_side=True) as protected:
                        self._answer(protected)

    def _answer(self, line: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = line.recv(65_536)
            if not piece:
                return
            head += piece
        found = _RANGE.search(head)
        asked = Asked(line, int(found[1]) if found else 0, head)
        self.asked.append(asked)
        behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        behave(asked)
