"""On either engine: money is charged, heard of twice, refunded, told and never changed (C6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import payments, registration
from cloud_controller.flows.payments import NewVoucher
from common.ids import StoreId
from common.rules.payments import (
    CallKind,
    Line,
    Method,
    Part,
    ProviderSaid,
    Quote,
    SaidKind,
    VoucherTerms,
)
from tests.contracts.engines import ENGINES, Engine, opened
from tests.fakes.store import a_new_store

STORE = "shinjuku"
DUE = 1100
TERMS = VoucherTerms.model_validate({"kind": "amount", "cents": 100, "currency": "JPY"})


def a_quote(voucher: str | None = None) -> Quote:
    part = Part(title="", length_seconds=1800, cents_per_hour=None, cents=DUE + 100)
    line = Line(
        offering="o-1",
        title="VR Arena",
        starts_at=0,
        ends_at=1_800_000,
        party_size=1,
        parts=(part,),
        discount_cents=100,
        tax_basis_points=1000,
    )
    return Quote(store=STORE, currency="JPY", lines=(line,), voucher=voucher, voucher_uses=1)


def came_in(payment: str, event: str) -> ProviderSaid:
    return ProviderSaid(
        provider="stripe",
        event_id=event,
        kind=SaidKind.CAME_IN,
        sameness="cs-1",
        payment=payment,
        ref="cs-1",
        intent="pi-1",
        cents=DUE,
        currency="JPY",
    )


def an_order(books: Any) -> str:
    books.reservations.open_order(
        order_id="b-1",
        store_id=STORE,
        link="link",
        holder="",
        mail="",
        language="ja",
        made_at=books.now,
    )
    return "b-1"


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
async def test_c6_money_is_kept_the_same_by_either_engine(engine: Engine, tmp_path: Path):
    async with opened(engine, tmp_path) as books:
        await books.transact(registration.add_store, a_new_store(StoreId(STORE)))
        order = await books.transact(an_order)
        wanted = NewVoucher(terms=TERMS, starts_at=0, ends_at=2**50, uses_max=1)
        voucher, _ = await books.transact(payments.make_voucher, wanted, "tests")
        charge = await books.transact(
            payments.charge, order, a_quote(voucher), Method.STRIPE_CHECKOUT, expires_at=2**50
        )
        opening = await books.read(payments.page_due, "link")
        await books.transact(
            payments.note_opened, opening["call_id"], charge.payment, "cs-1", "https://pay"
        )
        assert await books.read(payments.page_of, order) == "https://pay"
        heard = [
            await books.transact(payments.hear_provider, came_in(charge.payment, f"evt-{n}"))
            for n in (1, 1, 2)
        ]
        assert heard == [order, None, None]
        assert await books.transact(payments.refund, order, None, 400, "tests") == 400
        for tidy in (payments.pay_credits, payments.expire_what_is_over):
            await books.transact(tidy)
        (call,) = await books.read(payments.calls_due)
        await books.transact(
            payments.note_in_vain,
            call["call_id"],
            charge.payment,
            CallKind.REFUND,
            attempts=0,
            why="away",
        )
        for _ in range(2):
            await books.transact(
                payments.note_refunded, call["call_id"], charge.payment, call["cents"], "re-1"
            )
        assert await books.read(payments.paid_cents, order) == DUE - 400
        assert await books.transact(payments.refund, order, None, 9999, "tests") == DUE - 400
        told = await books.read(payments.entries, STORE, before=None, most=50)
        kinds = ["refunded", "paid_out", "refunded", "paid", "charged"]
        assert [each["kind"] for each in told] == kinds
        assert all(sum(line["cents"] for line in each["postings"]) == 0 for each in told)
        receipts = await books.read(payments.receipts_of, order)
        assert [(each["number"], each["total_cents"]) for each in receipts] == [
            (1, DUE),
            (2, 400),
            (3, DUE - 400),
        ]
        assert sum(line["tax_cents"] for each in receipts[1:] for line in each["tax"]) == 100
        assert [each["uses"] for each in await books.read(payments.vouchers)] == [0]
