"""Stripe pays for an order once, whatever it says: late, twice, forged, out of order (C6).

The other side is a server that speaks Stripe's API, on a port of its own.
"""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from cloud_controller import bookings
from cloud_controller.flows import payments
from cloud_controller.payments import desk
from tests.fakes.store import MORNING_AT
from tests.fakes.stripe import KEY, OLDER_SECRET, SECRET, signature
from tests.rim.stripe_kit import API, PRICE, Till, page_of, till
from tests.rim.web_kit import OPERATOR, web_kit

HOLD_SECONDS = 600
PAID = {"cash:stripe": PRICE, "sales": -PRICE}


async def paid_order(kit: Till):
    """Order and pay, and let Stripe say so."""
    order = await kit.order()
    assert await kit.say(kit.stripe.pay(page_of(order))) == 200
    return order


async def test_c6_an_order_is_held_until_stripe_says_that_it_is_paid(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        assert (order["state"], order["due_cents"], order["paid_cents"]) == ("held", PRICE, 0)
        page = kit.stripe.pages[page_of(order)]
        assert (page["amount_total"], page["currency"]) == (PRICE, "jpy")
        assert await kit.say(kit.stripe.pay(page["id"])) == 200
        seen = await kit.see(order)
        assert (seen["state"], seen["due_cents"], seen["paid_cents"]) == ("confirmed", 0, PRICE)
        assert seen["payment_url"] is None
        assert await kit.balances() == PAID
        assert [row["number"] for row in await kit.rows("receipts")] == [1]


async def test_the_page_is_made_under_the_orders_own_key_and_leads_back_to_it(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        (call,) = kit.stripe.calls
        payment = await kit.payment()
        assert call[2] == f"{payment['order_id']}-1"
        assert call[1]["client_reference_id"] == payment["payment_id"]
        assert call[1]["success_url"] == f"{kit.web.url}/b/{order['link']}"


@pytest.mark.parametrize("times", [2, 5])
async def test_c6_a_word_said_again_pays_once(tmp_path: Path, times: int):
    async with till(tmp_path) as kit:
        order = await kit.order()
        event = kit.stripe.pay(page_of(order))
        again = [event] * times + [event | {"id": f"evt_other_{n}"} for n in range(times)]
        assert {await kit.say(each) for each in again} == {200}
        assert await kit.balances() == PAID
        assert len(await kit.rows("receipts")) == 1


async def test_c6_a_word_that_comes_before_our_own_answer_pays_all_the_same(tmp_path: Path):
    """Early: the answer that names the page is lost, and the customer pays on it."""
    async with till(tmp_path) as kit:
        kit.stripe.faults.append("lost")
        order = await kit.order()
        assert order["payment_url"] is None
        assert (await kit.payment())["provider_ref"] is None
        (page,) = kit.stripe.pages
        assert await kit.say(kit.stripe.pay(page)) == 200
        assert (await kit.see(order))["state"] == "confirmed"
        assert (await kit.payment())["provider_ref"] == page
        kit.move(10)
        await kit.look()
        assert len(kit.stripe.pages) == 1
        assert await kit.balances() == PAID


async def test_c6_late_money_has_its_slot_where_that_is_still_free(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        event = kit.stripe.pay(page_of(order))
        kit.move(HOLD_SECONDS + 1)
        await kit.web.store.books.transact(_tidy)
        assert (await kit.see(order))["state"] == "over"
        assert await kit.balances() == {}
        assert await kit.say(event) == 200
        assert (await kit.see(order))["state"] == "confirmed"
        assert await kit.balances() == PAID


async def test_c6_late_money_goes_back_where_somebody_else_has_the_slot(tmp_path: Path):
    async with till(tmp_path) as kit:
        late = await kit.order(devices=2)
        event = kit.stripe.pay(page_of(late))
        kit.move(HOLD_SECONDS + 1)
        await kit.web.store.books.transact(_tidy)
        other = await kit.order(devices=2)
        assert await kit.say(kit.stripe.pay(page_of(other))) == 200
        assert await kit.say(event) == 200
        assert (await kit.see(late))["state"] == "over"
        assert (await kit.balances())["liability:refund"] == -2 * PRICE
        await kit.look()
        assert kit.stripe.refunded_cents() == 2 * PRICE
        assert "liability:refund" not in await kit.balances()
        assert (await kit.balances())["cash:stripe"] == 2 * PRICE
        assert (await kit.see(other))["state"] == "confirmed"


async def test_a_hold_that_is_over_closes_its_page(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        kit.move(HOLD_SECONDS + 1)
        await kit.web.store.books.transact(_tidy)
        await kit.look()
        assert kit.stripe.pages[page_of(order)]["status"] == "expired"
        assert await kit.say(kit.stripe.expire(page_of(order))) == 200
        assert (await kit.payment())["state"] == "expired"


@pytest.mark.parametrize(
    "how",
    [
        {"secrets": ("whsec_forged",)},
        {"secrets": (KEY,)},
        {"secrets": ()},
        {"tamper": b" "},
        {"signed_at": MORNING_AT // 1000 - 301},
        {"signed_at": MORNING_AT // 1000 + 301},
        {"signed_at": 0},
    ],
    ids=["another secret", "the key", "unsigned", "tampered", "old", "of tomorrow", "ancient"],
)
async def test_c6_a_word_that_is_not_theirs_or_not_of_now_pays_nothing(tmp_path: Path, how):
    async with till(tmp_path) as kit:
        order = await kit.order()
        before = await kit.balances()
        assert await kit.say(kit.stripe.pay(page_of(order)), **how) == 403
        assert (await kit.see(order))["state"] == "held"
        assert await kit.balances() == before
        assert await kit.rows("webhook_events") == []


@pytest.mark.parametrize(
    "how",
    [
        {"secrets": (OLDER_SECRET,)},
        {"secrets": ("whsec_unknown", SECRET)},
        {"signed_at": MORNING_AT // 1000 - 300},
        {"signed_at": MORNING_AT // 1000 + 300},
    ],
    ids=["older secret", "one of two", "just in time", "just not too early"],
)
async def test_a_word_is_believed_by_any_live_secret_within_five_minutes(tmp_path: Path, how):
    async with till(tmp_path) as kit:
        order = await kit.order()
        assert await kit.say(kit.stripe.pay(page_of(order)), **how) == 200
        assert (await kit.see(order))["state"] == "confirmed"


@pytest.mark.parametrize(
    ("changed", "currency"),
    [
        ({"amount_total": 1}, "JPY"),
        ({"amount_total": PRICE + 1}, "JPY"),
        ({"currency": "krw"}, "KRW"),
    ],
    ids=["too little", "too much", "another currency"],
)
async def test_c6_what_was_not_asked_for_pays_for_nothing(tmp_path: Path, changed, currency):
    async with till(tmp_path) as kit:
        order = await kit.order()
        event = kit.stripe.pay(page_of(order))
        event["data"]["object"] |= changed
        assert await kit.say(event) == 200
        assert await kit.say(event | {"id": "evt_again"}) == 200
        assert (await kit.see(order))["state"] == "held"
        assert await kit.problems() == ["payment_doubted"]
        came = event["data"]["object"]["amount_total"]
        suspense = [row for row in await kit.rows("postings") if row["account"] == "suspense"]
        assert [(row["cents"], row["currency"]) for row in suspense] == [(-came, currency)]


async def test_a_word_about_somebody_elses_page_is_doubted_or_left_alone(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        event = kit.stripe.pay(page_of(order))
        for changed in ({"client_reference_id": "of-another-shop"}, {"id": "cs_other"}):
            about = event["data"]["object"] | changed
            odd = event | {"id": f"evt_{changed}", "data": {"object": about}}
            assert await kit.say(odd) == 200
        assert (await kit.see(order))["state"] == "held"
        assert await kit.problems() == ["payment_doubted"]


async def test_c6_words_out_of_order_come_to_the_same(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        page = page_of(order)
        paid = kit.stripe.pay(page)
        back = kit.stripe.give_back(page, 500)
        assert await kit.say(back) == 200
        assert (await kit.see(order))["state"] == "held"
        assert await kit.say(paid) == 200
        assert await kit.say(back | {"id": "evt_again"}) == 200
        expired = kit.stripe.event("checkout.session.expired", kit.stripe.pages[page])
        assert await kit.say(expired) == 200
        assert (await kit.see(order))["paid_cents"] == PRICE - 500
        assert (await kit.payment())["state"] == "partly_refunded"
        assert await kit.problems() == ["paid_back_elsewhere"]


async def test_money_that_follows_later_confirms_when_it_is_there(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        page = page_of(order)
        assert await kit.say(kit.stripe.pay(page, later=True)) == 200
        assert (await kit.see(order))["state"] == "held"
        assert await kit.say(kit.stripe.pay_at_last(page)) == 200
        assert (await kit.see(order))["state"] == "confirmed"
        assert await kit.balances() == PAID


async def test_money_that_does_not_follow_after_all_leaves_nothing(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await kit.order()
        page = page_of(order)
        assert await kit.say(kit.stripe.pay(page, later=True)) == 200
        assert await kit.say(kit.stripe.fail_at_last(page)) == 200
        assert (await kit.payment())["state"] == "failed"
        assert await kit.balances() == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"id": 1}', b'{"id":"e","type":"charge.refunded","data":{"object":{}}}'],
)
async def test_what_is_signed_and_makes_no_sense_is_refused_and_changes_nothing(tmp_path, body):
    async with till(tmp_path) as kit:
        header = {"Stripe-Signature": signature(body, (SECRET,), kit.stripe.now)}
        answered = await kit.web.post(f"{API}/payments/stripe/webhook", data=body, headers=header)
        assert answered.status == 403


async def test_events_that_do_not_concern_us_are_heard_and_left_alone(tmp_path: Path):
    async with till(tmp_path) as kit:
        assert await kit.say(kit.stripe.event("customer.created", {"id": "cus_1"})) == 200
        assert await kit.rows("webhook_events") == []


async def test_a_body_over_the_limit_is_turned_away(tmp_path: Path):
    async with till(tmp_path) as kit:
        answered = await kit.web.post(f"{API}/payments/stripe/webhook", data=b"x" * 70_000)
        assert answered.status == 413


async def test_c6_giving_up_sends_the_money_back_once(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        ticket = (await kit.see(order))["claims"][0]["ticket"]
        assert (await kit.web.post(f"{API}/tickets/{ticket}/cancel")).status == 200
        for _ in range(3):
            await kit.look()
        assert kit.stripe.refunded_cents() == PRICE
        assert await kit.balances() == {"refund": PRICE, "sales": -PRICE}
        back = kit.stripe.event("charge.refunded", kit.stripe.charge_of(page_of(order)))
        assert await kit.say(back) == 200
        assert await kit.balances() == {"refund": PRICE, "sales": -PRICE}
        assert await kit.problems() == []
        assert [row["kind"] for row in await kit.rows("receipts")] == ["sale", "refund"]


@pytest.mark.parametrize("fault", ["500", "409", "down", "lost"])
async def test_c6_a_refund_is_said_until_it_is_done_and_done_once(tmp_path: Path, fault: str):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        ticket = (await kit.see(order))["claims"][0]["ticket"]
        assert (await kit.web.post(f"{API}/tickets/{ticket}/cancel")).status == 200
        kit.stripe.faults.extend([fault] * 3)
        for _ in range(8):
            await kit.look()
            kit.move(30)
        assert kit.stripe.refunded_cents() == PRICE
        assert len(kit.stripe.refunds) == 1
        assert await kit.balances() == {"refund": PRICE, "sales": -PRICE}


async def test_a_refund_whose_key_was_forgotten_is_found_and_not_made_again(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        ticket = (await kit.see(order))["claims"][0]["ticket"]
        assert (await kit.web.post(f"{API}/tickets/{ticket}/cancel")).status == 200
        kit.stripe.faults.append("lost")
        await kit.look()
        kit.stripe.answered.clear()
        kit.move(25 * 3600)
        await kit.look()
        assert len(kit.stripe.refunds) == 1
        assert await kit.balances() == {"refund": PRICE, "sales": -PRICE}


@pytest.mark.parametrize("fault", ["500", "409", "down", "lost"])
async def test_a_page_is_made_as_soon_as_the_provider_is_back(tmp_path: Path, fault: str):
    async with till(tmp_path) as kit:
        kit.stripe.faults.append(fault)
        order = await kit.order()
        assert (order["state"], order["payment_url"]) == ("held", None)
        kit.move(10)
        await kit.look()
        assert page_of(await kit.see(order)) == "cs_test_1"
        assert len(kit.stripe.pages) == 1


async def test_a_provider_that_does_not_answer_is_not_waited_for(tmp_path: Path, monkeypatch):
    def hasty() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.2))

    monkeypatch.setattr(desk, "session_for_stripe", hasty)
    async with till(tmp_path) as kit:
        kit.stripe.faults.append("slow")
        kit.stripe.slow_seconds = 0.6
        order = await kit.order()
        assert order["payment_url"] is None
        assert [row["attempts"] for row in await kit.rows("payment_calls")] == [1]


async def test_what_the_provider_will_not_do_is_the_operators_to_see(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        kit.stripe.give_back(page_of(order), PRICE)  # on Stripe's page, and its word is lost
        ticket = (await kit.see(order))["claims"][0]["ticket"]
        assert (await kit.web.post(f"{API}/tickets/{ticket}/cancel")).status == 200
        await kit.look()
        assert await kit.problems() == ["payment_refused"]
        assert (await kit.balances())["liability:refund"] == -PRICE


async def test_a_refund_that_bounces_is_owed_again(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        ticket = (await kit.see(order))["claims"][0]["ticket"]
        assert (await kit.web.post(f"{API}/tickets/{ticket}/cancel")).status == 200
        await kit.look()
        bounced = kit.stripe.bounce(kit.stripe.refunds[0])
        assert {await kit.say(bounced), await kit.say(bounced | {"id": "evt_again"})} == {200}
        assert (await kit.balances())["liability:refund"] == -PRICE
        assert await kit.problems() == ["payment_refused"]


async def test_what_a_cards_owner_contests_cannot_be_refunded_meanwhile(tmp_path: Path):
    async with till(tmp_path) as kit:
        order = await paid_order(kit)
        page = page_of(order)
        assert await kit.say(kit.stripe.dispute(page)) == 200
        assert (await kit.see(order))["paid_cents"] == 0
        assert await kit.problems() == ["payment_disputed"]
        won = kit.stripe.dispute(page, "charge.dispute.funds_reinstated")
        assert await kit.say(won) == 200
        assert (await kit.see(order))["paid_cents"] == PRICE
        assert await kit.balances() == PAID


async def test_no_secret_is_logged_or_told(tmp_path: Path, capsys):
    async with till(tmp_path) as kit:
        kit.stripe.faults.append("500")
        order = await kit.order()
        await kit.say(kit.stripe.pay(next(iter(kit.stripe.pages))) if kit.stripe.pages else {})
        entries = await kit.web.get(f"{API}/stores/shinjuku/entries", headers=OPERATOR)
        said = capsys.readouterr()
        told = said.out + said.err + str(order) + entries.text
        assert not [each for each in (KEY, SECRET, OLDER_SECRET) if each in told]


async def test_without_an_account_there_is_no_webhook(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        assert (await kit.post(f"{API}/payments/stripe/webhook", data=b"{}")).status == 404


def _tidy(books):
    bookings.lapse_what_is_over(books)
    payments.expire_what_is_over(books)
