"""The door: no call reaches a flow before it has been checked by its route's row."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.message import Message as Headers
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from pydantic import BaseModel, ValidationError

from cloud_controller.ports import Clock, NotFound
from cloud_controller.web.admission import (
    Admission,
    bearer_of,
    permit_asked,
    session_cookie,
)
from cloud_controller.web.faults import (
    BodyTooLarge,
    BodyTooSlow,
    IdempotencyKeyMissing,
    InvalidBody,
    InvalidQuery,
    MalformedJson,
    StillRunning,
    TooManyAttempts,
    WrongContentType,
)
from cloud_controller.web.language import Language
from cloud_controller.web.routes import (
    FILE_FIELD,
    HELPER,
    HOLDER,
    Answer,
    Call,
    Route,
    SentFile,
    SignedBody,
    WebParts,
    Who,
)

BODY_BYTES_MAX: Final = 65_536
"""Bytes of a body; our largest, an enrolment, has a few hundred."""

BODY_SECONDS: Final = 10.0
"""How long a body may take to come in: a slow phone is faster, a slow attack is not waited for."""

FILE_SECONDS: Final = 60.0
"""How long a body with a file may take: a picture of a phone, over a slow line of a back room."""

FILES_AT_ONCE: Final = 8
"""Bodies with files that are taken in at once: each is held whole until it is judged."""

FIELDS_MAX: Final = 40
"""Fields of a form; the sheet of an offering has twenty-three."""

PEERS_MAX: Final = 4_096
"""Peers whose attempts are remembered; past this the one longest silent is forgotten."""

EVERYBODY: Final = "everybody"
"""Who calls where all peers are counted as one."""

TOLD_MAX: Final = 80
"""Characters of a caller's own words that a problem repeats."""

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
FILE_FORM: Final = "multipart/form-data"
Asked = TypeVar("Asked", bound=BaseModel)

_MINUTE_SECONDS = 60.0
_KEY = re.compile(r"[A-Za-z0-9_-]{16,128}")


class Guard:
    """Checks calls by their routes, and remembers who tried too often and what still runs."""

    def __init__(self, parts: WebParts, language_of: Callable[[web.Request], Language]) -> None:
        """Remember the parts, and how a caller's language is found; nobody has called yet."""
        self._parts = parts
        self._admission = Admission(parts)
        self._language_of = language_of
        self._running: set[tuple[str, str]] = set()
        self._files = 0

    def door(self, route: Route) -> Callable[[web.Request], Awaitable[Answer]]:
        """Return the way into a route: check, then act."""
        limit = Limit(route.calls_a_minute, self._parts.clock)
        limit_in_all = Limit(route.calls_a_minute_in_all, self._parts.clock)

        async def enter(request: web.Request) -> Answer:
            known = await self._admission.admit(route, request)
            if any("\0" in value for value in request.match_info.values()):
                raise NotFound(what="page")
            limit.count(request.remote or "")
            limit_in_all.count(EVERYBODY)
            asked = await self._asked(route, request)
            permit_asked(route, known.operator, asked)
            key = _key(route, request, asked)
            call = Call(
                parts=self._parts,
                route=f"{route.method} {route.path}",
                names=request.match_info,
                asked=asked,
                language=self._language_of(request),
                key=key,
                digest=_digest(asked) if key else "",
                holder=_cookie(request, HOLDER),
                helper=_cookie(request, HELPER),
                bearer=bearer_of(request) if route.who is Who.PACKAGE_HOLDER else "",
                operator=known.operator,
                known=known,
                session_key=_cookie(request, session_cookie(self._parts.public_url)),
                peer=request.remote or "",
                browser=request.headers.get("User-Agent", ""),
            )
            with self._one_at_a_time(route, key):
                return await route.act(call)

        return enter

    async def _asked(self, route: Route, request: web.Request) -> BaseModel | None:
        """Return what a call asks; of those with files only so many are taken in at once."""
        if route.file_bytes_max is None:
            return await _asked(route, request)
        if self._files >= FILES_AT_ONCE:
            raise TooManyAttempts(retry_seconds=int(FILE_SECONDS))
        self._files += 1
        try:
            return SentFile(content=await _file_of(request, route.file_bytes_max))
        finally:
            self._files -= 1

    @contextmanager
    def _one_at_a_time(self, route: Route, key: str) -> Iterator[None]:
        """Let one call with a key run; a browser's second tap waits for the first one's answer."""
        running = (route.path, key)
        if not key or not route.is_api:
            yield
            return
        if running in self._running:
            raise StillRunning
        self._running.add(running)
        try:
            yield
        finally:
            self._running.discard(running)


class Limit:
    """So many calls a minute from one peer; None is as many as it likes."""

    def __init__(self, calls_a_minute: int | None, clock: Clock) -> None:
        """Begin with nobody."""
        self._most = calls_a_minute
        self._clock = clock
        self._called: OrderedDict[str, deque[float]] = OrderedDict()

    def count(self, peer: str) -> None:
        """Note a call.

        Raises:
            TooManyAttempts: the peer has made as many as it may in the last minute.
        """
        if self._most is None:
            return
        now = self._clock.steady_seconds()
        called = self._called.setdefault(peer, deque())
        self._called.move_to_end(peer)
        while called and called[0] <= now - _MINUTE_SECONDS:
            called.popleft()
        if len(called) >= self._most:
            raise TooManyAttempts(retry_seconds=int(called[0] + _MINUTE_SECONDS - now) + 1)
        called.append(now)
        if len(self._called) > PEERS_MAX:
            self._called.popitem(last=False)


