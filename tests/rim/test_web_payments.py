"""Prices, quotes, vouchers and movements of money over HTTP: who may, and what is answered (C6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.store import HOUR_MS, MORNING_AT
from tests.rim.stripe_kit import PRICE, page_of, till
from tests.rim.web_kit import WebKit, assert_problem, web_kit

API = "/api/v1"
TIME = "2026-10-23T01:00:00Z"
PRICES = {
    "cents_per_hour": 1200,
    "bands": [{"from_time": "10:30", "until_time": "12:00", "cents_per_hour": 2400}],
    "packages": [{"title": "an hour for 1500", "length_seconds": 3600, "cents": 1500}],
    "tax_basis_points": 1000,
}
VOUCHER = {
    "terms": {"kind": "percent", "basis_points": 2000},
    "starts_at": "2026-10-01T00:00:00+09:00",
    "ends_at": "2026-11-01T00:00:00+09:00",
    "uses_max": 2,
    "note": "autumn",
}


async def quoted(kit: WebKit, offering: str, seconds: int = 1800, **more: object):
    facts = {"offering": offering, "starts_at": TIME, "length_seconds": seconds, **more}
    return await kit.get(
        f"{API}/quotes", params={name: str(value) for name, value in facts.items()}
    )


async def test_c6_a_price_is_told_before_any_form(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        offering = (await kit.store.open()).offering
        assert (await quoted(kit, offering)).json["total_cents"] == 1500
        path = f"{API}/offerings/{offering}/prices"
        assert (await kit.told(path, PRICES, method="PUT")).status == 200
        short = (await quoted(kit, offering)).json
        assert (short["total_cents"], short["tax"]) == (
            600,
            [{"basis_points": 1000, "gross_cents": 600, "tax_cents": 55}],
        )
        whole = (await quoted(kit, offering, 3600, devices=2)).json
        assert whole["total_cents"] == 3000
        assert [part["title"] for part in whole["lines"][0]["parts"]] == ["an hour for 1500"]
        assert whole["methods"] == ["free", "voucher"]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"offering": "o-none"}, 404, "not_found"),
        ({"length_seconds": 1801}, 409, "not_allowed"),
        ({"starts_at": "9899-01-01T23:00:00Z"}, 409, "not_allowed"),
        ({"starts_at": "9999-12-31T23:00:00Z"}, 422, "invalid_query"),
        ({"party_size": 0}, 422, "invalid_query"),
        ({"devices": 11}, 422, "invalid_query"),
        ({"voucher": "x" * 41}, 422, "invalid_query"),
        ({"voucher": "NOSUCHCODE22"}, 409, "voucher_is_refused"),
    ],
)
async def test_a_quote_for_what_is_not_sold_is_refused(tmp_path: Path, changed, status, code):
    async with web_kit(tmp_path) as kit:
        offering = (await kit.store.open()).offering
        facts = {"offering": offering, "starts_at": TIME, "length_seconds": 1800} | changed
        asked = {name: str(value) for name, value in facts.items()}
        assert_problem(await kit.get(f"{API}/quotes", params=asked), status, code)


async def test_c6_who_guesses_at_codes_is_slowed_down(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        offering = (await kit.store.open()).offering
        answers = [(await quoted(kit, offering, voucher=f"GUESS{n}")).status for n in range(61)]
        assert set(answers[:60]) == {409}
        assert answers[60] == 429


async def test_a_voucher_is_made_used_and_revoked_and_its_code_is_said_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        offering = (await kit.store.open()).offering
        made = (await kit.told(f"{API}/vouchers", VOUCHER)).json
        assert (await quoted(kit, offering, voucher=made["code"])).json["total_cents"] == 1200
        listed = await kit.told(f"{API}/vouchers")
        assert made["code"] not in listed.text
        (voucher,) = listed.json["vouchers"]
        assert (voucher["voucher"], voucher["uses"], voucher["uses_max"]) == (made["voucher"], 0, 2)
        path = f"{API}/vouchers/{made['voucher']}/revoke"
        revoked = (await kit.told(path, {"reason": "leaked"})).json["vouchers"][0]
        assert revoked["revoked_at"] == "2026-10-23T00:00:00Z"
        refused = await quoted(kit, offering, voucher=made["code"])
        assert_problem(refused, 409, "voucher_is_refused")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_at": "2026-09-01T00:00:00Z"},
        {"terms": {"kind": "amount", "cents": 5}},
        {"uses_max": 0},
        {"code": "MINE"},
    ],
)
async def test_a_voucher_that_makes_no_sense_is_refused(tmp_path: Path, wrong):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert_problem(await kit.told(f"{API}/vouchers", VOUCHER | wrong), 422, "invalid_body")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/offerings/o-1/prices"),
        ("POST", "/vouchers"),
        ("GET", "/vouchers"),
        ("POST", "/vouchers/v-1/revoke"),
        ("GET", "/stores/shinjuku/entries"),
    ],
)
async def test_money_is_the_operators_alone(tmp_path: Path, method: str, path: str):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        assert_problem(await kit.call(method, API + path, json={}), 401, "not_signed_in")


async def test_c6_every_movement_of_money_is_told_page_by_page(tmp_path: Path):
    async with till(tmp_path) as kit:
        orders = [await kit.order(at=MORNING_AT + n * HOUR_MS) for n in (1, 2)]
        for order in orders:
            assert await kit.say(kit.stripe.pay(page_of(order))) == 200
        path = f"{API}/stores/shinjuku/entries"
        whole = (await kit.web.told(path)).json
        assert [each["kind"] for each in whole["entries"]] == ["paid", "paid", "charged", "charged"]
        assert whole["next_cursor"] is None
        first = (await kit.web.told(f"{path}?limit=3")).json
        rest = (await kit.web.told(f"{path}?limit=3&cursor={first['next_cursor']}")).json
        assert first["entries"] + rest["entries"] == whole["entries"]
        assert whole["entries"][0]["postings"] == [
            {"account": "cash:stripe", "cents": PRICE, "currency": "JPY"},
            {"account": "receivable", "cents": -PRICE, "currency": "JPY"},
        ]
        assert_problem(await kit.web.told(f"{API}/stores/none/entries"), 404, "not_found")
        assert_problem(await kit.web.told(f"{path}?cursor=x"), 422, "invalid_query")


async def test_an_order_with_a_voucher_is_charged_what_is_left(tmp_path: Path):
    async with till(tmp_path) as kit:
        made = (await kit.web.told(f"{API}/vouchers", VOUCHER)).json
        order = await kit.order(voucher=made["code"])
        assert order["due_cents"] == 1200
        assert kit.stripe.pages[page_of(order)]["amount_total"] == 1200
        free = VOUCHER | {"terms": {"kind": "uses"}}
        gift = (await kit.web.told(f"{API}/vouchers", free)).json
        given = await kit.order(voucher=gift["code"], at=MORNING_AT + 2 * HOUR_MS)
        assert (given["state"], given["due_cents"]) == ("confirmed", 0)
        assert len(kit.stripe.pages) == 1
