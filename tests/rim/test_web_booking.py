"""The way from a time to a ticket: one tap, or held, looked at, paid and confirmed (C2)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientSession, CookieJar, web

from cloud_controller.flows import payments
from cloud_controller.ports import Actor
from cloud_controller.settings import PaymentSettings, StripeSettings
from cloud_controller.web.pages.steps import remember
from cloud_controller.web.routes import HOLDER, Call
from cloud_controller.web.table import ROUTES
from common.rules.payments import Method, VoucherKind, VoucherTerms
from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.fakes.stripe import KEY, SECRET, Stripe, stripe_stub
from tests.rim.mail_kit import change
from tests.rim.test_web_pages import OURS, first_form, page
from tests.rim.web_kit import Answered, WebKit, web_kit

DEARER = "UPDATE offerings SET price_cents = price_cents + 100"

FORMS = [
    route
    for route in ROUTES
    if route.method == "POST" and route.path.split("/")[1] in {"b", "t", "w", "wait", "book"}
]
LINKED = [route for route in FORMS if "{link}" in route.path]
SAID = {
    "key": "k" * 32,
    "starts_at": "2026-10-23T01:00:00Z",
    "length_seconds": "1800",
    "offering": "o-none",
    "mail": "mika@example.org",
    "party_size": "1",
    "voucher": "NONE",
    "seconds": "1800",
    "price_cents": "1500",
    "shown_cents": "1500",
    "extends_itself": "true",
    "helper": "h-none",
    "currency": "JPY",
    "text": "Hello",
}


async def tap(kit: WebKit, path: str, form: dict[str, str] | None = None) -> Answered:
    """Send a form as a browser sends it from our own page."""
    return await kit.post(path, data=form or {}, headers=OURS)


async def hold(kit: WebKit, **more: str) -> str:
    """Tap the first time of the storefront so that it is held; return its order's path."""
    form = first_form(await page(kit, "/")) | {"first": "1"} | more
    held = await tap(kit, "/book", form)
    assert held.status == 303
    assert held.headers["Location"].startswith("/b/")
    return held.headers["Location"]


def heading(text: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text)
    assert found is not None
    return unescape(found[1])


def form_of(text: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the first form with this action."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', text, re.DOTALL)
    assert found is not None, action
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found[1]))


async def make_voucher(kit: WebKit, percent: int = 20) -> str:
    terms = VoucherTerms(kind=VoucherKind.PERCENT, basis_points=percent * 100)
    wanted = payments.NewVoucher(
        terms=terms, starts_at=0, ends_at=MORNING_AT + 24 * HOUR_MS, uses_max=1
    )
    _, code = await kit.store.books.transact(payments.make_voucher, wanted, Actor.OPERATOR)
    return code