async def _asked(route: Route, request: web.Request) -> BaseModel | None:
    """Return what a call asks, in the route's shape."""
    if route.who is Who.PROVIDER:
        signature = request.headers.get("Stripe-Signature", "")
        return SignedBody(body=await body_of(request), signature=signature)
    if route.asks is None:
        return None
    if route.method == "GET":
        return _readable(_checked(route.asks, dict(request.query), InvalidQuery), InvalidQuery)
    wanted = JSON if route.is_api else FORM
    if request.content_type != wanted:
        raise WrongContentType(wanted=wanted)
    body = await body_of(request)
    if route.is_api:
        return _readable(read_json(route.asks, body), InvalidBody)
    return _readable(_checked(route.asks, _form(body), InvalidBody), InvalidBody)


def _readable(asked: BaseModel, no: type[InvalidBody | InvalidQuery]) -> BaseModel:
    """Return what is asked, unless a text in it has a nought byte: no database keeps one alike."""
    rest: list[object] = [asked.model_dump()]
    while rest:
        each = rest.pop()
        if isinstance(each, str) and "\0" in each:
            raise no(field="body", why="a text holds a nought byte")
        if isinstance(each, dict):
            rest += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset):
            rest += each
    return asked


async def body_of(
    request: web.Request,
    limit_bytes: int = BODY_BYTES_MAX,
    limit_seconds: float | None = None,
) -> bytes:
    """Return the whole body of a call, which its application or clone lets have so many bytes.

    Raises:
        BodyTooSlow, BodyTooLarge, MalformedJson: it does not come in whole.
    """
    limit_seconds = BODY_SECONDS if limit_seconds is None else limit_seconds
    try:
        async with asyncio.timeout(limit_seconds):
            return await request.read()
    except TimeoutError:
        raise BodyTooSlow(limit_seconds=int(limit_seconds)) from None
    except HTTPRequestEntityTooLarge:
        raise BodyTooLarge(limit_bytes=limit_bytes) from None
    except (HttpProcessingError, web.RequestPayloadError):
        raise MalformedJson from None


async def _file_of(request: web.Request, limit_bytes: int) -> bytes:
    """Return what a form's one file holds; one that says it is too large is not read at all."""
    if request.content_type != FILE_FORM:
        raise WrongContentType(wanted=FILE_FORM)
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes=limit_bytes)
    body = await body_of(request.clone(client_max_size=limit_bytes), limit_bytes, FILE_SECONDS)
    return _file_in(body, request.headers["Content-Type"])


def _file_in(body: bytes, content_type: str) -> bytes:
    """Return what the file's field holds: the parts stand between lines of the form's boundary."""
    headers = Headers()
    headers["Content-Type"] = content_type
    boundary = (headers.get_boundary() or "").encode("ascii", errors="replace")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary, FIELDS_MAX)[1:] if boundary else []
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        if f'name="{FILE_FIELD}"'.encode() in head:
            return content
    raise InvalidBody(field=FILE_FIELD, why="it is no form of ours")


def read_json(shape: type[Asked], body: bytes) -> Asked:
    """Return what a body says, in this shape.

    Raises:
        MalformedJson, InvalidBody: it is not of it.
    """
    try:
        return shape.model_validate_json(body, strict=True)
    except ValidationError as fault:
        if fault.errors()[0]["type"] == "json_invalid":
            raise MalformedJson from None
        raise InvalidBody(**_first(fault)) from None


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise InvalidBody(field="body", why="it is no form of ours") from None


def _checked(
    shape: type[BaseModel], fields: dict[str, str], no: type[InvalidBody | InvalidQuery]
) -> BaseModel:
    try:
        return shape.model_validate(fields)
    except ValidationError as fault:
        raise no(**_first(fault)) from None


def _first(fault: ValidationError) -> dict[str, str]:
    """Return the first thing that is wrong, in as many words as anybody reads."""
    first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    return {"field": field[:TOLD_MAX], "why": first["msg"][:TOLD_MAX]}


def _key(route: Route, request: web.Request, asked: Any) -> str:  # noqa: ANN401 - of the route's shape
    """Return the call's key: a program sends it as a header, a page as a field of its form."""
    if not route.takes_key:
        return ""
    key: str = request.headers.get("Idempotency-Key", "") if route.is_api else asked.key
    if _KEY.fullmatch(key) is None:
        raise IdempotencyKeyMissing
    return key


def _cookie(request: web.Request, cookie: str) -> str:
    """Return what the browser is known by, or nothing where that is no name that we gave."""
    name = request.cookies.get(cookie, "")
    return name if _KEY.fullmatch(name) else ""


def _digest(asked: BaseModel | None) -> str:
    """Return what tells two calls apart, whatever their spaces and the order of their fields."""
    said = "" if asked is None else asked.model_dump_json(exclude={"key"})
    return hashlib.sha256(said.encode()).hexdigest()
