"""The waiting list's pages: join it for a time that is full, see one's place, leave it again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller.flows import reservations
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from cloud_controller.web.offerings import LengthSeconds, Offering, SlotsWanted, every_slot
from cloud_controller.web.orders import PARTY_MAX, ReservationWanted
from cloud_controller.web.pages.offering import Notice, offer_instead
from cloud_controller.web.pages.steps import lead_to, new_key, offered
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, InstantText, Page
from cloud_controller.web.waiting import Waiting, WaitingWanted, join_in, place_of
from common.ids import OfferingId

LOOK_SECONDS: Final = 30
"""How often the page of a place in the list is read again."""


class WaitWanted(BaseModel):
    """Which full time somebody would wait for; a link may carry more than we asked for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    starts_at: InstantText
    length_seconds: LengthSeconds
    party_size: Annotated[int, Field(ge=1, le=PARTY_MAX)] = 1


class WaitingForm(WaitingWanted):
    """The form that joins the list; `key` was made with it."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """What the page that asks for an address shows."""

    offering: Offering
    now: int
    starts_at: int
    length_seconds: int
    party_size: int
    hold_seconds: int
    key: str

    @property
    def ends_at(self) -> int:
        """Return when the time that is waited for ends."""
        return self.starts_at + self.length_seconds * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place in the list at one instant, and until when what is offered is held for it."""

    waiting: Waiting
    phase: str
    now: int
    held_until_at: int | None


async def ask(call: Call[WaitWanted]) -> Page:
    """Ask for the address that somebody who waits is written to."""
    wait = await call.parts.books.read(_wait, call.names["offering"], call.asked)
    return Page(template="wait.html", facts={"wait": wait})


async def join(call: Call[WaitingForm]) -> Page | web.Response:
    """Join the list and lead to the place in it; what can be had after all is offered instead."""
    asked = call.asked.model_copy(update={"language": call.language.code})

    def answer(books: Transaction) -> str:
        return join_in(books, asked)

    try:
        link = await book_once(call, answer)
    except NotAllowed:
        wanted = ReservationWanted(
            offering=asked.offering,
            starts_at=asked.starts_at,
            length_seconds=asked.length_seconds,
            party_size=asked.party_size,
        )
        notice = await call.parts.books.read(_why_not, asked)
        return await offer_instead(call.parts, wanted, notice)
    return lead_to(f"/w/{link}")


async def show_page(call: Call[None]) -> Page:
    """Show a place in the list."""
    place = await call.parts.books.read(_place, call.names["link"], call)
    is_open = place.phase in {"waiting", "offered"}
    return Page(
        template="waiting.html",
        facts={"place": place, "waiting": place.waiting},
        refresh_seconds=LOOK_SECONDS if is_open else None,
    )


async def withdraw(call: Call[None]) -> web.Response:
    """Wait no longer; sent twice it is the same."""
    link = call.names["link"]
    with suppress(NotAllowed):
        await call.parts.books.transact(reservations.withdraw, link)
    return lead_to(f"/w/{link}")


def _wait(books: Transaction, offering: str, wanted: WaitWanted) -> Wait:
    known = offered(books, offering)
    if known is None:
        raise NotFound(what="offering")
    terms = books.offerings.terms(offering_id=offering)
    return Wait(
        offering=known,
        now=books.now,
        starts_at=wanted.starts_at,
        length_seconds=wanted.length_seconds,
        party_size=min(wanted.party_size, known.party_max),
        hold_seconds=terms["hold_seconds"],
        key=new_key(books),
    )


def _why_not(books: Transaction, wanted: WaitingWanted) -> Notice:
    """Return why nobody can wait for a time: it is free, or too many do, or it has passed."""
    around = SlotsWanted(
        length_seconds=wanted.length_seconds,
        from_at=wanted.starts_at,
        to_at=wanted.starts_at + wanted.length_seconds * 1000,
    )
    try:
        found = every_slot(books, OfferingId(wanted.offering), around).slots
    except NotAllowed:
        found = ()
    there = [slot for slot in found if slot.starts_at == wanted.starts_at]
    if not there:
        return Notice.PASSED
    return Notice.FREE if there[0].devices else Notice.CROWDED


def _place(books: Transaction, link: str, call: Call[None]) -> Place:
    waiting = place_of(books, link, call.parts, call.language.code)
    held_until_at = None
    phase = waiting.state
    if phase == "offered" and waiting.order_url is not None:
        row = reservations.place_in_list(books, link)
        order = reservations.order_of(books, row["order_link"])["order_id"]
        (claim,) = reservations.claims_of(books, order)
        held_until_at = claim["hold_ends_at"]
        phase = _offered_phase(claim, books.now)
    return Place(waiting=waiting, phase=phase, now=books.now, held_until_at=held_until_at)


def _offered_phase(claim: Row, now: int) -> str:
    """Return what has become of what was offered; the list notes so a moment later."""
    if claim["state"] == "held":
        return "offered" if now < claim["hold_ends_at"] else "lapsed"
    return "lapsed" if claim["state"] in {"expired", "cancelled"} else "taken"
