"""Vouchers are used once for each use they give, and given back with what they paid for (C6)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import payments
from cloud_controller.flows.payments import NewVoucher, VoucherIsRefused
from cloud_controller.ports import Movement, NotFound
from common.rules.payments import (
    Account,
    EntryKind,
    Method,
    PaymentState,
    Prices,
    ProviderSaid,
    SaidKind,
    VoucherTerms,
    entry,
)
from tests.fakes.house import STORE, HouseInHand
from tests.flows.money_kit import an_item, an_order, assert_balanced, balances

USES = {"kind": "uses"}
HALF = {"kind": "percent", "basis_points": 5000}


@pytest.fixture(autouse=True)
def _devices(house: HouseInHand) -> None:
    house.confirmed("a", "b")


def a_code(house: HouseInHand, terms: dict[str, Any], **changed: Any) -> str:
    facts: dict[str, Any] = {
        "terms": VoucherTerms.model_validate(terms),
        "starts_at": house.clock.now,
        "ends_at": house.clock.now + 10**9,
        "uses_max": 1,
    }
    _, code = house.books.do(payments.make_voucher, NewVoucher(**facts | changed), "tests")
    return str(code)


def bought(house: HouseInHand, code: str, method: Method, slots: int = 1) -> tuple[str, Any]:
    order = an_order(house)
    quote = house.books.do(payments.quote, [an_item(house)] * slots, code)
    return order, house.books.do(payments.charge, order, quote, method)


def came_in(payment: str, cents: int) -> ProviderSaid:
    return ProviderSaid(
        provider="stripe",
        event_id=f"evt-{payment}",
        kind=SaidKind.CAME_IN,
        sameness=f"cs-{payment}",
        payment=payment,
        ref=f"cs-{payment}",
        intent=f"pi-{payment}",
        cents=cents,
        currency="JPY",
    )


def test_c6_a_voucher_that_covers_all_of_it_pays_at_once_and_only_as_often_as_it_may(house):
    code = a_code(house, USES)
    order, charge = bought(house, code, Method.VOUCHER)
    assert (charge.state, charge.due_cents) == (PaymentState.PAID, 0)
    assert balances(house) == {Account.VOUCHER: 1500, Account.SALES: -1500}
    assert house.books.rows("receipts") == []
    with pytest.raises(VoucherIsRefused, match="used_up"):
        house.books.do(payments.quote, [an_item(house)], code)
    house.books.do(payments.refund, order, None, 0, "cancelled")
    assert house.books.do(payments.quote, [an_item(house)], code).total_cents == 0


def test_a_code_is_read_however_it_is_typed_and_kept_as_a_digest(house):
    code = a_code(house, HALF)
    assert len(code) == 12
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]} "
    assert house.books.do(payments.quote, [an_item(house)], typed).total_cents == 750
    assert not [line for line in house.books.everything() if code in line]


@pytest.mark.parametrize("code", ["", "0" * 12, "NOSUCHCODE22"])
def test_a_code_that_is_none_takes_nothing_off(house, code):
    a_code(house, HALF)
    if code:
        with pytest.raises(VoucherIsRefused, match="unknown"):
            house.books.do(payments.quote, [an_item(house)], code)
    else:
        assert house.books.do(payments.quote, [an_item(house)], code).discount_cents == 0


def test_a_voucher_is_given_back_when_nobody_paid_in_time(house):
    code = a_code(house, HALF)
    order, _ = bought(house, code, Method.STRIPE_CHECKOUT)
    with pytest.raises(VoucherIsRefused):
        house.books.do(payments.quote, [an_item(house)], code)
    house.books.do(payments.expire, order)
    assert house.books.do(payments.quote, [an_item(house)], code).discount_cents == 750
    assert balances(house) == {}


def test_c6_late_money_whose_voucher_somebody_else_has_used_goes_back(house):
    code = a_code(house, HALF)
    late, charge = bought(house, code, Method.STRIPE_CHECKOUT)
    house.books.do(payments.expire, late)
    bought(house, code, Method.FREE)
    assert house.books.do(payments.hear_provider, came_in(charge.payment, 750)) is None
    assert house.books.do(payments.paid_cents, late) == 0
    (call,) = [row for row in house.books.rows("payment_calls") if row["kind"] == "refund"]
    assert call["cents"] == 750
    assert [each["uses"] for each in house.books.do(payments.vouchers)] == [1]
    assert_balanced(house)


def test_c6_of_two_pages_of_one_order_that_are_both_paid_one_goes_back(house):
    order = an_order(house)
    quote = house.books.do(payments.quote, [an_item(house)])
    first = house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT)
    house.books.do(payments.expire, order)
    second = house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT)
    assert house.books.do(payments.hear_provider, came_in(second.payment, 1500)) == order
    assert house.books.do(payments.hear_provider, came_in(first.payment, 1500)) is None
    calls = [row for row in house.books.rows("payment_calls") if row["kind"] == "refund"]
    assert sum(row["cents"] for row in calls) == 1500
    assert house.books.do(payments.paid_cents, order) == 1500
    assert_balanced(house)


def test_an_older_page_that_is_paid_after_all_makes_the_newer_one_void(house):
    order = an_order(house)
    quote = house.books.do(payments.quote, [an_item(house)])
    first = house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT)
    house.books.do(payments.expire, order)
    house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT)
    assert house.books.do(payments.hear_provider, came_in(first.payment, 1500)) == order
    assert [row["state"] for row in house.books.rows("payments")] == ["paid", "expired"]
    assert balances(house) == {Account.CASH_STRIPE: 1500, Account.SALES: -1500}


def test_a_revoked_voucher_and_one_for_another_place_are_refused(house):
    code = a_code(house, HALF)
    (voucher,) = house.books.do(payments.vouchers)
    house.books.do(payments.revoke_voucher, voucher["voucher_id"], "tests", "leaked")
    with pytest.raises(VoucherIsRefused, match="over"):
        house.books.do(payments.quote, [an_item(house)], code)
    for wrong in ({"store": "nowhere"}, {"offering": "o-99"}):
        with pytest.raises(NotFound):
            a_code(house, HALF, **wrong)
    with pytest.raises(NotFound):
        house.books.do(payments.revoke_voucher, "v-99", "tests", "")


def owe(house: HouseInHand, order: str, cents: int) -> None:
    """Owe an order for time that was not delivered, as the sessions flow does."""
    lines = [(Account.COMPENSATION, cents), (Account.CREDIT, -cents)]
    reservation = house.books.rows("reservations")[-1]["reservation_id"]
    moved = Movement(
        kind=EntryKind.COMPENSATED,
        postings=entry("JPY", lines),
        store=STORE,
        order=order,
        reservation=reservation,
    )
    house.books.do(lambda books: books.move_money(moved))


def test_c6_what_is_owed_goes_back_by_the_provider_when_it_has_rested(house):
    house.book()
    order, charge = bought(house, "", Method.STRIPE_CHECKOUT)
    house.books.do(payments.hear_provider, came_in(charge.payment, 1500))
    owe(house, order, 600)
    owe(house, order, -100)
    house.books.do(payments.pay_credits)
    assert balances(house)[Account.CREDIT] == -500
    house.clock.move(3601)
    for _ in range(3):
        house.books.do(payments.pay_credits)
    calls = [row for row in house.books.rows("payment_calls") if row["kind"] == "refund"]
    assert [row["cents"] for row in calls] == [500]
    assert balances(house)[Account.REFUND_DUE] == -500
    assert Account.CREDIT not in balances(house)
    assert house.books.do(payments.paid_cents, order) == 1000
    assert house.books.do(payments.refund, order, None, 9999, "given up") == 1000
    assert house.books.one("payments")["state"] == "refunded"
    assert_balanced(house)


def test_what_was_settled_outside_is_owed_until_somebody_gives_it_back_there(house):
    house.book()
    order, _ = bought(house, "", Method.FREE)
    owe(house, order, 600)
    house.clock.move(3601)
    house.books.do(payments.pay_credits)
    assert balances(house)[Account.CREDIT] == -600
    assert house.books.do(payments.refund, order, None, 9999, "given up") == 900


def test_c6_prices_that_were_set_are_asked_from_then_on_and_change_nothing_charged(house):
    offering = house.books.one("offerings")["offering_id"]
    order, _ = bought(house, "", Method.FREE)
    prices = Prices(cents_per_hour=2000, tax_basis_points=1000)
    house.books.do(payments.set_prices, offering, prices, "tests")
    quote = house.books.do(payments.quote, [an_item(house)])
    assert (quote.total_cents, quote.tax[0].tax_cents) == (1000, 91)
    assert house.books.do(payments.paid_cents, order) == 1500
    with pytest.raises(NotFound):
        house.books.do(payments.set_prices, "o-99", prices, "tests")


def test_c6_receipts_are_numbered_without_gaps_by_the_stores_own_year(house):
    house.clock.move(_seconds_to(house, 1_798_729_199))  # 2026-12-31T23:59:59+09:00
    bought(house, "", Method.FREE)
    with pytest.raises(ZeroDivisionError):
        house.books.do(_charge_and_break, house)
    bought(house, "", Method.FREE)
    house.clock.move(1)
    bought(house, "", Method.FREE)
    rows = house.books.rows("receipts")
    assert [(row["year"], row["number"]) for row in rows] == [(2026, 1), (2026, 2), (2027, 1)]


def _charge_and_break(books: Any, house: HouseInHand) -> None:
    quote = payments.quote(books, [an_item(house)])
    order = house.books.rows("orders")[-1]["order_id"]
    payments.charge(books, order, quote, Method.FREE)
    raise ZeroDivisionError


def _seconds_to(house: HouseInHand, seconds: int) -> float:
    return seconds - house.clock.now / 1000


def test_c6_entries_are_told_page_by_page_the_latest_first(house):
    for _ in range(3):
        bought(house, "", Method.FREE)
    whole = house.books.do(payments.entries, STORE, before=None, most=100)
    numbers = [each["entry_id"] for each in whole]
    assert numbers == sorted(numbers, reverse=True)
    paged: list[int] = []
    before = None
    while page := house.books.do(payments.entries, STORE, before=before, most=2):
        paged += [each["entry_id"] for each in page]
        before = paged[-1]
    assert paged == numbers
    assert all(sum(posting["cents"] for posting in each["postings"]) == 0 for each in whole)
    with pytest.raises(NotFound):
        house.books.do(payments.entries, "nowhere", before=None, most=2)
