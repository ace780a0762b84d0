"""The times of an offering, and the way from there to a ticket: one tap on a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller import bookings
from cloud_controller.flows import offerings, payments, reservations
from cloud_controller.flows.offerings import Shelved
from cloud_controller.flows.reservations import Wish
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken, Transaction
from cloud_controller.web.faults import STATUS, Alternative
from cloud_controller.web.offerings import LengthSeconds, Slot, SlotsWanted, every_slot
from cloud_controller.web.orders import (
    PARTY_MAX,
    ReservationWanted,
    customer_of,
    others,
    paying_of,
    wish_of,
)
from cloud_controller.web.pages.cards import day_of, price_of
from cloud_controller.web.pages.steps import Time, holder_of, lead_to, new_key, remember, time_of
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, InstantText, Page, WebParts
from common.ids import OfferingId
from common.rules.payments import Cents

OK: Final = 200

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
    DEARER = "dearer"
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
    """The form behind each time; `key` was made with it, `first` holds it to be looked at.

    `shown_cents` is the price that stood beside it: nobody is charged more than he was shown.
    """

    key: str
    first: bool = False
    shown_cents: Cents | None = None


class Dearer(NotAllowed):
    """The price has risen since the page was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    """A length that an offering is sold in.

    Attributes:
        price_cents: what it costs from its first free time on, or from now, for those who come.
        key: of the form that begins it at once, where that can be; then it ends at `ends_at`.
    """

    length_seconds: int
    price_cents: int = 0
    key: str = ""
    ends_at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """An offering with the times of one length, at one instant.

    Attributes:
        day_at: the begin of the store's day (UTC ms).
        price_cents: what its first time costs; `price_varies` where others cost differently.
        lengths: all lengths with what they cost; `at_once`: those that can begin at this moment.
        party_size: for how many; None: nobody has said so, or it makes no difference.
        first: whether a time is held and looked at before it is booked.
        sizes: the sizes that a party may have, where it may have several.
    """

    of: Shelved
    now: int
    day_at: int
    length_seconds: int
    times: tuple[Time, ...]
    price_cents: int
    price_varies: bool
    is_per_person: bool = False
    lengths: tuple[Length, ...] = ()
    at_once: tuple[Length, ...] = ()
    later_at: int | None = None
    party_size: int | None = None
    first: bool = False
    sizes: tuple[int, ...] = ()

    @property
    def offering(self) -> str:
        """Return its id."""
        return self.of.offering

    @property
    def time_zone(self) -> str:
        """Return the zone that its times are told in."""
        return self.of.store.time_zone


WHY: Final[Mapping[type[Exception], Notice]] = {
    SlotIsTaken: Notice.TAKEN,
    NotAllowed: Notice.PASSED,
    Dearer: Notice.DEARER,
}
"""What is said where a time is not booked after all."""


async def show_offering(call: Call[TimesWanted]) -> Page:
    """Show the times of an offering, in the length that was chosen; or that it is not to be had.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: it is not sold in that length.
    """
    offering = OfferingId(call.names["offering"])
    read = call.parts.books.read
    shown = await read(_shown, offering, call.asked, call.holder)
    if shown is None:
        return await read(_away, offering)
    return _page(shown, call.parts)


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
        notice = WHY[type(fault)]
        return await offer_instead(parts, wanted, notice)
    return remember(lead_to(path), call)


async def offer_instead(parts: WebParts, wanted: ReservationWanted, notice: Notice) -> Page:
    """Return the page of an offering with the times nearest to one that could not be had."""
    shown = await parts.books.read(_shown_again, wanted)
    return _page(shown, parts, notice, status=STATUS[SlotIsTaken])


def sizes_of(party_max: int) -> tuple[int, ...]:
    """Return the sizes that a party may have; none where there is no choice."""
    return tuple(range(1, min(party_max, PARTY_SHOWN) + 1)) if party_max > 1 else ()


def _page(shown: Shelf, parts: WebParts, notice: Notice | None = None, *, status: int = OK) -> Page:
    facts = {"shown": shown, "notice": notice, "pays": parts.provider is not None}
    return Page(template="offering.html", facts=facts, status=status)


