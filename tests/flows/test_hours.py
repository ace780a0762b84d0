"""C2: nothing is sold while a store is closed or blacked out; what was sold before is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import registration, reservations
from cloud_controller.flows.registration import NewStore
from cloud_controller.flows.reservations import NewBlackout, closures
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken
from common.ids import StoreId
from common.rules.problems import ProblemKind
from common.rules.reservations import OpeningHours, Range
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer, Opened, StoreKit, store_kit

HALF_HOUR_MS = HOUR_MS // 2
TEN_TO_TWO = OpeningHours.model_validate({"week": {"fri": ["10:00-14:00"]}})
"""MORNING_AT is nine o'clock on a Friday in Tokyo."""


async def keep_hours(kit: StoreKit, hours: OpeningHours | None) -> int:
    keep = registration.keep_hours
    await kit.books.transact(keep, SHINJUKU, hours, "operator", "tests")
    return await kit.books.transact(reservations.call_to_shut_out, SHINJUKU)


async def black_out(kit: StoreKit, device: str | None, starts_at: int, ends_at: int) -> Any:
    stretch = Range(starts_at=starts_at, ends_at=ends_at)
    new = NewBlackout(store=SHINJUKU, device=device, stretch=stretch, reason="paint")
    row = await kit.books.transact(reservations.add_blackout, new, "operator")
    await kit.books.transact(reservations.call_to_shut_out, SHINJUKU, stretch)
    return row


async def begins(kit: StoreKit, opened: Opened, device: str | None = None) -> list[float]:
    """Return when half-hour slots of the day begin, in hours after nine."""
    day = Range(starts_at=MORNING_AT, ends_at=MORNING_AT + 24 * HOUR_MS)
    found = await kit.books.read(reservations.free_slots, opened.offering, 1800, day)
    return [
        (slot["starts_at"] - MORNING_AT) / HOUR_MS
        for slot in found
        if device is None or device in {each["device"] for each in slot["devices"]}
    ]


async def open_problems(kit: StoreKit) -> list[Any]:
    rows = await kit.books.read(lambda books: list(books.problems.latest(most=1000)))
    return [
        row
        for row in rows
        if row["solved_at"] is None and row["kind"] == ProblemKind.RESERVATION_SHUT_OUT
    ]


async def audited(kit: StoreKit, subject: str) -> list[str]:
    rows = await kit.books.read(lambda books: list(books.post.audit_of(subject=subject, most=9)))
    return [row["act"] for row in rows]


