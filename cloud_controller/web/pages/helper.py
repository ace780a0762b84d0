"""A helper's desk: in and out, what he helps with, who waits, how it stands with their devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from cloud_controller.flows import help as calls
from cloud_controller.ports import NotFound, Row, Transaction
from cloud_controller.web.faults import InvalidBody
from cloud_controller.web.help import LineText
from cloud_controller.web.live.opening import Heard
from cloud_controller.web.live.stamps import stamp_of
from cloud_controller.web.offerings import title_in
from cloud_controller.web.pages.steps import lead_to, new_key
from cloud_controller.web.reservations import book_once
from cloud_controller.web.routes import HELPER, Answer, Call, Page, Shape, Watch
from common.messages.base import Currency, ShortText
from common.messages.help import PRICE_CENTS_MAX
from common.rules.help import CallEnd, CallState, clean_line
from common.words import LANGUAGES, call_end_words_for

DESK: Final = "/helper"

KNOWN_SECONDS: Final = 400 * 86_400
"""How long a helper's browser is known: as long as browsers let a cookie live."""

FORBIDDEN: Final = 403

CURRENCIES: Final = ("JPY", "EUR", "USD", "GBP", "KRW", "TWD")
"""Between which a helper's price is chosen; the API takes any."""

T = TypeVar("T")


class DeskWanted(BaseModel):
    """How the desk is opened; `is_here`: by a page without script that reads itself anew."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    is_here: bool = False


class StateForm(Shape):
    """The switch of the desk."""

    is_on: bool


class TermsForm(Shape):
    """What a helper says of himself."""

    title_ja: ShortText = ""
    title_en: ShortText = ""
    speaks_ja: bool = False
    speaks_en: bool = False
    price: Annotated[str, Field(max_length=12, pattern=r"^[0-9]{0,8}([.][0-9]{1,2})?$")] = ""
    currency: Currency = "JPY"


class AnswerForm(Shape):
    """The form of the line of text."""

    text: LineText
    key: str


class HereForm(Shape):
    """The word that he is there; `by_form`: a person has pressed it."""

    by_form: bool = False


class Here(Shape):
    """The answer to whoever is there: another stamp, and his page is to be read again."""

    stamp: str
    is_on: bool


async def show_link(call: Call[None]) -> Page | web.Response:
    """Show whose a link is, before it is spent: what only previews a link spends nothing.

    Raises:
        NotFound: nobody's, or not any more.
    """
    link = call.names["link"]
    try:
        row = await call.parts.books.read(calls.by_link, link)
    except NotFound:
        return await _to_his_desk(call)
    return Page(template="enter.html", facts={"link": link, "name": row["name"]})


async def enter(call: Call[None]) -> web.Response:
    """Spend a link: from now on this browser is the helper's.

    Raises:
        NotFound: it is nobody's, or was spent by another browser.
    """
    try:
        key = await call.parts.books.transact(calls.enter, call.names["link"])
    except NotFound:
        return await _to_his_desk(call)
    response = lead_to(DESK)
    response.set_cookie(
        HELPER,
        key,
        max_age=KNOWN_SECONDS,
        path=DESK,
        httponly=True,
        samesite="Strict",
        secure=urlsplit(call.parts.public_url).scheme == "https",
    )
    return response


async def show_desk(call: Call[DeskWanted]) -> Page:
    """Show the desk."""
    books = call.parts.books
    if call.asked.is_here:
        await books.transact(_stay, call.helper)
    seen = await books.read(_desk, call.helper)
    if seen is None:
        return _strange()
    helper = seen["helper"]
    price = price_text(helper["price_cents"], call.language.digits(helper["currency"]))
    return Page(template="helper.html", facts={**seen, "price": price, "currencies": CURRENCIES})


async def show_call(call: Call[None]) -> Page:
    """Show a call, with what the customer's device does now; what is shown counts as read.

    Raises:
        NotFound: he has no such call.
    """
    seen = await call.parts.books.transact(_talk, call.helper, call.names["call"])
    if seen is None:
        return _strange()
    talk = seen["talk"]
    is_over = talk.row["state"] == CallState.ENDED
    words = call_end_words_for(CallEnd(talk.row["why"]), call.language.code) if is_over else None
    row = None if seen["customer"] is None else seen["customer"].row
    booked = title_in(row, call.language.code) if row and row["offering_title"] else ""
    facts = {**seen, "is_over": is_over, "why": words, "offering": booked}
    return Page(template="talk.html", facts=facts)


async def switch(call: Call[StateForm]) -> Answer:
    """Log in or out."""

    def act(books: Transaction, helper: Row) -> None:
        if call.asked.is_on:
            calls.log_in(books, helper, by_form=True)
        else:
            calls.log_out(books, helper)

    return await _as_helper(call, act, DESK)


async def set_terms(call: Call[TermsForm]) -> Answer:
    """Keep what a helper says of himself.

    Raises:
        NotFound: this browser is no helper's.
        InvalidBody: he asks for more than a call may cost.
    """
    asked = call.asked
    price_cents = cents_of(asked.price, call.language.digits(asked.currency))
    if price_cents > PRICE_CENTS_MAX:
        raise InvalidBody(field="price", why="a call may not cost so much")
    spoken = {"ja": asked.speaks_ja, "en": asked.speaks_en}
    terms = calls.HelperTerms(
        title_ja=clean_line(asked.title_ja),
        title_en=clean_line(asked.title_en),
        languages=tuple(code for code in LANGUAGES if spoken.get(code)),
        price_cents=price_cents,
        currency=asked.currency,
    )

    def act(books: Transaction, helper: Row) -> None:
        calls.set_terms(books, helper["helper_id"], terms)

    return await _as_helper(call, act, DESK)


async def stay(call: Call[HereForm]) -> Answer:
    """Take a helper's word that he is there."""

    def act(books: Transaction) -> Here:
        helper = _known(books, call.helper)
        calls.stay(books, helper, by_form=call.asked.by_form)
        stamp = stamp_of(books, f"helper:{helper['helper_id']}")
        return Here(stamp=stamp, is_on=helper["state"] == "on")

    told = await call.parts.books.transact(act)
    return lead_to(DESK) if call.asked.by_form else told


