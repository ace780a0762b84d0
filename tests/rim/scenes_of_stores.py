"""Stores and how they stand: several, open, closed, with pictures, with a record, gone."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image

from cloud_controller.flows import registration
from common.ids import StoreId
from common.rules.offerings import RECORD_MIN
from tests.fakes.playing import run
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer, Opened, a_new_store
from tests.rim.mail_kit import change
from tests.rim.views import Views, see
from tests.rim.web_kit import WebKit, web_kit

KYOTO = StoreId("kyoto")
WEEK_MS = 7 * 24 * HOUR_MS


async def stores(folder: Path) -> Views:
    """Several stores, and an offering with all that it can have."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=2, party_max=4))
        await kit.store.books.transact(registration.add_store, a_new_store(KYOTO))
        yield see(kit, "several stores", "/")
        yield see(kit, "a store with something on offer", f"/s/{SHINJUKU}")
        yield see(kit, "a store with nothing on offer", f"/s/{KYOTO}")
        yield see(kit, "no such store", "/s/nowhere")
        yield see(kit, "without a network", "/offline")
        describe(folder)
        yield see(kit, "pictures, words and a way", f"/s/{SHINJUKU}")
        yield see(kit, "pictures of an offering", f"/o/{opened.offering}")
        await kit.store.leave(opened)
        yield see(kit, "an offering that is gone", f"/o/{opened.offering}")


async def closing(folder: Path) -> Views:
    """A store that opens later, with a record, and one that does not."""
    async with web_kit(folder) as kit:
        opened = await kit.store.open(Offer(devices=1))
        await used_often(kit, folder, opened)
        yield see(kit, "a record of its starts", "/")
        await opens_daily(kit, "12:00-20:00")
        yield see(kit, "closed until noon", "/")
        yield see(kit, "times of a closed store", f"/o/{opened.offering}")
        await opens_daily(kit, "09:00-09:30")
        await kit.store.book(opened, MORNING_AT)
        yield see(kit, "full until it closes", "/")
        yield see(kit, "an offering full until its store closes", f"/o/{opened.offering}")


async def opens_daily(kit: WebKit, hours: str) -> None:
    """Open the store at these hours each day."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    said = {"hours": {"week": {day: [hours] for day in days}}}
    path = f"/api/v1/stores/{SHINJUKU}/hours"
    assert (await kit.told(path, said, method="PUT")).status == 200


def describe(folder: Path) -> None:
    """Let there be two pictures, words in both languages and a way to the store."""
    names = []
    for colour in ("navy", "orange"):
        drawn = BytesIO()
        Image.new("RGB", (640, 360), colour).save(drawn, "WEBP")
        names.append(sha256(drawn.getvalue()).hexdigest())
        body = b64encode(drawn.getvalue()).decode()
        change(
            folder,
            "INSERT INTO offering_pictures (sha256, store_id, media_type, body, kept_at)"
            " VALUES (?, ?, 'image/webp', ?, 1)",
            *(names[-1], SHINJUKU, body),
        )
    pictures = [{"sha256": each, "alt": {"ja": "座席", "en": "The seat"}} for each in names]
    texts = {"ja": {"title": "VRアリーナ", "content": "二百の世界。"}}
    change(
        folder,
        "UPDATE offerings SET texts = ?, pictures = ?",
        json.dumps(texts),
        json.dumps(pictures),
    )
    change(folder, "UPDATE stores SET directions = '駅から三分。\n右手の白いビル。'")


async def used_often(kit: WebKit, folder: Path, opened: Opened) -> None:
    """Let there be as many uses as a record needs, a week ago."""
    for number in range(RECORD_MIN):
        link = await kit.store.book(opened, MORNING_AT + (number + 1) * HOUR_MS)
        await kit.store.books.transact(run, link, opened.terminal)
        change(folder, "UPDATE sessions SET state = 'ended', fence = fence + 1")
    change(folder, "UPDATE sessions SET running_at = running_at - ?", WEEK_MS)
    change(folder, "UPDATE tickets SET state = 'spent'")
    change(
        folder,
        "UPDATE reservations SET state = 'completed', starts_at = starts_at - ?,"
        " ends_at = ends_at - ?, blocked_until = blocked_until - ?",
        *[WEEK_MS] * 3,
    )
