"""A page's stream of events: all that it has missed first, then each change; who is slow is cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from aiohttp import web

from common.errors import RusubanError
from edge_agent.display.stage import HALL, Ear, Stage
from edge_agent.display.written import event, of_left, of_picture, of_scanner

STREAMS_MAX: Final = 16
"""Pages that look at once: a terminal's screens and a few who maintain it."""

BEAT_SECONDS: Final = 10.0
"""Between two words to a page to which nothing happens: what is left, so that it counts right."""

WRITE_SECONDS: Final = 5.0
"""A page that takes nothing for so long is cut; it comes again, and has missed nothing then."""

PREVIEW_SECONDS: Final = 0.15
"""Between two pictures of the scanner: movement is seen at six a second, and costs little."""

HALL_AND_ONE: Final = 2
"""Pictures of a terminal with one device."""

AGAIN_MS: Final = 1_000
"""When a page that was cut looks again, in milliseconds."""


class TooManyStreams(RusubanError):
    """There are {most} pages that look already."""


class Streams:
    """The pages that look now, `STREAMS_MAX` at the most."""

    def __init__(self, stage: Stage, epoch: str, page: dict[str, Any]) -> None:
        """Take what is shown; `epoch` tells this start's numbers from an earlier one's."""
        self._stage = stage
        self._epoch = epoch
        self._page = page
        self._count = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Tell a page what is shown until it goes.

        Raises:
            TooManyStreams: it is one more than are served.
        """
        if self._count >= STREAMS_MAX:
            raise TooManyStreams(most=STREAMS_MAX)
        self._count += 1
        try:
            return await self._serve(request)
        finally:
            self._count -= 1

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        transport = request.transport
        key = request.query.get("device", HALL)
        since = self._since(request.headers.get("Last-Event-ID", ""))
        with suppress(ConnectionError, TimeoutError), self._stage.listening() as ear:
            await _write(response, f"retry: {AGAIN_MS}\n\n".encode() + event("page", self._page))
            while transport is not None and not transport.is_closing():
                since = await self._tell(response, ear, since, key)
                await ear.wait(BEAT_SECONDS)
        if transport is not None:
            transport.abort()
        return response

    async def _tell(self, response: web.StreamResponse, ear: Ear, since: int, key: str) -> int:
        """Send what has changed after `since`, or what is left of each session.

        What is written at a device is told to the page of that device, or of a terminal's only one.
        """
        stage, number, now = self._stage, self._stage.number, self._stage.now()
        changed = stage.pictures(since)
        is_only = len(stage.pictures()) <= HALL_AND_ONE
        body = b"".join(
            event("picture", of_picture(each, now, has_call=is_only or each.key == key))
            for each in changed
        )
        if changed:
            keys = [each.key for each in stage.pictures()]
            body += event("all", {"keys": keys}, f"{self._epoch}-{number}")
        elif not ear.has_new_scanner:
            body += event("left", of_left(stage.pictures(), now))
        if ear.has_new_scanner:
            ear.has_new_scanner = False
            body += event("scanner", of_scanner(stage.scanner))
        await _write(response, body)
        if stage.scanner is not None and stage.scanner.picture:
            await asyncio.sleep(PREVIEW_SECONDS)
        return number

    def _since(self, heard: str) -> int:
        """Return the number of the last change that a page has heard of, -1 for none of ours."""
        epoch, _, number = heard.rpartition("-")
        is_ours = epoch == self._epoch and number.isascii() and number.isdigit()
        return int(number[:18]) if is_ours else -1


async def _write(response: web.StreamResponse, body: bytes) -> None:
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(body)