def _place(books: Transaction, call: Call[BookingForm]) -> str:
    """Book what is wanted, or hold it to be looked at; return the page that comes next."""
    wanted = call.asked.model_copy(update={"language": call.language.code})
    holder = holder_of(call)
    customer, wish = customer_of(wanted, holder), wish_of(books, wanted)
    if _is_looked_at_first(books, call, wish):
        order = bookings.place(books, [wish], customer, None)
        return f"/b/{reservations.order_by_id(books, order)['link']}"
    shown_cents = wanted.shown_cents
    if shown_cents is not None and _costs(books, wish, wanted) > shown_cents:
        raise Dearer(why="the price has risen since it was shown")
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
    return call.parts.provider is not None and _costs(books, wish, wanted) > 0


def _costs(books: Transaction, wish: Wish, wanted: BookingForm) -> int:
    """Return what a time costs by now."""
    item = payments.Item(
        offering_id=wish.offering,
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        party_size=wish.party_size,
    )
    return payments.quote(books, [item], wanted.voucher).total_cents


def _shown(
    books: Transaction, offering: OfferingId, wanted: TimesWanted, holder: str
) -> Shelf | None:
    known = offerings.shelf(books, offering)
    if known is None:
        return None
    length_seconds = wanted.length_seconds or min(known.lengths_seconds)
    from_at = wanted.from_at
    if from_at is None and known.store.opens_at is not None:
        from_at = max(books.now, known.store.opens_at)
    slots = SlotsWanted(length_seconds=length_seconds, from_at=from_at)
    found = every_slot(books, offering, slots, holder=holder).slots
    party_size = min(wanted.party_size, known.party_max)
    is_later = wanted.from_at is not None
    return _shelf(
        books,
        known,
        found[:TIMES_SHOWN],
        length_seconds,
        party_size,
        at_once=() if is_later else _at_once(books, known, party_size),
        later_at=found[TIMES_SHOWN].starts_at if len(found) > TIMES_SHOWN else None,
        first=wanted.first,
        sizes=sizes_of(known.party_max),
    )


def _shown_again(books: Transaction, wanted: ReservationWanted) -> Shelf:
    known = offerings.shelf(books, wanted.offering)
    if known is None:
        raise NotFound(what="offering")
    return _shelf(
        books,
        known,
        others(books, wanted),
        wanted.length_seconds,
        wanted.party_size,
        first=isinstance(wanted, BookingForm) and wanted.first,
    )


def _shelf(
    books: Transaction,
    known: Shelved,
    slots: Sequence[Slot | Alternative],
    length_seconds: int,
    party_size: int,
    **more: Any,  # noqa: ANN401 - of a shelf
) -> Shelf:
    """Return an offering with these times, each with its price where they do not all cost alike."""
    first_at = slots[0].starts_at if slots else books.now // 1000 * 1000
    lengths = tuple(
        Length(length_seconds=each, price_cents=price_of(books, known, first_at, each, party_size))
        for each in known.lengths_seconds
    )
    costs = [price_of(books, known, at.starts_at, length_seconds, party_size) for at in slots]
    varies = len(set(costs)) > 1
    for_one, for_two = (
        price_of(books, known, first_at, length_seconds, size) if known.party_max > 1 else 0
        for size in (1, 2)
    )
    return Shelf(
        of=known,
        now=books.now,
        day_at=day_of(books.now, known.store.time_zone),
        length_seconds=length_seconds,
        times=tuple(
            time_of(slot, new_key(books), cents=cents if varies else None)
            for slot, cents in zip(slots, costs, strict=True)
        ),
        price_cents=min(costs, default=lengths[0].price_cents),
        price_varies=varies,
        is_per_person=for_one != for_two,
        lengths=lengths,
        party_size=party_size if known.party_max > 1 else None,
        **more,
    )


def _at_once(books: Transaction, known: Shelved, party_size: int) -> tuple[Length, ...]:
    """Return the lengths in which it can be used from this moment on, each with a form's key."""
    return tuple(
        Length(
            length_seconds=each.length_seconds,
            price_cents=price_of(books, known, books.now, each.length_seconds, party_size),
            key=new_key(books),
            ends_at=each.ends_at,
        )
        for each in reservations.free_now(books, OfferingId(known.offering))
    )


def _away(books: Transaction, offering: OfferingId) -> Page:
    """Return what is said of an offering that is known, and not to be had just now."""
    row = books.offerings.terms(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    facts = {"title": row["title"], "store": row["store_id"], "store_title": row["store_title"]}
    return Page(template="away.html", facts=facts, status=STATUS[NotFound])
