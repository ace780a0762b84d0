"""Orders, changes and the waiting list over HTTP, as a customer's program meets them (C2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes.store import HOUR_MS, MORNING_AT, Offer
from tests.rim.test_web_api import API, a_wish
from tests.rim.web_kit import WebKit, assert_problem, web_kit

MIKA = {"mail": "mika@example.org", "language": "en"}


async def order(kit: WebKit, *wishes: dict[str, Any], **more: Any) -> Any:
    """Place an order and return the answer."""
    key = kit.store.names.hex_digits(32)
    body = {"items": list(wishes), **more}
    return await kit.post(f"{API}/orders", json=body, headers={"Idempotency-Key": key})


async def letters(kit: WebKit) -> list[tuple[str, str, str]]:
    """Return which letters wait to be sent: their kind, to whom, in which language."""
    rows = await kit.store.books.read(lambda books: list(books.letters.due(now=books.now, most=50)))
    return [(row["kind"], row["recipient"], row["language"]) for row in rows]


async def test_c2_an_order_of_two_has_a_ticket_for_each_and_a_letter(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=2)))
        placed = await order(kit, wish, wish, **MIKA)
        assert (placed.status, placed.json["state"]) == (201, "confirmed")
        claims = placed.json["claims"]
        assert len({claim["ticket"] for claim in claims}) == 2
        assert placed.json["paid_cents"] == sum(claim["price_cents"] for claim in claims) > 0
        shown = await kit.get(f"{API}/orders/{placed.json['link']}")
        assert shown.json == placed.json
        assert await letters(kit) == [("confirmed", "mika@example.org", "en")]


async def test_what_is_held_is_confirmed_or_let_go(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=1)))
        held = (await order(kit, wish, hold=True, holder="h" * 20)).json
        assert (held["state"], held["due_cents"] > 0, held["paid_cents"]) == ("held", True, 0)
        assert_problem(await order(kit, wish), 409, "slot_is_taken")
        ticket = (await kit.get(f"{API}/tickets/{held['claims'][0]['ticket']}")).json
        assert (ticket["state"], ticket["hold_ends_at"]) == ("held", held["hold_ends_at"])
        released = await kit.post(f"{API}/orders/{held['link']}/release")
        assert released.json["state"] == "over"
        held = (await order(kit, wish, hold=True, holder="h" * 20)).json
        confirmed = await kit.post(f"{API}/orders/{held['link']}/confirm", json=MIKA)
        assert (confirmed.status, confirmed.json["state"]) == (200, "confirmed")
        again = await kit.post(f"{API}/orders/{held['link']}/confirm", json=MIKA)
        assert_problem(again, 409, "not_allowed")


async def test_a_ticket_is_moved_and_given_away_and_its_old_link_is_dead(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=1)))
        old = (await kit.book({**wish, **MIKA})).json
        other = {"starts_at": "2026-10-23T03:00:00Z", "length_seconds": 1800}
        moved = await kit.post(f"{API}/tickets/{old['link']}/reschedule", json=other)
        assert (moved.status, moved.json["starts_at"]) == (200, other["starts_at"])
        assert moved.json["token"] != old["token"]
        given = await kit.post(f"{API}/tickets/{old['link']}/transfer", json={})
        assert (await kit.get(f"{API}/tickets/{old['link']}")).status == 404
        new = given.json["ticket_url"].removeprefix(f"{kit.url}/t/")
        assert (await kit.get(f"{API}/tickets/{new}")).json["state"] == "confirmed"
        sent = await kit.post(f"{API}/tickets/{new}/transfer", json={"mail": "yuki@example.org"})
        assert sent.json["ticket_url"] is None
        kinds = [kind for kind, _, _ in await letters(kit)]
        assert kinds == ["confirmed", "changed", "given_away", "transferred"]


async def test_a_change_to_a_taken_time_offers_others_and_changes_nothing(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        opened = await kit.store.open(Offer(devices=1))
        link = await kit.store.book(opened, MORNING_AT + HOUR_MS)
        other = await kit.store.book(opened, MORNING_AT + 2 * HOUR_MS)
        taken = (await kit.get(f"{API}/tickets/{other}")).json
        before = (await kit.get(f"{API}/tickets/{link}")).json
        wanted = {"starts_at": taken["starts_at"], "length_seconds": 1800}
        refused = await kit.post(f"{API}/tickets/{link}/reschedule", json=wanted)
        assert_problem(refused, 409, "slot_is_taken")
        assert refused.json["alternatives"]
        assert (await kit.get(f"{API}/tickets/{link}")).json == before


async def test_given_up_in_time_what_was_paid_goes_back(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        placed = (await order(kit, a_wish(await kit.store.open()), **MIKA)).json
        assert placed["paid_cents"] > 0
        await kit.post(f"{API}/tickets/{placed['claims'][0]['ticket']}/cancel")
        shown = (await kit.get(f"{API}/orders/{placed['link']}")).json
        assert (shown["state"], shown["paid_cents"]) == ("over", 0)


async def test_whoever_waits_sees_his_place_and_may_leave(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=1)))
        key = {"Idempotency-Key": "w" * 20}
        wanted = {**wish, "mail": "mika@example.org"}
        free = await kit.post(f"{API}/waiting", json=wanted, headers=key)
        assert_problem(free, 409, "not_allowed")
        await kit.book(wish)
        joined = await kit.post(f"{API}/waiting", json=wanted, headers=key)
        assert (joined.status, joined.json["before_you"]) == (201, 0)
        link = joined.json["link"]
        assert (await kit.get(f"{API}/waiting/{link}")).json == joined.json
        left = await kit.post(f"{API}/waiting/{link}/withdraw")
        assert left.json["state"] == "withdrawn"


async def test_use_it_now_is_booked_without_a_time(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        wish = a_wish(await kit.store.open(Offer(devices=1)))
        free = (await kit.get(f"{API}/offerings/{wish['offering']}/now")).json["lengths"]
        assert free
        now = {"offering": wish["offering"], "length_seconds": free[0]["length_seconds"]}
        booked = await kit.book(now)
        assert (booked.status, booked.json["ends_at"]) == (201, free[0]["ends_at"])
        assert (await kit.get(f"{API}/offerings/{wish['offering']}/now")).json["lengths"] == []
