"""An order is quoted, charged and given back, and every unit of it can be accounted for (C6)."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from cloud_controller.flows import payments
from cloud_controller.ports import NotAllowed, NotFound
from common.rules.payments import Account, Method, PaymentState
from tests.fakes.house import HouseInHand
from tests.flows.money_kit import an_item, an_order, assert_balanced, balances, receipt_numbers

ENGINES = ["sqlite", "postgres"]


@pytest.fixture(autouse=True)
def _devices(house: HouseInHand) -> None:
    house.confirmed("a", "b")


def charged(house: HouseInHand, order: str, slots: int = 2) -> payments.Charge:
    quote = house.books.do(payments.quote, [an_item(house)] * slots)
    made: payments.Charge = house.books.do(payments.charge, order, quote, Method.FREE)
    return made


def test_c6_an_offering_without_prices_costs_what_its_terminal_registered(house):
    quote = house.books.do(payments.quote, [an_item(house), an_item(house, slots=2)])
    assert [line.due_cents for line in quote.lines] == [1500, 1500]
    assert (quote.total_cents, quote.discount_cents, quote.currency) == (3000, 0, "JPY")
    assert [(line.basis_points, line.tax_cents) for line in quote.tax] == [(0, 0)]


def test_what_is_not_on_offer_has_no_price(house):
    with pytest.raises(NotFound):
        house.books.do(payments.quote, [an_item(house, offering_id="o-99")])


def test_c6_what_nobody_is_sent_to_pay_is_paid_at_once_with_a_receipt(house):
    order = an_order(house)
    charge = charged(house, order)
    assert (charge.state, charge.due_cents) == (PaymentState.PAID, 3000)
    assert balances(house) == {Account.CASH_FREE: 3000, Account.SALES: -3000}
    assert house.books.do(payments.paid_cents, order) == 3000
    (receipt,) = house.books.do(payments.receipts_of, order)
    assert (receipt["kind"], receipt["number"], receipt["total_cents"]) == ("sale", 1, 3000)
    assert_balanced(house)


def test_c6_no_more_goes_back_than_came_in(house):
    order = an_order(house)
    charged(house, order)
    assert house.books.do(payments.refund, order, None, 1000, "cancelled") == 1000
    assert house.books.one("payments")["state"] == "partly_refunded"
    assert house.books.do(payments.refund, order, None, 9999, "cancelled") == 2000
    assert house.books.one("payments")["state"] == "refunded"
    assert house.books.do(payments.refund, order, None, 1, "cancelled") == 0
    assert house.books.do(payments.paid_cents, order) == 0
    assert balances(house) == {Account.SALES: -3000, Account.REFUND: 3000}
    assert [number for _, number in receipt_numbers(house)] == [1, 2, 3]
    assert_balanced(house)


def test_an_order_paid_twice_is_given_back_latest_first(house):
    order = an_order(house)
    charged(house, order, slots=1)
    charged(house, order, slots=2)
    assert house.books.do(payments.refund, order, None, 3500, "cancelled") == 3500
    assert [row["state"] for row in house.books.rows("payments")] == ["partly_refunded", "refunded"]
    assert_balanced(house)


def test_a_voucher_that_is_not_there_covers_nothing(house):
    order = an_order(house)
    quote = house.books.do(payments.quote, [an_item(house)])
    with pytest.raises(NotAllowed):
        house.books.do(payments.charge, order, quote, Method.VOUCHER)
    with pytest.raises(payments.VoucherIsRefused):
        house.books.do(payments.quote, [an_item(house)], "NOSUCHCODE22")
    assert house.books.rows("payments") == house.books.rows("entries") == []


def test_a_charge_that_is_given_up_leaves_nothing_in_any_account(house):
    order = an_order(house)
    quote = house.books.do(payments.quote, [an_item(house)])
    charge = house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT)
    assert (charge.state, balances(house)[Account.RECEIVABLE]) == (PaymentState.PENDING, 1500)
    assert house.books.do(payments.charge, order, quote, Method.STRIPE_CHECKOUT) == charge
    assert house.books.do(payments.expire, order) is True
    assert house.books.do(payments.expire, order) is False
    assert balances(house) == {}
    assert house.books.one("payments")["state"] == "expired"
    assert receipt_numbers(house) == []


@pytest.mark.parametrize("table", ["entries", "postings", "receipts"])
@pytest.mark.parametrize("act", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
def test_what_is_entered_about_money_is_never_changed(house, table, act):
    charged(house, an_order(house))
    act = act.replace(
        "at = 0", {"postings": "cents = 1", "receipts": "total_cents = 1"}.get(table, "at = 0")
    )
    refusals = sqlite3.IntegrityError, psycopg.IntegrityError
    with pytest.raises(refusals, match=f"{table}_is_append_only"):
        house.books.connection.execute(act.format(table))
