"""One call to the controller's API: protected, never sent on, bounded in bytes and seconds."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from common.errors import RusubanError
from edge_agent.enrolment.trust import is_on_this_machine

SILENCE_SECONDS_MAX: Final = 10.0
"""How long the controller may say nothing at all: a store's line is slow, but not so slow."""

ANSWER_SECONDS_MAX: Final = 20.0
"""How long its whole answer may take, so that a slow drip ends too."""

ANSWER_BYTES_MAX: Final = 65_536
"""Bytes of its answer; ours has a few thousand."""

TOLD_MAX: Final = 300
"""Characters of what another says that we repeat to a person."""

_PATH = "/api/v1"


class AddressIsWrong(RusubanError):
    """{url} is no address of a controller: one looks like https://controller.example:8443."""


class TlsIsRequired(RusubanError):
    """Nobody may listen on the way to {url}: use https://, or the controller's own machine."""


class ControllerIsAway(RusubanError):
    """{url} does not answer ({why}): look at the address and the line, then say the same again."""


class NotTrusted(RusubanError):
    """{url} is not trusted ({why}): give the --pin that `enrol-code` prints."""


class AnswerIsNonsense(RusubanError):
    """What answers at {url} is not our controller ({why}): look at the address; nothing is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


def place_of(url: str) -> SplitResult:
    """Return the parts of a controller's address.

    Raises:
        AddressIsWrong: it is none.
        TlsIsRequired: what is said to it could be heard by others.
    """
    try:
        place = urlsplit(url)
        is_whole = bool(place.hostname) and place.port != 0
    except ValueError:
        raise AddressIsWrong(url=plain(url)) from None
    is_bare = not (place.query or place.fragment or place.username or place.password)
    if place.scheme not in {"http", "https"} or not is_whole or not is_bare or url != plain(url):
        raise AddressIsWrong(url=plain(url))
    if place.scheme == "http" and not is_on_this_machine(place.hostname or ""):
        raise TlsIsRequired(url=url)
    return place


def call(
    url: str, path: str, tls: ssl.SSLContext, *, body: Mapping[str, Any] | None = None
) -> Answer:
    """Return the answer of the API at `url`; with a body it is a POST.

    Raises:
        AddressIsWrong, TlsIsRequired: there is no calling that address.
        NotTrusted: who answers there is vouched for by nobody we believe.
        ControllerIsAway: nobody answers, or not to the end.
        AnswerIsNonsense: it is too much, or somebody else's.
    """
    place = place_of(url)
    connection = _connection_to(place, tls)
    try:
        connection.connect()
        answer = _exchange(connection, place.path.rstrip("/") + _PATH + path, body)
    except ssl.SSLCertVerificationError as fault:
        raise NotTrusted(url=url, why=fault.verify_message) from fault
    except (OSError, HTTPException) as fault:
        raise ControllerIsAway(url=url, why=_reason_of(fault)) from fault
    finally:
        connection.close()
    if len(answer.body) > ANSWER_BYTES_MAX:
        raise AnswerIsNonsense(url=url, why=f"it says more than {ANSWER_BYTES_MAX} bytes")
    return answer


def plain(text: str) -> str:
    """Return what another has said, fit to be shown: in one line, without control characters."""
    return "".join(filter(str.isprintable, text[:TOLD_MAX]))


def _connection_to(place: SplitResult, tls: ssl.SSLContext) -> HTTPConnection:
    host = place.hostname or ""
    if place.scheme == "https":
        return HTTPSConnection(host, place.port, timeout=SILENCE_SECONDS_MAX, context=tls)
    return HTTPConnection(host, place.port, timeout=SILENCE_SECONDS_MAX)


def _exchange(connection: HTTPConnection, path: str, body: Mapping[str, Any] | None) -> Answer:
    """Say and hear; the line is cut when it takes too long."""
    assert isinstance(connection.sock, socket.socket), "it is connected"
    cut = threading.Timer(ANSWER_SECONDS_MAX, _cut, (connection.sock,))
    cut.daemon = True
    cut.start()
    try:
        if body is None:
            connection.request("GET", path)
        else:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
        return _whole(connection.getresponse())
    finally:
        cut.cancel()


def _whole(response: HTTPResponse) -> Answer:
    """Return an answer that has come to its end; one without a length may have been cut anywhere.

    Raises:
        IncompleteRead: it has not.
    """
    has_an_end = response.length is not None or response.chunked
    body = response.read(ANSWER_BYTES_MAX + 1)
    if len(body) <= ANSWER_BYTES_MAX and (response.length or not has_an_end):
        raise IncompleteRead(body, response.length)
    return Answer(status=response.status, body=body)


def _cut(line: socket.socket) -> None:
    """End the TCP connection under whoever waits for it, and leave TLS to find out."""
    with suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _reason_of(fault: OSError | HTTPException) -> str:
    if isinstance(fault, IncompleteRead):
        return "its answer does not come to an end"
    if isinstance(fault, ssl.SSLError) and fault.reason:
        return fault.reason.replace("_", " ").lower()
    return plain(getattr(fault, "strerror", None) or str(fault) or type(fault).__name__)
