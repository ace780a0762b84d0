"""Nobody gets past the door unchecked: whatever is sent, by whomever, the answer is a calm no."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as some

from cloud_controller.web.faults import STATUS
from cloud_controller.web.routes import Route, Who
from cloud_controller.web.table import ROUTES
from common.errors import RusubanError, StorageIsAway, StorageIsFull, TooManyWaiting
from tests.rim.web_kit import OPERATOR, Answered, WebKit, web_kit

API = "/api/v1"
KEYED = {"Idempotency-Key": "k" * 32}
OPERATORS = [route for route in ROUTES if route.who is Who.OPERATOR]
HOLDERS = [route for route in ROUTES if "{link}" in route.path]
FORMS = [route for route in ROUTES if route.who is Who.OUR_PAGES]
TERMINALS = [route for route in ROUTES if route.who is Who.TERMINAL]
BODIES = [route for route in ROUTES if route.asks is not None and route.method != "GET"]
LIMITED = [route for route in ROUTES if route.calls_a_minute is not None]

BAD_BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"{}" * 40_000,
    b"[" * 60_000,
    b'{"offering":"\\ud800"}',
    b'{"offering":"o","starts_at":"9999-12-31T23:59:59Z","length_seconds":16777215}',
    b'{"offering":"o","starts_at":"0001-01-01T00:00:00+14:00","length_seconds":1}',
    b'{"offering":"o","starts_at":"2026-01-01T00:00:00","length_seconds":1}',
    b'{"offering":"o","starts_at":1,"length_seconds":1}',
    b'{"code":"\\u0000","public_key":"' + b"a" * 64 + b'","hostname":"h"}',
    b'{"store":"s","title":"t","time_zone":"../../etc/passwd"}',
    b"\xff\xfe\x00",
)
"""Each has brought some server down; `{}` 40 000 times is larger than we take."""

ANY_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=20),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(
                sorted(
                    {
                        name
                        for route in BODIES
                        for name in (route.asks.model_fields if route.asks else ())
                    }
                )
            )
            | some.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


async def test_only_the_operator_may_call_an_operator_s_route(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for route in OPERATORS:
            for headers in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": "Bearer "},
                {"Authorization": OPERATOR["Authorization"].replace("Bearer", "Basic")},
                {"Authorization": "Bearer \u00e9"},
            ):
                refused = await kit.call(route.method, somewhere(route), headers=headers, data=b"{")
                assert code_of(refused) == (401, "not_signed_in"), route.path
                assert refused.headers["WWW-Authenticate"].startswith("Bearer"), route.path


async def test_a_link_that_is_not_yours_leads_nowhere(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for route in HOLDERS:
            headers = {"Sec-Fetch-Site": "same-origin"}
            for link in ("0" * 32, "..%2f..", "%00", "' OR 1=1 --", "x" * 4000, "%ff"):
                path = route.path.replace("{link}", link)
                refused = await kit.call(route.method, path, headers=headers)
                assert refused.status in ({404} if route not in BODIES else {404, 415}), route.path
                if route in BODIES:
                    refused = await send(kit, route, b"{}", path=path)
                    assert refused.status in {404, 422}, "nothing is told of it"
                kit.store.clock.move(61)


async def test_a_form_is_taken_from_our_own_pages_only(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for route in FORMS:
            for headers in (
                {},
                {"Origin": "https://evil.example"},
                {"Origin": "null"},
                {"Origin": "http://[::1"},
                {"Sec-Fetch-Site": "cross-site", "Origin": kit.url},
                {"Sec-Fetch-Site": "same-site"},
            ):
                refused = await kit.call(route.method, somewhere(route), headers=headers, data={})
                assert refused.status == 403, route.path
            for headers in ({"Origin": kit.url}, {"Sec-Fetch-Site": "same-origin"}):
                taken = await kit.call(
                    route.method, somewhere(route), headers=headers, data={"a": "b"}
                )
                assert taken.status in ({404, 422} if route.file_bytes_max is None else {415}), (
                    route.path
                )


async def test_a_terminal_s_route_believes_a_signature_and_nothing_else(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        for route in TERMINALS:
            path = route.path.replace("{terminal}", opened.terminal)
            forged = {"epoch": opened.epoch, "signature": "0" * 128}
            for headers in ({}, OPERATOR):
                refused = await kit.post(path, json=forged, headers=headers)
                assert code_of(refused) == (403, "not_renewed"), route.path
            unsigned = await kit.post(path, json={"epoch": opened.epoch})
            assert code_of(unsigned) == (422, "invalid_body"), route.path


async def test_a_peer_that_tries_too_often_is_told_when_to_come_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        for route in LIMITED:
            assert route.calls_a_minute is not None
            asks_nothing = route.asks is None and route.file_bytes_max is None
            let_in = {404} if asks_nothing else {404, 422}
            for _ in range(route.calls_a_minute):
                assert (await send(kit, route, b"{}")).status in let_in, route.path
            limited = await send(kit, route, b"{}")
            assert limited.status == 429, route.path
            assert not route.is_api or code_of(limited) == (429, "too_many_attempts"), route.path
            assert limited.headers["Retry-After"] == "61", route.path
            kit.store.clock.move(61)
            assert (await send(kit, route, b"{}")).status in let_in, route.path


async def test_no_body_brings_a_route_down(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        for route in BODIES:
            for body in BAD_BODIES:
                refused = await send(kit, route, body)
                assert 400 <= refused.status < 500, (body[:60], refused.text)
            kit.store.clock.move(120)
            assert (await send(kit, route, b"{}" * 40_000)).status == 413, route.path
            if route.is_api:
                assert code_of(await send(kit, route, b"{")) == (400, "malformed_json"), route.path
                is_told = code_of(await send(kit, route, b"{}"))
                assert is_told in {(422, "invalid_body"), (404, "not_found")}, "some need no field"
            kit.store.clock.move(120)
            assert (await send(kit, route, b"{}", content_type="text/plain")).status == 415, (
                route.path
            )


def test_no_json_of_any_shape_brings_a_route_down(tmp_path: Path):
    async def try_all() -> None:
        async with web_kit(tmp_path) as kit:
            await kit.store.open()
            for route in BODIES:
                for body in bodies:
                    answered = await send(kit, route, json.dumps(body).encode())
                    assert answered.status < 500, (route.path, body)

    bodies: list[Any] = []

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(ANY_JSON)
    def draw(body: Any) -> None:
        bodies.append(body)

    draw()
    asyncio.run(try_all())


async def test_a_wrong_body_is_told_by_its_field_and_in_few_words(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = {"offering": "o-1", "starts_at": "2026-10-23T01:00:00Z", "length_seconds": 60}
        wrong = {
            "length_seconds": {**wish, "length_seconds": "60"},
            "starts_at": {**wish, "starts_at": "tomorrow"},
            "colour": {**wish, "colour": "red"},
            "x" * 80: {**wish, "x" * 9000: 1},
        }
        for field, body in wrong.items():
            refused = await kit.book(body)
            assert code_of(refused) == (422, "invalid_body")
            assert refused.json["detail"].startswith(f"{field}: ")
            assert len(refused.body) < 700


async def test_a_wrong_query_is_refused_by_its_field(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        path = f"{API}/offerings/{opened.offering}/slots"
        for query in ("", "?length_seconds=x", "?length_seconds=1800&from=now", "?a=b"):
            assert code_of(await kit.get(path + query)) == (422, "invalid_query")
        never_sold = await kit.get(f"{path}?length_seconds=17")
        assert code_of(never_sold) == (409, "not_allowed")


async def test_a_window_of_a_thousand_years_is_cut_to_a_week(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        path = f"{API}/offerings/{opened.offering}/slots?length_seconds=1800"
        wide = await kit.get(f"{path}&from=1970-01-01T00:00:00Z&to=9899-01-01T00:00:00Z")
        assert wide.json == {"slots": []}
        week = await kit.get(f"{path}&to=9899-01-01T00:00:00Z")
        assert len(week.json["slots"]) == 7 * 48


async def test_what_is_not_there_and_what_cannot_be_done_are_problems_too(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        assert code_of(await kit.get(f"{API}/nothing")) == (404, "not_found")
        wrong = await kit.call("DELETE", f"{API}/stores")
        assert code_of(wrong) == (405, "method_not_allowed")
        assert wrong.headers["Allow"] == "GET, HEAD, POST"
        beside_a_link = await kit.call("DELETE", f"{API}/tickets/find")
        assert beside_a_link.headers["Allow"] == "POST"
        page = await kit.get("/nothing")
        assert page.status == 404
        assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (TooManyWaiting(), "too_many_waiting"),
        (StorageIsFull(why="full"), "storage_is_full"),
        (StorageIsAway(why="10.0.0.5 is a host of ours"), "storage_is_away"),
    ],
)
async def test_a_store_that_cannot_take_more_says_when_to_come_back(
    tmp_path: Path, fault: RusubanError, code: str
):
    async with web_kit(tmp_path) as kit:
        refuse(kit, fault)
        refused = await kit.get(f"{API}/stores")
        assert code_of(refused) == (503, code)
        assert refused.headers["Retry-After"] == "1"
        assert "of ours" not in refused.text


async def test_a_fault_of_ours_is_noted_and_shows_no_traceback(tmp_path: Path, capsys):
    async with web_kit(tmp_path) as kit:
        refuse(kit, ZeroDivisionError("the secret inside"))
        for path in (f"{API}/stores", "/"):
            broken = await kit.get(path)
            assert broken.status == 500
            assert "secret" not in broken.text
            assert "Traceback" not in broken.text
        told = capsys.readouterr()
        assert "the secret inside" in told.out + told.err


async def test_a_slow_body_is_not_waited_for(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("cloud_controller.web.guard.BODY_SECONDS", 0.05)
    async with web_kit(tmp_path) as kit:
        host, port = kit.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"POST {API}/enrolments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Content-Length: 100\r\n\r\n{".encode()
        )
        first = await reader.readline()
        writer.close()
        assert first.split()[1] == b"408"


def test_the_page_on_the_api_lists_every_problem_with_its_status():
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    told = [(int(status), code) for status, code in re.findall(r"\| (\d+) \| `(\w+)` \|", page)]
    assert told == [(status, fault.code) for fault, status in STATUS.items()]


def refuse(kit: WebKit, fault: Exception) -> None:
    """Let every reading of the books end in this fault."""

    async def read(*_: Any, **__: Any) -> Any:
        raise fault

    kit.store.books.read = read  # type: ignore[method-assign] # the fault is the point


def somewhere(route: Route) -> str:
    """Return a path of the route that leads to nothing real."""
    names = {
        "link": "0" * 32,
        "store": "none",
        "terminal": "t-none",
        "program": "none",
        "problem": "p-none",
        "device": "d-none",
        "offering": "o-none",
        "voucher": "v-none",
        "blackout": "b-none",
        "reservation": "r-none",
        "photo": "f-none",
        "task": "f-none",
        "module": "none",
        "key": "none",
        "helper": "h-none",
        "call": "c-none",
        **dict.fromkeys(("operator", "token", "passkey", "browser", "hook", "delivery"), "none"),
    }
    return route.path.format_map(names)


async def send(
    kit: WebKit,
    route: Route,
    body: bytes,
    *,
    content_type: str | None = None,
    path: str | None = None,
) -> Answered:
    """Send a body as the route's rightful caller."""
    form = "application/json" if route.is_api else "application/x-www-form-urlencoded"
    form = form if route.file_bytes_max is None else "multipart/form-data; boundary=b"
    headers = {
        **OPERATOR,
        **KEYED,
        "Content-Type": content_type or form,
        "Sec-Fetch-Site": "same-origin",
    }
    return await kit.call(route.method, path or somewhere(route), data=body, headers=headers)


def code_of(answer: Answered) -> tuple[int, str]:
    """Return an answer's status and its problem's code, which is a problem's alone."""
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return answer.status, answer.json["code"]
