"""More time from a customer's own phone, and for programs: quoted, had once, or paid for first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.playing import fail, run
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer, Opened
from tests.rim.stripe_kit import page_of, till
from tests.rim.test_web_booking import tap
from tests.rim.test_web_pages import page
from tests.rim.web_kit import WebKit, assert_problem, web_kit

NEW_END = "2026-10-23T02:00:00Z"
HALF_AN_HOUR = {"seconds": 1800, "price_cents": 1500}


async def running(kit: WebKit, opened: Opened, link: str) -> str:
    """Let a ticket of the next hour run for ten minutes; return the path of its extensions."""
    kit.store.clock.now = MORNING_AT + HOUR_MS + 10 * MINUTE_MS
    await kit.store.books.transact(run, link, opened.terminal)
    return f"/api/v1/tickets/{link}/extensions"


async def extend(kit: WebKit, path: str, wanted: dict[str, Any], key: str = "k" * 16) -> Any:
    return await kit.post(path, json=wanted, headers={"Idempotency-Key": key})


async def test_what_is_quoted_is_had_once_with_its_key_and_shows_on_the_ticket(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        booked = await kit.book(
            {
                "offering": opened.offering,
                "starts_at": "2026-10-23T01:00:00Z",
                "length_seconds": 1800,
            }
        )
        link = booked.json["link"]
        path = await running(kit, opened, link)
        quoted = (await kit.get(path)).json
        assert quoted["choices"][0] == HALF_AN_HOUR
        assert (quoted["refused"], quoted["is_paid_first"]) == (None, False)
        for _ in range(2):
            given = await extend(kit, path, HALF_AN_HOUR)
            assert (given.status, given.json["is_granted"]) == (201, True)
            assert given.json["ends_at"] == NEW_END
        after = (await kit.get(f"/api/v1/tickets/{link}")).json
        assert (after["ends_at"], after["price_cents"]) == (NEW_END, 3000)
        reused = await extend(kit, path, {"seconds": 3600, "price_cents": 3000})
        assert_problem(reused, 422, "idempotency_key_reused")
        missing = await kit.post(path, json=HALF_AN_HOUR)
        assert_problem(missing, 400, "idempotency_key_missing")


async def test_a_refusal_says_why_and_changes_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        path = f"/api/v1/tickets/{link}/extensions"
        assert (await kit.get(path)).json["refused"] == "session_is_ending"
        assert_problem(await extend(kit, path, HALF_AN_HOUR), 409, "is_not_extended")
        await running(kit, opened, link)
        cheap = await extend(kit, path, {"seconds": 1800, "price_cents": 1499})
        assert_problem(cheap, 409, "is_not_extended")
        assert "costs_more" in cheap.json["detail"]
        await kit.store.book(opened, MORNING_AT + HOUR_MS + 30 * MINUTE_MS)
        taken = await extend(kit, path, HALF_AN_HOUR)
        assert "another_has_booked" in taken.json["detail"]
        assert (await kit.get(f"/api/v1/tickets/{link}")).json["price_cents"] == 1500
        assert_problem(
            await extend(kit, "/api/v1/tickets/no/extensions", HALF_AN_HOUR), 404, "not_found"
        )


async def test_a_tap_on_the_phone_extends_and_the_switch_is_kept(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        await running(kit, opened, link)
        assert f"/t/{link}/more" in await page(kit, f"/t/{link}")
        shown = await page(kit, f"/t/{link}/more")
        assert "until 11:00: ¥1,500" in shown
        form = {"seconds": "1800", "price_cents": "1500", "key": "f" * 32}
        for _ in range(2):
            tapped = await tap(kit, f"/t/{link}/more", form)
            assert (tapped.status, tapped.headers["Location"]) == (303, f"/t/{link}")
        assert (await kit.get(f"/api/v1/tickets/{link}")).json["ends_at"] == NEW_END
        await tap(kit, f"/t/{link}/itself", {"extends_itself": "true"})
        assert "Do not let it go on by itself" in await page(kit, f"/t/{link}/more")
        late = await tap(kit, f"/t/{link}/more", form | {"price_cents": "1", "key": "g" * 32})
        assert late.status == 409
        assert "The price has changed." in late.text


async def test_who_agrees_while_booking_is_known_to_have_and_may_think_again(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        wish = {
            "offering": opened.offering,
            "starts_at": "2026-10-23T01:00:00Z",
            "length_seconds": 1800,
            "extends_itself": True,
        }
        path = f"/api/v1/tickets/{(await kit.book(wish)).json['link']}/extensions"
        assert (await kit.get(path)).json["extends_itself"] is True
        answered = await kit.call("PUT", path, json={"extends_itself": False})
        assert (answered.status, answered.json["extends_itself"]) == (200, False)


async def test_what_costs_money_goes_on_when_it_is_paid_and_not_before(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order(at=MORNING_AT + HOUR_MS)
        await kit.say(kit.stripe.pay(page_of(order)))
        link = (await kit.see(order))["claims"][0]["ticket"]
        kit.move(4200)
        path = await running(kit.web, kit.opened, link)
        quoted = (await kit.web.get(path)).json
        assert quoted["is_paid_first"]
        asked = await extend(kit.web, path, HALF_AN_HOUR)
        assert (asked.status, asked.json["is_granted"]) == (201, False)
        assert (await kit.web.get(f"/api/v1/tickets/{link}")).json["ends_at"] != NEW_END
        assert asked.json["payment_url"] in await page(kit.web, f"/t/{link}/more")
        (pending,) = [row for row in await kit.rows("payments") if row["state"] == "pending"]
        await kit.say(kit.stripe.pay(pending["provider_ref"]))
        after = (await kit.web.get(f"/api/v1/tickets/{link}")).json
        assert (after["ends_at"], after["price_cents"]) == (NEW_END, 3000)
        assert (await kit.balances())["cash:stripe"] == 3000
        letters = [row["kind"] for row in await kit.rows("letters")]
        assert "refunded" not in letters


async def test_what_is_paid_after_another_has_booked_is_paid_back(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order(at=MORNING_AT + HOUR_MS)
        await kit.say(kit.stripe.pay(page_of(order)))
        link = (await kit.see(order))["claims"][0]["ticket"]
        kit.move(4200)
        path = await running(kit.web, kit.opened, link)
        await extend(kit.web, path, HALF_AN_HOUR)
        device = (await kit.rows("sessions"))[0]["device_id"]
        others = [row for row in await kit.rows("devices") if row["device_id"] != device]
        for _ in range(1 + len(others)):
            await kit.web.store.book(kit.opened, MORNING_AT + HOUR_MS + 30 * MINUTE_MS)
        (pending,) = [row for row in await kit.rows("payments") if row["state"] == "pending"]
        await kit.say(kit.stripe.pay(pending["provider_ref"]))
        await kit.look()
        after = (await kit.web.get(f"/api/v1/tickets/{link}")).json
        assert (after["ends_at"], after["price_cents"]) == ("2026-10-23T01:30:00Z", 1500)
        assert (await kit.balances())["cash:stripe"] == 1500
        assert [row["state"] for row in await kit.rows("extensions")] == ["refused"]


async def test_what_is_paid_too_late_comes_back_whole_also_where_something_is_owed(tmp_path: Path):
    """The program fails while its customer pays for more of it: both are his."""
    async with till(tmp_path) as kit:
        order = await kit.order()
        await kit.say(kit.stripe.pay(page_of(order)))
        link = (await kit.see(order))["claims"][0]["ticket"]
        kit.move(4200)
        await extend(kit.web, await running(kit.web, kit.opened, link), HALF_AN_HOUR)
        await kit.web.store.books.transact(fail, link)
        (pending,) = [row for row in await kit.rows("payments") if row["state"] == "pending"]
        await kit.say(kit.stripe.pay(pending["provider_ref"]))
        await kit.look()
        balances = await kit.balances()
        assert balances["cash:stripe"] == 1500
        assert balances["liability:credit"] == -1000, "twenty minutes of thirty, still owed"


async def test_each_seat_of_an_order_pays_for_its_own_time(tmp_path: Path):
    """Two friends at two devices ask for the same: whoever pays is whoever goes on."""
    async with till(tmp_path) as kit:
        order = await kit.order(devices=2)
        await kit.say(kit.stripe.pay(page_of(order)))
        links = [claim["ticket"] for claim in (await kit.see(order))["claims"]]
        kit.move(4200)
        for link, key in zip(links, "ab", strict=True):
            path = await running(kit.web, kit.opened, link)
            assert (await extend(kit.web, path, HALF_AN_HOUR, key * 16)).status == 201
        (pending,) = [row for row in await kit.rows("payments") if row["state"] == "pending"]
        seen = [(await kit.web.get(f"/api/v1/tickets/{link}/extensions")).json for link in links]
        assert [each["payment_url"] is not None for each in seen] == [False, True]
        await kit.say(kit.stripe.pay(pending["provider_ref"]))
        ends = [(await kit.web.get(f"/api/v1/tickets/{link}")).json["ends_at"] for link in links]
        assert ends == ["2026-10-23T01:30:00Z", NEW_END]
