"""A customer's page of help: who is there now and nobody else, and the line of text to one (E6)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from aiohttp import web

from cloud_controller.flows import help as calls
from cloud_controller.ports import Transaction
from cloud_controller.web.help import LineText
from cloud_controller.web.live.opening import Heard
from cloud_controller.web.pages.steps import lead_to, new_key
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import Call, Page, Shape, Watch
from common.messages.base import Currency, Name
from common.messages.help import PriceCents
from common.rules.help import CallEnd, CallState
from common.words import call_end_words_for

LOOK_SECONDS: Final = 10
"""How often the page is read again where nothing tells it when to."""

CALL_DIGITS: Final = 24
"""Hex digits of a call's id: 96 bits; it opens nothing by itself."""


class ChooseForm(Shape):
    """The form behind each helper: whom, and the price that was shown with him."""

    helper: Name
    price_cents: PriceCents
    currency: Currency
    key: str


class SayForm(Shape):
    """The form of the line of text."""

    text: LineText
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What the page shows at one instant."""

    found: calls.AtTicket
    key: str
    now: int


async def show_page(call: Call[None]) -> Page:
    """Show who is there to help, or the talk with one.

    Raises:
        NotFound: there is no such ticket.
    """
    link = call.names["link"]
    seen = await call.parts.books.read(_seen, link)
    talk = seen.found.talk
    is_live = talk is not None and talk.row["state"] != CallState.ENDED
    why = None
    if talk is not None and not is_live:
        why = call_end_words_for(CallEnd(talk.row["why"]), call.language.code)
    return Page(
        template="help.html",
        facts={
            "link": link,
            "may_call": seen.found.may_call,
            "helpers": seen.found.helpers,
            "key": seen.key,
            "talk": talk,
            "is_live": is_live,
            "why": why,
            "zone": seen.found.time_zone,
            "now": seen.now,
        },
    )


async def choose(call: Call[ChooseForm]) -> web.Response:
    """Call a helper at the price that was shown.

    Raises:
        NotFound: there is no such ticket or helper.
        NotAllowed: the ticket's time is long over.
    """
    link, asked = call.names["link"], call.asked
    wanted = calls.Wanted(
        call=f"w-{sha256(f'{link}/{call.key}'.encode()).hexdigest()[:CALL_DIGITS]}",
        helper=asked.helper,
        language=call.language.code,
        agreed_cents=asked.price_cents,
        agreed_currency=asked.currency,
    )
    await call.parts.books.transact(calls.choose, link, wanted)
    return lead_to(f"/t/{link}/help")


async def say(call: Call[SayForm]) -> web.Response:
    """Write to the helper, once for each form."""
    link, text = call.names["link"], call.asked.text

    def write(books: Transaction) -> str:
        calls.say(books, link, text)
        return f"/t/{link}/help"

    return lead_to(await book_once(call, write))


async def leave(call: Call[None]) -> web.Response:
    """End the call."""
    link = call.names["link"]
    await call.parts.books.transact(calls.leave, link)
    return lead_to(f"/t/{link}/help")


async def watch(call: Call[Heard]) -> Watch:
    """Tell when the page of help is to be looked at again."""
    return Watch(topic=f"help:{call.names['link']}", since=call.asked.since)


def _seen(books: Transaction, link: str) -> Seen:
    return Seen(
        found=calls.at_ticket(books, link),
        key=new_key(books),
        now=books.now,
    )
