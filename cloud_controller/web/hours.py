"""When a store is open, how it is found, what is kept from sale: the operator's word on each."""

from __future__ import annotations

from typing import Annotated, Final, Self

from aiohttp import web
from pydantic import ConfigDict, Field, model_validator

from cloud_controller.flows import registration, reservations
from cloud_controller.ports import Actor, Row, Transaction
from cloud_controller.web.registration import Store, store_of
from cloud_controller.web.reservations import CREATED, book_once
from cloud_controller.web.routes import Call, InstantText, Shape
from common.ids import StoreId
from common.messages.base import INSTANT_MAX, Name, ShortText, Text
from common.rules.reservations import OpeningHours, Range

BLACKOUTS_MAX: Final = 100
"""Blackouts listed at once; what follows is another call, after the last of them."""

Reason = Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


class HoursWanted(Shape):
    """When a store is to be open, and why that changes; null is always."""

    hours: OpeningHours | None
    reason: ShortText = ""


class StoreHours(Shape):
    """When a store is open now, and how many claims lie outside of that."""

    store: str
    time_zone: str
    hours: OpeningHours | None
    reservations_shut_out: Annotated[
        int, Field(description="claims sold before that lie outside: each is a problem")
    ]


class DirectionsWanted(Shape):
    """How customers find a store."""

    directions: Text


class BlackoutWanted(Shape):
    """What is not to be sold, when, and why; without a device, the whole store."""

    store: Name
    device: Name | None = None
    starts_at: InstantText
    ends_at: InstantText
    reason: Reason

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.starts_at >= self.ends_at:
            message = "it ends after it begins"
            raise ValueError(message)
        return self


class Blackout(Shape):
    """A time in which a device, or a whole store, is not sold."""

    blackout: str
    store: str
    device: str | None
    starts_at: InstantText
    ends_at: InstantText
    reason: str
    made_at: InstantText


class BlackoutMade(Blackout):
    """A new blackout, and how many claims of its store and time are shut out."""

    reservations_shut_out: Annotated[
        int, Field(description="claims sold before that lie in it: each is a problem")
    ]


class BlackoutsWanted(Shape):
    """Which blackouts to list; without times, those that are not over.

    Attributes:
        after: the last one that was listed; those that follow it are.
    """

    model_config = ConfigDict(populate_by_name=True)

    store: Name | None = None
    from_at: InstantText | None = Field(default=None, validation_alias="from")
    to_at: InstantText | None = Field(default=None, validation_alias="to")
    after: Name | None = None


class Blackouts(Shape):
    """Blackouts, the first to begin first; `next` is what to say as `after` if there are more."""

    blackouts: tuple[Blackout, ...]
    next: str | None


async def keep_hours(call: Call[HoursWanted]) -> StoreHours:
    """Open a store at other hours from now on.

    Raises:
        NotFound: there is no such store.
    """
    store = StoreId(call.names["store"])
    return await call.parts.books.transact(_keep_hours, store, call.asked)


async def keep_directions(call: Call[DirectionsWanted]) -> Store:
    """Tell customers from now on how they find a store.

    Raises:
        NotFound: there is no such store.
    """
    keep, store = registration.keep_directions, StoreId(call.names["store"])
    words = call.asked.directions
    return store_of(await call.parts.books.transact(keep, store, words, call.operator.name))


async def list_blackouts(call: Call[BlackoutsWanted]) -> Blackouts:
    """Return what is not sold, and when."""
    return await call.parts.books.read(_list, call.asked)


async def add_blackout(call: Call[BlackoutWanted]) -> web.Response:
    """Stop selling a device or a store for a time; the same key again gives the same answer.

    Raises:
        NotFound: there is no such store, or it has no such device.
        NotAllowed: it is over already, too long, or one too many.
    """

    def answer(books: Transaction) -> str:
        return _add(books, call.asked).model_dump_json()

    body = await book_once(call, answer)
    return web.Response(status=CREATED, text=body, content_type="application/json")


async def remove_blackout(call: Call[None]) -> Blackout:
    """Sell again what a blackout kept from sale, and return what it was.

    Raises:
        NotFound: there is no such blackout.
    """
    remove, blackout = reservations.remove_blackout, call.names["blackout"]
    return _blackout_of(await call.parts.books.transact(remove, blackout, call.operator.name))


def _keep_hours(books: Transaction, store: StoreId, wanted: HoursWanted) -> StoreHours:
    row = registration.keep_hours(books, store, wanted.hours, Actor.OPERATOR, wanted.reason)
    return StoreHours(
        store=store,
        time_zone=row["time_zone"],
        hours=wanted.hours,
        reservations_shut_out=reservations.call_to_shut_out(books, store),
    )


def _add(books: Transaction, wanted: BlackoutWanted) -> BlackoutMade:
    stretch = Range(starts_at=wanted.starts_at, ends_at=wanted.ends_at)
    new = reservations.NewBlackout(
        store=wanted.store, device=wanted.device, stretch=stretch, reason=wanted.reason
    )
    row = reservations.add_blackout(books, new, Actor.OPERATOR)
    shut_out = reservations.call_to_shut_out(books, wanted.store, stretch)
    return BlackoutMade(**dict(_blackout_of(row)), reservations_shut_out=shut_out)


def _list(books: Transaction, wanted: BlackoutsWanted) -> Blackouts:
    window = Range(
        starts_at=books.now if wanted.from_at is None else wanted.from_at,
        ends_at=INSTANT_MAX if wanted.to_at is None else wanted.to_at,
    )
    rows = reservations.blackouts(
        books, wanted.store, window, most=BLACKOUTS_MAX + 1, after=wanted.after or ""
    )
    shown = tuple(_blackout_of(row) for row in rows[:BLACKOUTS_MAX])
    return Blackouts(blackouts=shown, next=shown[-1].blackout if len(rows) > len(shown) else None)


def _blackout_of(row: Row) -> Blackout:
    return Blackout(
        blackout=row["blackout_id"],
        store=row["store_id"],
        device=row["device_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        reason=row["reason"],
        made_at=row["made_at"],
    )
