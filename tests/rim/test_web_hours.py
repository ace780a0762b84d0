"""The operator says over HTTP when a store is open and what is kept from sale; nobody else does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU
from tests.rim.web_kit import Answered, WebKit, assert_problem, web_kit

API = "/api/v1"
HOURS = f"{API}/stores/{SHINJUKU}/hours"
FRIDAYS = {"week": {"fri": ["10:00-14:00", "18:00-26:00"]}, "exceptions": [{"date": "2026-12-31"}]}
"""MORNING_AT is nine o'clock on a Friday in Tokyo."""


async def put(kit: WebKit, path: str, body: dict[str, Any]) -> Answered:
    return await kit.told(path, body, method="PUT")


async def black_out(kit: WebKit, key: str = "k" * 16, **other: Any) -> Answered:
    wanted = {
        "store": SHINJUKU,
        "starts_at": "2026-10-23T10:00:00+09:00",
        "ends_at": "2026-10-23T11:00:00+09:00",
        "reason": "paint",
    }
    return await kit.told(f"{API}/blackouts", wanted | other, headers={"Idempotency-Key": key})


async def slots_of(kit: WebKit, offering: str) -> list[dict[str, Any]]:
    answer = await kit.get(f"{API}/offerings/{offering}/slots?length_seconds=1800")
    slots: list[dict[str, Any]] = answer.json["slots"]
    return slots


async def test_c2_hours_that_the_operator_says_are_told_and_sold(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        (store,) = (await kit.get(f"{API}/stores")).json["stores"]
        assert (store["hours"], store["directions"]) == (None, "")
        answer = await put(kit, HOURS, {"hours": FRIDAYS, "reason": "autumn"})
        assert answer.status == 200
        assert answer.json["hours"]["week"]["fri"] == ["10:00-14:00", "18:00-02:00"]
        assert answer.json["reservations_shut_out"] == 0
        (store,) = (await kit.get(f"{API}/stores")).json["stores"]
        assert store["hours"] == answer.json["hours"]
        begins = [slot["starts_at"][11:16] for slot in await slots_of(kit, opened.offering)]
        assert (begins[0], begins[-1], len(begins)) == ("01:00", "16:30", 24)
        assert (await put(kit, HOURS, {"hours": None})).json["hours"] is None
        assert len(await slots_of(kit, opened.offering)) == 48


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ({"week": {"fri": ["10-14"]}}, "hours.week.fri.0: a range is said as 09:00-22:00"),
        ({"week": {"fri": ["10:00-14:00", "13:00-15:00"]}}, "hours.week.fri: ranges of a day"),
        ({"week": {"friday": []}}, "hours.week.friday"),
        ({"exceptions": [{"date": "31.12.2026"}]}, "hours.exceptions.0.date"),
        ("always", "hours"),
    ],
)
async def test_hours_that_cannot_be_are_refused_with_their_place(tmp_path: Path, hours, told):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        refused = await put(kit, HOURS, {"hours": hours})
        assert_problem(refused, 422, "invalid_body")
        assert refused.json["detail"].startswith(told)
        assert_problem(await put(kit, HOURS, {}), 422, "invalid_body")


async def test_a_store_is_made_known_with_its_hours_and_told_how_it_is_found(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        new = {"store": "osaka", "title": "Osaka", "time_zone": "Asia/Tokyo", "hours": FRIDAYS}
        made = await kit.told(f"{API}/stores", new)
        assert made.json["hours"]["exceptions"] == [{"date": "2026-12-31", "hours": []}]
        found = await put(kit, f"{API}/stores/osaka/directions", {"directions": "Upstairs."})
        assert found.json["directions"] == "Upstairs."
        for path, body in (("hours", {"hours": None}), ("directions", {"directions": ""})):
            nowhere = await put(kit, f"{API}/stores/nowhere/{path}", body)
            assert_problem(nowhere, 404, "not_found")


async def test_c2_a_blackout_is_made_once_listed_and_taken_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        await kit.store.book(opened, MORNING_AT + HOUR_MS)
        made = await black_out(kit)
        assert made.status == 201
        assert made.json["reservations_shut_out"] == 1
        assert (await black_out(kit)).json == made.json
        assert_problem(await black_out(kit, reason="more paint"), 422, "idempotency_key_reused")
        (listed,) = (await kit.told(f"{API}/blackouts?store={SHINJUKU}")).json["blackouts"]
        assert listed == {
            name: value for name, value in made.json.items() if name != "reservations_shut_out"
        }
        assert (await kit.told(f"{API}/blackouts?store=osaka")).json["blackouts"] == []
        begins = {slot["starts_at"][11:16] for slot in await slots_of(kit, opened.offering)}
        assert {"01:00", "01:30"} & begins == set()
        (problem,) = (await kit.told(f"{API}/problems")).json["problems"]
        assert problem["kind"] == "reservation_shut_out"
        assert problem["proposals"][-1] == {"do": "refund"}
        path = f"{API}/blackouts/{listed['blackout']}"
        gone = await kit.told(path, method="DELETE")
        assert gone.json == listed
        assert_problem(await kit.told(path, method="DELETE"), 404, "not_found")
        (problem,) = (await kit.told(f"{API}/problems")).json["problems"]
        assert problem["solved_at"] is not None


async def test_a_blackout_that_cannot_be_is_refused(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        backwards = await black_out(kit, ends_at="2026-10-23T10:00:00+09:00")
        assert_problem(backwards, 422, "invalid_body")
        assert_problem(await black_out(kit, reason=" "), 422, "invalid_body")
        assert_problem(await black_out(kit, device="d-nobody"), 404, "not_found")
        assert_problem(await black_out(kit, store="nowhere"), 404, "not_found")
        over = {"starts_at": "2026-10-22T10:00:00Z", "ends_at": "2026-10-22T11:00:00Z"}
        assert_problem(await black_out(kit, **over), 409, "not_allowed")
        assert_problem(await black_out(kit, key="short"), 400, "idempotency_key_missing")


async def test_many_blackouts_are_listed_page_by_page(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        made = [
            (await black_out(kit, key=f"{number:016}")).json["blackout"] for number in range(101)
        ]
        first = (await kit.told(f"{API}/blackouts")).json
        assert len(first["blackouts"]) == 100
        rest = (await kit.told(f"{API}/blackouts?after={first['next']}")).json
        assert rest["next"] is None
        both = [each["blackout"] for each in first["blackouts"] + rest["blackouts"]]
        assert both == sorted(made)
