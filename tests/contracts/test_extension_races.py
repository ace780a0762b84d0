"""One goes on playing while another books what follows: one of the two has that time (C2)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloud_controller import bookings
from cloud_controller.bookings import AT_THE_COUNTER, IsNotExtended
from cloud_controller.flows import reservations
from cloud_controller.ports import SlotIsTaken
from common.rules.offerings import NEVER
from common.rules.reservations import Range
from tests.contracts.engines import ENGINES
from tests.contracts.test_burst import OVERLAPS, SLOT_SECONDS, a_crowd
from tests.fakes.playing import run
from tests.fakes.store import Offer

EACH = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
DEVICES = 16
TURNOVER_SECONDS = 600
SLOT_MS = SLOT_SECONDS * 1000

APART = """
SELECT count(*) FROM sessions AS s JOIN reservations AS r USING (reservation_id)
WHERE s.deadline_at <> r.ends_at
"""
CHARGED = "SELECT count(*) FROM payments WHERE due_cents = 1500 AND state = 'paid'"


@EACH
async def test_c2_of_an_extension_and_a_booking_of_what_follows_exactly_one_is_had(
    engine, tmp_path
):
    offer = Offer(
        devices=DEVICES,
        turnover_seconds=TURNOVER_SECONDS,
        grid_seconds=300,
        lengths_seconds=(SLOT_SECONDS,),
    )
    async with a_crowd(engine, tmp_path, offer) as crowd:
        first = crowd.processes[0]
        slot = Range(starts_at=crowd.clock.now, ends_at=crowd.clock.now + SLOT_MS)
        rows = await first.read(
            lambda books: list(
                books.offerings.devices(offering_id=crowd.offering, seen_since=NEVER)
            )
        )
        terminal = engine.look(tmp_path, "SELECT terminal_id FROM terminals")[0][0]
        links = {}
        for row in rows:
            wish = reservations.Wish(offering=crowd.offering, slot=slot, device=row["device_id"])
            links[row["device_id"]] = await first.transact(reservations.book, wish)
            await first.transact(run, links[row["device_id"]], terminal)
        told = await asyncio.gather(
            *(_race(crowd, number, *each) for number, each in enumerate(links.items()))
        )
    assert len(told) == DEVICES
    assert all(extended != booked for extended, booked in told), told
    assert engine.look(tmp_path, OVERLAPS) == [(0,)]
    assert engine.look(tmp_path, APART) == [(0,)]
    assert engine.look(tmp_path, CHARGED) == [(sum(extended for extended, _ in told),)]


async def _race(crowd: Any, number: int, device: str, link: str) -> tuple[bool, bool]:
    """Extend a session and book what follows at once; say which of the two was had."""
    one, other = (crowd.processes[(number + each) % len(crowd.processes)] for each in (0, 1))
    starts_at = crowd.clock.now + SLOT_MS + TURNOVER_SECONDS * 1000
    wish = reservations.Wish(
        offering=crowd.offering,
        slot=Range(starts_at=starts_at, ends_at=starts_at + SLOT_MS),
        device=device,
    )

    async def extend() -> bool:
        try:
            await one.transact(bookings.extend, link, SLOT_SECONDS, 1500, AT_THE_COUNTER)
        except (IsNotExtended, SlotIsTaken):
            return False
        return True

    async def book() -> bool:
        try:
            await other.transact(reservations.book, wish)
        except SlotIsTaken:
            return False
        return True

    if number % 2:
        booked, extended = await asyncio.gather(book(), extend())
    else:
        extended, booked = await asyncio.gather(extend(), book())
    return extended, booked
