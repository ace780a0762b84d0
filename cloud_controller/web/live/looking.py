"""Looks at the books while anybody watches, and tells each page what is new to it.

At once after a commit, ten times a second at most and never more than a fifth of the time; and
each second besides: another process may have written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram

from cloud_controller.ports import Books, NotFound
from cloud_controller.web.language import Language
from cloud_controller.web.live.board import Board, Card
from cloud_controller.web.live.shelves import ReadCard, Shelves
from cloud_controller.web.live.stamps import stamp_of, stamps_of
from cloud_controller.web.live.watching import (
    SWEEP_SECONDS,
    Crowd,
    Places,
    Topic,
    Written,
    viewer_of,
)
from cloud_controller.web.live.written import event
from cloud_controller.web.routes import Watch
from common.errors import RusubanError

LOOK_SECONDS: Final = 1.0
"""Between two looks without a commit of ours."""

REST_SECONDS: Final = 0.1
"""From a look after a commit to the next at the least: nobody sees a difference below it."""

REST_FACTOR: Final = 4
"""How many times as long as a look what follows it rests: looks take a fifth of the time."""

STAMPS_AT_ONCE: Final = 50
"""Pages of one customer each that are looked at in one reading, some 3 ms: others read as well."""

RETRY_MS: Final = 1_000
RETRY_SPREAD_MS: Final = 3_000
"""When a page whose line was cut comes again: after a restart not all at one moment."""

RETRY_STEP_MS: Final = 37
"""From one page to the next; it shares no factor with the spread, so that all of it is used."""

EPOCH_DIGITS: Final = 12
"""Hex digits that tell one start's numbers from another's."""

STREAM: Final = "text/event-stream"

SHELVES: Final = "shelves"
"""The topic of the storefront; of other pages it is `ticket:…` and so on."""

READ_TIMES: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Where the histogram of looks is cut, in seconds."""


