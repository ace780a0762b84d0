"""The waiting list over HTTP: join it for a slot that is full, see one's place, leave it."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import reservations
from cloud_controller.ports import Transaction
from cloud_controller.web.offerings import NO_LANGUAGE, LengthSeconds, title_in
from cloud_controller.web.orders import MAIL_LENGTH_MAX, PARTY_MAX, Spoken
from cloud_controller.web.reservations import CREATED, book_once
from cloud_controller.web.routes import Call, InstantText, Shape, WebParts
from common.ids import OfferingId
from common.messages.base import INSTANT_MAX, Name
from common.rules.reservations import Range


class WaitingWanted(Shape):
    """Which slot one would like, and where one is written to when it becomes free."""

    offering: Name
    starts_at: InstantText
    length_seconds: LengthSeconds
    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1
    mail: Annotated[str, Field(max_length=MAIL_LENGTH_MAX, pattern=r"^[^@\s]+@[^@\s]+$")]
    language: Spoken = "ja"


class Waiting(Shape):
    """A place in the list; what is held for it is confirmed by its order."""

    link: str
    state: str
    offering: str
    offering_title: str
    store_title: str
    time_zone: str
    starts_at: InstantText
    ends_at: InstantText
    before_you: int
    order_url: str | None


async def join_waiting(call: Call[WaitingWanted]) -> web.Response:
    """Join the list; the same key again is the same place."""

    def answer(books: Transaction) -> str:
        return place_of(books, join_in(books, call.asked), call.parts).model_dump_json()

    body = await book_once(call, answer)
    return web.Response(status=CREATED, text=body, content_type="application/json")


async def show_waiting(call: Call[None]) -> Waiting:
    """Return a place in the list."""
    return await call.parts.books.read(place_of, call.names["link"], call.parts)


async def withdraw_waiting(call: Call[None]) -> Waiting:
    """Leave the list."""
    return await call.parts.books.transact(_withdraw, call.names["link"], call.parts)


def join_in(books: Transaction, wanted: WaitingWanted) -> str:
    """Join the list and return the link of the place in it.

    Raises:
        NotFound, NotAllowed: as the flow says.
    """
    ends_at = min(wanted.starts_at + wanted.length_seconds * 1000, INSTANT_MAX)
    wish = reservations.Wish(
        offering=OfferingId(wanted.offering),
        slot=Range(starts_at=wanted.starts_at, ends_at=ends_at),
        party_size=wanted.party_size,
    )
    customer = reservations.Customer(mail=wanted.mail, language=wanted.language)
    return reservations.join(books, wish, customer)


def place_of(
    books: Transaction, link: str, parts: WebParts, language: str = NO_LANGUAGE
) -> Waiting:
    """Return a place in the list as it is answered, its offering called as in a language.

    Raises:
        NotFound: there is no such place.
    """
    row = reservations.place_in_list(books, link)
    order = row["order_link"]
    return Waiting(
        link=row["link"],
        state=row["state"],
        offering=row["offering_id"],
        offering_title=title_in(row, language),
        store_title=row["store_title"],
        time_zone=row["time_zone"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        before_you=row["before_you"],
        order_url=f"{parts.public_url}/b/{order}" if order is not None else None,
    )


def _withdraw(books: Transaction, link: str, parts: WebParts) -> Waiting:
    reservations.withdraw(books, link)
    return place_of(books, link, parts)
