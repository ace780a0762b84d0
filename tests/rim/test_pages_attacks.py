"""What a browser can be made to do by somebody else's words, links and pages: nothing."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from aiohttp import FormData, web

from cloud_controller.web.app import SECURITY_HEADERS
from cloud_controller.web.routes import Route, Who
from cloud_controller.web.table import ROUTES
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU, Offer
from tests.rim.eyes import eyes
from tests.rim.hostile import WORDS, told_badly, typed_badly, without_policy
from tests.rim.scenes import waits
from tests.rim.test_web_booking import hold, tap
from tests.rim.test_web_photos import a_photo
from tests.rim.web_kit import OPERATOR, TOKEN, WebKit, web_kit

UNSAFE = [route for route in ROUTES if route.method != "GET"]
LINKED = [route for route in ROUTES if "{link}" in route.path]
STREAM = "text/event-stream"
FORM_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain")
"""What a form on any page of the world can send without our being asked."""

REFUSED: dict[Who, set[int]] = {
    Who.OUR_PAGES: {403},
    Who.OPERATOR: {401},
    Who.CONSOLE: {401, 403},
    Who.ANYBODY: {415},
    Who.LINK_HOLDER: {404, 415},
    Who.TERMINAL: {415},
    Who.PROVIDER: {404},
}
"""What each kind of route says to a page of somebody else's."""

SAID: dict[str, Any] = {
    "starts_at": "2026-10-23T03:00:00Z",
    "length_seconds": 1800,
    "seconds": 1800,
    "price_cents": 1500,
    "shown_cents": 1500,
    "extends_itself": True,
    "mail": "mika@example.org",
    "voucher": "NONE",
    "party_size": 1,
    "key": "k" * 32,
    "helper": "h-none",
    "currency": "JPY",
    "text": "Hello",
    "name": "Mika",
    "password": "a long enough word",
    "again": "a long enough word",
}
"""What is rightly said to a route of whoever has a link."""

PAIRS = [one + other for one, other in zip(WORDS[::2], WORDS[1::2], strict=True)]
"""All of them in half as many looks; `./dev prove pages` tries each alone."""

FORMS_MIN = 9
"""Forms with something to type into that there were when this was written: none is lost."""

OF_KIND: Final = (
    (re.compile(r"^/t/|/tickets/"), "ticket"),
    (re.compile(r"^/b/|/orders/"), "order"),
    (re.compile(r"^/w/|/waiting/"), "place"),
    (re.compile(r"^/clean/"), "cleaners"),
    (re.compile(r"^/helper/enter/"), "helper"),
    (re.compile(r"^/operator/join/"), "invitation"),
)
"""Whose link a route takes."""


def test_no_word_that_anybody_tells_or_types_becomes_more_than_a_word(tmp_path: Path):
    """XSS in every text field; without our policy as well, which would only hide it."""
    asyncio.run(takes_words_as_words(tmp_path))


async def takes_words_as_words(folder: Path) -> None:
    async with eyes() as sight:
        page = await without_policy(sight)
        assert await told_badly(page, folder, PAIRS) == []
        typed = await typed_badly(page, folder, [WORDS[1] + WORDS[0]])
    assert typed.wrong == []
    assert len(typed.forms) >= FORMS_MIN


@asynccontextmanager
async def an_evil_site() -> AsyncIterator[str]:
    """Serve an empty page under another name, from which a browser can be told to call us."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>x</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_no_page_of_anybody_else_s_makes_a_signed_in_browser_do_anything(tmp_path: Path):
    """Each unsafe route, with all that a browser adds by itself: cookies, the operator's word."""
    async with web_kit(tmp_path) as kit, an_evil_site() as evil, eyes() as sight:
        await kit.store.open()
        context = await sight.browser.new_context(
            http_credentials={"username": "operator", "password": TOKEN}
        )
        page = await context.new_page()
        await page.goto(f"{kit.url}/operator/modules")
        assert await page.locator("h1").count() == 1
        before, counted = await everything(kit), await answers(kit)
        await page.goto(evil)
        for route in UNSAFE:
            await page.evaluate(CALL, [route.method, kit.url + nowhere(route), FORM_KINDS])
        assert await everything(kit) == before
        told = (await answers(kit)) - counted
        for route in UNSAFE:
            name = f"{route.method} {route.path}"
            said = {status: n for (each, status), n in told.items() if each == name}
            if route.method == "POST":
                assert sum(said.values()) == len(FORM_KINDS), name
                assert set(said) <= REFUSED[route.who], (name, said)
            else:
                assert said == {}, "a browser asks first, and is not answered"
        await context.close()


CALL: Final = """async ([method, url, kinds]) => {
  for (const kind of method === "POST" ? kinds : [""]) {
    const body = method === "DELETE" ? undefined : new Blob(["a=b"], { type: kind });
    const mode = method === "POST" ? "no-cors" : "cors";
    await fetch(url, { method, mode, body, credentials: "include" }).catch(() => {});
  }
}"""


async def answers(kit: WebKit) -> Counter[tuple[str, int]]:
    """Return how often each route has answered with which status."""
    figures = (await kit.told("/metrics")).text
    line = r'rusuban_requests_total{route="([^"]+)",status="(\d+)"} (\S+)'
    return Counter(
        {(name, int(status)): int(float(n)) for name, status, n in re.findall(line, figures)}
    )


