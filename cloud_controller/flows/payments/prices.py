"""What the operator says about money: prices, vouchers; and what he reads: every movement of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.flows.payments.quotes import digest_of
from cloud_controller.ports import NotFound, SetupChange, Transaction
from common.rules.payments import CODE_LENGTH, Prices, VoucherTerms
from common.rules.setup import SetupKind

VOUCHERS_MAX: Final = 500
"""Vouchers that are listed: the latest of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVoucher:
    """A voucher to make; without a store or an offering it is for any of them."""

    terms: VoucherTerms
    starts_at: int
    ends_at: int
    uses_max: int
    store: str | None = None
    offering: str | None = None
    note: str = ""


def set_prices(
    books: Transaction, offering: str, prices: Prices, actor: str, reason: str = ""
) -> None:
    """Say what an offering costs from now on; what was quoted and charged stays as it was.

    Raises:
        NotFound: there is no such offering.
    """
    before = prices_of(books, offering)
    body = prices.model_dump_json()
    books.payments.keep_prices(offering_id=offering, body=body, changed_at=books.now)
    books.audit(actor, "prices.set", offering, body)
    change = SetupChange(
        kind=SetupKind.PRICES,
        subject=offering,
        before=before.model_dump(mode="json"),
        after=prices.model_dump(mode="json"),
    )
    books.keep_version(change, actor, reason)


def prices_of(books: Transaction, offering: str) -> Prices:
    """Return what an offering costs now; where nobody has said it, the flat price it has.

    Raises:
        NotFound: there is no such offering.
    """
    row = books.payments.terms_of(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    return Prices() if row["prices"] is None else Prices.model_validate_json(row["prices"])


def make_voucher(books: Transaction, wanted: NewVoucher, actor: str) -> tuple[str, str]:
    """Make a voucher; return its id and its code, which is said here and never again.

    Raises:
        NotFound: there is no such store or offering.
    """
    if wanted.store is not None and books.payments.zone_of(store_id=wanted.store) is None:
        raise NotFound(what="store")
    if wanted.offering is not None and books.payments.terms_of(offering_id=wanted.offering) is None:
        raise NotFound(what="offering")
    voucher, code = books.names.new("v"), books.names.short_code(CODE_LENGTH)
    books.payments.add_voucher(
        voucher_id=voucher,
        code_digest=digest_of(code),
        store_id=wanted.store,
        offering_id=wanted.offering,
        terms=wanted.terms.model_dump_json(exclude_none=True),
        note=wanted.note,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
        uses_max=wanted.uses_max,
        made_at=books.now,
    )
    books.audit(actor, "voucher.made", voucher, wanted.note)
    return voucher, code


def revoke_voucher(books: Transaction, voucher: str, actor: str, reason: str) -> None:
    """Let a voucher be used no more; what it has paid for stays paid.

    Raises:
        NotFound: there is no such voucher.
    """
    if not books.payments.revoke_voucher(voucher_id=voucher, revoked_at=books.now):
        raise NotFound(what="voucher")
    books.audit(actor, "voucher.revoked", voucher, reason)


def vouchers(books: Transaction) -> list[dict[str, Any]]:
    """Return the latest vouchers with what of them has been used, without their codes."""
    rows = books.payments.vouchers(most=VOUCHERS_MAX)
    return [{**dict(row), "terms": json.loads(row["terms"])} for row in rows]


def entries(
    books: Transaction, store: str, *, before: int | None, most: int
) -> list[dict[str, Any]]:
    """Return a store's movements of money with their postings, the latest first.

    Args:
        books: the open transaction.
        store: whose.
        before: only entries older than this one, by its number; None: the latest.
        most: how many.

    Raises:
        NotFound: there is no such store.
    """
    if books.payments.zone_of(store_id=store) is None:
        raise NotFound(what="store")
    found: dict[int, dict[str, Any]] = {}
    for row in books.payments.entries(
        store_id=store, before=2**62 if before is None else before, most=most
    ):
        facts = dict(row)
        posting = {part: facts.pop(part) for part in ("account", "cents", "currency")}
        found.setdefault(facts["entry_id"], {**facts, "postings": []})["postings"].append(posting)
    return list(found.values())