async def take_up(call: Call[None]) -> Answer:
    """Take a call up."""
    name = call.names["call"]

    def act(books: Transaction, helper: Row) -> None:
        calls.take_up(books, helper["helper_id"], name)

    return await _as_helper(call, act, f"{DESK}/c/{name}")


async def answer(call: Call[AnswerForm]) -> Answer:
    """Write to the customer, once for each form."""
    name = call.names["call"]

    def act(books: Transaction) -> str:
        helper = _known(books, call.helper)
        calls.stay(books, helper, by_form=True)
        calls.answer(books, helper["helper_id"], name, call.asked.text)
        return f"{DESK}/c/{name}"

    return lead_to(await book_once(call, act))


async def end(call: Call[None]) -> Answer:
    """End a call."""
    name = call.names["call"]

    def act(books: Transaction, helper: Row) -> None:
        calls.finish(books, helper["helper_id"], name)

    return await _as_helper(call, act, DESK)


async def watch(call: Call[Heard]) -> Watch:
    """Tell when the desk is to be looked at again.

    Raises:
        NotFound: this browser is no helper's.
    """
    helper = await call.parts.books.read(_known, call.helper)
    return Watch(topic=f"helper:{helper['helper_id']}", since=call.asked.since)


def cents_of(price: str, digits: int) -> int:
    """Return what a person has written as a price, in minor units; what is finer is let go.

    >>> cents_of("12.5", 2), cents_of("500", 0), cents_of("", 0)
    (1250, 500, 0)
    """
    whole, _, part = price.partition(".")
    units: int = 10**digits
    return int(whole or 0) * units + int((part + "00")[:digits] or 0)


def price_text(cents: int, digits: int) -> str:
    """Return minor units as a person writes a price; none is nothing.

    >>> price_text(1250, 2), price_text(500, 0), price_text(0, 2)
    ('12.50', '500', '')
    """
    whole, part = divmod(cents, 10**digits)
    return "" if not cents else f"{whole}.{part:0{digits}d}" if digits else str(whole)


async def _as_helper(
    call: Call[Any], act: Callable[[Transaction, Row], None], way_on: str
) -> web.Response:
    """Act as the helper whose browser this is, and lead on; whatever he does says he is there.

    Raises:
        NotFound: it is nobody's.
    """

    def acting(books: Transaction) -> None:
        helper = _known(books, call.helper)
        calls.stay(books, helper, by_form=True)
        act(books, helper)

    await call.parts.books.transact(acting)
    return lead_to(way_on)


def _known(books: Transaction, key: str) -> Row:
    helper = calls.known(books, key)
    if helper is None:
        raise NotFound(what="page")
    return helper


async def _to_his_desk(call: Call[None]) -> web.Response:
    """Lead on whoever opens his spent link again, or touches twice: it is what he was sent.

    Raises:
        NotFound: the browser is no helper's.
    """
    if await call.parts.books.read(calls.known, call.helper) is None:
        raise NotFound(what="page")
    return lead_to(DESK)


def _strange() -> Page:
    """Return the page of a browser that is no helper's: it needs another link."""
    return Page(template="strange.html", status=FORBIDDEN)


def _stay(books: Transaction, key: str) -> None:
    helper = calls.known(books, key)
    if helper is not None:
        calls.stay(books, helper, by_form=True)


def _desk(books: Transaction, key: str) -> dict[str, Any] | None:
    helper = calls.known(books, key)
    if helper is None:
        return None
    found = calls.desk(books, helper)
    return {
        "helper": helper,
        "stores": found.stores,
        "customers": found.customers,
        "is_on": helper["state"] == "on",
        "is_there": found.is_there,
        "now": books.now,
    }


def _talk(books: Transaction, key: str, call: str) -> dict[str, Any] | None:
    helper = calls.known(books, key)
    if helper is None:
        return None
    calls.note_seen(books, helper["helper_id"], call)
    found = calls.customers_of(books, helper["helper_id"])
    talk = calls.talk(books, call)
    return {
        "helper": helper,
        "talk": talk,
        "customer": next((each for each in found if each.row["call_id"] == call), None),
        "others": len([each for each in found if each.row["call_id"] != call and each.unread]),
        "key": new_key(books),
        "now": books.now,
        "zone": talk.row["time_zone"],
    }
