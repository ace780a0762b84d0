"""What can be had now, and the way from there to a ticket: one tap on a time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller import bookings
from cloud_controller.flows import payments, reservations
from cloud_controller.flows.reservations import Wish
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken, Transaction
from cloud_controller.web.faults import STATUS
from cloud_controller.web.offerings import (
    LengthFree,
    LengthSeconds,
    Offering,
    SlotsWanted,
    every_slot,
)
from cloud_controller.web.orders import (
    PARTY_MAX,
    ReservationWanted,
    customer_of,
    others,
    paying_of,
    wish_of,
)
from cloud_controller.web.pages.cards import cards_for
from cloud_controller.web.pages.steps import (
    Time,
    holder_of,
    lead_to,
    new_key,
    offered,
    remember,
    time_of,
)
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, InstantText, Page, WebParts
from common.ids import OfferingId

TIMES_SHOWN: Final = 24
"""Times on the page of one offering; later ones are a page further."""

PARTY_SHOWN: Final = 12
"""Sizes of a party that are offered as a tap each."""


class Notice(StrEnum):
    """Why what was tapped could not be had."""

    TAKEN = "taken"
    PASSED = "passed"
    FREE = "free"
    CROWDED = "crowded"
    LATE = "late"
    HELD = "held"
    VOUCHER = "voucher"


class TimesWanted(BaseModel):
    """Which times the page of an offering shows; a link may carry more than we asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    length_seconds: LengthSeconds | None = None
    from_at: InstantText | None = Field(default=None, validation_alias="from")
    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1
    first: Annotated[bool, Field(description="is something to be said before it is booked?")] = (
        False
    )


class BookingForm(ReservationWanted):
    """The form behind each time; `key` was made with it, `first` holds it to be looked at."""

    key: str
    first: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """An offering with the times of one length.

    Attributes:
        party_size: for how many; None: nobody has said so, or it makes no difference.
        first: whether a time is held and looked at before it is booked.
        sizes: the sizes that a party may have, where it may have several.
    """

    offering: Offering
    length_seconds: int
    times: tuple[Time, ...]
    later_at: int | None
    party_size: int | None = None
    first: bool = False
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Front:
    """What the storefront shows at one instant; `at_once` is what can begin in it."""

    now: int
    shelves: tuple[Shelf, ...]
    at_once: tuple[tuple[LengthFree, str], ...] = ()


async def show_storefront(call: Call[None]) -> Page:
    """Show what can be had now, store by store."""
    shown = await call.parts.books.read(cards_for, call.holder)
    stores = [
        (store, list(cards))
        for store, cards in itertools.groupby(
            shown, key=lambda card: (card.store, card.store_title)
        )
    ]
    return Page(template="storefront.html", facts={"stores": stores})


async def show_offering(call: Call[TimesWanted]) -> Page:
    """Show the times of an offering, in the length that was chosen."""
    offering = OfferingId(call.names["offering"])
    shown = await call.parts.books.read(_shown, offering, call.asked, call.holder)
    return Page(template="offering.html", facts={"shown": shown, "notice": None})


async def book(call: Call[BookingForm]) -> Page | web.Response:
    """Book a time and lead to its ticket; where it cannot be had, offer the nearest that can.

    Where something has to be said or paid first it is held, and the way leads to its order.
    """
    wanted, parts = call.asked, call.parts

    def answer(books: Transaction) -> str:
        return _place(books, call)

    try:
        path = await book_once(call, answer)
    except (SlotIsTaken, NotAllowed) as fault:
        notice = Notice.TAKEN if isinstance(fault, SlotIsTaken) else Notice.PASSED
        return await offer_instead(parts, wanted, notice)
    return remember(lead_to(path), call)


async def offer_instead(parts: WebParts, wanted: ReservationWanted, notice: Notice) -> Page:
    """Return the page of an offering with the times nearest to one that could not be had."""
    shown = await parts.books.read(_shown_again, wanted)
    facts = {"shown": shown, "notice": notice}
    return Page(template="offering.html", facts=facts, status=STATUS[SlotIsTaken])


def sizes_of(party_max: int) -> tuple[int, ...]:
    """Return the sizes that a party may have; none where there is no choice."""
    return tuple(range(1, min(party_max, PARTY_SHOWN) + 1)) if party_max > 1 else ()


def _place(books: Transaction, call: Call[BookingForm]) -> str:
    """Book what is wanted, or hold it to be looked at; return the page that comes next."""
    wanted = call.asked.model_copy(update={"language": call.language.code})
    holder = holder_of(call)
    customer, wish = customer_of(wanted, holder), wish_of(books, wanted)
    if _is_looked_at_first(books, call, wish):
        order = bookings.place(books, [wish], customer, None)
        return f"/b/{reservations.order_by_id(books, order)['link']}"
    order = bookings.place(books, [wish], customer, paying_of(wanted, call.parts))
    (claim,) = reservations.claims_of(books, order)
    return f"/t/{claim['link']}"


def _is_looked_at_first(books: Transaction, call: Call[BookingForm], wish: Wish) -> bool:
    """Say whether something has to be said or paid before it is the customer's own."""
    wanted = call.asked
    row = books.offerings.terms(offering_id=wish.offering)
    if row is None:
        raise NotFound(what="offering")
    is_party_open = row["party_max"] > 1 and "party_size" not in wanted.model_fields_set
    if wanted.first or is_party_open:
        return True
    if call.parts.provider is None:
        return False
    item = payments.Item(
        offering_id=wish.offering,
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        party_size=wish.party_size,
    )
    return payments.quote(books, [item], wanted.voucher).total_cents > 0


def _shown(books: Transaction, offering: OfferingId, wanted: TimesWanted, holder: str) -> Front:
    known = _offering(books, offering)
    length_seconds = wanted.length_seconds or known.lengths_seconds[0]
    slots = SlotsWanted(length_seconds=length_seconds, from_at=wanted.from_at)
    found = every_slot(books, offering, slots, holder=holder).slots
    later = found[TIMES_SHOWN].starts_at if len(found) > TIMES_SHOWN else None
    shelf = Shelf(
        offering=known,
        length_seconds=length_seconds,
        times=tuple(time_of(slot, new_key(books)) for slot in found[:TIMES_SHOWN]),
        later_at=later,
        party_size=min(wanted.party_size, known.party_max) if known.party_max > 1 else None,
        first=wanted.first,
        sizes=sizes_of(known.party_max),
    )
    at_once = () if wanted.from_at is not None else _at_once(books, offering)
    return Front(now=books.now, shelves=(shelf,), at_once=at_once)


def _shown_again(books: Transaction, wanted: ReservationWanted) -> Front:
    known = _offering(books, OfferingId(wanted.offering))
    shelf = Shelf(
        offering=known,
        length_seconds=wanted.length_seconds,
        times=tuple(time_of(slot, new_key(books)) for slot in others(books, wanted)),
        later_at=None,
        party_size=wanted.party_size if known.party_max > 1 else None,
        first=isinstance(wanted, BookingForm) and wanted.first,
    )
    return Front(now=books.now, shelves=(shelf,))


def _at_once(books: Transaction, offering: OfferingId) -> tuple[tuple[LengthFree, str], ...]:
    """Return the lengths in which it can be used from this moment on, each with a form's key."""
    return tuple(
        (LengthFree(length_seconds=each.length_seconds, ends_at=each.ends_at), new_key(books))
        for each in reservations.free_now(books, offering)
    )


def _offering(books: Transaction, wanted: OfferingId) -> Offering:
    known = offered(books, wanted)
    if known is None:
        raise NotFound(what="offering")
    return known
