"""The operator's words and pictures over the API, and what everybody reads of them (E1)."""

from __future__ import annotations

import io
from pathlib import Path

import aiohttp

from common.rules.offerings import size_of
from tests.fakes.store import SHINJUKU
from tests.rim.test_pictures import WHERE, a_picture
from tests.rim.web_kit import OPERATOR, Answered, WebKit, assert_problem, web_kit

API = "/api/v1"
OFFERINGS = f"{API}/stores/{SHINJUKU}/offerings"
WORDS = {
    "title": "レーシングシート",
    "texts": {"en": {"title": "Racing seat", "content": "A wheel and three pedals."}},
    "price_cents": 900,
    "lengths_seconds": [1800],
    "cancel_seconds": 3600,
}


async def send(kit: WebKit, content: bytes, path: str = f"{OFFERINGS}/vr/pictures") -> Answered:
    """Send a picture as curl does with `-F photo=@booth.jpg`."""
    form = aiohttp.FormData()
    form.add_field("photo", io.BytesIO(content), filename="booth.jpg", content_type="image/jpeg")
    return await kit.post(path, data=form, headers=OPERATOR)


async def test_e1_an_operator_says_what_an_offering_is_and_shows_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        key = (await kit.get(OFFERINGS, headers=OPERATOR)).json["offerings"][0]["key"]
        kept = await send(kit, a_picture())
        assert kept.status == 201
        pictures = [{"sha256": kept.json["sha256"], "alt": {"en": "A red seat"}}]
        said = await kit.call(
            "PUT", f"{OFFERINGS}/{key}", json={**WORDS, "pictures": pictures}, headers=OPERATOR
        )
        assert said.json["told_by"] == "operator"
        assert [each["state"] for each in said.json["devices"]] == ["on", "on"]
        (listed,) = (await kit.get(f"{API}/offerings")).json["offerings"]
        assert listed["texts"] == WORDS["texts"]
        assert listed["pictures"] == [
            {"url": f"/pictures/{kept.json['sha256']}.webp", "alt": {"en": "A red seat"}}
        ]
        assert listed["availability"] == {"state": "free_now", "at": None}
        given = await kit.call("DELETE", f"{OFFERINGS}/{key}", headers=OPERATOR)
        assert given.json["told_by"] == "terminal"
        again = await kit.call("DELETE", f"{OFFERINGS}/{key}", headers=OPERATOR)
        assert_problem(again, 404, "not_found")


async def test_e1_a_picture_is_read_by_everybody_and_kept_for_good(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        url = (await send(kit, a_picture())).json["url"].removeprefix(kit.url)
        read = await kit.get(url)
        assert (read.status, read.headers["Content-Type"]) == (200, "image/webp")
        assert "immutable" in read.headers["Cache-Control"]
        assert read.headers["X-Content-Type-Options"] == "nosniff"
        assert size_of(read.body) == (480, 960)
        assert WHERE.encode() not in read.body
        for name in ("a" * 64 + ".webp", url.removeprefix("/pictures/")[:-5], "..%2Fbooks.db"):
            assert (await kit.get(f"/pictures/{name}")).status == 404


async def test_e1_what_is_no_picture_or_no_offering_is_refused(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert_problem(await send(kit, b"<svg/>"), 422, "not_a_picture")
        nowhere = f"{API}/stores/nowhere/offerings/vr"
        assert_problem(await send(kit, a_picture(), f"{nowhere}/pictures"), 404, "not_found")
        wrong = (
            (f"{OFFERINGS}/vr", {**WORDS, "told_by": "terminal"}, 422, "invalid_body"),
            (f"{OFFERINGS}/vr", {**WORDS, "lengths_seconds": []}, 422, "invalid_body"),
            (f"{OFFERINGS}/a%20b", WORDS, 422, "invalid_body"),
            (nowhere, WORDS, 404, "not_found"),
            (f"{OFFERINGS}/vr", {**WORDS, "pictures": [{"sha256": "a" * 64}]}, 409, "not_allowed"),
        )
        for path, body, status, code in wrong:
            answer = await kit.call("PUT", path, json=body, headers=OPERATOR)
            assert_problem(answer, status, code)


async def test_e3_an_offering_says_from_when_it_is_free(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        for _ in opened.devices:
            await kit.store.book(opened, kit.store.clock.now)
        (listed,) = (await kit.get(f"{API}/offerings")).json["offerings"]
        assert (listed["availability"]["state"], listed["devices_free"]) == ("free_at", 0)
        path = f"{API}/offerings/{opened.offering}/slots?length_seconds=1800"
        soonest = (await kit.get(path)).json["slots"][0]["starts_at"]
        assert listed["availability"]["at"] == soonest
        assert listed["reliability"] is None
