"""Tax, vouchers and double entry: whatever is cut, taken off or given back adds up (C6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st
from pydantic import ValidationError

from common.rules.payments import (
    Account,
    Cost,
    Discount,
    Method,
    Posting,
    VoucherFacts,
    VoucherNo,
    VoucherTerms,
    chosen,
    discount_of,
    entry,
    free_cents,
    given_back,
    is_balanced,
    kept_cents,
    tax_lines,
    undone,
)
from common.rules.payments.provider import seconds_until_again

SUMS = st.lists(
    st.tuples(st.sampled_from([0, 700, 800, 1000, 1900]), st.integers(0, 10**7)), min_size=1
)


@pytest.mark.parametrize(
    ("sums", "wanted"),
    [
        ([(1000, 1100)], [(1000, 1100, 100)]),
        ([(1000, 333), (1000, 333), (1000, 333)], [(1000, 999, 91)]),
        ([(800, 1080), (1000, 1100)], [(1000, 1100, 100), (800, 1080, 80)]),
        ([(1900, 1), (1900, 2)], [(1900, 3, 0)]),
        ([(0, 500)], [(0, 500, 0)]),
    ],
)
def test_c6_tax_is_taken_out_once_for_each_rate_of_a_receipt(sums, wanted):
    found = [(line.basis_points, line.gross_cents, line.tax_cents) for line in tax_lines(sums)]
    assert found == wanted


@given(
    sums=SUMS, cuts=st.lists(st.integers(1, 10**7), max_size=20), first=st.sampled_from([None, 800])
)
def test_c6_refunds_in_whatever_pieces_give_back_all_the_tax_and_no_more(sums, cuts, first):
    lines = tax_lines(sums)
    total = sum(line.gross_cents for line in lines)
    gross: dict[int, int] = {}
    tax: dict[int, int] = {}
    left = total
    for cut in [*cuts, total]:
        part = min(cut, left)
        if not part:
            continue
        left -= part
        back = given_back(lines, dict(gross), part, first)
        assert sum(line.gross_cents for line in back) == part
        assert all(0 <= line.tax_cents <= line.gross_cents for line in back)
        for line in back:
            gross[line.basis_points] = gross.get(line.basis_points, 0) + line.gross_cents
            tax[line.basis_points] = tax.get(line.basis_points, 0) + line.tax_cents
    for line in lines:
        assert gross.get(line.basis_points, 0) == line.gross_cents
        assert tax.get(line.basis_points, 0) == line.tax_cents


def test_what_is_given_up_is_given_back_at_its_own_rate_first():
    lines = tax_lines([(1000, 1100), (800, 1080)])
    (back,) = given_back(lines, {}, 540, first=800)
    assert (back.basis_points, back.tax_cents) == (800, 40)


def a_voucher(terms: dict[str, object], **changed: object) -> VoucherFacts:
    facts: dict[str, object] = {
        "terms": VoucherTerms.model_validate(terms),
        "store": None,
        "offering": None,
        "starts_at": 0,
        "ends_at": 1000,
        "uses_max": 5,
        "uses": 0,
        "seconds_used": 0,
        "is_revoked": False,
    }
    return VoucherFacts(**facts | changed)  # type: ignore[arg-type] # the tests change one part


def taken_off(voucher: VoucherFacts, *cents: int, now: int = 500, seconds: int = 3600):
    costs = [
        Cost(offering=f"o-{n}", cents=each, length_seconds=seconds) for n, each in enumerate(cents)
    ]
    return discount_of(voucher, "s", "JPY", costs, now=now)


AMOUNT = {"kind": "amount", "cents": 500, "currency": "JPY"}
PERCENT = {"kind": "percent", "basis_points": 3333}
TIME = {"kind": "time", "seconds": 5400}
USES = {"kind": "uses"}


@pytest.mark.parametrize(
    ("terms", "cents", "wanted"),
    [
        (AMOUNT, (1500,), Discount(cents=(500,), uses=1, seconds=0)),
        (AMOUNT, (300,), Discount(cents=(300,), uses=1, seconds=0)),
        (AMOUNT, (1000, 500), Discount(cents=(333, 167), uses=1, seconds=0)),
        (PERCENT, (1000,), Discount(cents=(333,), uses=1, seconds=0)),
        (TIME, (1000,), Discount(cents=(1000,), uses=1, seconds=3600)),
        (TIME, (1001, 1001), Discount(cents=(1001, 501), uses=1, seconds=5400)),
        (USES, (1000, 700), Discount(cents=(1000, 700), uses=2, seconds=0)),
    ],
)
def test_c6_a_voucher_takes_off_what_its_kind_gives(terms, cents, wanted):
    assert taken_off(a_voucher(terms), *cents) == wanted


@pytest.mark.parametrize(
    ("changed", "now", "why"),
    [
        ({"is_revoked": True}, 500, VoucherNo.OVER),
        ({}, 1000, VoucherNo.OVER),
        ({"starts_at": 501}, 500, VoucherNo.NOT_YET),
        ({"uses": 5}, 500, VoucherNo.USED_UP),
        ({"store": "elsewhere"}, 500, VoucherNo.NOT_HERE),
        ({"offering": "o-9"}, 500, VoucherNo.NOT_HERE),
    ],
)
def test_c6_a_voucher_that_cannot_be_used_says_why(changed, now, why):
    assert taken_off(a_voucher(AMOUNT, **changed), 1500, now=now) is why


def test_a_voucher_of_another_currency_is_not_for_here():
    foreign = {"kind": "amount", "cents": 5, "currency": "EUR"}
    assert taken_off(a_voucher(foreign), 1500) is VoucherNo.NOT_HERE


def test_a_voucher_for_one_offering_takes_nothing_off_another():
    assert taken_off(a_voucher(PERCENT, offering="o-1"), 1000, 1000) == Discount(
        cents=(0, 333), uses=1, seconds=0
    )


def test_prepaid_time_that_is_used_up_pays_for_nothing():
    assert taken_off(a_voucher(TIME, seconds_used=5400), 1000) is VoucherNo.USED_UP


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "amount", "cents": 5},
        {"kind": "percent", "basis_points": 10_001},
        {"kind": "percent", "basis_points": 500, "cents": 5, "currency": "JPY"},
        {"kind": "time"},
        {"kind": "uses", "seconds": 60},
        {"kind": "gift"},
    ],
)
def test_a_voucher_gives_exactly_what_its_kind_gives(wrong):
    with pytest.raises(ValidationError):
        VoucherTerms.model_validate(wrong)


@settings(max_examples=200)
@given(
    terms=st.sampled_from([AMOUNT, PERCENT, TIME, USES]),
    cents=st.lists(st.integers(0, 10**6), min_size=1, max_size=10),
    used=st.integers(0, 5400),
    uses=st.integers(0, 5),
)
def test_c6_no_voucher_takes_off_more_than_is_due_or_than_is_left_of_it(terms, cents, used, uses):
    found = taken_off(a_voucher(terms, seconds_used=used, uses=uses), *cents)
    if isinstance(found, Discount):
        assert all(0 <= off <= due for off, due in zip(found.cents, cents, strict=True))
        assert 0 < found.uses <= 5 - uses
        assert found.seconds + used <= 5400 or found.seconds == 0


@given(lines=st.lists(st.tuples(st.sampled_from(Account), st.integers(-1000, 1000))))
def test_an_entry_is_balanced_and_what_undoes_it_too(lines):
    rest = -sum(cents for _, cents in lines)
    made = entry("JPY", [*lines, (Account.SALES, rest)])
    assert is_balanced(made)
    assert all(posting.cents for posting in made)
    assert is_balanced(undone(made))
    both = [*made, *undone(made)]
    assert all(
        sum(each.cents for each in both if each.account is account) == 0 for account in Account
    )


def test_what_does_not_sum_to_nought_is_no_entry():
    with pytest.raises(AssertionError):
        entry("JPY", [(Account.SALES, 1)])
    mixed = [
        Posting(account=Account.SALES, cents=1, currency="JPY"),
        Posting(account=Account.TAX, cents=-1, currency="EUR"),
    ]
    assert not is_balanced(mixed)


def test_what_is_kept_is_what_came_in_less_what_is_owed():
    balances = [("cash:stripe", 1500), ("liability:refund", -300), ("liability:credit", -200)]
    others = [("sales", -1500), ("tax", -10)]
    assert kept_cents([*balances, *others]) == 1200
    assert free_cents([*balances, *others]) == 1000


@pytest.mark.parametrize(
    ("asked", "due", "allowed", "wanted"),
    [
        (None, 0, {"stripe_checkout"}, Method.FREE),
        ("voucher", 0, {"stripe_checkout", "voucher"}, Method.VOUCHER),
        ("stripe_checkout", 0, {"stripe_checkout"}, Method.FREE),
        (None, 1, {"stripe_checkout", "voucher"}, Method.STRIPE_CHECKOUT),
        (None, 1, {"free", "voucher"}, Method.FREE),
        ("free", 1, {"stripe_checkout", "voucher"}, None),
        ("voucher", 1, {"stripe_checkout", "voucher"}, None),
        ("stripe_checkout", 1, {"free"}, None),
    ],
)
def test_nobody_chooses_to_pay_nothing_where_money_is_taken(asked, due, allowed, wanted):
    method = None if asked is None else Method(asked)
    assert chosen(method, due, frozenset(map(Method, allowed))) is wanted


def test_a_provider_is_told_again_later_and_later_up_to_an_hour():
    pauses = [seconds_until_again(attempts) for attempts in range(1, 40)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 3600
