"""Fetches an archive piece by piece into a file of which only what is verified counts.

Every mebibyte is compared with its signed digest before it is kept. Where a line is cut, the next
attempt goes on behind the last one that is; after a restart what lies on the disk is read again and
believed as far as it is right, whatever was noted of it. So nothing that another does costs more
than one chunk, or does more than cost time.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

from common.errors import RusubanError
from common.messages.modules import CHUNK_BYTES
from common.rules.modules import InstallFailure
from edge_agent.modules.part import AnswerIsWrong, Part
from edge_agent.modules.ports import Steady

WHY_MAX: Final = 200
"""Characters of a reason that are kept."""

_READ_BYTES: Final = 65_536
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)")


class CutOff(RusubanError):
    """The archive did not come to its end ({why}); what is here is kept."""


class CannotBeHad(RusubanError):
    """The server does not give it: {why}."""

    def __init__(self, failure: InstallFailure, why: str) -> None:
        self.failure = failure
        super().__init__(why=why)


@dataclass(frozen=True, kw_only=True, slots=True)
class DownloadTerms:
    """How patient one attempt is."""

    silence_seconds: float = 20.0
    """How long nothing at all may come: a store's line is slow, but not so slow."""

    headers_seconds: float = 20.0
    """How long the head of the answer may take, so that a slow drip of it ends too."""

    slow_window_seconds: float = 60.0
    """Over so long it is measured whether it is too slow: a short stall is none."""

    slowest_bytes_per_second: int = 1_024
    """Slower than this it is given up and tried again: half a minute for a page of text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """From whom archives are fetched, and by which right.

    Attributes:
        url: the controller's address, as it was enrolled at.
        tls: how it is called; None: in the clear, within this machine.
        bearer: the right that is shown; empty: none.
    """

    url: str
    tls: ssl.SSLContext | None = None
    bearer: str = field(default="", repr=False)

    def connect(self, seconds: float) -> HTTPConnection:
        """Return a connection that has not been made yet; nobody else is ever called instead."""
        place = urlsplit(self.url)
        host = place.hostname or ""
        if place.scheme == "https":
            return HTTPSConnection(host, place.port, timeout=seconds, context=self.tls)
        return HTTPConnection(host, place.port, timeout=seconds)

    def path(self, below: str) -> str:
        """Return the path of something below the controller's address."""
        return urlsplit(self.url).path.rstrip("/") + below


class Line:
    """The connection of one attempt, to be cut by whoever waits for it no longer."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._lock = threading.Lock()

    def hold(self, line: socket.socket) -> None:
        """Take the connection.

        Raises:
            CutOff: it was cut before it was made.
        """
        with self._lock:
            self._socket = line
            if self._is_cut:
                raise CutOff(why="it was given up")

    def cut(self) -> None:
        """End it under whoever reads from it."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Taking:
    """Puts chunks together, and has each taken by another thread while the next one comes."""

    def __init__(self, part: Part, beside: Executor, told: Callable[[int], None]) -> None:
        self._part, self._beside, self._told = part, beside, told
        self._at = part.verified
        self._chunk, self._other = bytearray(CHUNK_BYTES), bytearray(CHUNK_BYTES)
        self._filled = 0
        self._under_way: Future[None] | None = None

    def missing_bytes(self) -> int:
        """Return how many bytes the chunk that is being put together lacks; 0: all are here."""
        return self._wanted() - self._filled

    def add(self, piece: bytes) -> None:
        """Add what came.

        Raises:
            AnswerIsWrong: the chunk before is not the one that is signed.
        """
        self._chunk[self._filled : self._filled + len(piece)] = piece
        self._filled += len(piece)
        if self._filled == (wanted := self._wanted()):
            self.check()
            view = memoryview(self._chunk)[:wanted]
            self._under_way = self._beside.submit(self._take, view)
            self._chunk, self._other = self._other, self._chunk
            self._at, self._filled = self._at + wanted, 0

    def wait(self) -> None:
        """Wait until what was put together is taken, or was not."""
        if self._under_way is not None:
            wait([self._under_way])

    def check(self) -> None:
        """Return when the last chunk is taken.

        Raises:
            AnswerIsWrong: it is not the one that is signed.
            OSError: the disk does not take it.
        """
        if self._under_way is not None:
            self._under_way.result()

    def _wanted(self) -> int:
        return min(CHUNK_BYTES, self._part.archive.length - self._at)

    def _take(self, chunk: memoryview) -> None:
        self._part.take(chunk)
        self._told(self._part.verified)


