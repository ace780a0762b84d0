"""Prices, vouchers, the provider's word and the movements of money over HTTP."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from cloud_controller import bookings
from cloud_controller.flows import payments
from cloud_controller.ports import NotAllowed, NotFound, Transaction
from cloud_controller.web.offerings import LengthSeconds
from cloud_controller.web.routes import Call, InstantText, Shape, SignedBody
from common.messages.base import Name, ShortText
from common.rules.payments import Account, EntryKind, Prices, ProviderSaid, Quote, VoucherTerms

PARTY_MAX: Final = 1_000
DEVICES_MAX: Final = 10
"""Devices of one order, as many as it may have."""

AHEAD_SECONDS_MAX: Final = 3 * 366 * 86_400

USES_MAX: Final = 1_000_000
ENTRIES_MAX: Final = 200
ENTRIES: Final = 50
"""Entries of a page, at most and where nobody says."""


class QuoteWanted(Shape):
    """A time whose price is asked, on one device or several."""

    offering: Name
    starts_at: InstantText
    length_seconds: LengthSeconds
    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1
    devices: Annotated[int, Field(ge=1, le=DEVICES_MAX)] = 1
    voucher: Annotated[str, Field(max_length=40)] = ""


class PartTold(Shape):
    """What a price is made of; `cents_per_hour` is None for a package or a flat price."""

    title: str
    length_seconds: int
    cents_per_hour: int | None
    cents: int


class LineTold(Shape):
    """What one device costs."""

    offering: str
    title: str
    starts_at: InstantText
    ends_at: InstantText
    gross_cents: int
    discount_cents: int
    due_cents: int
    parts: tuple[PartTold, ...]


class TaxTold(Shape):
    """The tax of one rate within the total."""

    basis_points: int
    gross_cents: int
    tax_cents: int


class QuoteTold(Shape):
    """What an order would cost now, with its ways of paying."""

    currency: str
    total_cents: int
    discount_cents: int
    tax: tuple[TaxTold, ...]
    lines: tuple[LineTold, ...]
    methods: tuple[str, ...]


class VoucherWanted(Shape):
    """A voucher to make."""

    terms: VoucherTerms
    starts_at: InstantText
    ends_at: InstantText
    uses_max: Annotated[int, Field(ge=1, le=USES_MAX)] = 1
    store: Name | None = None
    offering: Name | None = None
    note: ShortText = ""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.ends_at <= self.starts_at:
            message = "it ends before it begins"
            raise ValueError(message)
        return self


class VoucherMade(Shape):
    """A voucher that was just made; its code is said here and nowhere else."""

    voucher: str
    code: str


class VoucherRevoked(Shape):
    """The operator's word that a voucher counts no more."""

    reason: Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


class Voucher(Shape):
    """A voucher as it stands."""

    voucher: str
    terms: VoucherTerms
    store: str | None
    offering: str | None
    note: str
    starts_at: InstantText
    ends_at: InstantText
    uses_max: int
    uses: int
    seconds_used: int
    revoked_at: InstantText | None
    made_at: InstantText


class Vouchers(Shape):
    """The latest vouchers."""

    vouchers: tuple[Voucher, ...]


class EntriesWanted(Shape):
    """Which movements of money; `cursor` is the `next_cursor` of the page before."""

    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=ENTRIES_MAX)] = ENTRIES


class PostingTold(Shape):
    """One line of an entry: above nought is debit, below is credit."""

    account: Account
    cents: int
    currency: str


class EntryTold(Shape):
    """A movement of money."""

    entry: int
    kind: EntryKind
    at: InstantText
    order: str | None
    payment: str | None
    reservation: str | None
    why: str
    postings: tuple[PostingTold, ...]


class Entries(Shape):
    """A page of movements, the latest first; without `next_cursor` it is the last page."""

    entries: tuple[EntryTold, ...]
    next_cursor: str | None


class Heard(Shape):
    """The provider's word was heard."""

    heard: bool = True


async def show_quote(call: Call[QuoteWanted]) -> QuoteTold:
    """Return what a time costs, before anything is filled in."""
    found = await call.parts.books.read(_quote, call.asked)
    methods = sorted(call.parts.desk.methods)
    return quote_told(found, tuple(methods))


async def set_prices(call: Call[Prices]) -> Prices:
    """Say what an offering costs from now on."""
    offering = call.names["offering"]
    await call.parts.books.transact(payments.set_prices, offering, call.asked, call.operator.name)
    return call.asked