async def test_c2_slots_are_those_of_the_store_s_hours(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        assert len(await begins(kit, opened)) == 48
        await keep_hours(kit, TEN_TO_TWO)
        assert await begins(kit, opened) == [1 + half / 2 for half in range(8)]
        await keep_hours(kit, OpeningHours())
        assert await begins(kit, opened) == []
        await keep_hours(kit, None)
        assert len(await begins(kit, opened)) == 48
        assert (await audited(kit, SHINJUKU)).count("store.hours") == 3


async def test_c2_nothing_is_booked_outside_of_hours_or_over_closing(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        await keep_hours(kit, TEN_TO_TWO)
        for starts_at in (MORNING_AT, MORNING_AT + HALF_HOUR_MS, MORNING_AT + 5 * HOUR_MS):
            with pytest.raises(NotAllowed):
                await kit.book(opened, starts_at)
        await kit.book(opened, MORNING_AT + 4 * HOUR_MS + HALF_HOUR_MS)


async def test_whoever_stands_in_a_closed_store_takes_nothing(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        assert await kit.books.read(reservations.free_now, opened.offering)
        await keep_hours(kit, TEN_TO_TWO)
        assert await kit.books.read(reservations.free_now, opened.offering) == []
        kit.clock.move(4.5 * 3600)
        (only,) = await kit.books.read(reservations.free_now, opened.offering)
        assert only.length_seconds == 1800, "an hour would go on past closing"


async def test_hours_said_again_are_no_news(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        await kit.open()
        await keep_hours(kit, TEN_TO_TWO)
        await keep_hours(kit, TEN_TO_TWO)
        assert (await audited(kit, SHINJUKU)).count("store.hours") == 1


async def test_a_store_that_nobody_knows_has_no_hours_and_no_blackouts(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        with pytest.raises(NotFound):
            await keep_hours(kit, TEN_TO_TWO)
        with pytest.raises(NotFound):
            await black_out(kit, None, MORNING_AT, MORNING_AT + HOUR_MS)
        opened = await kit.open()
        with pytest.raises(NotFound):
            await black_out(kit, "d-of-another", MORNING_AT, MORNING_AT + HOUR_MS)
        assert opened.devices


async def test_a_new_store_opens_with_its_hours_and_a_known_one_keeps_them(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        osaka = StoreId("osaka")
        for hours in (TEN_TO_TWO, None):
            new = NewStore(
                store=osaka,
                title="Osaka",
                time_zone="Asia/Tokyo",
                hours=hours,
                directions="Upstairs.",
            )
            await kit.books.transact(registration.add_store, new)
        row = await kit.books.read(lambda books: books.registration.store(store_id=osaka))
        assert json.loads(row["hours"]) == {"week": {"fri": ["10:00-14:00"]}}
        assert row["directions"] == "Upstairs."


async def test_c2_a_blackout_keeps_its_device_from_sale_and_no_other(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        out, other = opened.devices
        row = await black_out(kit, out, MORNING_AT + HOUR_MS, MORNING_AT + 2 * HOUR_MS)
        closed = [1.0, 1.5]
        assert [at for at in await begins(kit, opened, other) if at in closed] == closed
        assert [at for at in await begins(kit, opened, out) if at in closed] == []
        assert {0.5, 2.0} <= set(await begins(kit, opened, out))
        await kit.books.transact(reservations.remove_blackout, row["blackout_id"], "operator")
        assert [at for at in await begins(kit, opened, out) if at in closed] == closed
        assert await audited(kit, out) == ["blackout.removed", "blackout.added"]
        with pytest.raises(NotFound):
            await kit.books.transact(reservations.remove_blackout, row["blackout_id"], "operator")


async def test_c2_nothing_is_booked_in_a_blackout_of_the_whole_store(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        await black_out(kit, None, MORNING_AT + HOUR_MS, MORNING_AT + 2 * HOUR_MS)
        assert {1.0, 1.5} & set(await begins(kit, opened)) == set()
        with pytest.raises(SlotIsTaken):
            await kit.book(opened, MORNING_AT + HOUR_MS)
        await kit.book(opened, MORNING_AT + 2 * HOUR_MS)
        await kit.book(opened, MORNING_AT + HALF_HOUR_MS)


async def test_turnover_is_over_before_a_blackout_and_may_last_past_closing(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open(Offer(turnover_seconds=60))
        await keep_hours(kit, TEN_TO_TWO)
        await black_out(kit, None, MORNING_AT + 2 * HOUR_MS, MORNING_AT + 3 * HOUR_MS)
        assert await begins(kit, opened) == [1.0, 3.0, 3.5, 4.0, 4.5]


async def test_a_blackout_over_what_was_sold_calls_an_operator_and_gives_nothing_away(
    tmp_path: Path,
):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        link = await kit.book(opened, MORNING_AT + HOUR_MS)
        known = await kit.books.read(reservations.ticket, link)
        mine = known["device_id"]
        (other,) = set(opened.devices) - {mine}
        row = await black_out(kit, mine, MORNING_AT, MORNING_AT + 2 * HOUR_MS)
        (problem,) = await open_problems(kit)
        assert problem["subject"] == problem["reservation_id"] == known["reservation_id"]
        assert "paint" in problem["why"]
        assert json.loads(problem["evidence"])["link"] == link
        proposed = json.loads(problem["proposals"])
        assert [each["do"] for each in proposed] == ["move", "refund"]
        assert proposed[0]["device"] == other
        assert (await kit.books.read(reservations.ticket, link))["state"] == "confirmed"
        await kit.books.transact(reservations.remove_blackout, row["blackout_id"], "operator")
        assert await open_problems(kit) == []


async def test_new_hours_call_to_what_was_sold_outside_of_them_with_the_nearest_times(
    tmp_path: Path,
):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        outside = await kit.book(opened, MORNING_AT + 6 * HOUR_MS)
        await kit.book(opened, MORNING_AT + 4 * HOUR_MS)
        assert await keep_hours(kit, TEN_TO_TWO) == 1
        (problem,) = await open_problems(kit)
        assert json.loads(problem["evidence"])["link"] == outside
        *times, refund = json.loads(problem["proposals"])
        assert refund == {"do": "refund"}
        assert {each["do"] for each in times} == {"reschedule"}
        nearest = [MORNING_AT + hours * HOUR_MS for hours in (4.5, 4, 3.5)]
        assert [each["starts_at"] for each in times] == nearest
        assert await keep_hours(kit, TEN_TO_TWO) == 1
        assert len(await open_problems(kit)) == 1, "seen again, it is the same problem"
        assert await keep_hours(kit, None) == 0
        assert await open_problems(kit) == []


@pytest.mark.parametrize("way", ["rescheduled", "cancelled", "over"])
async def test_who_is_not_shut_out_any_more_needs_nobody(tmp_path: Path, way: str):
    async with store_kit(tmp_path) as kit:
        opened = await kit.open()
        link = await kit.book(opened, MORNING_AT + HOUR_MS)
        await black_out(kit, None, MORNING_AT, MORNING_AT + 2 * HOUR_MS)
        await kit.books.transact(reservations.solve_shut_out)
        assert len(await open_problems(kit)) == 1
        if way == "rescheduled":
            later_at = MORNING_AT + 3 * HOUR_MS
            slot = Range(starts_at=later_at, ends_at=later_at + HALF_HOUR_MS)
            await kit.books.transact(reservations.reschedule, link, slot)
        elif way == "cancelled":
            await kit.books.transact(reservations.cancel, link)
        else:
            kit.clock.move(2 * 3600)
        await kit.books.transact(reservations.solve_shut_out)
        assert await open_problems(kit) == []


async def test_a_blackout_is_bounded_in_time_and_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with store_kit(tmp_path) as kit:
        await kit.open()
        with pytest.raises(NotAllowed):
            await black_out(kit, None, MORNING_AT - HOUR_MS, MORNING_AT)
        with pytest.raises(NotAllowed):
            await black_out(kit, None, MORNING_AT, MORNING_AT + 367 * 24 * HOUR_MS)
        monkeypatch.setattr(closures, "BLACKOUTS_MAX", 1)
        await black_out(kit, None, MORNING_AT, MORNING_AT + HOUR_MS)
        with pytest.raises(NotAllowed):
            await black_out(kit, None, MORNING_AT, MORNING_AT + HOUR_MS)
        kit.clock.move(3600)
        await black_out(kit, None, MORNING_AT, MORNING_AT + 2 * HOUR_MS)


async def test_blackouts_are_listed_in_order_and_forgotten_when_long_over(tmp_path: Path):
    async with store_kit(tmp_path) as kit:
        await kit.open()
        made = [
            (await black_out(kit, None, MORNING_AT + hours * HOUR_MS, MORNING_AT + 9 * HOUR_MS))[
                "blackout_id"
            ]
            for hours in (3, 1, 2)
        ]

        async def listed(*, after: str = "", most: int = 9) -> list[str]:
            day = Range(starts_at=kit.clock.now, ends_at=kit.clock.now + 24 * HOUR_MS)
            find = reservations.blackouts
            rows = await kit.books.read(find, SHINJUKU, day, most=most, after=after)
            return [row["blackout_id"] for row in rows]

        in_order = [made[1], made[2], made[0]]
        assert await listed() == in_order
        assert await listed(most=2) == in_order[:2]
        assert await listed(after=made[2]) == in_order[2:]
        await kit.books.transact(reservations.forget_blackouts)
        assert len(await listed()) == 3
        kit.clock.move(31 * 86_400)
        await kit.books.transact(reservations.forget_blackouts)
        rows = await kit.books.read(
            reservations.blackouts, None, Range(starts_at=0, ends_at=1 << 50), most=9
        )
        assert rows == []
