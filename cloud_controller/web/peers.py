"""The door of other controllers: mutual TLS, the messages of an exchange, the reservation port.

Its law: nobody reaches a flow by another's name, or with a certificate that is not the one its name
has now.
"""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from aiohttp import web
from pydantic import BaseModel

from cloud_controller.flows import modules
from cloud_controller.flows.rights import take_of_peer
from cloud_controller.flows.rights.peers import certificate_name, is_admitted
from cloud_controller.ports import Books, Clock, Names, NotFound, Received
from cloud_controller.reservation_port import Reservations
from cloud_controller.web.app import INCIDENT_DIGITS
from cloud_controller.web.faults import (
    STATUS,
    BodyTooLarge,
    InternalError,
    InvalidBody,
    MethodNotAllowed,
    PeerNotAdmitted,
    WrongContentType,
    refusal_of,
)
from cloud_controller.web.guard import BODY_BYTES_MAX, JSON, Limit, body_of, read_json
from cloud_controller.web.language import FALLBACK, Languages
from cloud_controller.web.routes import API
from common.errors import RusubanError
from common.ids import CommId, TerminalId
from common.messages import reservations as said
from common.messages.base import Message
from common.messages.rights import FROM_THE_CLIENT

CALLS_A_MINUTE: Final = 1_200
"""One exchange is three calls; a peer that takes seats of a hundred modules at once has room."""

QUESTIONS_A_MINUTE: Final = 6_000
"""A scan is three calls, a store's sign of life one each few seconds: room for a large chain."""

DIRECTORY_BYTES_MAX: Final = 2_097_152
"""Bytes of a store's directory: four thousand devices have some million."""

PATH: Final = f"{API}/peers/exchanges/{{method}}"

LOG_PATH: Final = f"{API}/peers/modules/log"

LOGS_A_MINUTE: Final = 600
"""A mirror calls each few seconds, and at once while there is more: a hundred thousand lines."""

RESERVATIONS_PATH: Final = f"{API}/peers/reservations/{{method}}"

METHODS: Final[Mapping[str, type[Message]]] = {
    model.type.removeprefix("rights."): model for model in FROM_THE_CLIENT
}
"""What a peer may say, by the last part of the path."""

_Body = TypeVar("_Body", bound=BaseModel)

Enter = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One call of the reservation port: what it asks, and which method of the port answers it."""

    asks: type[BaseModel]
    act: Callable[[Reservations, Any], Awaitable[BaseModel]]
    body_bytes_max: int = BODY_BYTES_MAX


QUESTIONS: Final[Mapping[str, Question]] = {
    "issue": Question(asks=said.IssueAsked, act=lambda port, asked: port.issue(asked)),
    "look-up": Question(asks=said.ReservationAsked, act=lambda port, asked: port.look_up(asked)),
    "verify": Question(asks=said.TicketAsked, act=lambda port, asked: port.verify(asked)),
    "mark-used": Question(asks=said.UseAsked, act=lambda port, asked: port.mark_used(asked)),
    "give-back": Question(asks=said.GiveBack, act=lambda port, asked: port.give_back(asked)),
    "report": Question(
        asks=said.Report,
        act=lambda port, asked: port.report(asked),
        body_bytes_max=DIRECTORY_BYTES_MAX,
    ),
    "cancel": Question(asks=said.ReservationAsked, act=lambda port, asked: port.cancel(asked)),
    "store": Question(
        asks=said.StoreSaid,
        act=lambda port, asked: port.tell_store(asked),
        body_bytes_max=DIRECTORY_BYTES_MAX,
    ),
}
"""What may be asked of the reservation port, by the last part of the path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Caller:
    """Who calls, by the certificate it has shown."""

    name: str
    fingerprint: str


def make_peers_app(
    books: Books,
    clock: Clock,
    names: Names,
    reservations: Callable[[str], Reservations] | None = None,
) -> web.Application:
    """Return the application that other controllers call; serve it with their certificates asked.

    A refusal is the same `application/problem+json` as everywhere. `reservations` gives each peer
    the port to the reservations that are kept here for its stores; without it none are.
    """
    door = _Door(books, clock, names, reservations)

    @web.middleware
    async def answer(request: web.Request, handler: Enter) -> web.StreamResponse:
        return await door.answer(request, handler)

    app = web.Application(middlewares=[answer], client_max_size=BODY_BYTES_MAX)
    app.router.add_post(PATH, door.take)
    app.router.add_post(LOG_PATH, door.exchange_log)
    if reservations is not None:
        app.router.add_post(RESERVATIONS_PATH, door.ask)
    return app


