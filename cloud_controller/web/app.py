"""The application: made from the table, behind the guard; whatever happens, it answers."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from pydantic import BaseModel

from cloud_controller.ports import NotFound
from cloud_controller.web.faults import (
    STATUS,
    BodyTooLarge,
    InternalError,
    MethodNotAllowed,
    ProofIsOld,
    SignInNeeded,
    headers_of,
    refusal_of,
)
from cloud_controller.web.guard import BODY_BYTES_MAX, Guard
from cloud_controller.web.language import Language, Languages
from cloud_controller.web.live import EPOCH_DIGITS, Card, Live, places_for
from cloud_controller.web.metrics import Requests
from cloud_controller.web.pages import cards
from cloud_controller.web.pages.console.entry import SECOND, SIGN_IN, sign_in_page
from cloud_controller.web.pages.render import STATIC, Pages, page_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import (
    API,
    FOR_GOOD,
    Asset,
    Page,
    Route,
    Watch,
    WebParts,
    Whole,
    Worker,
)
from cloud_controller.web.table import table_for
from common.errors import CannotStart, RusubanError

__all__ = ["WebParts", "listening_on", "make_app", "runner_of"]

KEEPALIVE_SECONDS: Final = 75.0
"""How long a silent connection is kept: a little more than browsers and proxies keep theirs."""

LINGER_SECONDS: Final = 1.0
"""How long the rest of a body is listened to after its refusal, so that the caller can read it."""

SHUTDOWN_SECONDS: Final = 5.0
"""How long answers under way may take when we stop: longer than any of ours does."""

LINE_BYTES_MAX: Final = 8_190
"""Bytes of a request's first line."""

FIELD_BYTES_MAX: Final = 65_536
"""Bytes of one header: an offer of a hundred packages, shown to fetch one of them, has so many."""

HEADERS_MAX: Final = 64
"""Headers of a request; browsers send about twenty."""

OK: Final = 200
EVENTS: Final = "text/event-stream"
"""Takes as long as its page is open, which says nothing of us."""

INCIDENT_DIGITS: Final = 12
"""Hex digits that tell one incident from another in a log."""

COOKIE: Final = "language"
COOKIE_SECONDS: Final = 365 * 86_400
"""How long a language that was chosen is remembered."""

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""A ticket's link opens it: no other site may learn one, frame a page or run a script; and ours are
files, so that no words on a page become one."""

HSTS: Final = "max-age=31536000"
FRESH: Final = "no-store"

Enter = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(parts: WebParts) -> web.Application:
    """Return the application: each row of the table is one route."""
    made = _Web(parts)

    @web.middleware
    async def answer(request: web.Request, handler: Enter) -> web.StreamResponse:
        return await made.answer(request, handler)

    app = web.Application(middlewares=[answer], client_max_size=BODY_BYTES_MAX)
    app.on_response_prepare.append(made.add_headers)
    for route in table_for(parts.roles):
        made.add(app.router, route)
    app.cleanup_ctx.append(made.live.running)
    app.on_shutdown.append(made.live.close)
    return app


def runner_of(app: web.Application) -> web.AppRunner:
    """Return the runner that serves an application within our limits."""
    return web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGER_SECONDS,
        max_line_size=LINE_BYTES_MAX,
        max_field_size=FIELD_BYTES_MAX,
        max_headers=HEADERS_MAX,
    )


def listening_on(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        CannotStart: somebody else does.
    """
    try:
        return socket.create_server((host, port))
    except OSError as fault:
        raise CannotStart(
            why=f"port {port} on {host} is in use; give `{setting}` another"
        ) from fault


