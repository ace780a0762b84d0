"""An order over HTTP: placed whole or not at all, held, paid, confirmed or let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import Field, model_validator

from cloud_controller import bookings
from cloud_controller.flows import payments, reservations
from cloud_controller.ports import Row, SlotIsTaken, Transaction
from cloud_controller.web.faults import Alternative
from cloud_controller.web.offerings import NO_LANGUAGE, LengthSeconds, title_in
from cloud_controller.web.reservations import (
    CREATED,
    DeviceBooked,
    alternatives,
    book_once,
    ticket_of,
)
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.ids import OfferingId
from common.messages.base import INSTANT_MAX, Name
from common.rules.payments import Method
from common.rules.reservations import Range, ReservationState

ITEMS_MAX: Final = 10
"""Slots of one order: a party that has a booth each."""

PARTY_MAX: Final = 100

MAIL_LENGTH_MAX: Final = 254
"""Characters of a mail address, by RFC 5321."""

Holder = Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]{16,128})?$")]
"""What a browser or program calls itself, so that what it holds never blocks itself."""

Mail = Annotated[str, Field(max_length=MAIL_LENGTH_MAX, pattern=r"^([^@\s]+@[^@\s]+)?$")]
Code = Annotated[str, Field(max_length=64)]
Spoken = Annotated[str, Field(pattern="^(ja|en)$")]


class ItemWanted(Shape):
    """A slot; without a time it begins now, without a device it may be any of the offering."""

    offering: Name
    starts_at: InstantText | None = None
    length_seconds: LengthSeconds
    device: Name | None = None
    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1


class PayingWanted(Shape):
    """Who it is for and how it is paid; without a method, the one that the store takes."""

    mail: Mail = ""
    language: Spoken = "ja"
    method: Method | None = None
    voucher: Code = ""
    extends_itself: Annotated[
        bool, Field(description="each session goes on by itself at its end while nobody waits")
    ] = False


class ReservationWanted(PayingWanted, ItemWanted):
    """One slot, for whoever wants no more than that."""


class OrderWanted(PayingWanted):
    """What one customer asks for at once; `hold`: only held, until it is confirmed or lapses."""

    items: Annotated[tuple[ItemWanted, ...], Field(min_length=1, max_length=ITEMS_MAX)]
    holder: Holder = ""
    hold: bool = False

    @model_validator(mode="after")
    def _holds_nothing_paid(self) -> Self:
        if self.hold and (self.voucher or self.method):
            message = "what is only held is paid when it is confirmed"
            raise ValueError(message)
        return self


class Claim(Shape):
    """One reservation of an order; its ticket opens when it is confirmed."""

    ticket: Annotated[
        str | None, Field(description="the ticket's link; None: it was given to somebody else")
    ]
    ticket_url: str | None
    state: str
    offering: str
    offering_title: str
    device: DeviceBooked
    starts_at: InstantText
    ends_at: InstantText
    party_size: int
    price_cents: int
    currency: str


class Order(Shape):
    """An order and what has become of it; whoever has the link may use it."""

    link: str
    order_url: str
    store: str
    state: Annotated[str, Field(description="held, confirmed, or over")]
    hold_ends_at: InstantText | None
    due_cents: Annotated[int, Field(description="what is still to be paid")]
    paid_cents: int
    currency: str
    payment_url: Annotated[str | None, Field(description="where to pay; None: nowhere, or not yet")]
    claims: tuple[Claim, ...]


async def place_order(call: Call[OrderWanted]) -> web.Response:
    """Place an order whole or not at all; the same key again returns the same answer."""
    wanted, parts = call.asked, call.parts

    def answer(books: Transaction) -> str:
        return order_of(books, place_as(books, wanted, parts), parts).model_dump_json()

    try:
        body = await book_once(call, answer)
    except SlotIsTaken:
        near = await parts.books.read(others, wanted.items[0])
        raise SlotIsTaken(alternatives=near) from None
    order = Order.model_validate_json(body)
    shown = await with_page(parts, order) if order.due_cents and not wanted.hold else order
    return web.Response(
        status=CREATED, text=shown.model_dump_json(), content_type="application/json"
    )


async def book_slot(call: Call[ReservationWanted]) -> web.Response:
    """Book one slot and return its ticket; the same key again returns the same ticket."""
    wanted, parts = call.asked, call.parts

    def answer(books: Transaction) -> str:
        link = book_as(books, wanted, parts)
        return ticket_of(books, link, parts.public_url).model_dump_json()

    try:
        body = await book_once(call, answer)
    except SlotIsTaken:
        near = await parts.books.read(others, wanted)
        raise SlotIsTaken(alternatives=near) from None
    return web.Response(status=CREATED, text=body, content_type="application/json")


async def show_order(call: Call[None]) -> Order:
    """Return an order by its link."""
    return await call.parts.books.read(order_by_link, call.names["link"], call.parts)


async def confirm_order(call: Call[PayingWanted]) -> Order:
    """Make what is held the customer's own, or lead him to where it is paid."""
    books, parts = call.parts.books, call.parts
    order = await books.transact(_confirm, call.names["link"], call.asked, parts)
    return await with_page(parts, order)


async def release_order(call: Call[None]) -> Order:
    """Let go of what is held."""
    return await call.parts.books.transact(_release, call.names["link"], call.parts)


