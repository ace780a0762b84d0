"""A store as it may be: three offerings in two languages, each with a picture that is drawn."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
from PIL import Image, ImageDraw

from tests.fakes.store import SHINJUKU, Offer
from tests.rim.views import Views, see
from tests.rim.web_kit import OPERATOR, WebKit, web_kit

WIDE, HIGH = 960, 540
Draw = ImageDraw.ImageDraw
Drawn = Callable[[Draw], None]


async def shop(folder: Path) -> Views:
    """Look at a store in the morning, and at what it offers."""
    async with web_kit(folder) as kit:
        for offer, words, drawn in SHELF:
            await kit.store.open(offer)
            await _tell(kit, offer, words, drawn)
        shown = await kit.get("/api/v1/offerings")
        studio, vr, racing = sorted(shown.json["offerings"], key=lambda each: each["price_cents"])
        yield see(kit, "store", "/")
        for name, each in (("racing", racing), ("vr", vr), ("studio", studio)):
            yield see(kit, name, f"/o/{each['offering']}")


async def _tell(kit: WebKit, offer: Offer, words: dict[str, dict[str, str]], drawn: Drawn) -> None:
    """Let the operator say what an offering is, with its picture."""
    path = f"/api/v1/stores/{SHINJUKU}/offerings/{offer.key}"
    form = aiohttp.FormData()
    form.add_field("photo", _png(drawn), filename="booth.png", content_type="image/png")
    kept = await kit.post(f"{path}/pictures", data=form, headers=OPERATOR)
    alt = {language: each["title"] for language, each in words.items()}
    body = {
        "title": offer.title,
        "texts": words,
        "pictures": [{"sha256": kept.json["sha256"], "alt": alt}],
        "price_cents": offer.price_cents,
        "lengths_seconds": offer.lengths_seconds,
        "party_max": offer.party_max,
        "change_seconds": 3600,
        "cancel_seconds": 3600,
    }
    said = await kit.call("PUT", path, json=body, headers=OPERATOR)
    assert said.status == 200, said.text


def _png(drawn: Drawn) -> io.BytesIO:
    picture = Image.new("RGB", (WIDE, HIGH))
    drawn(ImageDraw.Draw(picture, "RGBA"))
    file = io.BytesIO()
    picture.save(file, "PNG")
    file.seek(0)
    return file


def _sky(pen: Draw, above: tuple[int, int, int], below: tuple[int, int, int]) -> None:
    for y in range(HIGH):
        part = y / HIGH
        mixed = tuple(round(a + (b - a) * part) for a, b in zip(above, below, strict=True))
        pen.line((0, y, WIDE, y), fill=mixed)


def _road(pen: Draw) -> None:
    """Draw a road at dusk."""
    _sky(pen, (62, 36, 66), (244, 150, 96))
    pen.ellipse((400, 150, 560, 310), fill=(255, 217, 140))
    hills = [(0, 300), (230, 190), (470, 310), (700, 210), (WIDE, 300), (WIDE, HIGH), (0, HIGH)]
    pen.polygon(hills, fill=(74, 40, 52))
    pen.polygon([(440, 300), (520, 300), (960, 540), (0, 540)], fill=(38, 26, 34))
    for near in (0.0, 0.18, 0.42, 0.75):
        y, half = 310 + 230 * near, 3 + 16 * near
        tall = 14 + 46 * near
        wider = half * 1.5
        line = [(480 - half, y), (480 + half, y), (480 + wider, y + tall), (480 - wider, y + tall)]
        pen.polygon(line, fill=(255, 217, 140))


def _worlds(pen: Draw) -> None:
    """Draw a window into another world."""
    _sky(pen, (20, 34, 74), (58, 116, 140))
    for n in range(70):
        x, y = (n * 137) % WIDE, (n * n * 61) % 300
        pen.ellipse((x, y, x + 3 + n % 3, y + 3 + n % 3), fill=(255, 246, 220, 160))
    pen.ellipse((560, 70, 820, 330), fill=(240, 180, 88))
    pen.ellipse((600, 90, 840, 330), fill=(34, 62, 104))
    for n, green in enumerate((66, 54, 40)):
        top = 330 + n * 60
        hill = [(x, top + 34 * math.sin(x / 90 + n * 2)) for x in range(0, WIDE + 20, 20)]
        pen.polygon([(0, HIGH), *hill, (WIDE, HIGH)], fill=(18, green, 58))


def _sound(pen: Draw) -> None:
    """Draw what a microphone hears."""
    _sky(pen, (250, 233, 208), (240, 196, 150))
    for n in range(60):
        x = 40 + n * 15
        tall = 24 + 170 * abs(math.sin(n / 4.2) * math.cos(n / 11))
        shade = (164, 62, 32) if n % 5 else (122, 47, 24)
        pen.rounded_rectangle((x, 270 - tall, x + 8, 270 + tall), radius=4, fill=shade)


SHELF: Final[tuple[tuple[Offer, dict[str, dict[str, str]], Drawn], ...]] = (
    (
        Offer(key="racing", title="Racing seat", price_cents=2200, devices=3),
        {
            "en": {"title": "Racing seat", "content": "A wheel that pushes back, three screens."},
            "ja": {"title": "レーシングシート", "content": "手ごたえのあるハンドルと三面の画面。"},
        },
        _road,
    ),
    (
        Offer(key="vr", title="VR arena", price_cents=1500, devices=2, party_max=4),
        {
            "en": {"title": "VR arena", "content": "Two hundred worlds, one headset."},
            "ja": {"title": "VRアリーナ", "content": "二百の世界を、ひとつのヘッドセットで。"},
        },
        _worlds,
    ),
    (
        Offer(key="studio", title="Sound studio", price_cents=900, devices=1),
        {
            "en": {"title": "Sound studio", "content": "A good microphone and a quiet room."},
            "ja": {"title": "録音スタジオ", "content": "よいマイクと、静かな部屋。"},
        },
        _sound,
    ),
)
"""What the store has, in whose words, and its picture."""
