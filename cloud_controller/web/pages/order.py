"""The page of an order: held to be looked at, to be paid, confirmed with its tickets, or over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.flows import payments, reservations
from cloud_controller.flows.payments import VoucherIsRefused
from cloud_controller.ports import NotAllowed, Row, SlotIsTaken, Transaction
from cloud_controller.web.faults import STATUS
from cloud_controller.web.orders import (
    PARTY_MAX,
    Code,
    Mail,
    Order,
    PayingWanted,
    customer_of,
    order_by_link,
    order_of,
    paying_of,
    with_page,
)
from cloud_controller.web.pages.offering import Notice, sizes_of
from cloud_controller.web.pages.steps import holder_of, lead_to, new_key, remember
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, Page, Shape
from common.ids import OfferingId
from common.rules.payments import Quote, quote_in
from common.rules.reservations import Range, ReservationState

PAYING_LOOK_SECONDS: Final = 4
"""How often the page of what is being paid is read again: its provider's word comes any moment."""


class Standing(StrEnum):
    """Where an order stands, as its customer sees it."""

    HELD = "held"
    DUE = "due"
    CONFIRMED = "confirmed"
    OVER = "over"


class ConfirmForm(Shape):
    """What may be said of an order before it is one's own."""

    mail: Mail = ""
    voucher: Code = ""


class VoucherForm(Shape):
    """A voucher's code, to see what it takes off."""

    voucher: Code