async def with_page(parts: WebParts, order: Order) -> Order:
    """Return an order with the page on which it is paid, as soon as its provider has made one."""
    if order.payment_url is None and _is_to_be_paid(order):
        await parts.desk.open_now(order.link)
        order = await parts.books.read(order_by_link, order.link, parts)
    return order


def place_as(books: Transaction, wanted: OrderWanted, parts: WebParts) -> str:
    """Place an order as it is wanted and return its id.

    Raises:
        NotFound, NotAllowed, SlotIsTaken, VoucherIsRefused: as `bookings.place` says.
    """
    wishes = [wish_of(books, item) for item in wanted.items]
    paying = None if wanted.hold else paying_of(wanted, parts)
    order = bookings.place(books, wishes, customer_of(wanted, wanted.holder), paying)
    _agree(books, order, wanted)
    return order


def book_as(books: Transaction, wanted: ReservationWanted, parts: WebParts) -> str:
    """Book one slot as it is wanted and return its ticket's link.

    Raises:
        NotFound, NotAllowed, SlotIsTaken, VoucherIsRefused: as `bookings.place` says.
    """
    paying = paying_of(wanted, parts)
    order = bookings.place(books, [wish_of(books, wanted)], customer_of(wanted), paying)
    _agree(books, order, wanted)
    (claim,) = reservations.claims_of(books, order)
    return str(claim["link"])


def others(books: Transaction, item: ItemWanted) -> tuple[Alternative, ...]:
    """Return other times for a slot that could not be had."""
    return alternatives(books, wish_of(books, item))


def paying_of(wanted: PayingWanted, parts: WebParts) -> bookings.Paying:
    """Return how somebody pays, in the words of bookings."""
    return bookings.Paying(provider=parts.provider, method=wanted.method, voucher=wanted.voucher)


def customer_of(wanted: PayingWanted, holder: str = "") -> reservations.Customer:
    """Return who orders, in the flow's words."""
    return reservations.Customer(holder=holder, mail=wanted.mail, language=wanted.language)


def wish_of(books: Transaction, item: ItemWanted) -> reservations.Wish:
    """Return what is wanted in the flow's words."""
    offering = OfferingId(item.offering)
    if item.starts_at is None:
        return reservations.wish_now(
            books, offering, item.length_seconds, device=item.device, party_size=item.party_size
        )
    ends_at = min(item.starts_at + item.length_seconds * 1000, INSTANT_MAX)
    return reservations.Wish(
        offering=offering,
        slot=Range(starts_at=item.starts_at, ends_at=ends_at),
        device=item.device,
        party_size=item.party_size,
    )


def order_by_link(
    books: Transaction, link: str, parts: WebParts, language: str = NO_LANGUAGE
) -> Order:
    """Return an order as it is answered.

    Raises:
        NotFound: there is no such order.
    """
    order = reservations.order_of(books, link)["order_id"]
    return order_of(books, order, parts, language)


def order_of(books: Transaction, order: str, parts: WebParts, language: str = NO_LANGUAGE) -> Order:
    """Return an order as it is answered, by its id."""
    known = reservations.order_by_id(books, order)
    rows = reservations.claims_of(books, order)
    held = [row["hold_ends_at"] for row in rows if row["state"] == ReservationState.HELD]
    is_held = bool(held) and min(held) > books.now
    prices = [row["price_cents"] for row in rows if row["state"] == ReservationState.HELD]
    return Order(
        link=known["link"],
        order_url=f"{parts.public_url}/b/{known['link']}",
        store=known["store_id"],
        state=_state_of(rows, is_held=is_held),
        hold_ends_at=min(held) if is_held else None,
        due_cents=sum(prices) if is_held else 0,
        paid_cents=payments.paid_cents(books, order),
        currency=rows[0]["currency"],
        payment_url=payments.page_of(books, order),
        claims=tuple(_claim_of(row, parts.public_url, language) for row in rows),
    )


def _confirm(books: Transaction, link: str, wanted: PayingWanted, parts: WebParts) -> Order:
    order = bookings.confirm(books, link, customer_of(wanted), paying_of(wanted, parts))
    _agree(books, order, wanted)
    return order_of(books, order, parts)


def _agree(books: Transaction, order: str, wanted: PayingWanted) -> None:
    if wanted.extends_itself:
        bookings.agree_order(books, order)


def _release(books: Transaction, link: str, parts: WebParts) -> Order:
    return order_of(books, bookings.release(books, link), parts)


def _is_to_be_paid(order: Order) -> bool:
    return order.state == ReservationState.HELD and order.due_cents > 0


def _state_of(rows: Sequence[Row], *, is_held: bool) -> str:
    if is_held:
        return "held"
    alive = {ReservationState.CONFIRMED, ReservationState.IN_USE, ReservationState.COMPLETED}
    return "confirmed" if any(row["state"] in alive for row in rows) else "over"


def _claim_of(row: Row, public_url: str, language: str) -> Claim:
    link = None if row["is_given_away"] else row["link"]
    return Claim(
        ticket=link,
        ticket_url=None if link is None else f"{public_url}/t/{link}",
        state=row["state"],
        offering=row["offering_id"],
        offering_title=title_in(row, language),
        device=DeviceBooked(
            device=row["device_id"], number=row["device_number"], title=row["device_title"]
        ),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        party_size=row["party_size"],
        price_cents=row["price_cents"],
        currency=row["currency"],
    )