class Live:
    """Who watches, what stands there, and the looking from one to the other."""

    def __init__(
        self,
        books: Books,
        read_card: ReadCard,
        draw: Callable[[Card, str], str],
        *,
        epoch: str,
        places: Places,
        registry: CollectorRegistry,
    ) -> None:
        """Take the books, how cards are read from them, and how one is drawn in a language."""
        self._books = books
        self._shelves = Shelves(books, read_card)
        self._draw_in = draw
        self.board = Board(epoch, self._draw)
        self._crowd = Crowd(places, registry)
        self._stamps: dict[str, str] = {}
        self._nudged = asyncio.Event()
        self._looked = asyncio.Condition()
        self._begun = self._ended = 0
        self._is_wanted = False
        self._swept_at = 0.0
        self._came = 0
        self._log = structlog.get_logger("live")
        self._took = Histogram(
            "rusuban_look_seconds",
            "Seconds of one look for pages that watch.",
            buckets=READ_TIMES,
            registry=registry,
        )

    def nudge(self) -> None:
        """Look soon, if anybody watches: something may have changed."""
        if len(self._crowd):
            self._nudged.set()

    async def running(self, _: web.Application) -> AsyncIterator[None]:
        """Look as long as the application runs, where anybody watches."""
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._run(), name="live")
            yield
            looking.cancel()

    async def close(self, _: web.Application) -> None:
        """End every stream; the pages come again, to whoever serves them then."""
        self._crowd.close()

    async def serve(
        self, request: web.Request, watch: Watch, language: Language
    ) -> web.StreamResponse:
        """Tell a page what is new to it until it goes.

        Raises:
            TooManyViewers: it is one more than there are places for.
            NotFound: there is no such page.
        """
        heard = request.headers.get("Last-Event-ID", "") or watch.since
        stamp = "" if watch.topic == SHELVES else await self._stamp(watch.topic)
        response = web.StreamResponse(headers={"Content-Type": STREAM, "X-Accel-Buffering": "no"})
        response.force_close()
        if request.method == "HEAD":
            return response
        with self._crowd.place(request.remote or ""):
            await response.prepare(request)
            viewer = viewer_of(request)
            if watch.topic == SHELVES:
                await self._be_fresh()
                await self.board.speak(language.code)
                topic: Topic = (SHELVES, language.code, watch.store)
                said = self.board.since(heard, language.code, watch.store)
            else:
                self.nudge()
                topic = (watch.topic, "", "")
                stamp = self._stamps.setdefault(watch.topic, stamp)
                said = b"" if heard == stamp else event("changed", stamp, stamp)
            await self._crowd.keep(topic, viewer, Written(self._retry() + said))
        return response

    def _retry(self) -> bytes:
        self._came += RETRY_STEP_MS
        return b"retry: %d\n\n" % (RETRY_MS + self._came % RETRY_SPREAD_MS)

    async def _stamp(self, topic: str) -> str:
        stamp = await self._books.read(stamp_of, topic)
        if not stamp:
            raise NotFound(what="page")
        return stamp

    async def _be_fresh(self) -> None:
        """Wait for a whole look that begins now: the page who asks has read is newer than the last.

        Whoever comes meanwhile waits for the same next one.
        """
        wanted = self._begun + 1
        self._is_wanted = True
        self._nudged.set()
        async with self._looked:
            await self._looked.wait_for(lambda: self._ended >= wanted)

    async def _run(self) -> None:
        """Look again and again; while nobody watches, nothing is looked at.

        What nobody has touched is read in turn each second, and for whoever has just come; a look
        after a commit alone leaves it to the next.
        """
        loop = asyncio.get_running_loop()
        turn_at = 0.0
        while True:
            began = loop.time()
            is_nudged = self._nudged.is_set()
            rest_seconds = REST_SECONDS if is_nudged else 0.0
            self._nudged.clear()
            is_wanted, self._is_wanted = self._is_wanted, False
            is_turn = is_wanted or began - turn_at >= LOOK_SECONDS * (1 + is_nudged)
            turn_at = began if is_turn else turn_at
            await self._look_safely(is_turn=is_turn, is_wanted=is_wanted)
            took = loop.time() - began
            await asyncio.sleep(max(rest_seconds - took, REST_FACTOR * took))
            left = turn_at + LOOK_SECONDS - loop.time()
            with suppress(TimeoutError):
                async with asyncio.timeout(left if len(self._crowd) else None):
                    await self._nudged.wait()

    async def _look_safely(self, *, is_turn: bool, is_wanted: bool) -> None:
        """Look; where the books are away, pages keep what they have and it is tried again."""
        self._begun += 1
        try:
            if len(self._crowd):
                with self._took.time():
                    await self._look(is_turn=is_turn, is_wanted=is_wanted)
        except RusubanError as fault:
            self._log.warning("the books cannot be looked at", why=str(fault))
        except Exception as fault:  # noqa: BLE001 - pages are read without us as well: we go on
            self._log.error("the look has failed", exc_info=fault)
        async with self._looked:
            self._ended = self._begun
            self._looked.notify_all()

    async def _look(self, *, is_turn: bool, is_wanted: bool) -> None:
        """Look at what is watched or wanted, and tell who watches what has changed."""
        loop = asyncio.get_running_loop()
        if is_turn and loop.time() - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = loop.time()
            await self._crowd.look()
        topics = self._crowd.topics()
        shelves = [topic for topic in topics if topic[0] == SHELVES]
        if shelves or is_wanted:
            before = self.board.number
            if await self.board.take(await self._shelves.read(is_turn=is_turn)):
                await self._tell_cards(before)
        pages = [topic[0] for topic in topics if topic[0] != SHELVES]
        for at in range(0, len(pages), STAMPS_AT_ONCE):
            stamps = await self._books.read(stamps_of, pages[at : at + STAMPS_AT_ONCE])
            await self._tell_stamps(stamps)
        watched = {topic for topic, _, _ in self._crowd.topics()}
        self._stamps = {name: each for name, each in self._stamps.items() if name in watched}

    async def _tell_cards(self, before: int) -> None:
        for topic in self._crowd.topics():
            kind, language, store = topic
            if kind == SHELVES:
                await self._crowd.tell(topic, self.board.changes(before, language, store))

    async def _tell_stamps(self, stamps: Mapping[str, str]) -> None:
        for topic, stamp in stamps.items():
            if self._stamps.get(topic) != stamp:
                self._stamps[topic] = stamp
                await self._crowd.tell((topic, "", ""), event("changed", stamp, stamp))

    async def _draw(self, card: Card, language: str) -> str:
        """Draw a card; everything else has its turn before the next one."""
        await asyncio.sleep(0)
        return self._draw_in(card, language)