class Attempt:
    """One request for what is missing, in a thread of its own."""

    def __init__(
        self,
        source: Source,
        part: Part,
        terms: DownloadTerms,
        clock: Steady,
        told: Callable[[int], None],
    ) -> None:
        """Take from whom, into what, and whom to tell how many bytes are verified."""
        self._source, self._part, self._terms = source, part, terms
        self._clock, self._told = clock, told
        self.line = Line()

    def go(self) -> None:
        """Fetch until the archive is whole.

        Raises:
            CutOff: it did not come to its end; try again later.
            AnswerIsWrong: it is not what was asked for; try again, but not often.
            CannotBeHad: it is of no use to ask again.
            OSError: the disk does not take it.
        """
        connection = self._source.connect(self._terms.silence_seconds)
        try:
            with self._asked(connection) as response:  # it outlives its connection
                self._read(response, _to_skip(response, self._part))
        finally:
            connection.close()
            self._part.keep()

    def _asked(self, connection: HTTPConnection) -> HTTPResponse:
        """Return the answer, of which the head is here."""
        start = self._part.verified
        headers = {"Accept-Encoding": "identity", "Connection": "close"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if self._source.bearer:
            headers["Authorization"] = f"Bearer {self._source.bearer}"
        late = threading.Timer(self._terms.headers_seconds, self.line.cut)
        late.daemon = True
        try:
            connection.connect()
            self.line.hold(connection.sock)
            late.start()
            connection.request("GET", self._source.path(self._part.archive.path), headers=headers)
            return connection.getresponse()
        except (OSError, HTTPException) as fault:
            raise CutOff(why=reason_of(fault)) from fault
        finally:
            late.cancel()

    def _read(self, response: HTTPResponse, skip: int) -> None:
        """Take what comes, chunk by chunk, and never more than is missing.

        A chunk is compared and written while the next one comes.
        """
        with ThreadPoolExecutor(1, "package chunks") as beside:
            taking = _Taking(self._part, beside, self._told)
            try:
                self._read_chunks(response, skip, taking)
            finally:
                taking.wait()
            taking.check()

    def _read_chunks(self, response: HTTPResponse, skip: int, taking: _Taking) -> None:
        began, came = self._clock.steady_seconds(), 0
        while (missing := skip or taking.missing_bytes()) > 0:
            piece = self._piece(response, min(_READ_BYTES, missing))
            came += len(piece)
            if skip:
                skip -= len(piece)
            else:
                taking.add(piece)
            now = self._clock.steady_seconds()
            if now - began >= self._terms.slow_window_seconds:
                self._refuse_slow(came, now - began)
                began, came = now, 0

    def _piece(self, response: HTTPResponse, most: int) -> bytes:
        try:
            piece = response.read1(most)
        except (OSError, HTTPException, ValueError) as fault:
            raise CutOff(why=reason_of(fault)) from fault
        if not piece:
            raise CutOff(why="it ends too early")
        return piece

    def _refuse_slow(self, came: int, seconds: float) -> None:
        if came < self._terms.slowest_bytes_per_second * seconds:
            raise CutOff(why=f"{came} bytes in {seconds:.0f} s are too slow")


def _to_skip(response: HTTPResponse, part: Part) -> int:
    """Return how many bytes come before those that are missing.

    Raises:
        CutOff, AnswerIsWrong, CannotBeHad: it is no good answer.
    """
    status, start, length = response.status, part.verified, part.archive.length
    _refuse_status(status)
    if response.getheader("Content-Encoding", "identity") != "identity":
        raise AnswerIsWrong(why="it is packed once more")
    if status == HTTPStatus.OK:  # it knows no ranges: all of it comes, from its beginning
        _refuse_length(response, length)
        return start
    found = _RANGE.fullmatch(response.getheader("Content-Range", ""))
    if found is None:
        raise AnswerIsWrong(why="it does not say which part it sends")
    first, last, whole = found.groups()
    if int(first) != start or int(last) >= length or whole not in {str(length), "*"}:
        raise AnswerIsWrong(why=f"it sends {found[0]}, and from {start} of {length} was asked")
    _refuse_length(response, int(last) - start + 1)
    return 0


def _refuse_status(status: int) -> None:
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise CannotBeHad(InstallFailure.NO_RIGHT, f"it answers {status}")
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise CannotBeHad(InstallFailure.GONE, f"it answers {status}")
    may_pass = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
    if status in may_pass or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise CutOff(why=f"it answers {status}")
    raise AnswerIsWrong(why=f"it answers {status}")


def _refuse_length(response: HTTPResponse, expected: int) -> None:
    if response.length is not None and response.length != expected:
        raise AnswerIsWrong(why=f"it would send {response.length} bytes instead of {expected}")


def reason_of(fault: Exception) -> str:
    """Return why a line was cut, in one line fit to be shown."""
    if isinstance(fault, ssl.SSLError) and fault.reason:
        return fault.reason.replace("_", " ").lower()
    said = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    return "".join(filter(str.isprintable, said))[:WHY_MAX]