class PartyForm(Shape):
    """For how many it is."""

    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)]
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the page of an order shows at one instant.

    Attributes:
        quote: what it costs, while that can still be settled.
        voucher: the code that is taken off in it.
        sizes: the sizes that its party may have, while it may be changed.
        is_paid_here: whether what is due is paid before it is confirmed.
        change_seconds: until how long before it begins it may be moved, `cancel_seconds` given up.
    """

    order: Order
    standing: Standing
    now: int
    store_title: str
    time_zone: str
    mail: str
    quote: Quote | None
    voucher: str
    sizes: tuple[int, ...]
    key: str
    is_paid_here: bool
    change_seconds: int
    cancel_seconds: int


async def show_page(call: Call[None]) -> Page:
    """Show an order by its link."""
    parts, link = call.parts, call.names["link"]
    seen = await parts.books.read(_seen, link, "", call)
    if seen.standing is Standing.DUE and seen.order.payment_url is None:
        await with_page(parts, seen.order)
        seen = await parts.books.read(_seen, link, "", call)
    return _page(seen)


async def confirm(call: Call[ConfirmForm]) -> Page | web.Response:
    """Make what is held the customer's own, or lead him to where it is paid.

    Sent twice it is confirmed once: what is held no more leads to where it stands.
    """
    parts, link = call.parts, call.names["link"]
    try:
        path = await parts.books.transact(_confirm, call)
    except VoucherIsRefused:
        return await _with_notice(call, Notice.VOUCHER)
    except NotAllowed:
        path = f"/b/{link}"
    return lead_to(path)


async def try_voucher(call: Call[VoucherForm]) -> Page:
    """Show an order with what a voucher would take off; nothing of it is used yet."""
    parts = call.parts
    try:
        seen = await parts.books.read(_seen, call.names["link"], call.asked.voucher, call)
    except VoucherIsRefused:
        return await _with_notice(call, Notice.VOUCHER)
    return _page(seen)


async def change_party(call: Call[PartyForm]) -> Page | web.Response:
    """Hold the same for another number of people."""

    def answer(books: Transaction) -> str:
        return _hold_again(books, call)

    try:
        path = await book_once(call, answer)
    except (SlotIsTaken, NotAllowed):
        path = f"/b/{call.names['link']}"
    return remember(lead_to(path), call)


async def release(call: Call[None]) -> web.Response:
    """Let go of what is held."""
    await call.parts.books.transact(bookings.release, call.names["link"])
    return lead_to(f"/b/{call.names['link']}")


async def _with_notice(call: Call[ConfirmForm] | Call[VoucherForm], notice: Notice) -> Page:
    seen = await call.parts.books.read(_seen, call.names["link"], "", call)
    return _page(seen, notice, typed=call.asked.voucher, status=STATUS[VoucherIsRefused])


def _page(seen: Seen, notice: Notice | None = None, *, typed: str = "", status: int = 200) -> Page:
    return Page(
        template="order.html",
        facts={"seen": seen, "order": seen.order, "notice": notice, "typed": typed},
        refresh_seconds=_refresh_seconds(seen),
        status=status,
    )


def _refresh_seconds(seen: Seen) -> int | None:
    """Return when the page is worth reading again: when the hold ends, or its payment may be in."""
    ends_at = seen.order.hold_ends_at
    if seen.standing is Standing.DUE:
        return PAYING_LOOK_SECONDS
    return None if ends_at is None else (ends_at - seen.now) // 1000 + 1


def _confirm(books: Transaction, call: Call[ConfirmForm]) -> str:
    asked, parts = call.asked, call.parts
    wanted = PayingWanted(mail=asked.mail, voucher=asked.voucher, language=call.language.code)
    order = bookings.confirm(
        books, call.names["link"], customer_of(wanted), paying_of(wanted, parts)
    )
    shown = order_of(books, order, parts)
    if shown.state == Standing.CONFIRMED and len(shown.claims) == 1:
        return f"/t/{shown.claims[0].ticket}"
    return f"/b/{shown.link}"


def _hold_again(books: Transaction, call: Call[PartyForm]) -> str:
    """Let go of a hold and hold the same anew for so many; return its page.

    Raises:
        NotAllowed: it is held no more, or by somebody else, or they are too many.
        SlotIsTaken: it is gone in between.
    """
    known = reservations.order_of(books, call.names["link"])
    rows = reservations.claims_of(books, known["order_id"])
    if not _may_change_party(books, known, rows, call.holder):
        raise NotAllowed(why="this order is not held by whoever asks")
    (row,) = rows
    bookings.release(books, call.names["link"])
    wish = reservations.Wish(
        offering=OfferingId(row["offering_id"]),
        slot=Range(starts_at=row["starts_at"], ends_at=row["ends_at"]),
        party_size=call.asked.party_size,
        is_now=row["starts_at"] <= books.now,
    )
    customer = reservations.Customer(
        holder=holder_of(call), mail=known["mail"], language=call.language.code
    )
    order = bookings.place(books, [wish], customer, None)
    return f"/b/{reservations.order_by_id(books, order)['link']}"


def _may_change_party(books: Transaction, known: Row, rows: list[Row], holder: str) -> bool:
    is_held = len(rows) == 1 and rows[0]["state"] == ReservationState.HELD
    is_own = bool(holder) and known["holder"] == holder
    return is_held and is_own and rows[0]["hold_ends_at"] > books.now


def _seen(books: Transaction, link: str, voucher: str, call: Call[Any]) -> Seen:
    """Return what the page of an order shows.

    Raises:
        NotFound: there is no such order.
        VoucherIsRefused: nothing is taken off with this code.
    """
    order = order_by_link(books, link, call.parts, call.language.code)
    known = reservations.order_of(books, link)
    rows = reservations.claims_of(books, known["order_id"])
    terms = books.offerings.terms(offering_id=rows[0]["offering_id"])
    pending = books.payments.pending_of(order_id=known["order_id"])
    standing = Standing(order.state)
    quote = None
    if standing is Standing.HELD and pending is not None:
        standing, quote = Standing.DUE, quote_in(pending["body"])
    elif standing is Standing.HELD:
        quote = payments.quote(books, [_item(row) for row in rows], voucher)
    may_change = standing is Standing.HELD and _may_change_party(books, known, rows, call.holder)
    return Seen(
        order=order,
        standing=standing,
        now=books.now,
        store_title=terms["store_title"],
        time_zone=terms["time_zone"],
        mail=known["mail"],
        quote=None if quote is None else _in_words(quote, order),
        voucher=voucher,
        sizes=sizes_of(terms["party_max"]) if may_change else (),
        key=new_key(books),
        is_paid_here=call.parts.provider is not None
        and quote is not None
        and quote.total_cents > 0,
        change_seconds=terms["change_seconds"],
        cancel_seconds=terms["cancel_seconds"],
    )


def _in_words(quote: Quote, order: Order) -> Quote:
    """Return what is to be paid with everything called as on the rest of the page."""
    titles = {claim.offering: claim.offering_title for claim in order.claims}
    lines = tuple(
        replace(line, title=titles.get(line.offering, line.title)) for line in quote.lines
    )
    return replace(quote, lines=lines)


def _item(row: Row) -> payments.Item:
    return payments.Item(
        offering_id=row["offering_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        party_size=row["party_size"],
    )