class _Door:
    """Checks who calls and what is said, then hands it to the flow."""

    def __init__(
        self,
        books: Books,
        clock: Clock,
        names: Names,
        reservations: Callable[[str], Reservations] | None,
    ) -> None:
        self._books = books
        self._names = names
        self._reservations = reservations
        self._limit = Limit(CALLS_A_MINUTE, clock)
        self._log_limit = Limit(LOGS_A_MINUTE, clock)
        self._asking_limit = Limit(QUESTIONS_A_MINUTE, clock)
        self._language = Languages().chosen(FALLBACK, None, "")
        self._log = structlog.get_logger("peers")

    async def answer(self, request: web.Request, handler: Enter) -> web.StreamResponse:
        """Answer whatever happens."""
        try:
            return await handler(request)
        except RusubanError as fault:
            return self._refusal(fault)
        except web.HTTPException as fault:
            return self._refusal(_as_ours(request, fault))
        except ConnectionError:
            raise  # whoever asked has gone
        except Exception as fault:  # noqa: BLE001 - nobody shall see a traceback but our log
            return self._refusal(fault)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Take one message of an exchange from a peer, and answer it."""
        caller = await self._admitted(request, self._limit)
        message = await _said_in(request)
        comm_id = _comm_id_of(message)
        if comm_id.party != caller.name:
            raise PeerNotAdmitted
        received = Received(
            terminal=TerminalId(caller.name), epoch=comm_id.epoch, seq=0, corr="", message=message
        )
        answer = await self._books.transact(take_of_peer, received)
        if answer is None:
            raise InvalidBody(field="comm_id", why="it is of no exchange between controllers")
        body = {"type": answer.type, "data": answer.model_dump(mode="json")}
        return web.Response(text=json.dumps(body), content_type=JSON)

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Take one call of the reservation port from a peer, about its own stores."""
        caller = await self._admitted(request, self._asking_limit)
        assert self._reservations is not None, "the route is there only with the port"
        question = QUESTIONS.get(request.match_info["method"])
        if question is None:
            raise NotFound(what="question")
        asked = await _read(request, question.asks, question.body_bytes_max)
        answer = await question.act(self._reservations(caller.name), asked)
        return web.Response(text=answer.model_dump_json(), content_type=JSON)

    async def exchange_log(self, request: web.Request) -> web.StreamResponse:
        """Take how far a peer has each log of modules, with its lines; answer with ours (D10)."""
        caller = await self._admitted(request, self._log_limit)
        said = await _read(request, modules.LogSaid, modules.LOG_BYTES_MAX)
        answer = await self._books.transact(modules.answer_log, caller.name, said)
        return web.Response(text=answer.model_dump_json(), content_type=JSON)

    async def _admitted(self, request: web.Request, limit: Limit) -> _Caller:
        """Return who calls, if it is let in; nothing of what it says is read before.

        Raises:
            PeerNotAdmitted, TooManyAttempts: it is not.
        """
        caller = _caller_of(request)
        limit.count(caller.fingerprint)
        if not await self._books.read(is_admitted, caller.name, caller.fingerprint):
            raise PeerNotAdmitted
        return caller

    def _refusal(self, fault: Exception) -> web.Response:
        if not isinstance(fault, RusubanError) or type(fault) not in STATUS:
            incident = self._names.hex_digits(INCIDENT_DIGITS)
            self._log.error("request_failed", incident=incident, exc_info=fault)
            fault = InternalError(incident=incident)
        return refusal_of(fault, self._language)


async def _read(request: web.Request, shape: type[_Body], bytes_max: int) -> _Body:
    """Return what is said, of as many bytes at most.

    Raises:
        WrongContentType, BodyTooLarge, InvalidBody: it is nothing of the kind.
    """
    if request.content_type != JSON:
        raise WrongContentType(wanted=JSON)
    body = await body_of(request.clone(client_max_size=bytes_max), bytes_max)
    return read_json(shape, body)


async def _said_in(request: web.Request) -> Message:
    """Return what is said.

    Raises:
        NotFound, WrongContentType, InvalidBody, …: it is nothing that a peer says.
    """
    model = METHODS.get(request.match_info["method"])
    if model is None:
        raise NotFound(what="message")
    if request.content_type != JSON:
        raise WrongContentType(wanted=JSON)
    return read_json(model, await body_of(request))


def _comm_id_of(message: Message) -> CommId:
    try:
        return CommId.parse(getattr(message, "comm_id", ""))
    except ValueError as fault:
        raise InvalidBody(field="comm_id", why=str(fault)) from None


def _caller_of(request: web.Request) -> _Caller:
    """Return who calls.

    Raises:
        PeerNotAdmitted: it has shown no certificate, or not that of a controller.
    """
    shown = request.get_extra_info("ssl_object")
    if not isinstance(shown, ssl.SSLObject) or not (raw := shown.getpeercert(binary_form=True)):
        raise PeerNotAdmitted
    subject: Any = (shown.getpeercert() or {}).get("subject", ())
    called = [value for part in subject for kind, value in part if kind == "commonName"]
    name = "".join(called).removeprefix(certificate_name(""))
    if called != [certificate_name(name)]:
        raise PeerNotAdmitted
    return _Caller(name=name, fingerprint=hashlib.sha256(raw).hexdigest())


def _as_ours(request: web.Request, fault: web.HTTPException) -> Exception:
    """Return what the library found in our own words."""
    match fault:
        case web.HTTPNotFound():
            return NotFound(what="page")
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(method=request.method, allowed=fault.allowed_methods)
        case web.HTTPRequestEntityTooLarge():
            return BodyTooLarge(limit_bytes=BODY_BYTES_MAX)
        case _:
            return fault
