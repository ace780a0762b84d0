"""The stores, and what one of them has: the first and the second tap of three to a ticket."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from cloud_controller.flows import offerings
from cloud_controller.flows.offerings import Shelved, StoreShown
from cloud_controller.ports import NotFound, Transaction
from cloud_controller.web.pages.cards import Card, cards_for, day_of
from cloud_controller.web.routes import Call, Page, Worker
from common.rules.offerings import Availability


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreCard:
    """A store in the list of all: nothing in it is one viewer's own.

    Attributes:
        day_at: the begin of its day (UTC ms).
        has: what it has to be had, now or from its opening on.
    """

    store: StoreShown
    day_at: int
    has: tuple[Shelved, ...]

    @property
    def devices_free(self) -> int:
        """Return on how many devices somebody who stands there can begin now."""
        return sum(each.devices_free for each in self.has)

    @property
    def free_at(self) -> int | None:
        """Return when the first device is free (UTC ms), where none is now and one will be."""
        soon = [
            each.available.at for each in self.has if each.available.state is Availability.FREE_AT
        ]
        return min((at for at in soon if at is not None), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class StorePage:
    """What one store has at one instant; `is_only`: there is no other to go to."""

    store: StoreShown
    cards: tuple[Card, ...]
    now: int
    day_at: int
    is_only: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StoresPage:
    """All stores at one instant."""

    stores: tuple[StoreCard, ...]
    now: int


async def show_front(call: Call[None]) -> Page:
    """Show the stores; where there is one only, what it has."""
    shown = await call.parts.books.read(_front, call.holder)
    if isinstance(shown, StorePage):
        return Page(template="store.html", facts={"shown": shown})
    return Page(template="stores.html", facts={"shown": shown})


async def show_store(call: Call[None]) -> Page:
    """Show what a store has.

    Raises:
        NotFound: there is no such store.
    """
    shown = await call.parts.books.read(_store, call.names["store"], call.holder)
    return Page(template="store.html", facts={"shown": shown})


async def show_offline(_call: Call[None]) -> Page:
    """Show what a browser keeps for when there is no network."""
    return Page(template="offline.html")


async def show_worker(_call: Call[None]) -> Worker:
    """Return what shows that page then."""
    return Worker(name="front-worker.js")


def store_cards(books: Transaction) -> tuple[StoreCard, ...]:
    """Return every store by its number, whether it has anything or not."""
    has = defaultdict[str, list[Shelved]](list)
    for each in offerings.front(books):
        has[each.store.store].append(each)
    return tuple(
        StoreCard(
            store=store,
            day_at=day_of(books.now, store.time_zone),
            has=tuple(has[store.store]),
        )
        for store in offerings.stores(books)
    )


def _front(books: Transaction, holder: str) -> StorePage | StoresPage:
    stores = offerings.stores(books)
    if len(stores) == 1:
        return _page(books, stores[0], holder, is_only=True)
    return StoresPage(stores=store_cards(books), now=books.now)


def _store(books: Transaction, wanted: str, holder: str) -> StorePage:
    stores = offerings.stores(books)
    found = next((each for each in stores if each.store == wanted), None)
    if found is None:
        raise NotFound(what="store")
    return _page(books, found, holder, is_only=len(stores) == 1)


def _page(books: Transaction, store: StoreShown, holder: str, *, is_only: bool) -> StorePage:
    return StorePage(
        store=store,
        cards=cards_for(books, holder, store.store),
        now=books.now,
        day_at=day_of(books.now, store.time_zone),
        is_only=is_only,
    )
