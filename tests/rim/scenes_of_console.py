"""A store in the middle of its morning, for whoever runs it: in use, booked, broken, away."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.fakes.playing import run
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, Opened
from tests.rim.mail_kit import change
from tests.rim.operator_kit import SIGNED_IN
from tests.rim.views import Views, see
from tests.rim.web_kit import WebKit, web_kit

TEN_AT: Final = MORNING_AT + HOUR_MS
BOOKED: Final = (
    *((0, 60), (0, 30), (30, 60), (60, 30), (60, 60), (90, 30), (120, 60), (120, 30)),
    *((180, 60), (240, 30), (300, 60), (360, 60), (420, 30)),
)
"""When each claim of the day begins after ten, and how long it lasts, in minutes."""

NAMES: Final = ("VR 東", "VR 西", "VR 南", "レース 1", "レース 2", "スタジオ", "机 1", "机 2")
CODES: Final = "K7M2 QX4T 9HWB R3ND F8YV J5CP 2GZK T6AE W1SM B4QJ X9DH N7RF C3VY M5PT G8XK H2WZ"
HOURS: Final = '{"week": {"fri": ["09:00-22:00"]}}'


async def console(folder: Path) -> Views:
    """See the store now, and its day."""
    async with web_kit(folder) as kit:
        booths = await kit.store.open(Offer(devices=6, turnover_seconds=600))
        desks = await kit.store.open(Offer(key="desk", title="Desk", devices=2, price_cents=500))
        await _book(kit, folder, booths, desks)
        _stand(folder, booths)
        await kit.store.leave(desks)
        yield see(kit, "now", "/operator", headers=SIGNED_IN)
        yield see(kit, "day", "/operator/day", headers=SIGNED_IN)


async def _book(kit: WebKit, folder: Path, booths: Opened, desks: Opened) -> None:
    links = [
        await kit.store.book(booths, TEN_AT + at * MINUTE_MS, length * 60) for at, length in BOOKED
    ]
    links += [await kit.store.book(desks, TEN_AT + at * MINUTE_MS) for at in (-30, 0, 90)]
    kit.store.clock.now = TEN_AT + MINUTE_MS
    await kit.store.books.transact(run, links[0], booths.terminal)
    kit.store.clock.now = TEN_AT + 23 * MINUTE_MS
    change(folder, "UPDATE reservations SET state = 'no_show' WHERE link = ?", links[len(BOOKED)])
    for link, code in zip(links, CODES.split(), strict=True):
        said = (
            "UPDATE tickets SET short_code = ? WHERE reservation_id ="
            " (SELECT reservation_id FROM reservations WHERE link = ?)"
        )
        change(folder, said, f"{code}000000", link)


def _stand(folder: Path, booths: Opened) -> None:
    """Let one be made ready, and one be out of order."""
    for number, name in enumerate(NAMES, start=1):
        change(folder, "UPDATE devices SET title = ? WHERE number = ?", name, number)
    change(folder, "UPDATE devices SET state_at = ?", TEN_AT - 20 * MINUTE_MS)
    ready, broken = booths.devices[2], booths.devices[5]
    change(folder, "UPDATE devices SET state = 'turnover' WHERE device_id = ?", ready)
    said = "UPDATE devices SET is_out_of_order = 1, fault = 'reset_failed' WHERE device_id = ?"
    change(folder, said, broken)
    change(folder, "UPDATE stores SET hours = ?", HOURS)
