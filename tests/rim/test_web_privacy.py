"""Only whoever owns every store is shown a customer; pages of what runs show none to anybody."""

from __future__ import annotations

from pathlib import Path

from cloud_controller.ports import Transaction
from common.rules.accounts import OperatorRole
from tests.fakes.store import HOUR_MS, MORNING_AT, SHINJUKU
from tests.rim.web_kit import WebKit, assert_problem, web_kit

EXPORT, ERASE = "/api/v1/customers/export", "/api/v1/customers/erase"
MAIL = "taro@mail.example"


async def booked(kit: WebKit) -> str:
    """Book a slot with an address; return the ticket's link."""
    link = await kit.store.book(await kit.store.open(), MORNING_AT + HOUR_MS)

    def address(books: Transaction) -> None:
        order = books.letters.besides(link=link)["order_id"]
        books.reservations.address_order(order_id=order, mail=MAIL, language="ja")

    await kit.store.books.transact(address)
    return link


async def test_a_customer_is_shown_and_forgotten_over_the_api_by_owners_of_everything(
    tmp_path: Path,
):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        for role, store in ((OperatorRole.STAFF, "*"), (OperatorRole.OWNER, SHINJUKU)):
            token = await kit.token_of(role, store)
            refused = await kit.post(EXPORT, json={"who": MAIL}, headers=token)
            assert_problem(refused, 403, "not_permitted")
        known = await kit.told(EXPORT, {"who": f"{kit.url}/t/{link}"})
        assert known.json["mail"] == MAIL
        assert link not in known.text
        wish = {"who": MAIL, "reason": "asked by letter"}
        assert_problem(await kit.told(ERASE, wish), 409, "not_allowed")
        assert (await kit.post(f"/api/v1/tickets/{link}/cancel", json={})).status == 200
        assert (await kit.told(ERASE, wish)).json == {"orders": 1}
        assert_problem(await kit.told(ERASE, wish), 404, "not_found")
        assert (await kit.get(f"/t/{link}")).status == 404


async def test_no_page_of_what_runs_shows_who_it_is(tmp_path: Path):
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        browser = await kit.signed_in(OperatorRole.VIEWER)
        for path in ("/operator", "/operator/day"):
            page = await kit.get(path, headers=browser)
            assert page.status == 200
            for hidden in (MAIL, "taro", link):
                assert hidden not in page.text


async def test_an_owner_hands_out_and_forgets_a_customer_on_one_page(tmp_path: Path):
    page = "/operator/privacy"
    async with web_kit(tmp_path) as kit:
        link = await booked(kit)
        owner = await kit.signed_in()
        known = await kit.post(f"{page}/export", data={"who": MAIL}, headers=owner)
        assert known.headers["Content-Disposition"] == 'attachment; filename="customer.json"'
        assert known.json["mail"] == MAIL
        form = {"who": MAIL, "reason": "asked"}
        for said in ("ahead", "erased", "unknown"):
            answer = await kit.post(f"{page}/erase", data=form, headers=owner)
            assert answer.headers["Location"] == f"{page}?said={said}"
            if said == "ahead":
                await kit.post(f"/api/v1/tickets/{link}/cancel", json={})
