"""The set-up as it is seen: nothing yet, on the way, every sheet, what cannot be kept, versions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cloud_controller import bookings
from cloud_controller.bookings import Word
from cloud_controller.flows import help as calls, payments
from cloud_controller.ports import Transaction
from common.messages.service import OfferingDraft, Program, Requirements
from common.rules.payments import Prices
from common.rules.setup import SetupKind
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer, Opened
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.views import Views, see
from tests.rim.web_kit import WebKit, web_kit

SETUP: Final = "/operator/setup"
MIKA: Final = Word(actor="Mika", reason="We agreed on it on Monday")
WEEK: Final = {day: ["10:00-22:00"] for day in ("mon", "tue", "wed", "thu", "sun")}


async def setup(folder: Path) -> Views:
    """Every page of the set-up."""
    async with web_kit(folder) as kit:
        yield see(kit, "nothing set up", SETUP, headers=SIGNED_IN)
        yield see(kit, "a new store", f"{SETUP}/new-store", headers=SIGNED_IN)
        opened = await kit.store.open(Offer(price_cents=0))
        yield see(kit, "on the way", SETUP, headers=SIGNED_IN)
        helper = await kit.store.books.transact(_set_up, opened)
        for name, path in _sheets(opened, helper).items():
            yield see(kit, name, f"{SETUP}/{path}", headers=SIGNED_IN)
        hours = f"{SETUP}/stores/{SHINJUKU}/hours"
        yield see(kit, "saved", f"{hours}?said=kept", headers=SIGNED_IN)
        wrong = {
            "seen": await _seen(kit, hours),
            "fri": "ten to six",
            "holidays": "2027-01-01\nmay",
        }
        yield see(kit, "what cannot be kept", hours, wrong, headers=SIGNED_IN)
        closures = f"{SETUP}/stores/{SHINJUKU}/closures"
        closed = {"starts": "2026-10-24 10:00", "ends": "2026-10-24 12:00", "reason": "Paint"}
        await kit.post(closures, data=closed, headers=SIGNED_IN)
        yield see(kit, "what is kept from sale", closures, headers=SIGNED_IN)
        yield see(kit, "a closure that ends first", closures, {"starts": "x"}, headers=SIGNED_IN)
        code = f"{SETUP}/stores/{SHINJUKU}/enrolment-code"
        yield see(kit, "a code for a PC", code, {}, headers=SIGNED_IN)
        link = f"{SETUP}/helpers/{helper}/link"
        yield see(kit, "a helper's link", link, {}, headers=SIGNED_IN)
        await kit.store.book(opened, MORNING_AT + HOUR_MS)
        yield see(kit, "all set up", SETUP, headers=SIGNED_IN)


def _sheets(opened: Opened, helper: str) -> dict[str, str]:
    return {
        "a store": f"stores/{SHINJUKU}",
        "its hours": f"stores/{SHINJUKU}/hours",
        "an offering": f"offerings/{opened.offering}",
        "its prices": f"offerings/{opened.offering}/prices",
        "a program": "programs/game",
        "a device": f"devices/{opened.devices[0]}",
        "a helper": f"helpers/{helper}",
    }


def _set_up(books: Transaction, opened: Opened) -> str:
    """Say something of everything, twice; return the helper's id."""
    program = Program(
        program="game",
        requires=Requirements(cores_min=4, memory_bytes_min=2**34, needs_gpu=True),
        offering=OfferingDraft(key="vr", title="VR Arena"),
    )
    bookings.keep_program(books, program, MIKA.actor)
    keep, store = bookings.keep_document, bookings.stands_as(books, SetupKind.STORE, SHINJUKU)
    words = {"title": "新宿店", "directions": "東口から三分。\n右手の白いビルの二階。"}
    keep(books, SetupKind.STORE, SHINJUKU, {**store, **words}, MIKA)
    for fri in ("10:00-24:00", "10:00-26:00"):
        week = {**WEEK, "fri": [fri], "sat": [fri]}
        holidays = {"dates": ["2026-11-23", "2027-01-01"], "hours": ["12:00-20:00"]}
        hours = {"week": week, "holidays": holidays}
        keep(books, SetupKind.HOURS, SHINJUKU, {"hours": hours}, MIKA)
    offering = bookings.stands_as(books, SetupKind.OFFERING, opened.offering)
    texts = {"ja": {"title": "VRアリーナ", "content": "二百の世界へ。"}}
    said = {**offering, "texts": texts, "lengths_seconds": [1800, 3600, 5400]}
    keep(books, SetupKind.OFFERING, opened.offering, said, MIKA)
    for hour in (1200, 1500):
        said = {
            "cents_per_hour": hour,
            "bands": [{"weekdays": [0, 1, 2, 3, 4], "until_time": "17:00", "cents_per_hour": 800}],
            "packages": [{"title": "Night", "length_seconds": 21_600, "cents": 3000}],
            "tax_basis_points": 1000,
        }
        payments.set_prices(books, opened.offering, Prices.model_validate(said), MIKA.actor)
    keep(books, SetupKind.DEVICE, opened.devices[0], {"place": "入って左"}, MIKA)
    return calls.add(books, "Yuki", [SHINJUKU], MIKA.actor).helper


async def _seen(kit: WebKit, path: str) -> str:
    page = await kit.get(path, headers=SIGNED_IN)
    (seen, *_) = re.findall(r'name="seen" value="(\d+)"', page.text)
    return str(seen)