async def test_one_tap_still_books_where_nothing_is_due_and_the_browser_is_remembered(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        form = first_form(await page(kit, "/"))
        booked = await tap(kit, "/book", form)
        assert booked.headers["Location"].startswith("/t/")
        cookie = booked.headers["Set-Cookie"]
        assert f"{HOLDER}=" in cookie
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie
        again = await tap(kit, "/book", form)
        assert again.headers["Location"] == booked.headers["Location"]
        other = await tap(kit, "/book", form | {"length_seconds": "3600"})
        assert other.status == 422


def test_the_holder_s_cookie_is_secure_under_https():
    parts = SimpleNamespace(public_url="https://tickets.example")
    call = cast("Call[Any]", SimpleNamespace(parts=parts, holder="", key="k" * 32))
    (cookie,) = remember(web.Response(), call).cookies.values()
    assert (cookie.value, cookie["secure"], cookie["httponly"]) == ("k" * 32, True, True)


async def test_c2_one_s_own_hold_never_blocks_oneself_but_everybody_else(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(devices=1))
        mine = first_form(await page(kit, "/"))
        held = await hold(kit)
        assert first_form(await page(kit, "/"))["starts_at"] == mine["starts_at"]
        own = kit.http
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as kit.http:
            assert first_form(await page(kit, "/"))["starts_at"] != mine["starts_at"]
            assert (await tap(kit, "/book", mine | {"key": "s" * 32})).status == 409
        kit.http = own
        booked = await tap(kit, "/book", first_form(await page(kit, "/")))
        assert booked.headers["Location"].startswith("/t/")
        assert heading(await page(kit, held)) == "This is not held any more"


async def test_a_held_order_says_what_it_costs_and_until_when_and_is_confirmed_once(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        held = await hold(kit)
        shown = await page(kit, held)
        assert heading(shown) == "Held for you until 9:10"
        assert shown.index("¥1,500") < shown.index('name="mail"')
        assert 'http-equiv="refresh" content="601"' in shown
        said = form_of(shown, f"{held}/confirm") | {"mail": "mika@example.org"}
        confirmed = await tap(kit, f"{held}/confirm", said)
        assert confirmed.headers["Location"].startswith("/t/")
        again = await tap(kit, f"{held}/confirm", said)
        assert (again.status, again.headers["Location"]) == (303, held)
        after = await page(kit, held)
        assert heading(after) == "It is yours"
        assert confirmed.headers["Location"] in after
        assert "mika@example.org" in after


async def test_what_is_said_first_is_a_tap_away_from_the_times(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open()
        plain = await page(kit, f"/o/{opened.offering}")
        assert "first" not in first_form(plain)
        link = re.search(r'href="([^"]+)">With mail address or voucher', plain)
        assert link is not None
        asking = await page(kit, unescape(link[1]))
        assert first_form(asking)["first"] == "1"


async def test_c2_a_voucher_is_seen_in_the_price_before_it_is_used(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        code, held = await make_voucher(kit), await hold(kit)
        refused = await tap(kit, f"{held}/voucher", {"voucher": "NO<PE"})
        assert refused.status == 409
        assert "This voucher cannot be used here." in refused.text
        assert 'value="NO&lt;PE"' in refused.text
        tried = await tap(kit, f"{held}/voucher", {"voucher": code})
        assert "¥1,200" in tried.text
        said = form_of(tried.text, f"{held}/confirm")
        assert said["voucher"] == code
        await tap(kit, f"{held}/confirm", said)
        assert "Paid: ¥1,200" in await page(kit, held)
        other = await hold(kit)
        used_up = await tap(kit, f"{other}/confirm", {"voucher": code})
        assert used_up.status == 409
        assert heading(used_up.text).startswith("Held for you")


async def test_where_several_may_come_their_number_is_asked_and_can_be_changed(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(devices=1, party_max=4))
        tapped = await tap(kit, "/book", first_form(await page(kit, "/")))
        held = tapped.headers["Location"]
        assert held.startswith("/b/")
        shown = await page(kit, held)
        said = form_of(shown, f"{held}/party") | {"party_size": "3"}
        changed = await tap(kit, f"{held}/party", said)
        again = await tap(kit, f"{held}/party", said)
        three = changed.headers["Location"]
        assert again.headers["Location"] == three != held
        assert "3 people" in await page(kit, three)
        too_many = {"party_size": "5", "key": "m" * 32}
        assert (await tap(kit, f"{three}/party", too_many)).headers["Location"] == three
        assert heading(await page(kit, three)).startswith("Held for you")
        kit.http.cookie_jar.clear()
        assert f"{three}/party" not in await page(kit, three)
        stranger = {"party_size": "2", "key": "x" * 32}
        assert (await tap(kit, f"{three}/party", stranger)).headers["Location"] == three
        assert "3 people" in await page(kit, three)


async def test_a_party_that_was_chosen_books_in_one_tap(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(party_max=4))
        form = first_form(await page(kit, f"/o/{opened.offering}?party_size=2"))
        booked = await tap(kit, "/book", form)
        link = booked.headers["Location"].removeprefix("/t/")
        assert (await kit.get(f"/api/v1/tickets/{link}")).json["party_size"] == 2


async def test_a_hold_that_is_over_or_let_go_offers_other_times(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        held = await hold(kit)
        kit.store.clock.move(601)
        assert heading(await page(kit, held)) == "This is not held any more"
        late = await tap(kit, f"{held}/confirm")
        assert late.headers["Location"] == held
        other = await hold(kit)
        assert (await tap(kit, f"{other}/release")).headers["Location"] == other
        over = await page(kit, other)
        assert heading(over) == "This is not held any more"
        assert 'href="/o/' in over


async def test_c2_what_is_due_is_paid_on_its_provider_s_page_and_then_confirmed(tmp_path: Path):
    async with stripe_stub() as stripe, web_kit(tmp_path, payments=paid(tmp_path, stripe)) as kit:
        await kit.store.open()
        stripe.webhook_url = f"{kit.url}/api/v1/payments/stripe/webhook"
        stripe.now = kit.store.clock.now // 1000
        held = (await tap(kit, "/book", first_form(await page(kit, "/")))).headers["Location"]
        shown = await page(kit, held)
        assert "Pay ¥1,500" in shown
        said = form_of(shown, f"{held}/confirm") | {"mail": "mika@example.org"}
        asked = await tap(kit, f"{held}/confirm", said)
        assert asked.headers["Location"] == held
        due = await page(kit, held)
        assert heading(due).startswith("Pay by")
        assert 'http-equiv="refresh"' in due
        (checkout,) = stripe.pages
        assert f'href="{stripe.pages[checkout]["url"]}"' in due
        assert await stripe.send(kit.http, stripe.pay(checkout)) == 200
        assert heading(await page(kit, held)) == "It is yours"


async def test_use_it_now_is_one_tap(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        kit.store.clock.move(125)
        shown = await page(kit, f"/o/{opened.offering}")
        assert "Use it now" in shown
        form = form_of(shown, "/book")
        assert "starts_at" not in form
        booked = await tap(kit, "/book", form)
        link = booked.headers["Location"].removeprefix("/t/")
        ticket = (await kit.get(f"/api/v1/tickets/{link}")).json
        assert ticket["starts_at"] == "2026-10-23T00:02:05Z"
        assert "Use it now" not in await page(kit, f"/o/{opened.offering}")


@pytest.mark.parametrize("route", FORMS, ids=lambda route: route.path)
async def test_no_other_site_sends_one_of_our_forms(tmp_path: Path, route: Any):
    async with web_kit(tmp_path) as kit:
        path = route.path.format(link="x")
        foreign = await kit.post(path, data=SAID, headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status == 403


@pytest.mark.parametrize("route", LINKED, ids=lambda route: route.path)
async def test_an_unknown_link_is_nowhere(tmp_path: Path, route: Any):
    async with web_kit(tmp_path) as kit:
        fields = {} if route.asks is None else route.asks.model_fields
        form = {name: SAID[name] for name in fields}
        assert (await tap(kit, route.path.format(link="nobody"), form)).status == 404


@pytest.mark.parametrize(
    "path", ["/b/no", "/w/no", "/t/no/reschedule", "/t/no/transfer", "/t/no/more"]
)
async def test_a_page_of_an_unknown_link_is_nowhere(tmp_path: Path, path: str):
    async with web_kit(tmp_path) as kit:
        assert (await kit.get(path)).status == 404


def paid(folder: Path, stripe: Stripe) -> PaymentSettings:
    """Return the settings of a store that is paid by Stripe."""
    (folder / "key").write_text(KEY)
    (folder / "secret").write_text(SECRET)
    account = StripeSettings(
        key_file=folder / "key", webhook_secret_files=(folder / "secret",), url=stripe.url
    )
    methods = frozenset({Method.STRIPE_CHECKOUT, Method.VOUCHER})
    return PaymentSettings(methods=methods, stripe=account)


async def test_nobody_is_charged_more_than_he_was_shown(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        form = first_form(await page(kit, "/"))
        change(tmp_path, DEARER)
        refused = await tap(kit, "/book", form)
        assert refused.status == 409
        assert "The price has changed" in refused.text
        again = first_form(refused.text)
        assert int(again["shown_cents"]) == int(form["shown_cents"]) + 100
        assert (await tap(kit, "/book", again)).status == 303
