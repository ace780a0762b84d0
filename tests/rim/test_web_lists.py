"""The operator's lists over HTTP: filtered, page by page, each page found by an index (C2)."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import aiosql
import pytest

import cloud_controller.storage.books
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer
from tests.rim.test_web_api import API
from tests.rim.web_kit import WebKit, assert_problem, web_kit

QUERIES = Path(cloud_controller.storage.books.__file__).parent / "queries" / "lists.sql"
LISTS = ("listed", "listed_in", "listed_for", "orders_listed", "orders_in", "orders_for")


async def book_some(kit: WebKit, count: int, *, mail: str = "") -> Any:
    """Book so many slots, one after the other, and return the opened terminal."""
    opened = await kit.store.open(Offer(devices=1))
    for n in range(count):
        kit.store.clock.now += 1
        starts_at = MORNING_AT + HOUR_MS + n * 30 * MINUTE_MS
        wish = {
            "offering": opened.offering,
            "starts_at": f"2026-10-23T{starts_at // HOUR_MS % 24:02}:{n % 2 * 30:02}:00Z",
            "length_seconds": 1800,
            "mail": mail,
        }
        assert (await kit.book(wish)).status == 201
    return opened


async def pages(kit: WebKit, path: str, what: str) -> list[list[dict[str, Any]]]:
    """Follow a list to its end and return its pages."""
    found, cursor = [], ""
    while True:
        told = (await kit.told(f"{API}/{path}&cursor={cursor}")).json
        found.append(told[what])
        if told["next"] is None:
            return found
        cursor = told["next"]


async def test_reservations_are_listed_page_by_page_each_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await book_some(kit, 7)
        found = await pages(kit, "reservations?limit=3", "reservations")
        assert [len(page) for page in found] == [3, 3, 1]
        rows = [row for page in found for row in page]
        assert len({row["reservation"] for row in rows}) == 7
        assert [row["starts_at"] for row in rows] == sorted(row["starts_at"] for row in rows)
        assert [len(page) for page in await pages(kit, "reservations?limit=7", "reservations")] == [
            7
        ]


async def test_a_list_is_filtered_by_store_device_state_time_and_mail(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await book_some(kit, 4, mail="mika@example.org")
        other = await kit.store.open(Offer(title="Karaoke", key="k", devices=1))
        await kit.store.book(other, MORNING_AT + HOUR_MS)
        every = (await kit.told(f"{API}/reservations")).json["reservations"]
        assert len(every) == 5
        given_up = next(row for row in every if row["mail"])
        await kit.post(f"{API}/tickets/{given_up['ticket']}/cancel")
        for query, count in {
            "store=shinjuku": 5,
            "store=nowhere": 0,
            f"device={opened.devices[0]}": 4,
            f"device={other.devices[0]}": 1,
            "device=d-none": 0,
            "state=cancelled": 1,
            "state=confirmed": 4,
            "mail=MIKA@example.org": 4,
            "mail=mika@example.org&state=cancelled": 1,
            "mail=mika@example.org&store=nowhere": 0,
            "mail=nobody@example.org": 0,
            "from=2026-10-23T01:30:00Z": 3,
            "to=2026-10-23T01:30:00Z": 2,
            "from=2026-10-23T01:30:00Z&to=2026-10-23T02:30:00Z&store=shinjuku": 2,
        }.items():
            told = (await kit.told(f"{API}/reservations?{query}")).json
            assert (query, len(told["reservations"])) == (query, count)


async def test_orders_are_listed_the_latest_first(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await book_some(kit, 5, mail="mika@example.org")
        found = await pages(kit, "orders?limit=2", "orders")
        assert [len(page) for page in found] == [2, 2, 1]
        rows = [row for page in found for row in page]
        made = [row["made_at"] for row in rows]
        assert made == sorted(made, reverse=True)
        assert {row["reservations"] for row in rows} == {1}
        first = await kit.get(f"{API}/orders/{rows[0]['order']}")
        assert first.status == 200
        for query, count in {
            "mail=mika@example.org": 5,
            "mail=b@example.org": 0,
            "store=shinjuku": 5,
            "store=nowhere": 0,
            f"from={made[1]}": 2,
            f"to={made[1]}": 3,
        }.items():
            told = (await kit.told(f"{API}/orders?{query}")).json["orders"]
            assert (query, len(told)) == (query, count)


@pytest.mark.parametrize("path", ["reservations", "orders"])
async def test_lists_are_the_operator_s_and_take_no_cursor_of_somebody_s_own(
    tmp_path: Path, path: str
):
    async with web_kit(tmp_path) as kit:
        assert_problem(await kit.get(f"{API}/{path}"), 401, "not_signed_in")
        for query in ("cursor=nonsense", "cursor=%00", "cursor=MTI", "cursor=é", "limit=201"):
            assert_problem(await kit.told(f"{API}/{path}?{query}"), 422, "invalid_query")
        assert_problem(await kit.told(f"{API}/{path}?mail=none"), 422, "invalid_query")


@pytest.mark.parametrize("query", LISTS)
async def test_each_page_is_found_by_an_index_however_long_the_list_is(tmp_path: Path, query: str):
    async with web_kit(tmp_path):
        sql = getattr(aiosql.from_path(QUERIES, "sqlite3"), query).sql
        values = dict.fromkeys(re.findall(r":(\w+)", sql), 1)
        with sqlite3.connect(tmp_path / "books.sqlite") as books:
            plan = [row[3] for row in books.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
        books.close()
        assert not [step for step in plan if step.startswith("SCAN")], plan
        if not query.endswith("_for"):  # the few of one customer are put in order by themselves
            assert not [step for step in plan if "TEMP B-TREE" in step], plan
