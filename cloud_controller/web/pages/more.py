"""The page on which a customer asks for more time while his session runs, from his own phone."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.flows.payments import VoucherIsRefused
from cloud_controller.ports import SlotIsTaken, Transaction
from cloud_controller.web import extensions
from cloud_controller.web.extensions import ItselfWanted, MorePossible, MoreWanted
from cloud_controller.web.faults import STATUS
from cloud_controller.web.orders import Code
from cloud_controller.web.pages.steps import lead_to, new_key
from cloud_controller.web.reservations import Ticket, book_once, ticket_of
from cloud_controller.web.routes import Call, Page, Shape, WebParts
from common.errors import RusubanError
from common.messages.extensions import CENTS_MAX
from common.rules.sessions import EXTENSION_SECONDS_MAX, ExtensionNo
from common.words import Words, extension_words_for


class MoreForm(Shape):
    """The form behind each length by which a session can go on."""

    seconds: Annotated[int, Field(ge=1, le=EXTENSION_SECONDS_MAX)]
    price_cents: Annotated[int, Field(ge=0, le=CENTS_MAX)]
    voucher: Code = ""
    key: str


class ItselfForm(Shape):
    """The switch of the page."""

    extends_itself: bool


async def show_page(call: Call[None]) -> Page:
    """Show by how much a session can go on, and for how much."""
    return await _page(call.parts, call.names["link"], call.language.code)


async def extend(call: Call[MoreForm]) -> Page | web.Response:
    """Let a session go on and lead back to its ticket, or to where it is paid."""
    link, asked, parts = call.names["link"], call.asked, call.parts
    wanted = MoreWanted(seconds=asked.seconds, price_cents=asked.price_cents, voucher=asked.voucher)

    def answer(books: Transaction) -> str:
        more = extensions.extend_as(books, link, wanted, parts)
        return f"/t/{link}" if more.is_granted else f"/t/{link}/more"

    try:
        path = await book_once(call, answer)
    except (bookings.IsNotExtended, VoucherIsRefused, SlotIsTaken) as fault:
        return await _page(parts, link, call.language.code, fault)
    if path.endswith("/more"):
        await extensions.payment_url(parts, link)
    return lead_to(path)


async def agree(call: Call[ItselfForm]) -> web.Response:
    """Say whether a session is to go on by itself, and lead back."""
    link, wanted = call.names["link"], ItselfWanted(extends_itself=call.asked.extends_itself)
    await call.parts.books.transact(extensions.agree_as, link, wanted)
    return lead_to(f"/t/{link}/more")


async def _page(
    parts: WebParts, link: str, language: str, fault: RusubanError | None = None
) -> Page:
    ticket, more, key, now = await parts.books.read(_seen, link, parts, language)
    why = more.refused or (more.bound if not more.choices else None)
    return Page(
        template="more.html",
        facts={
            "ticket": ticket,
            "more": more,
            "key": key,
            "now": now,
            "why": None if why is None else extension_words_for(why, language),
            "notice": None if fault is None else _notice(fault, language),
            "is_voucher_refused": isinstance(fault, VoucherIsRefused),
        },
        status=200 if fault is None else STATUS[type(fault)],
    )


def _notice(fault: RusubanError, language: str) -> Words | None:
    """Return what a refusal is in words; of a voucher the page has its own."""
    match fault:
        case bookings.IsNotExtended():
            return extension_words_for(ExtensionNo(str(fault.facts["why"])), language)
        case SlotIsTaken():
            return extension_words_for(ExtensionNo.ANOTHER_HAS_BOOKED, language)
        case _:
            return None


def _seen(
    books: Transaction, link: str, parts: WebParts, language: str
) -> tuple[Ticket, MorePossible, str, int]:
    return (
        ticket_of(books, link, parts.public_url, language),
        extensions.possible(books, link, parts),
        new_key(books),
        books.now,
    )
