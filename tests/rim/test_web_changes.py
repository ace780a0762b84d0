"""The pages that move a ticket, give it away and wait for a full time (C2)."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

from cloud_controller import bookings
from tests.fakes.store import HOUR_MS, MINUTE_MS, MORNING_AT, Offer
from tests.rim.test_web_booking import form_of, heading, hold, make_voucher, tap
from tests.rim.test_web_pages import page
from tests.rim.web_kit import WebKit, web_kit

NOON_AT = MORNING_AT + 3 * HOUR_MS


async def ticket(kit: WebKit, link: str) -> dict[str, Any]:
    found: dict[str, Any] = (await kit.get(f"/api/v1/tickets/{link}")).json
    return found


def time_form(text: str, action: str, starts_at: str) -> dict[str, str]:
    """Return the fields of the form behind a time."""
    for form in re.findall(rf'action="{re.escape(action)}">(.*?)</form>', text, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if fields.get("starts_at") == starts_at:
            return fields
    raise AssertionError(starts_at)


async def test_a_tap_moves_a_reservation_once_also_into_a_part_of_its_own_time(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1, change_seconds=3600))
        link = await kit.store.book(opened, NOON_AT, length_seconds=3600)
        path = f"/t/{link}/reschedule"
        shown = await page(kit, path)
        assert "Last change: Today, 11:00." in shown
        half_past = time_form(shown, path, "2026-10-23T03:30:00Z")
        assert "2026-10-23T03:00:00Z" not in shown, "where it is already is no other time"
        moved = await tap(kit, path, half_past)
        assert (moved.status, moved.headers["Location"]) == (303, f"/t/{link}")
        token = (await ticket(kit, link))["token"]
        again = await tap(kit, path, half_past)
        assert (again.status, again.headers["Location"]) == (303, f"/t/{link}")
        after = await ticket(kit, link)
        assert (after["starts_at"], after["token"]) == ("2026-10-23T03:30:00Z", token)


async def test_a_time_that_was_taken_offers_the_nearest_others_and_changes_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, NOON_AT)
        path = f"/t/{link}/reschedule"
        form = time_form(await page(kit, path), path, "2026-10-23T05:00:00Z")
        await kit.store.book(opened, NOON_AT + 2 * HOUR_MS)
        taken = await tap(kit, path, form)
        assert taken.status == 409
        assert "This time has just been taken." in taken.text
        assert "2026-10-23T04:30:00Z" in taken.text
        assert "2026-10-23T05:30:00Z" in taken.text
        assert (await ticket(kit, link))["starts_at"] == "2026-10-23T03:00:00Z"


async def test_too_late_is_said_and_nothing_is_moved_or_given(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1, change_seconds=7200))
        link = await kit.store.book(opened, NOON_AT)
        path = f"/t/{link}/reschedule"
        form = time_form(await page(kit, path), path, "2026-10-23T05:00:00Z")
        giving = form_of(await page(kit, f"/t/{link}/transfer"), f"/t/{link}/transfer")
        kit.store.clock.move(3601)
        late = await page(kit, path)
        assert "It could be changed until Today, 10:00." in late
        assert "<form" not in late
        for answered in (await tap(kit, path, form), await tap(kit, f"/t/{link}/transfer", giving)):
            assert answered.status == 409
            assert "This can no longer be changed." in answered.text
        assert (await ticket(kit, link))["starts_at"] == "2026-10-23T03:00:00Z"


async def test_a_ticket_that_was_given_up_can_be_neither_moved_nor_given(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await kit.store.book(await kit.store.open(), NOON_AT)
        await kit.post(f"/api/v1/tickets/{link}/cancel")
        for path in (f"/t/{link}/reschedule", f"/t/{link}/transfer"):
            shown = await page(kit, path)
            assert "cannot be changed now" in shown
            assert "<form" not in shown


async def test_c2_a_moved_ticket_keeps_what_its_voucher_took_off(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open(Offer(devices=1))
        code, held = await make_voucher(kit), await hold(kit)
        confirmed = await tap(kit, f"{held}/confirm", {"voucher": code})
        link = confirmed.headers["Location"].removeprefix("/t/")
        path = f"/t/{link}/reschedule"
        shown = await page(kit, path)
        assert "+¥" not in shown
        await tap(kit, path, time_form(shown, path, "2026-10-23T03:00:00Z"))
        assert (await ticket(kit, link))["price_cents"] == 1200
        assert "Paid: ¥1,200" in await page(kit, held)


async def test_given_by_mail_the_old_link_is_dead_and_nobody_sees_the_new_one(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await kit.store.book(await kit.store.open(), NOON_AT)
        path = f"/t/{link}/transfer"
        form = form_of(await page(kit, path), path) | {"mail": "yuki@example.org"}
        given = await tap(kit, path, form)
        assert given.status == 200
        assert "on its way to yuki@example.org" in given.text
        assert "/t/" not in given.text
        again = await tap(kit, path, form)
        assert again.text == given.text
        assert (await kit.get(f"/t/{link}")).status == 404


async def test_given_by_hand_its_new_link_is_shown_and_not_again_with_the_order(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        await kit.store.open()
        order = await hold(kit)
        old = (await tap(kit, f"{order}/confirm")).headers["Location"]
        path = f"{old}/transfer"
        form = {"key": form_of(await page(kit, path), path)["key"] + "h"}
        given = await tap(kit, path, form)
        link = re.search(r'<a href="([^"]+/t/\w+)">', given.text)
        assert link is not None
        new = unescape(link[1]).removeprefix(kit.url)
        assert (await kit.get(new)).status == 200
        assert (await kit.get(old)).status == 404
        shown = await page(kit, order)
        assert "This ticket was given to somebody else." in shown
        assert new not in shown
        told = (await kit.get(f"/api/v1/orders/{order.removeprefix('/b/')}")).json
        assert told["claims"][0]["ticket"] is None


async def test_a_full_time_can_be_waited_for_and_is_offered_to_whoever_waits(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        taken = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        shown = await page(kit, f"/o/{opened.offering}")
        (full,) = re.findall(r'<a class="button full"[^>]* href="([^"]+)"', shown)
        asking = await page(kit, unescape(full))
        assert "hold it for you for 10 min" in asking
        form = form_of(asking, "/wait") | {"mail": "mika@example.org"}
        joined = await tap(kit, "/wait", form)
        again = await tap(kit, "/wait", form)
        place = joined.headers["Location"]
        assert again.headers["Location"] == place
        assert heading(await page(kit, place)) == "You are next"
        kit.store.clock.move(1)
        second = await tap(kit, "/wait", form | {"key": "2" * 32, "mail": "b@example.org"})
        assert heading(await page(kit, second.headers["Location"])) == "1 before you"
        await kit.post(f"/api/v1/tickets/{taken}/cancel")
        await kit.store.books.transact(bookings.offer_what_is_free)
        offered = await page(kit, place)
        assert heading(offered) == "It is your turn: held for you until 9:10"
        order = re.search(r'href="[^"]*(/b/\w+)"', offered)
        assert order is not None
        assert 'value="mika@example.org"' in await page(kit, order[1])
        await tap(kit, f"{order[1]}/confirm", {"mail": "mika@example.org"})
        assert heading(await page(kit, place)) == "You have it"
        await kit.store.books.transact(bookings.offer_what_is_free)
        assert heading(await page(kit, place)) == "You have it"


async def test_whoever_waits_may_leave_and_an_offer_that_is_not_taken_is_over(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        taken = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        form = {
            "offering": opened.offering,
            "starts_at": "2026-10-23T01:00:00Z",
            "length_seconds": "1800",
            "mail": "mika@example.org",
        }
        first = (await tap(kit, "/wait", form | {"key": "1" * 32})).headers["Location"]
        other = (
            await tap(kit, "/wait", form | {"key": "2" * 32, "mail": "yuki@example.org"})
        ).headers["Location"]
        for _ in range(2):
            assert (await tap(kit, f"{first}/withdraw")).headers["Location"] == first
        assert heading(await page(kit, first)) == "You wait no longer"
        await kit.post(f"/api/v1/tickets/{taken}/cancel")
        await kit.store.books.transact(bookings.offer_what_is_free)
        assert heading(await page(kit, other)).startswith("It is your turn")
        kit.store.clock.move(601)
        assert heading(await page(kit, other)) == "This waiting is over"


async def test_a_time_that_is_free_after_all_is_offered_instead_of_a_place_in_the_list(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        form = {
            "offering": opened.offering,
            "starts_at": "2026-10-23T01:00:00Z",
            "length_seconds": "1800",
            "mail": "mika@example.org",
            "key": "1" * 32,
        }
        free = await tap(kit, "/wait", form)
        assert free.status == 409
        assert "This time is free again." in free.text
        assert 'value="2026-10-23T01:00:00Z"' in free.text
        kit.store.clock.move((90 * MINUTE_MS) // 1000)
        passed = await tap(kit, "/wait", form | {"key": "2" * 32})
        assert "This time can no longer be booked." in passed.text


async def test_what_is_kept_from_sale_is_neither_free_nor_waited_for(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        wanted = {
            "store": "shinjuku",
            "starts_at": "2026-10-23T01:00:00Z",
            "ends_at": "2026-10-23T02:00:00Z",
            "reason": "the floor is waxed",
        }
        key = {"Idempotency-Key": "b" * 32}
        assert (await kit.told("/api/v1/blackouts", wanted, headers=key)).status == 201
        shown = await page(kit, f"/o/{opened.offering}")
        assert "2026-10-23T00:30:00Z" in shown
        assert "2026-10-23T01:30:00Z" not in shown
        assert "button full" not in shown
