"""What the operator looks through: reservations by when they begin, orders by when they came."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from cloud_controller.ports import Row, Transaction
from cloud_controller.web.faults import InvalidQuery
from cloud_controller.web.orders import Mail
from cloud_controller.web.routes import Call, InstantText, Shape
from common.messages.base import INSTANT_MAX, Name
from common.rules.letters import address_of
from common.rules.reservations import ReservationState

LISTED: Final = 100
LISTED_MAX: Final = 200
"""Rows of one page, where nobody says and at most; what follows is another call."""

CURSOR_LENGTH_MAX: Final = 120

_PLACE = re.compile(r"(\d{1,15}) ([\w-]{1,64})")


class ListWanted(Shape):
    """Which rows: of a stretch of time `[from, to)`, and after the page that told this cursor."""

    model_config = ConfigDict(populate_by_name=True)

    store: Name | None = None
    mail: Mail = ""
    from_at: InstantText | None = Field(default=None, validation_alias="from")
    to_at: InstantText | None = Field(default=None, validation_alias="to")
    cursor: Annotated[str, Field(max_length=CURSOR_LENGTH_MAX)] = ""
    limit: Annotated[int, Field(ge=1, le=LISTED_MAX)] = LISTED


class ReservationsWanted(ListWanted):
    """Which reservations, by when they begin."""

    device: Name | None = None
    state: ReservationState | None = None


class Reserved(Shape):
    """A reservation as the operator sees it; `mail` is empty where none was said."""

    reservation: str
    state: str
    store: str
    offering: str
    offering_title: str
    device: str
    device_number: int
    starts_at: InstantText
    ends_at: InstantText
    party_size: int
    price_cents: int
    currency: str
    mail: str
    ticket: Annotated[str, Field(description="the ticket's link")]
    order: Annotated[str | None, Field(description="the order's link, if it is of one")]
    made_at: InstantText


class Reservations(Shape):
    """Reservations, the first to begin first; `next` is the cursor of what follows, if any does."""

    reservations: tuple[Reserved, ...]
    next: str | None


class Ordered(Shape):
    """An order as the operator sees it; what has become of it is told by its link."""

    order: Annotated[str, Field(description="the order's link")]
    store: str
    mail: str
    language: str
    reservations: int
    made_at: InstantText


class Orders(Shape):
    """Orders, the latest first; `next` is the cursor of what follows, if anything does."""

    orders: tuple[Ordered, ...]
    next: str | None


async def list_reservations(call: Call[ReservationsWanted]) -> Reservations:
    """Return a page of reservations."""
    asked = call.asked
    rows = await call.parts.books.read(_reservations, asked)
    shown = rows[: asked.limit]
    more = len(rows) > len(shown)
    return Reservations(
        reservations=tuple(_reserved_of(row) for row in shown),
        next=_cursor(shown[-1]["starts_at"], shown[-1]["reservation_id"]) if more else None,
    )


async def list_orders(call: Call[ListWanted]) -> Orders:
    """Return a page of orders."""
    asked = call.asked
    rows = await call.parts.books.read(_orders, asked)
    shown = rows[: asked.limit]
    more = len(rows) > len(shown)
    return Orders(
        orders=tuple(_ordered_of(row) for row in shown),
        next=_cursor(shown[-1]["made_at"], shown[-1]["order_id"]) if more else None,
    )


def _reservations(books: Transaction, asked: ReservationsWanted) -> list[Row]:
    store = asked.store
    if store is None and asked.device is not None and not asked.mail:
        store = books.lists.store_of(device_id=asked.device)
        if store is None:
            return []
    if asked.mail:
        mail = address_of(asked.mail) or asked.mail
        rows = books.lists.listed_for(mail=mail, store_id=store or "", **_wanted(asked))
    elif store is not None:
        rows = books.lists.listed_in(store_id=store, **_wanted(asked))
    else:
        rows = books.lists.listed(**_wanted(asked))
    return list(rows)


def _orders(books: Transaction, asked: ListWanted) -> list[Row]:
    if asked.mail:
        mail, store = address_of(asked.mail) or asked.mail, asked.store or ""
        rows = books.lists.orders_for(mail=mail, store_id=store, **_before(asked))
    elif asked.store is not None:
        rows = books.lists.orders_in(store_id=asked.store, **_before(asked))
    else:
        rows = books.lists.orders_listed(**_before(asked))
    return list(rows)


def _wanted(asked: ReservationsWanted) -> dict[str, Any]:
    after_at, after_id = _place(asked.cursor) or (asked.from_at or 0, "")
    return {
        "after_at": after_at,
        "after_id": after_id,
        "to_at": INSTANT_MAX + 1 if asked.to_at is None else asked.to_at,
        "device_id": asked.device or "",
        "state": asked.state or "",
        "most": asked.limit + 1,
    }


def _before(asked: ListWanted) -> dict[str, Any]:
    last_at = INSTANT_MAX + 1 if asked.to_at is None else asked.to_at
    before_at, before_id = _place(asked.cursor) or (last_at, "")
    return {
        "before_at": before_at,
        "before_id": before_id,
        "from_at": asked.from_at or 0,
        "most": asked.limit + 1,
    }


def _cursor(at: int, name: str) -> str:
    """Return the place of a row in its list, so that it can be carried in an address."""
    return urlsafe_b64encode(f"{at} {name}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[int, str] | None:
    """Return the place that a cursor says.

    Raises:
        InvalidQuery: it is none of ours.
    """
    if not cursor:
        return None
    try:
        said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (NotBase64, ValueError):
        said = ""
    found = _PLACE.fullmatch(said)
    if found is None:
        raise InvalidQuery(field="cursor", why="it is not the `next` of a page before")
    return int(found[1]), found[2]


def _reserved_of(row: Row) -> Reserved:
    return Reserved(
        reservation=row["reservation_id"],
        state=row["state"],
        store=row["store_id"],
        offering=row["offering_id"],
        offering_title=row["offering_title"],
        device=row["device_id"],
        device_number=row["device_number"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        party_size=row["party_size"],
        price_cents=row["price_cents"],
        currency=row["currency"],
        mail=row["mail"] or "",
        ticket=row["link"],
        order=row["order_link"],
        made_at=row["made_at"],
    )


def _ordered_of(row: Row) -> Ordered:
    return Ordered(
        order=row["link"],
        store=row["store_id"],
        mail=row["mail"],
        language=row["language"],
        reservations=row["reservations"],
        made_at=row["made_at"],
    )
