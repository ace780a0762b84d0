"""The cleaners' page: a photo by a phone's own form, judged and redrawn before it is kept."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from cloud_controller.bookings import note_device
from cloud_controller.ports import Received
from cloud_controller.web import photos
from common.messages.devices import DeviceTold
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer
from tests.rim.test_web_pages import JAPANESE, OURS
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

API = "/api/v1"
SECRET = b"35.6895N 139.6917E"


@asynccontextmanager
async def waiting(tmp_path: Path) -> AsyncIterator[tuple[WebKit, str, str]]:
    """Serve a store with a device that waits for its photo, with its cleaners' page and device."""
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        (device,) = opened.devices
        told = DeviceTold(
            device=device, state="turnover", at=MORNING_AT, session="s-1", waits_for="photo"
        )
        said = Received(terminal=opened.terminal, epoch=opened.epoch, seq=1, corr="c", message=told)
        await kit.store.books.transact(note_device, said)
        made = await kit.told(f"{API}/stores/{SHINJUKU}/cleaner-link", {})
        yield kit, made.json["url"].removeprefix(kit.url), device


def a_photo(size: tuple[int, int] = (2400, 1200), kind: str = "JPEG") -> bytes:
    """Return a picture that lies on its side, and says where it was taken."""
    drawn = io.BytesIO()
    picture = Image.new("RGB", size, "white")
    picture.paste("navy", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = SECRET.decode()
    picture.save(drawn, kind, exif=exif, comment=SECRET)
    return drawn.getvalue()


async def send(kit: WebKit, path: str, content: bytes, headers: dict[str, str] = OURS) -> Answered:
    """Send a photo as a browser's form does."""
    form = aiohttp.FormData()
    form.add_field("photo", io.BytesIO(content), filename="booth.jpg", content_type="image/jpeg")
    return await kit.post(path, data=form, headers=headers)


async def form_of(kit: WebKit, page: str) -> str:
    shown = (await kit.get(page)).text
    found = re.search(r'action="([^"]+)"', shown)
    assert found is not None, shown
    return found[1]


async def test_a_photo_is_sent_by_a_form_and_seen_by_the_operator_without_its_place(tmp_path: Path):
    async with waiting(tmp_path) as (kit, page, device):
        shown = await kit.get(page)
        for words in ('capture="environment"', 'accept="image/*"', "multipart/form-data"):
            assert words in shown.text
        assert "<script" not in shown.text
        assert "清掃後の写真" in (await kit.get(page, headers=JAPANESE)).text
        sent = await send(kit, await form_of(kit, page), a_photo())
        assert (sent.status, sent.headers["Location"]) == (303, page)
        assert "The photo is here" in (await kit.get(page)).text
        (task,) = (await kit.told(f"{API}/stores/{SHINJUKU}/photo-tasks")).json["tasks"]
        assert (task["is_open"], task["device"]) == (True, device)
        path = task["photo"].removeprefix(kit.url)
        kept = await kit.told(path)
        assert (kept.status, kept.headers["Content-Type"]) == (200, "image/jpeg")
        assert SECRET not in kept.body
        with Image.open(io.BytesIO(kept.body)) as picture:
            assert (picture.format, picture.size) == ("JPEG", (800, 1600)), "small, and upright"
            assert not picture.getexif()
        assert "The photo is here" in (await kit.get(task["url"].removeprefix(kit.url))).text
        assert_problem(await kit.get(path), 401, "not_signed_in")
        assert_problem(await kit.told(f"{path}0"), 404, "not_found")


async def test_what_is_no_photo_of_ours_confirms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with waiting(tmp_path) as (kit, page, _):
        form = await form_of(kit, page)
        assert (await send(kit, form, b"<svg/>")).status == 422
        assert (await send(kit, form, a_photo()[:200])).status == 422
        monkeypatch.setattr(photos, "PIXELS_MAX", 2400 * 1200 - 1)
        assert (await send(kit, form, a_photo())).status == 422, (
            "by its head, before it is unfolded"
        )
        bomb = a_photo((3000, 2000), "PNG")
        assert (await send(kit, form, bomb)).status == 422
        assert (await send(kit, form, b"\0" * photos.PHOTO_BYTES_MAX)).status == 413
        assert (await send(kit, form, a_photo(), {"Sec-Fetch-Site": "cross-site"})).status == 403
        assert (await send(kit, form, a_photo(), {})).status == 403
        as_fields = await kit.post(form, data={"photo": "x"}, headers=OURS)
        assert as_fields.status == 415
        bare = {"Content-Type": "multipart/form-data"} | OURS
        assert (await kit.post(form, data=a_photo(), headers=bare)).status == 422
        assert "The photo is here" not in (await kit.get(page)).text


async def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit(tmp_path: Path):
    async def for_ever() -> AsyncIterator[bytes]:
        for _ in range(photos.PHOTO_BYTES_MAX // 65_536 + 2):
            yield b"x" * 65_536

    async with waiting(tmp_path) as (kit, page, _):
        headers = {"Content-Type": "multipart/form-data; boundary=b"} | OURS
        answer = await kit.post(await form_of(kit, page), data=for_ever(), headers=headers)
        assert answer.status == 413


async def test_a_link_of_nobody_or_of_another_store_opens_nothing(tmp_path: Path):
    async with waiting(tmp_path) as (kit, page, _):
        form = await form_of(kit, page)
        task = form.rpartition("/")[2]
        body = {"store": "ueno", "title": "Ueno", "time_zone": "Asia/Tokyo", "policy": "manual"}
        await kit.told(f"{API}/stores", body)
        made = await kit.told(f"{API}/stores/ueno/cleaner-link", {})
        other = made.json["url"].removeprefix(kit.url)
        assert task not in (await kit.get(other)).text
        assert (await kit.get("/clean/nobody")).status == 404
        for wrong in (f"{other}/{task}", f"/clean/nobody/{task}", f"{page}/f-none"):
            assert (await send(kit, wrong, a_photo((40, 30)))).status == 404
        kit.store.clock.now += 25 * HOUR_MS
        assert (await send(kit, form, a_photo((40, 30)))).status == 404
        forgotten = await kit.told(f"{API}/stores/{SHINJUKU}/cleaner-link", method="DELETE")
        assert forgotten.status == 200
        assert (await kit.get(page)).status == 404


async def test_a_photo_that_stays_large_is_kept_half_as_large(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(photos, "KEPT_BYTES_MAX", 1)
    with Image.open(io.BytesIO(await photos.redrawn(a_photo()))) as picture:
        assert picture.size == (400, 800)