def nowhere(route: Route) -> str:
    """Return a path of a route that leads to nothing real."""
    return re.sub(r"{\w+}", "none", route.path.replace("{link}", "0" * 32))


async def everything(kit: WebKit) -> list[Any]:
    """Return what there is to be changed."""
    paths = ("reservations", "orders", "vouchers", "stores", "terminals", "problems", "blackouts")
    return [(await kit.told(f"/api/v1/{path}")).json for path in paths]


async def test_every_route_answers_with_its_headers_whatever_it_answers(tmp_path: Path):
    """CSP and headers on all: the rows of the table, what is no row, and what is no request."""
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        for route in ROUTES:
            for headers in ({}, OPERATOR):
                async with kit.http.request(
                    route.method, kit.url + nowhere(route), headers=headers
                ) as answer:
                    told = {name: answer.headers.get(name) for name in SECURITY_HEADERS}
                    assert told == SECURITY_HEADERS, (route.path, answer.status)
                    assert "Cache-Control" in answer.headers
        for path in ("/nothing", "/static/nothing.css", "/%00", "/t/" + "x" * 4000):
            answered = await kit.get(path)
            assert answered.status == 404
            assert answered.headers["Content-Security-Policy"]


def test_the_policy_lets_nothing_in_that_is_not_ours():
    policy = dict(
        each.strip().split(" ", 1)
        for each in SECURITY_HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) <= {"'none'", "'self'"}
    for name in ("base-uri", "frame-ancestors"):
        assert policy[name] == "'none'"


async def test_nothing_of_somebody_else_s_is_shown_or_changed_by_any_other_name_of_it(
    tmp_path: Path,
):
    """Someone else's reservation, ticket, order, place and receipt: 404, as if there were none."""
    async with web_kit(tmp_path) as kit:
        known = await all_names(kit)
        before = await everything(kit)
        unknown = "0" * 32
        for route in LINKED:
            (kind,) = [kind for shape, kind in OF_KIND if shape.search(route.path)]
            none = await called(kit, route, unknown)
            assert none.status == 404, route.path
            for name, link in known.items():
                if name == kind:
                    continue
                refused = await called(kit, route, link)
                assert refused.status == 404, (route.path, name)
                assert refused.text == none.text, (route.path, name)
                kit.store.clock.move(61 if route.calls_a_minute else 0)
        assert await everything(kit) == before


async def called(kit: WebKit, route: Route, link: str) -> Any:
    """Call a route of whoever has a link as it is rightly called, but for the link."""
    path = route.path.replace("{link}", link).replace("{task}", "f-none")
    asked = {} if route.asks is None else route.asks.model_fields
    said = {name: SAID[name] for name in asked if name in SAID}
    headers = {"Sec-Fetch-Site": "same-origin", "Idempotency-Key": "k" * 32}
    if route.method == "GET":
        return await kit.get(path)
    if route.file_bytes_max is not None:
        form = FormData()
        form.add_field("photo", BytesIO(a_photo((8, 8))), filename="booth.jpg")
        return await kit.post(path, data=form, headers=headers)
    if route.is_api:
        return await kit.call(route.method, path, json=said if asked else None, headers=headers)
    return await kit.post(path, data={name: str(it) for name, it in said.items()}, headers=headers)


async def all_names(kit: WebKit) -> dict[str, str]:
    """Return every name that somebody's ticket, order, place and session go by, and old ones."""
    opened = await kit.store.open(Offer(devices=1))
    ticket = await kit.store.book(opened, MORNING_AT + HOUR_MS)
    given = await kit.store.book(opened, MORNING_AT + 2 * HOUR_MS)
    await tap(kit, f"/t/{given}/transfer", {"key": "g" * 32, "mail": "yuki@example.org"})
    order = (await hold(kit)).removeprefix("/b/")
    form = {
        "offering": opened.offering,
        "starts_at": "2026-10-23T01:00:00Z",
        "length_seconds": "1800",
        "key": "w" * 32,
        "mail": "mika@example.org",
    }
    place = (await waits(kit, form)).removeprefix("/w/")
    made = (await kit.told(f"/api/v1/stores/{SHINJUKU}/cleaner-link", {})).json["url"]
    token = (await kit.get(f"/api/v1/tickets/{ticket}")).json["token"]
    listed = (await kit.told("/api/v1/reservations")).json["reservations"]
    helper = (await kit.told("/api/v1/helpers", {"name": "Aoi", "stores": [SHINJUKU]})).json
    return {
        "ticket": ticket,
        "helper": helper["url"].rpartition("/")[2],
        "a helper's name": helper["helper"],
        "a ticket given away": given,
        "order": order,
        "place": place,
        "cleaners": made.rpartition("/")[2],
        "the code itself": quote(token, safe=""),
        "a reservation's name": listed[0]["reservation"],
        "a ticket in capitals": ticket.upper(),
        "a part of a ticket": ticket[:-1],
        "a ticket and more": ticket + "0",
        "any ticket": "%25",
        "a device": opened.devices[0],
        "an offering": opened.offering,
        "a terminal": opened.terminal,
    }
