"""Both engines keep closed time from sale, find what was sold in it, list blackouts alike (C2)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloud_controller.flows import registration, reservations
from cloud_controller.flows.reservations import NewBlackout
from cloud_controller.keys import FileKeys
from common.rules.reservations import OpeningHours, Range
from common.system import SystemNames
from tests.contracts.engines import ENGINES, Engine, opened
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, ClockInHand, StoreKit

TEN_TO_TWO = OpeningHours.model_validate({"week": {"fri": ["10:00-14:00"]}})
DAY = Range(starts_at=MORNING_AT, ends_at=MORNING_AT + 24 * HOUR_MS)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
async def test_c2_closed_time_is_not_sold_and_what_was_is_found(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        keys = FileKeys(tmp_path / "keys", SystemNames())
        kit = StoreKit(books=books, clock=ClockInHand(), keys=keys)
        terminal = await kit.open()
        out, other = terminal.devices
        await kit.book(terminal, MORNING_AT)
        await kit.book(terminal, MORNING_AT + HOUR_MS)
        await books.transact(registration.keep_hours, SHINJUKU, TEN_TO_TWO, "operator", "")
        assert await books.transact(reservations.call_to_shut_out, SHINJUKU) == 1

        stretch = Range(starts_at=MORNING_AT + HOUR_MS, ends_at=MORNING_AT + 2 * HOUR_MS)
        new = NewBlackout(store=SHINJUKU, device=out, stretch=stretch, reason="paint")
        made = await books.transact(reservations.add_blackout, new, "operator")
        assert await books.transact(reservations.call_to_shut_out, SHINJUKU, stretch) == 1
        free = await books.read(reservations.free_slots, terminal.offering, 1800, DAY)
        begins = [(slot["starts_at"] - MORNING_AT) / HOUR_MS for slot in free]
        assert begins == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
        assert [each["device"] for each in free[0]["devices"]] == [other]

        problems = await books.read(lambda open_books: list(open_books.problems.latest(most=9)))
        todo = [[each["do"] for each in json.loads(row["proposals"])] for row in problems]
        assert sorted(todo) == [["move", "refund"], ["reschedule"] * 3 + ["refund"]]

        for store in (SHINJUKU, None):
            rows = await books.read(reservations.blackouts, store, DAY, most=9)
            assert [row["blackout_id"] for row in rows] == [made["blackout_id"]]
            later = {"most": 9, "after": made["blackout_id"]}
            assert await books.read(reservations.blackouts, store, DAY, **later) == []
        await books.transact(reservations.remove_blackout, made["blackout_id"], "operator")
        await books.transact(registration.keep_hours, SHINJUKU, None, "operator", "")
        await books.transact(reservations.solve_shut_out)
        await books.transact(reservations.forget_blackouts)
        rows = await books.read(lambda open_books: list(open_books.problems.latest(most=9)))
        assert all(row["solved_at"] is not None for row in rows)