async def make_voucher(call: Call[VoucherWanted]) -> VoucherMade:
    """Make a voucher and say its code, this once."""
    asked = call.asked
    wanted = payments.NewVoucher(
        terms=asked.terms,
        starts_at=asked.starts_at,
        ends_at=asked.ends_at,
        uses_max=asked.uses_max,
        store=asked.store,
        offering=asked.offering,
        note=asked.note,
    )
    made = await call.parts.books.transact(payments.make_voucher, wanted, call.operator.name)
    return VoucherMade(voucher=made[0], code=made[1])


async def revoke_voucher(call: Call[VoucherRevoked]) -> Vouchers:
    """Let a voucher be used no more."""
    await call.parts.books.transact(
        payments.revoke_voucher, call.names["voucher"], call.operator.name, call.asked.reason
    )
    return await list_vouchers(call)


async def list_vouchers(call: Call[Any]) -> Vouchers:
    """Return the latest vouchers."""
    rows = await call.parts.books.read(payments.vouchers)
    return Vouchers(vouchers=tuple(_voucher_of(row) for row in rows))


async def list_entries(call: Call[EntriesWanted]) -> Entries:
    """Return a page of a store's movements of money."""
    before = None if call.asked.cursor is None else int(call.asked.cursor)
    limit = call.asked.limit
    rows = await call.parts.books.read(
        payments.entries, call.names["store"], before=before, most=limit
    )
    told = tuple(_entry_of(row) for row in rows)
    return Entries(entries=told, next_cursor=str(told[-1].entry) if len(told) == limit else None)


async def hear_stripe(call: Call[SignedBody]) -> Heard:
    """Hear what Stripe says of a payment; what was paid for is confirmed in the same commit."""
    said = call.parts.desk.read_word(call.asked.body, call.asked.signature)
    if said is not None:
        await call.parts.books.transact(hear, said)
    return Heard()


def hear(books: Transaction, said: ProviderSaid) -> None:
    """Apply a provider's word; an order that has been paid is confirmed, or its money goes back."""
    order = payments.hear_provider(books, said)
    if order is not None:
        bookings.note_paid(books, order)


def quote_told(quote: Quote, methods: tuple[str, ...]) -> QuoteTold:
    """Return a quote as it is answered."""
    return QuoteTold(
        currency=quote.currency,
        total_cents=quote.total_cents,
        discount_cents=quote.discount_cents,
        tax=tuple(
            TaxTold(
                basis_points=line.basis_points,
                gross_cents=line.gross_cents,
                tax_cents=line.tax_cents,
            )
            for line in quote.tax
        ),
        lines=tuple(
            LineTold(
                offering=line.offering,
                title=line.title,
                starts_at=line.starts_at,
                ends_at=line.ends_at,
                gross_cents=line.gross_cents,
                discount_cents=line.discount_cents,
                due_cents=line.due_cents,
                parts=tuple(
                    PartTold(
                        title=part.title,
                        length_seconds=part.length_seconds,
                        cents_per_hour=part.cents_per_hour,
                        cents=part.cents,
                    )
                    for part in line.parts
                ),
            )
            for line in quote.lines
        ),
        methods=methods,
    )


def _quote(books: Transaction, wanted: QuoteWanted) -> Quote:
    row = books.offerings.terms(offering_id=wanted.offering)
    if row is None:
        raise NotFound(what="offering")
    if wanted.length_seconds not in json.loads(row["lengths_seconds"]):
        raise NotAllowed(why="the offering is not sold in this length")
    if wanted.starts_at > books.now + AHEAD_SECONDS_MAX * 1000:
        raise NotAllowed(why="nobody knows what it will cost then")
    item = payments.Item(
        offering_id=wanted.offering,
        starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + wanted.length_seconds * 1000,
        party_size=wanted.party_size,
    )
    return payments.quote(books, [item] * wanted.devices, wanted.voucher)


def _voucher_of(row: dict[str, Any]) -> Voucher:
    return Voucher(
        voucher=row["voucher_id"],
        terms=VoucherTerms.model_validate(row["terms"]),
        store=row["store_id"],
        offering=row["offering_id"],
        note=row["note"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        uses_max=row["uses_max"],
        uses=row["uses"],
        seconds_used=row["seconds_used"],
        revoked_at=row["revoked_at"],
        made_at=row["made_at"],
    )


def _entry_of(row: dict[str, Any]) -> EntryTold:
    return EntryTold(
        entry=row["entry_id"],
        kind=row["kind"],
        at=row["at"],
        order=row["order_id"],
        payment=row["payment_id"],
        reservation=row["reservation_id"],
        why=row["why"],
        postings=tuple(PostingTold(**posting) for posting in row["postings"]),
    )
