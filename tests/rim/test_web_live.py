"""Open pages are told what changes, each once and whatever the line does to them (E3)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry

from cloud_controller.flows import registration
from cloud_controller.web.app import SHUTDOWN_SECONDS
from cloud_controller.web.live.board import Board
from cloud_controller.web.live.looking import LOOK_SECONDS
from cloud_controller.web.live.watching import (
    BEHIND_LOOKS_MAX,
    QUEUE_BYTES_MAX,
    SWEEP_SECONDS,
    Crowd,
    Places,
    Viewer,
    Written,
)
from common.rules.presence import Presence
from tests.fakes.store import MORNING_AT, Offer
from tests.rim.live_kit import page
from tests.rim.mail_kit import change
from tests.rim.web_kit import WebKit, web_kit

TOPIC = ("shelves", "en", "")


async def test_e3_a_page_is_told_at_once_what_is_on_offer_and_what_is_no_more(tmp_path: Path):
    async with web_kit(tmp_path) as kit, page(kit) as seen:
        assert seen.status == 200
        assert seen.headers["Content-Type"] == "text/event-stream"
        assert (await seen.word()).told == {"cards": []}
        opened = await kit.store.open()
        came = await seen.word()
        assert (came.event, came.told["offering"]) == ("card", opened.offering)
        assert "VR Arena" in came.told["html"]
        await kit.store.leave(opened)
        left = await seen.word()
        assert (left.event, left.told["html"]) == ("card", "")


async def test_a_page_that_comes_again_has_missed_nothing_and_is_told_nothing_twice(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        first = await kit.store.open(Offer(title="Karaoke", key="karaoke"))
        async with page(kit) as seen:
            (card,) = (await seen.word()).told["cards"]
            assert card["offering"] == first.offering
        second = await kit.store.open(Offer(title="Darts", key="darts"))
        await kit.store.leave(first)
        async with page(kit, heard=seen.heard) as again:
            told = {(await again.word()).told["offering"] for _ in range(2)}
            assert told == {first.offering, second.offering}
        async with page(kit, heard=again.heard) as once_more:
            await kit.store.leave(second)
            assert (await once_more.word()).told == {
                "offering": second.offering,
                "store": "shinjuku",
                "html": "",
            }


async def test_a_page_that_has_heard_another_start_is_told_the_whole(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        for heard in ("000000000000-1", "nonsense", "-1", "9" * 60):
            async with page(kit, heard=heard) as seen:
                word = await seen.word()
                assert (word.event, len(word.told["cards"])) == ("page", 1)


async def test_a_ticket_s_page_is_told_to_look_again_and_nobody_else_is(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        link = await kit.store.book(opened, MORNING_AT + 3_600_000)
        other = await kit.store.book(opened, MORNING_AT + 7_200_000)
        paths = [f"/t/{each}/events" for each in (link, other)]
        async with page(kit, paths[0]) as seen, page(kit, paths[1]) as others:
            stamps = [(await each.word()).told for each in (seen, others)]
            assert stamps == [seen.heard, others.heard]
            await kit.post(f"/api/v1/tickets/{link}/cancel")
            changed = await seen.word()
            assert (changed.event, changed.told) == ("changed", changed.id)
            assert changed.told != stamps[0]
            await kit.post(f"/api/v1/tickets/{other}/cancel")
            assert (await others.word()).told != stamps[1]
        async with page(kit, paths[0], heard=seen.heard) as again:
            await kit.store.books.transact(
                registration.note_presence, {opened.terminal: Presence.GONE}
            )
            assert (await again.word()).told != seen.heard


async def test_there_is_no_stream_of_a_ticket_that_is_none(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for path in (f"/t/{'0' * 32}/events", f"/w/{'0' * 32}/events"):
            assert (await kit.get(path)).status == 404


async def test_e3_what_another_process_has_written_is_seen_within_a_second_or_two(tmp_path: Path):
    """A web role apart has no commit of its own to be told of."""
    async with web_kit(tmp_path, roles=frozenset({"web"})) as kit:
        opened = await kit.store.open()
        async with page(kit) as seen:
            assert (await seen.word()).told["cards"]
            began = time.monotonic()
            change(tmp_path, "UPDATE terminals SET presence = 'gone'")
            assert (await seen.word()).told["offering"] == opened.offering
            assert time.monotonic() - began < 10 * LOOK_SECONDS


async def test_e3_whoever_opens_a_page_is_told_of_now_and_not_of_the_last_look(tmp_path: Path):
    """Nobody has told us of the change: the page itself was read after it all the same."""
    async with web_kit(tmp_path) as kit, page(kit) as seen:
        await seen.word()
        await kit.store.open()
        assert (await seen.word()).told["offering"]
        change(tmp_path, "UPDATE terminals SET presence = 'gone'")
        async with page(kit) as new:
            assert (await new.word()).told == {"cards": []}


async def test_what_is_pushed_to_everybody_carries_nobody_s_key(tmp_path: Path):
    async with web_kit(tmp_path) as kit, page(kit) as seen:
        await seen.word()
        await kit.store.open()
        html = (await seen.word()).told["html"]
        assert "data-key" in html
        assert 'name="key"' not in html


async def test_only_those_of_a_store_are_told_to_its_page_and_in_its_language(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        async with (
            page(kit, "/events?store=elsewhere") as other,
            page(kit, "/events?lang=ja") as ja,
        ):
            assert (await other.word()).told == {"cards": []}
            (card,) = (await ja.word()).told["cards"]
            assert "無料" not in card["html"]
            assert "￥1,500" in card["html"]


async def test_whoever_names_stores_that_nobody_has_makes_nothing_be_kept():
    async def draw(_card: object, _language: str) -> str:
        return ""

    board = Board("e", draw)
    await board.speak("en")
    for number in range(3):
        assert b"cards" in board.since("", "en", f"nowhere-{number}")
    assert not board._whole


async def test_so_many_watch_and_the_next_is_told_when_to_come_again(tmp_path: Path):
    async with (
        web_kit(tmp_path, viewers_max=3) as kit,
        page(kit) as first,
        page(kit, "/events?store=shinjuku") as second,
    ):
        assert (first.status, second.status) == (200, 200)
        refused = await kit.get("/events")
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        figures = (await kit.told("/metrics")).text
        assert "rusuban_viewers 2.0" in figures
        assert 'rusuban_viewers_gone_total{why="no place"} 1.0' in figures
        head = await kit.call("HEAD", "/events")
        assert (head.status, head.headers["Content-Type"]) == (200, "text/event-stream")


async def test_whoever_leaves_leaves_a_place_at_once(tmp_path: Path):
    async with web_kit(tmp_path, viewers_max=2) as kit:
        figures = ""
        for _ in range(5):
            async with page(kit) as seen:
                assert seen.status == 200
                await seen.word()
            figures = await until_nobody_watches(kit)
        assert 'rusuban_requests_total{route="GET /events"' in figures
        assert 'rusuban_request_seconds_count{route="GET /events"}' not in figures


async def test_streams_end_when_the_controller_stops_so_that_pages_come_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        line = page(kit)
        seen = await line.__aenter__()
        await seen.word()
        began = time.monotonic()
    assert await seen.has_ended()
    assert time.monotonic() - began < SHUTDOWN_SECONDS
    await line.__aexit__(None, None, None)


async def test_whoever_is_slow_is_cut_and_the_others_are_told():
    """Nobody's line holds up another's: what it does not take is bounded, in bytes and in time."""
    crowd = Crowd(Places(viewers_max=9, viewers_of_a_peer_max=9), CollectorRegistry())
    async with two_lines() as lines, asyncio.TaskGroup() as tasks:
        slow, quick = lines.viewers
        for each in lines.viewers:
            tasks.create_task(crowd.keep(TOPIC, each, Written(b"first")), name="viewer")
        await asyncio.sleep(0)
        told = 0
        while not slow.gone.done():
            assert told < 100
            await crowd.tell(TOPIC, b"x" * QUEUE_BYTES_MAX)
            await lines.read_by_the_quick_one()
            told += 1
        assert not quick.gone.done()
        crowd.close()


async def test_whoever_takes_nothing_for_a_while_is_cut_though_nothing_is_new():
    crowd = Crowd(Places(viewers_max=9, viewers_of_a_peer_max=9), CollectorRegistry())
    async with two_lines() as lines, asyncio.TaskGroup() as tasks:
        slow, quick = lines.viewers
        for each, first in ((slow, b"x" * 8_000_000), (quick, b"first")):
            tasks.create_task(crowd.keep(TOPIC, each, Written(first)), name="viewer")
        await asyncio.sleep(0)
        for look in range(BEHIND_LOOKS_MAX):
            assert not slow.gone.done(), look
            await crowd.look()
        assert slow.gone.done()
        assert not quick.gone.done()
        crowd.close()


async def until_nobody_watches(kit: WebKit) -> str:
    """Return what the controller counts, once it has heard that its pages were closed."""
    async with asyncio.timeout(SWEEP_SECONDS / 2):
        figures = ""
        while "rusuban_viewers 0.0" not in figures:
            figures = (await kit.told("/metrics")).text
    return figures


class TwoLines:
    """Two viewers at the near ends of two lines; at the far ends, one reads and one does not."""

    def __init__(self) -> None:
        self.viewers: list[Viewer] = []
        self._ends: list[socket.socket] = []
        self._transports: list[asyncio.Transport] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(2):
            near, far = socket.socketpair()
            far.setblocking(False)  # noqa: FBT003 - the library's own
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=near)
            self._transports.append(transport)
            self.viewers.append(Viewer(transport, is_chunked=True))
            self._ends.append(far)

    async def read_by_the_quick_one(self) -> None:
        """Take all that has come, until nothing is left behind."""
        while self._transports[1].get_write_buffer_size():
            await asyncio.sleep(0)
            with suppress(BlockingIOError):
                self._ends[1].recv(1_000_000)

    def close(self) -> None:
        for each in self._transports:
            each.abort()
        for end in self._ends:
            end.close()


@asynccontextmanager
async def two_lines() -> AsyncIterator[TwoLines]:
    """Give two lines, and close them."""
    lines = TwoLines()
    await lines.open()
    try:
        yield lines
    finally:
        lines.close()
        await asyncio.sleep(0)
