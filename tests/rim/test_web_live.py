"""Open pages are told what changes, each once and whatever the line does to them (E3)."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.flows import registration
from common.rules.presence import Presence
from tests.fakes.store import MORNING_AT, Offer
from tests.rim.live_kit import page
from tests.rim.web_kit import web_kit


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
