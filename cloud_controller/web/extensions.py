"""More time for a session that runs, over HTTP: what can be had, and have it, once."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.bookings import Till
from cloud_controller.flows import extensions, reservations
from cloud_controller.ports import Transaction
from cloud_controller.web.orders import Code
from cloud_controller.web.reservations import CREATED, book_once
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.messages.extensions import CENTS_MAX
from common.rules.sessions import EXTENSION_SECONDS_MAX, ExtensionNo


class MoreWanted(Shape):
    """By how many seconds, for how much at the most, and with which voucher if with one."""

    seconds: Annotated[int, Field(ge=1, le=EXTENSION_SECONDS_MAX)]
    price_cents: Annotated[
        int, Field(ge=0, le=CENTS_MAX, description="what its customer was shown: never more")
    ]
    voucher: Code = ""


class ItselfWanted(Shape):
    """Whether the session is to go on by itself at its end, while nobody waits."""

    extends_itself: bool


class Choice(Shape):
    """One length by which it can go on, and what that costs."""

    seconds: int
    price_cents: int


class MorePossible(Shape):
    """By how much a ticket's session can go on as things stand now."""

    ends_at: InstantText | None
    choices: tuple[Choice, ...]
    currency: str
    longest_seconds: int
    bound: Annotated[
        ExtensionNo | None, Field(description="what would end it then; None: nothing known")
    ]
    refused: Annotated[ExtensionNo | None, Field(description="why it cannot go on; None: it can")]
    is_paid_first: Annotated[
        bool, Field(description="it goes on when its payment has come in, and not before")
    ]
    payment_url: Annotated[
        str | None, Field(description="where to pay for what was asked for and is not paid yet")
    ]
    extends_itself: bool


class MoreGiven(Shape):
    """What came of asking for more: granted, or to be paid first."""

    seconds: int
    price_cents: int
    currency: str
    ends_at: Annotated[InstantText, Field(description="when it ends then")]
    is_granted: bool
    payment_url: Annotated[str | None, Field(description="where to pay; None: nowhere, or not yet")]


async def show_more(call: Call[None]) -> MorePossible:
    """Say by how much the session of a ticket can go on, and for how much."""
    return await call.parts.books.read(possible, call.names["link"], call.parts)


async def extend(call: Call[MoreWanted]) -> web.Response:
    """Let a session go on; the same key again returns the same answer."""
    link, wanted, parts = call.names["link"], call.asked, call.parts

    def answer(books: Transaction) -> str:
        return extend_as(books, link, wanted, parts).model_dump_json()

    given = MoreGiven.model_validate_json(await book_once(call, answer))
    if not given.is_granted:
        url = await payment_url(parts, link)
        given = given.model_copy(update={"payment_url": url})
    return web.Response(
        status=CREATED, text=given.model_dump_json(), content_type="application/json"
    )


async def agree(call: Call[ItselfWanted]) -> MorePossible:
    """Say whether a session is to go on by itself."""
    link, parts = call.names["link"], call.parts
    await parts.books.transact(agree_as, link, call.asked)
    return await parts.books.read(possible, link, parts)


async def payment_url(parts: WebParts, link: str) -> str | None:
    """Return where an extension is paid, as soon as its provider has made a page for it."""
    order = await parts.books.read(_order_link, link)
    if order is None:
        return None
    await parts.desk.open_now(order)
    return (await parts.books.read(possible, link, parts)).payment_url


def extend_as(books: Transaction, link: str, wanted: MoreWanted, parts: WebParts) -> MoreGiven:
    """Extend the session of a ticket as it is wanted, or have it paid for first.

    Raises:
        NotFound, IsNotExtended, VoucherIsRefused, SlotIsTaken: as `bookings.extend` says.
    """
    more = bookings.extend(
        books, link, wanted.seconds, wanted.price_cents, till_of(parts), wanted.voucher
    )
    return MoreGiven(
        seconds=more.seconds,
        price_cents=more.price_cents,
        currency=more.currency,
        ends_at=more.ends_at,
        is_granted=more.is_granted,
        payment_url=None,
    )


def agree_as(books: Transaction, link: str, wanted: ItselfWanted) -> None:
    """Note whether a session is to go on by itself.

    Raises:
        NotFound: there is no such ticket, or it is over.
    """
    bookings.agree(books, link, is_agreed=wanted.extends_itself)


def possible(books: Transaction, link: str, parts: WebParts) -> MorePossible:
    """Return by how much the session of a ticket can go on as things stand now.

    Raises:
        NotFound: there is no such ticket.
    """
    ticket = reservations.ticket(books, link)
    found = extensions.of_ticket(books, link)
    itself = extensions.extends_itself(books, ticket["reservation_id"])
    if found is None:
        return MorePossible(
            ends_at=None,
            choices=(),
            currency=ticket["currency"],
            longest_seconds=0,
            bound=None,
            refused=ExtensionNo.SESSION_IS_ENDING,
            is_paid_first=False,
            payment_url=None,
            extends_itself=itself,
        )
    offer = bookings.offer(books, found, till_of(parts))
    return MorePossible(
        ends_at=offer.ends_at,
        choices=tuple(
            Choice(seconds=each.seconds, price_cents=each.price_cents) for each in offer.choices
        ),
        currency=offer.currency,
        longest_seconds=offer.longest_seconds,
        bound=found.longest.bound,
        refused=found.refused,
        is_paid_first=offer.pay_url is not None,
        payment_url=extensions.payment_url(books, found.row["session_id"]),
        extends_itself=itself,
    )


def till_of(parts: WebParts) -> Till:
    """Return how this controller is paid."""
    return Till(parts.provider, lambda: parts.public_url)


def _order_link(books: Transaction, link: str) -> str | None:
    order = reservations.ticket(books, link)["order_id"]
    return None if order is None else str(reservations.order_by_id(books, order)["link"])
