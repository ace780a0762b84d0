"""Whatever happens to orders and their money, in whatever order: no unit is lost or made (C6).

A Hypothesis state machine plays customers, operator, provider and time against real books; beside
them a model that knows nothing but how much each has in his purse.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from cloud_controller.flows import payments
from cloud_controller.flows.payments import NewVoucher, VoucherIsRefused
from cloud_controller.ports import Movement
from common.rules.payments import (
    Account,
    CallKind,
    EntryKind,
    Method,
    PaymentState,
    Prices,
    SaidKind,
    VoucherTerms,
    entry,
)
from common.rules.registration import Policy
from tests.fakes.books import fresh_copy
from tests.fakes.house import STORE, HouseInHand
from tests.flows.money_kit import Provider, Purse, an_item, an_order, balances, receipt_numbers

EXAMPLES = 50
STEPS = 50
HOLD_SECONDS = 600
TERMS = st.sampled_from(
    [
        {"kind": "amount", "cents": 700, "currency": "JPY"},
        {"kind": "percent", "basis_points": 3333},
        {"kind": "time", "seconds": 2700},
        {"kind": "uses"},
    ]
)


class Money(RuleBasedStateMachine):
    """Customers who pay or do not, a provider that speaks when it likes, and an operator."""

    made: ClassVar[Path]
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        books_file = fresh_copy(self.made, self.folder)
        self.house = HouseInHand(self.folder, books_file, policy=Policy.AUTOMATIC)
        self.house.confirmed("a", "b")
        offering = self.house.books.one("offerings")["offering_id"]
        prices = Prices(cents_per_hour=1999, tax_basis_points=1000)
        self.house.books.do(payments.set_prices, offering, prices, "tests")
        self.provider = Provider()
        self.purses: defaultdict[str, Purse] = defaultdict(Purse)
        self.vouchers: list[str] = []
        self.is_owed = False

    @override
    def teardown(self) -> None:
        self.comes_to_rest()
        self.house.books.close()
        shutil.rmtree(self.folder)

    # --- Customers.

    @rule(target=orders)
    def opens_an_order(self) -> str:
        return an_order(self.house)

    @rule(
        order=orders,
        slots=st.integers(1, 3),
        method=st.sampled_from([Method.FREE, Method.STRIPE_CHECKOUT]),
        voucher=st.integers(0, 5),
    )
    def is_charged(self, order: str, slots: int, method: Method, voucher: int) -> None:
        code = self.vouchers[voucher] if voucher < len(self.vouchers) else ""
        items = [an_item(self.house, slots=n + 1) for n in range(slots)]
        try:
            quote = self.house.books.do(payments.quote, items, code)
        except VoucherIsRefused:
            return
        expires_at = self.house.clock.now + HOLD_SECONDS * 1000
        charge = self.house.books.do(payments.charge, order, quote, method, expires_at=expires_at)
        if charge.state is PaymentState.PAID:
            self.purses[order].paid += quote.total_cents
        assert quote.total_cents + quote.discount_cents == sum(
            line.gross_cents for line in quote.lines
        )

    @rule(number=st.integers(0, 20))
    def pays_on_a_page(self, number: int) -> None:
        """Pay on any page that is open, also long after its hold."""
        open_pages = [page for page in self.provider.pages.values() if page["state"] == "open"]
        if number < len(open_pages):
            self._pay(open_pages[number])

    @rule(
        order=orders,
        slots=st.integers(1, 2),
        voucher=st.integers(0, 5),
        late_seconds=st.sampled_from([0, 0, HOLD_SECONDS + 1]),
        is_heard=st.booleans(),
    )
    def buys(
        self, order: str, slots: int, voucher: int, late_seconds: int, *, is_heard: bool
    ) -> None:
        """Do what most customers do: be charged, be shown a page, pay on it, in time or late."""
        self.is_charged(order, slots, Method.STRIPE_CHECKOUT, voucher)
        self.is_told_what_is_due(0)
        if late_seconds:
            self.house.clock.move(late_seconds)
            self.house.books.do(payments.expire_what_is_over)
        for page in self.provider.pages.values():
            if page["order"] == order and page["state"] == "open":
                self._pay(page)
                if is_heard:
                    self.house.books.do(payments.hear_provider, self.provider.words[-1])
                break

    def _pay(self, page: dict[str, Any]) -> None:
        page["state"] = "paid"
        page["intent"] = f"pi-{page['ref']}"
        self.purses[page["order"]].paid += page["cents"]
        self.provider.say(SaidKind.CAME_IN, page)

    @rule()
    def comes_to_rest(self) -> None:
        """Let everything be said and heard, and count."""
        for _ in range(60):
            self.house.clock.move(3_600)
            self.is_told_what_is_due(0)
            while self.provider.words:
                said = self.provider.words.pop()  # the latest first: out of order
                self.house.books.do(payments.hear_provider, said)
            if not self.house.books.do(_is_anything_due):
                break
        kept = sum(purse.paid - purse.back for purse in self.purses.values())
        cash = balances(self.house)
        assert cash.get(Account.CASH_FREE, 0) + cash.get(Account.CASH_STRIPE, 0) == kept
        for row in self.house.books.rows("payments"):
            if row["state"] in {"refunded", "expired", "failed"} and not self.is_owed:
                assert _tax_of(self.house, row["payment_id"]) == 0

    # --- The provider.

    @rule(number=st.integers(0, 20), again=st.booleans())
    def a_word_arrives(self, number: int, again: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        """Deliver any word that has been said, in any order, and perhaps once more."""
        if number < len(self.provider.words):
            said = self.provider.words[number]
            self.house.books.do(payments.hear_provider, said)
            if not again:
                self.provider.words.pop(number)

    @rule(lost=st.integers(0, 3))
    def is_told_what_is_due(self, lost: int) -> None:
        """Do what is due; the answers of the first few are lost, so that they are told again."""
        for call in self.house.books.do(payments.calls_due):
            lost = self._do(call, lost)

    def _do(self, call: dict[str, Any], lost: int) -> int:
        done: dict[CallKind, Any] = {
            CallKind.OPEN: self._open,
            CallKind.CLOSE: self._close,
            CallKind.REFUND: self._refund,
        }
        note = done[CallKind(call["kind"])](call)
        name, payment, kind = call["call_id"], call["payment_id"], CallKind(call["kind"])
        if lost or note is None:
            self.house.books.do(
                payments.note_in_vain, name, payment, kind, attempts=call["attempts"], why="lost"
            )
            return max(0, lost - 1)
        self.house.books.do(*note)
        self.house.books.do(*note)  # another process has told it too, and was answered the same
        return 0

    def _open(self, call: dict[str, Any]) -> tuple[Any, ...]:
        name, payment = call["call_id"], call["payment_id"]
        page = self.provider.pages.setdefault(
            name,
            {
                "ref": f"cs-{name}",
                "payment": payment,
                "order": call["order_id"],
                "cents": call["due_cents"],
                "state": "open",
                "intent": None,
                "back": 0,
            },
        )
        return payments.note_opened, name, payment, page["ref"], "https://pay"

    def _close(self, call: dict[str, Any]) -> tuple[Any, ...] | None:
        pages = [
            each for each in self.provider.pages.values() if each["ref"] == call["provider_ref"]
        ]
        for page in pages:
            if page["state"] == "open":
                page["state"] = "closed"
                self.provider.say(SaidKind.EXPIRED, page)
        return payments.note_closed, call["call_id"], "closed"

    def _refund(self, call: dict[str, Any]) -> tuple[Any, ...]:
        name, payment, cents = call["call_id"], call["payment_id"], call["cents"]
        page = next(
            each
            for each in self.provider.pages.values()
            if each["intent"] == call["provider_intent"]
        )
        if name not in self.provider.refunds:
            if cents > page["cents"] - page["back"]:
                return payments.note_refused, name, payment, CallKind.REFUND, "refunded already"
            self.provider.refunds[name] = cents
            self._go_back(page, cents)
        return payments.note_refunded, name, payment, cents, "re"

    def _go_back(self, page: dict[str, Any], cents: int) -> None:
        page["back"] += cents
        self.purses[page["order"]].back += cents
        sameness = f"{page['ref']}/{page['back']}"
        self.provider.say(SaidKind.WENT_BACK, page, sameness=sameness, cents=page["back"])

    # --- The operator, the store and time.

    @rule(number=st.integers(0, 20), cents=st.integers(1, 3000))
    def gives_back_on_the_providers_page(self, number: int, cents: int) -> None:
        paid = [page for page in self.provider.pages.values() if page["state"] == "paid"]
        if number < len(paid):
            page = paid[number]
            part = min(cents, page["cents"] - page["back"])
            if part:
                self._go_back(page, part)

    @rule(terms=TERMS, uses=st.integers(1, 3))
    def makes_a_voucher(self, terms: dict[str, Any], uses: int) -> None:
        if len(self.vouchers) < 5:
            wanted = NewVoucher(
                terms=VoucherTerms.model_validate(terms),
                starts_at=self.house.clock.now,
                ends_at=self.house.clock.now + 10**9,
                uses_max=uses,
            )
            _, code = self.house.books.do(payments.make_voucher, wanted, "tests")
            self.vouchers.append(code)

    @rule(order=orders, cents=st.integers(0, 9000))
    def is_given_back(self, order: str, cents: int) -> None:
        before = self.house.books.do(payments.paid_cents, order)
        outside = self._outside(order)
        back = self.house.books.do(payments.refund, order, None, cents, "tests")
        assert back == max(0, min(cents, before))
        self.purses[order].back += outside - self._outside(order)

    @rule(order=orders, cents=st.integers(1, 900))
    def is_owed_for_what_was_not_delivered(self, order: str, cents: int) -> None:
        cents = min(cents, self.house.books.do(payments.paid_cents, order))
        self.is_owed = self.is_owed or cents > 0
        lines = [(Account.COMPENSATION, cents), (Account.CREDIT, -cents)]
        moved = Movement(
            kind=EntryKind.COMPENSATED, postings=entry("JPY", lines), store=STORE, order=order
        )
        self.house.books.do(lambda books: books.move_money(moved))

    @rule(order=consumes(orders))
    def lets_its_hold_end(self, order: str) -> None:
        self.house.books.do(payments.expire, order)

    @rule(seconds=st.integers(1, 2 * HOLD_SECONDS))
    def time_goes_by(self, seconds: int) -> None:
        self.house.clock.move(seconds)
        self.house.books.do(payments.expire_what_is_over)

    # --- What always holds.

    @invariant()
    def every_entry_sums_to_nought(self) -> None:
        sums: defaultdict[int, int] = defaultdict(int)
        for row in self.house.books.rows("postings"):
            sums[row["entry_id"]] += row["cents"]
        assert not any(sums.values())

    @invariant()
    def nobody_got_back_more_than_he_paid(self) -> None:
        for order, purse in self.purses.items():
            assert 0 <= purse.back <= purse.paid, order

    @invariant()
    def what_is_to_be_received_is_what_is_pending(self) -> None:
        rows = self.house.books.rows("payments")
        pending = sum(row["due_cents"] for row in rows if row["state"] == PaymentState.PENDING)
        assert balances(self.house).get(Account.RECEIVABLE, 0) == pending

    @invariant()
    def no_voucher_is_used_more_than_it_gives(self) -> None:
        for voucher in self.house.books.do(payments.vouchers):
            assert voucher["uses"] <= voucher["uses_max"]
            assert voucher["seconds_used"] <= voucher["terms"].get("seconds", 0)

    @invariant()
    def receipts_have_no_gap(self) -> None:
        numbers = [number for _, number in receipt_numbers(self.house)]
        assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def receipts_say_the_tax_of_the_accounts(self) -> None:
        """What the receipts say of tax is what the accounts owe of it, pending charges left out."""
        told = 0
        for row in self.house.books.rows("receipts"):
            sign = 1 if row["kind"] == "sale" else -1
            told += sign * sum(line["tax_cents"] for line in json.loads(row["body"])["tax"])
        pending = 0
        for row in self.house.books.rows("payments"):
            if row["state"] == PaymentState.PENDING:
                pending += _tax_of(self.house, row["payment_id"])
        assert balances(self.house).get(Account.TAX, 0) == -(told + pending)

    def _outside(self, order: str) -> int:
        """Return what of an order stands in the account of what is settled outside."""
        entries = {
            row["entry_id"] for row in self.house.books.rows("entries") if row["order_id"] == order
        }
        return sum(
            row["cents"]
            for row in self.house.books.rows("postings")
            if row["entry_id"] in entries and row["account"] == Account.CASH_FREE
        )


def _tax_of(house: HouseInHand, payment: str) -> int:
    """Return the tax of a payment as it was charged."""
    entries = {
        row["entry_id"] for row in house.books.rows("entries") if row["payment_id"] == payment
    }
    tax: int = -sum(
        row["cents"]
        for row in house.books.rows("postings")
        if row["entry_id"] in entries and row["account"] == Account.TAX
    )
    return tax


def _is_anything_due(books: Any) -> bool:
    return bool(books.payments.calls_due(now=2**62, most=1))


def test_c6_no_unit_of_money_is_lost_or_made_whatever_happens(migrated: Path):
    Money.made = migrated
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
