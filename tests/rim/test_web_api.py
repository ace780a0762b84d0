"""The API does what its table says, each route at least once, and books once for one key."""

from __future__ import annotations

import asyncio
import io
import threading
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes without types
import pytest
import zxingcpp
from PIL import Image

from cloud_controller.web.faults import STATUS
from cloud_controller.web.openapi import document_of
from cloud_controller.web.routes import Who, from_iso, iso
from cloud_controller.web.table import ROUTES, table_for
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, SHINJUKU, Offer, Opened
from tests.rim.web_kit import OPERATOR, Answered, assert_problem, web_kit
from tests.waiting import until

API = "/api/v1"
NOBODY = "0" * 32


async def test_what_is_on_offer_is_listed_and_what_is_gone_is_not(tmp_path: Path):
    """E3: the choices are what is on now, and no others."""
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        listed = (await kit.get(f"{API}/offerings")).json["offerings"]
        assert [offering["offering"] for offering in listed] == [opened.offering]
        assert listed[0]["lengths_seconds"] == [1800, 3600]
        assert (await kit.get(f"{API}/offerings?store=elsewhere")).json == {"offerings": []}
        await kit.store.leave(opened)
        assert (await kit.get(f"{API}/offerings")).json == {"offerings": []}


async def test_free_slots_are_listed_for_a_window_and_for_the_next_day_without_one(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        path = f"{API}/offerings/{opened.offering}/slots?length_seconds=3600"
        a_day = (await kit.get(path)).json["slots"]
        assert len(a_day) == 47
        window = (
            await kit.get(f"{path}&from=2026-10-23T10:00:00%2B09:00&to=2026-10-23T03:00Z")
        ).json
        starts = [slot["starts_at"] for slot in window["slots"]]
        assert starts == ["2026-10-23T01:00:00Z", "2026-10-23T01:30:00Z", "2026-10-23T02:00:00Z"]
        assert [device["number"] for device in window["slots"][0]["devices"]] == [1, 2]


async def test_a_booking_gives_a_ticket_whose_qr_says_its_token(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        booked = await kit.book(a_wish(opened))
        ticket = booked.json
        assert booked.status == 201
        assert ticket["starts_at"] == "2026-10-23T01:00:00Z"
        assert ticket["ends_at"] == "2026-10-23T01:30:00Z"
        assert ticket["ticket_url"] == f"{kit.url}/t/{ticket['link']}"
        assert (await kit.get(f"{API}/tickets/{ticket['link']}")).json == ticket
        picture = await kit.get(f"{API}/tickets/{ticket['link']}/qr.png")
        assert read_qr(picture) == ticket["token"]
        drawn = await kit.get(ticket["qr_url"].removeprefix(kit.url))
        assert drawn.headers["Content-Type"].startswith("image/svg+xml")


async def test_a_cancelled_ticket_says_so_and_its_story_is_told(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await kit.store.book(await kit.store.open(), MORNING_AT + HOUR_MS)
        cancelled = await kit.post(f"{API}/tickets/{link}/cancel")
        assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
        lines = (await kit.get(f"{API}/tickets/{link}/story")).json["lines"]
        assert [line["type"] for line in lines] == [
            "reservation.confirmed",
            "reservation.cancelled",
        ]
        assert_problem(await kit.post(f"{API}/tickets/{link}/cancel"), 409, "not_allowed")


async def test_a_slot_just_taken_offers_the_three_nearest_that_are_free(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        wish = a_wish(opened)
        assert (await kit.book(wish)).status == 201
        refused = await kit.book(wish)
        assert_problem(refused, 409, "slot_is_taken")
        starts = [near["starts_at"] for near in refused.json["alternatives"]]
        assert starts == ["2026-10-23T00:00:00Z", "2026-10-23T00:30:00Z", "2026-10-23T01:30:00Z"]


async def test_one_key_books_once_and_gives_the_same_answer_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open())
        key = "k" * 20
        first, again = await kit.book(wish, key), await kit.book(wish, key)
        assert (first.status, first.body) == (again.status, again.body)
        other = await kit.book({**wish, "length_seconds": 3600}, key)
        assert_problem(other, 422, "idempotency_key_reused")
        assert_problem(await kit.book(wish, "short"), 400, "idempotency_key_missing")
        unkeyed = await kit.post(f"{API}/reservations", json=wish)
        assert_problem(unkeyed, 400, "idempotency_key_missing")


async def test_a_refusal_is_not_kept_so_that_asking_again_asks_anew(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        first = await kit.book(a_wish(opened))
        key = "r" * 20
        assert (await kit.book(a_wish(opened), key)).status == 409
        await kit.post(f"{API}/tickets/{first.json['link']}/cancel")
        assert (await kit.book(a_wish(opened), key)).status == 201


async def test_two_calls_at_once_with_one_key_book_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open())
        answers = await asyncio.gather(*(kit.book(wish, "t" * 20) for _ in range(8)))
        booked = {answer.body for answer in answers if answer.status == 201}
        assert len(booked) == 1
        for answer in answers:
            if answer.status != 201:
                assert_problem(answer, 409, "still_running")
        slots = await kit.get(f"{API}/offerings/{wish['offering']}/slots?length_seconds=1800")
        assert sum(len(slot["devices"]) == 1 for slot in slots.json["slots"]) == 1


async def test_a_call_whose_first_is_still_under_way_is_told_so(tmp_path: Path):
    async with web_kit(tmp_path) as kit, asyncio.TaskGroup() as group:
        wish = a_wish(await kit.store.open())
        gate = threading.Event()
        busy = kit.store.books.transact(lambda _: gate.wait(5))
        first = group.create_task(kit.book(wish, "s" * 20), name="first call")
        await until(lambda: kit.store.books.waiting() == 2)
        second = await kit.book(wish, "s" * 20)
        gate.set()
        assert_problem(second, 409, "still_running")
        assert second.headers["Retry-After"] == "1"
        assert await busy
        assert (await first).status == 201


async def test_a_hundred_customers_and_one_device_make_one_booking(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=1)))
        answers = await asyncio.gather(*(kit.book(wish) for _ in range(100)))
        assert sorted(answer.status for answer in answers) == [201] + [409] * 99


async def test_stores_and_sessions_are_listed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert [store["store"] for store in (await kit.get(f"{API}/stores")).json["stores"]] == [
            SHINJUKU
        ]
        assert (await kit.get(f"{API}/sessions", headers=OPERATOR)).json == {"sessions": []}


async def test_every_answer_has_the_shape_that_the_description_gives_it(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        ticket = (await kit.book(a_wish(opened))).json
        description = (await kit.get(f"{API}/openapi.json")).json
        answers = {
            "/stores": await kit.get(f"{API}/stores"),
            "/offerings": await kit.get(f"{API}/offerings"),
            "/offerings/{offering}/slots": await kit.get(
                f"{API}/offerings/{opened.offering}/slots?length_seconds=1800"
            ),
            "/tickets/{link}": await kit.get(f"{API}/tickets/{ticket['link']}"),
            "/tickets/{link}/story": await kit.get(f"{API}/tickets/{ticket['link']}/story"),
            "/terminals": await kit.get(f"{API}/terminals", headers=OPERATOR),
            "/terminals/{terminal}": await kit.get(
                f"{API}/terminals/{opened.terminal}", headers=OPERATOR
            ),
            "/programs": await kit.get(f"{API}/programs", headers=OPERATOR),
            "/problems": await kit.get(f"{API}/problems", headers=OPERATOR),
            "/sessions": await kit.get(f"{API}/sessions", headers=OPERATOR),
        }
        for path, answer in answers.items():
            assert_described(description, f"{API}{path}", "get", "200", answer)
        refused = await kit.get(f"{API}/tickets/{NOBODY}")
        assert_described(description, f"{API}/tickets/{{link}}", "get", "default", refused)


def test_the_description_names_every_route_of_the_api_and_resolves():
    description = document_of(ROUTES, "https://play.example")
    told = {
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
    }
    assert told == {(route.method, route.path) for route in ROUTES if route.is_api}
    ids = [each["operationId"] for told in description["paths"].values() for each in told.values()]
    assert len(ids) == len(set(ids))
    for name, schema in description["components"]["schemas"].items():
        whole = {**schema, "components": description["components"]}
        jsonschema.Draft202012Validator.check_schema(whole)
        assert refs_in(schema) <= {
            f"#/components/schemas/{n}" for n in description["components"]["schemas"]
        }, name


def test_the_description_says_who_may_call_each_operation_and_with_what_it_says_no():
    description = document_of(ROUTES, "https://play.example")
    for route in (row for row in ROUTES if row.is_api):
        told = description["paths"][route.path][route.method.lower()]
        wanted = None if route.permission is None else [{"operator": [route.permission.value]}]
        assert told.get("security") == wanted
        assert {"401", "403"} <= set(told["responses"]) or wanted is None
        takes = route.asks is not None or route.file_bytes_max is not None
        assert ("requestBody" in told) == (
            (takes and route.method != "GET") or route.who is Who.PROVIDER
        )
    words = " ".join(
        each["description"] for each in description["components"]["responses"].values()
    )
    assert all(fault.code in words for fault in STATUS)


@pytest.mark.parametrize("role", ["management", "reservation", "web", "communication"])
async def test_a_controller_has_the_routes_of_its_roles_and_no_others(tmp_path: Path, role: str):
    async with web_kit(tmp_path, roles=frozenset({role})) as kit:
        rows = table_for(frozenset({role}))
        assert 3 < len(rows) < len(ROUTES)
        for path in {row.path for row in ROUTES} - {row.path for row in rows}:
            assert (await kit.get(path.format_map(Anything()))).status == 404


@pytest.mark.parametrize(
    ("at", "text"),
    [(0, "1970-01-01T00:00:00Z"), (MORNING_AT + 7, "2026-10-23T00:00:00.007Z")],
)
def test_an_instant_is_written_in_utc_and_read_back(at: int, text: str):
    assert iso(at) == text
    assert from_iso(text) == at


class Anything(dict[str, str]):
    """Has a value for every name."""

    def __missing__(self, name: str) -> str:
        return NOBODY


def a_wish(opened: Opened) -> dict[str, object]:
    """Ask for the half hour that begins an hour after the morning does."""
    return {
        "offering": opened.offering,
        "starts_at": iso(MORNING_AT + 60 * MINUTE_MS),
        "length_seconds": 1800,
    }


def assert_described(
    description: dict[str, Any], path: str, method: str, status: str, answer: Answered
) -> None:
    content = description["paths"][path][method]["responses"][status]["content"]
    schema = next(iter(content.values()))["schema"]
    whole = {**schema, "components": description["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer.json)


def refs_in(schema: object) -> set[str]:
    """Return every reference in a schema."""
    match schema:
        case dict():
            own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
            return own.union(*(refs_in(part) for part in schema.values()))
        case list():
            return set().union(*(refs_in(part) for part in schema))
        case _:
            return set()


def read_qr(answer: Answered) -> str:
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(answer.body)).convert("L"))
    return found[0].text if found else ""
