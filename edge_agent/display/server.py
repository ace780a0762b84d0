"""The screen's pages, on loopback only: nobody else's page reads them or presses a button."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from common.look import shared
from edge_agent.display.presses import Presses
from edge_agent.display.stage import Stage
from edge_agent.display.streams import AGAIN_MS, Streams, TooManyStreams
from edge_agent.display.written import of_page
from edge_agent.settings import DisplayPart

BODY_BYTES_MAX: Final = 4_096
"""Bytes of a press: one line to a helper, at four bytes a character, and its names."""

BODY_SECONDS: Final = 5.0
"""How long a press may take to come in, from the same machine."""

LISTEN_AGAIN_SECONDS: Final = 5.0
"""When a port that is taken is tried again; a terminal without its screen serves all the same."""

STOP_SECONDS: Final = 0.5
"""How long a stop waits for pages to be told; they come again by themselves."""

JSON: Final = "application/json"

TYPES: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

Enter = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves one stage on one port of this machine."""

    def __init__(self, part: DisplayPart, stage: Stage, presses: Presses, epoch: str) -> None:
        """Take what is shown and what a press does; `epoch` is a name of this start."""
        self._part = part
        ours = (files("edge_agent.display") / "static").iterdir()
        self._static = shared() | {file.name: file.read_bytes() for file in ours}
        build = hashlib.sha256(b"".join(sorted(self._static.values()))).hexdigest()[:16]
        page = of_page(build, part.language, part.phone, has_sound=part.has_sound)
        self._streams = Streams(stage, epoch, page)
        self._presses = presses
        self._hosts: frozenset[str] = frozenset()
        self.address = ""
        """Where it is served by now."""
        self.is_served = asyncio.Event()
        self._log = structlog.get_logger("display")

    async def run(self) -> None:
        """Serve for ever; a port that is taken is tried again and again."""
        while True:
            runner = web.AppRunner(
                self._application(), access_log=None, shutdown_timeout=STOP_SECONDS
            )
            await runner.setup()
            try:
                site = web.TCPSite(runner, self._part.host, self._part.port)
                await site.start()
                self._note_address(runner)
                await asyncio.Event().wait()
            except OSError as fault:
                self._log.warning("the screen is not served", why=str(fault))
            finally:
                await runner.cleanup()
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    def _note_address(self, runner: web.AppRunner) -> None:
        port = runner.addresses[0][1]
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"})
        host = f"[{self._part.host}]" if ":" in self._part.host else self._part.host
        self.address = f"http://{host}:{port}/"
        self.is_served.set()
        self._log.info("screen", address=self.address)

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=BODY_BYTES_MAX)
        app.on_response_prepare.append(_add_headers)
        app.router.add_get("/", self._page)
        app.router.add_get("/device/{key}", self._page)
        app.router.add_get("/events", self._events, allow_head=False)
        app.router.add_get("/static/{name}", self._asset)
        app.router.add_post("/device/{key}/{press}", self._press)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Enter) -> web.StreamResponse:
        """Answer only who calls us by our own name; what writes must come from our own page."""
        if request.headers.get("Host", "") not in self._hosts:
            return web.Response(status=421, text="This is the screen of this machine alone.\n")
        if request.method not in {"GET", "HEAD"} and not self._is_ours(request):
            return web.Response(status=403, text="Only the screen's own page may do that.\n")
        return await handler(request)

    def _is_ours(self, request: web.Request) -> bool:
        """Say whether the browser vouches that a page of ours asks; JSON is nobody's form."""
        origin = urlsplit(request.headers.get("Origin", ""))
        is_same = origin.scheme == "http" and origin.netloc == request.headers.get("Host")
        fetched = request.headers.get("Sec-Fetch-Site", "same-origin")
        return is_same and fetched == "same-origin" and request.content_type == JSON

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._static["screen.html"], content_type="text/html")

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        kind = TYPES.get(f".{name.rpartition('.')[2]}")
        if kind is None or name not in self._static:
            raise web.HTTPNotFound
        return web.Response(body=self._static[name], content_type=kind, charset="utf-8")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            # Another's page could not read it, but would take a place of our own pages.
            return web.Response(status=403, text="Only the screen's own page may look.\n")
        try:
            return await self._streams.serve(request)
        except TooManyStreams:
            headers = {"Retry-After": str(AGAIN_MS // 1_000)}
            return web.Response(status=503, text="Too many pages look.\n", headers=headers)

    async def _press(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                asked: Any = json.loads(await request.read())
        except (ValueError, TimeoutError, RecursionError):
            raise web.HTTPBadRequest from None
        if not isinstance(asked, dict):
            raise web.HTTPBadRequest
        names = request.match_info
        answer = await self._presses.take(names["key"], names["press"], asked)
        if answer is None:
            raise web.HTTPNotFound
        return web.json_response(answer)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Give every answer, also a refusal, its headers."""
    response.headers.update(HEADERS)