class _Web:
    """What all routes share: the guard, the words, the pages and the counts."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._guard = Guard(parts, self._language)
        self._languages = Languages()
        self._pages = Pages()
        self._requests = Requests(parts.registry)
        self._log = structlog.get_logger("web")
        self._is_https = urlsplit(parts.public_url).scheme == "https"
        self.live = Live(
            parts.books,
            cards.card,
            self._card,
            epoch=parts.names.hex_digits(EPOCH_DIGITS),
            places=places_for(parts.viewers_max, parts.viewers_of_a_peer_max),
            registry=parts.registry,
        )
        parts.books.on_committed = self.live.nudge

    def add(self, router: web.UrlDispatcher, route: Route) -> None:
        """Make a row's route; where one can GET one can HEAD."""
        enter = self._guard.door(route)

        async def serve(request: web.Request) -> web.StreamResponse:
            answer = await enter(request)
            if isinstance(answer, Watch):
                return await self.live.serve(request, answer, self._language(request))
            return self._written(answer, route, request)

        if route.method == "GET":
            router.add_get(route.path, serve, allow_head=True)
        else:
            router.add_route(route.method, route.path, serve)

    async def add_headers(self, _: web.Request, response: web.StreamResponse) -> None:
        """Give every answer, also a refusal, its headers."""
        response.headers.update(SECURITY_HEADERS)
        response.headers.setdefault("Cache-Control", FRESH)
        if self._is_https:
            response.headers["Strict-Transport-Security"] = HSTS

    async def answer(self, request: web.Request, handler: Enter) -> web.StreamResponse:
        """Answer whatever happens, and count it."""
        began = self._parts.clock.steady_seconds()
        try:
            response = await handler(request)
        except RusubanError as fault:
            response = self._refusal(request, fault)
        except web.HTTPException as fault:
            response = self._refusal(request, _as_ours(request, fault))
        except ConnectionError:
            raise  # whoever asked has gone
        except Exception as fault:  # noqa: BLE001 - nobody shall see a traceback but our log
            response = self._refusal(request, fault)
        seconds = self._parts.clock.steady_seconds() - began
        goes_on = response.content_type == EVENTS and response.status == OK
        self._requests.note(_name_of(request), response.status, None if goes_on else seconds)
        return response

    def _refusal(self, request: web.Request, fault: Exception) -> web.Response:
        if not isinstance(fault, RusubanError) or type(fault) not in STATUS:
            incident = self._parts.names.hex_digits(INCIDENT_DIGITS)
            self._log.error("request_failed", incident=incident, exc_info=fault)
            fault = InternalError(incident=incident)
        language = self._language(request)
        if _is_for_programs(request):
            return refusal_of(fault, language)
        if isinstance(fault, ProofIsOld):
            return lead_to(f"{SECOND}?next={_page_before(request)}")
        if isinstance(fault, SignInNeeded):
            page = sign_in_page(_page_before(request), status=STATUS[SignInNeeded])
            response = self._pages.html(page, language, path=SIGN_IN)
            response.headers.update(headers_of(fault))
            return response
        response = self._pages.html(page_of(fault, STATUS[type(fault)]), language, path="/")
        response.headers.update(headers_of(fault))
        return response

    def _written(self, answer: Whole, route: Route, request: web.Request) -> web.StreamResponse:
        match answer:
            case Page():
                return self._page(answer, route, request)
            case Asset():
                return self._asset(answer, request)
            case Worker():
                return web.Response(
                    body=self._pages.worker(answer.name), content_type=STATIC[".js"]
                )
            case BaseModel():
                text = answer.model_dump_json()
                return web.Response(status=route.status, text=text, content_type="application/json")
            case _:
                return answer

    def _page(self, page: Page, route: Route, request: web.Request) -> web.Response:
        """Write a page, and remember the language where one was chosen."""
        language = self._language(request)
        path = request.path if route.method == "GET" else "/"
        response = self._pages.html(page, language, path=path)
        if "lang" in request.query:
            response.set_cookie(
                COOKIE, language.code, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax"
            )
        return response

    def _card(self, card: Card, language: str) -> str:
        """Draw what is shown of an offering: the same piece as on the page, without form keys."""
        return self._pages.piece("card.html", self._languages[language], card=card)

    def _asset(self, asset: Asset, request: web.Request) -> web.Response:
        known = self._pages.static(asset.name)
        if known is None:
            raise NotFound(what="file")
        body, media_type = known
        headers = {"Cache-Control": FOR_GOOD, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = self._pages.packed(asset.name), "gzip"
        return web.Response(body=body, content_type=media_type, headers=headers)

    def _language(self, request: web.Request) -> Language:
        return self._languages.chosen(
            request.query.get("lang"),
            request.cookies.get(COOKIE),
            request.headers.get("Accept-Language", ""),
        )


def _page_before(request: web.Request) -> str:
    """Return on which page somebody is: the one he asks for, or that of the form he sent."""
    if request.method in {"GET", "HEAD"}:
        return request.path
    return urlsplit(request.headers.get("Referer", "")).path


def _is_for_programs(request: web.Request) -> bool:
    return request.path.startswith((f"{API}/", "/packages/", "/metrics"))


def _name_of(request: web.Request) -> str:
    """Return the row's name; all that has none is one, so that nobody makes us count for ever."""
    resource = request.match_info.route.resource
    return "none" if resource is None else f"{request.method} {resource.canonical}"


def _as_ours(request: web.Request, fault: web.HTTPException) -> Exception:
    """Return what the library found in our own words."""
    match fault:
        case web.HTTPNotFound():
            return NotFound(what="page")
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(method=request.method, allowed=_allowed(request, fault))
        case web.HTTPRequestEntityTooLarge():
            return BodyTooLarge(limit_bytes=BODY_BYTES_MAX)
        case _:
            return fault


def _allowed(request: web.Request, fault: web.HTTPMethodNotAllowed) -> set[str]:
    """Return the methods of the path as it is written; a name in another's place has none."""
    plain = [
        route.method
        for resource in request.app.router.resources()
        if isinstance(resource, web.PlainResource) and resource.canonical == request.path
        for route in resource
    ]
    return set(plain) or fault.allowed_methods
