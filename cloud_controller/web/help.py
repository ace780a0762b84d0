"""The operator's API of helpers, and of what was said in calls to them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from cloud_controller.flows import help as calls
from cloud_controller.flows.help import HelperMade
from cloud_controller.ports import Row, Transaction
from cloud_controller.web.routes import ASKED_MAX, Call, InstantText, Shape
from common.messages.base import Name
from common.messages.help import LINE_LENGTH_MAX, NAME_LENGTH_MAX
from common.rules.help import clean_line

STORES_MAX: Final = 50
"""Stores that one helper helps at: a chain has fewer."""


def _one_line_end(text: object) -> object:
    """Return a text with its line ends as we count them: a browser's forms send two letters."""
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


def _clean(text: object) -> object:
    return clean_line(text) if isinstance(text, str) else text


LineText = Annotated[str, Field(max_length=LINE_LENGTH_MAX), BeforeValidator(_one_line_end)]
PersonName = Annotated[
    str, Field(min_length=1, max_length=NAME_LENGTH_MAX), BeforeValidator(_clean)
]


class HelperWanted(Shape):
    """A person who is to help customers of these stores."""

    name: PersonName
    stores: Annotated[tuple[Name, ...], Field(min_length=1, max_length=STORES_MAX)]


class HelperLink(Shape):
    """A helper's link: it lets one browser in, once, and is told here and never again."""

    helper: str
    name: str
    url: str
    expires_at: InstantText


class Helper(Shape):
    """A helper as he stands.

    Attributes:
        state: `registered`, `on` or `off`; `is_there` is whether he can be chosen now.
        live_calls: his calls that are not over.
    """

    helper: str
    name: str
    stores: tuple[str, ...]
    title_ja: str
    title_en: str
    languages: tuple[str, ...]
    price_cents: int
    currency: str
    state: str
    is_there: bool
    live_calls: int


class Helpers(Shape):
    """The helpers of all stores."""

    helpers: tuple[Helper, ...]


class HelperGone(Shape):
    """A helper who helps no more."""

    helper: str


class CallsWanted(Shape):
    """Whose calls, and those before which instant; by default the latest of all stores."""

    store: Annotated[str, Field(max_length=64)] = ""
    reservation: Annotated[str, Field(max_length=64)] = ""
    before: InstantText = ASKED_MAX


class CallLine(Shape):
    """One line of a call; `by` is `customer` or `helper`."""

    number: int
    by: str
    text: str
    at: InstantText


class HelpCall(Shape):
    """A call, without its lines.

    Attributes:
        why: once it has ended, one of the closed list of reasons; empty before.
        price_cents: what was agreed to; it is not charged by the controller.
    """

    call: str
    helper: str
    helper_name: str
    store: str
    device: str | None
    reservation: str | None
    language: str
    state: str
    why: str
    price_cents: int
    currency: str
    chosen_at: InstantText
    opened_at: InstantText | None
    ended_at: InstantText | None
    lines: int


class HelpCalls(Shape):
    """Calls, the latest first."""

    calls: tuple[HelpCall, ...]


class HelpCallInFull(HelpCall):
    """A call with what was said in it, for as long as that is kept."""

    said: tuple[CallLine, ...]


async def add_helper(call: Call[HelperWanted]) -> HelperLink:
    """Make a helper, with the link that lets his browser in.

    Raises:
        NotFound: there is no such store.
    """
    asked = call.asked
    made = await call.parts.books.transact(calls.add, asked.name, asked.stores, call.operator.name)
    return link_of(made, call.parts.public_url)


async def list_helpers(call: Call[None]) -> Helpers:
    """Return the helpers, each with where he stands."""
    found = await call.parts.books.read(calls.helpers)
    return Helpers(helpers=tuple(_helper_of(each) for each in found))


async def renew_link(call: Call[None]) -> HelperLink:
    """Give a helper another link; the browser that opens it is his, and no other any more.

    Raises:
        NotFound: there is no such helper.
    """
    made = await call.parts.books.transact(calls.new_link, call.names["helper"], call.operator.name)
    return link_of(made, call.parts.public_url)


async def remove_helper(call: Call[None]) -> HelperGone:
    """Let a helper help no more.

    Raises:
        NotFound: there is no such helper.
    """
    helper = call.names["helper"]
    await call.parts.books.transact(calls.remove, helper, call.operator.name)
    return HelperGone(helper=helper)


async def list_calls(call: Call[CallsWanted]) -> HelpCalls:
    """Return calls to helpers, the latest first."""
    asked = call.asked
    rows = await call.parts.books.read(
        calls.latest_calls, asked.store, asked.reservation, asked.before
    )
    return HelpCalls(calls=tuple(HelpCall(**_facts_of(row)) for row in rows))


async def show_call(call: Call[None]) -> HelpCallInFull:
    """Return a call with what was said in it.

    Raises:
        NotFound: there is no such call.
    """
    return await call.parts.books.read(_in_full, call.names["call"])


def link_of(made: HelperMade, public_url: str) -> HelperLink:
    """Return a helper's link as it is told."""
    return HelperLink(
        helper=made.helper,
        name=made.name,
        url=f"{public_url}/helper/enter/{made.link}",
        expires_at=made.link_until,
    )


def _in_full(books: Transaction, call: str) -> HelpCallInFull:
    talk = calls.talk(books, call)
    said = tuple(
        CallLine(number=each.number, by=each.by, text=each.text, at=each.at) for each in talk.lines
    )
    return HelpCallInFull(**_facts_of(talk.row), said=said)


def _helper_of(helper: calls.Helper) -> Helper:
    row = helper.row
    return Helper(
        helper=row["helper_id"],
        name=row["name"],
        stores=helper.stores,
        title_ja=row["title_ja"],
        title_en=row["title_en"],
        languages=tuple(row["languages"].split()),
        price_cents=row["price_cents"],
        currency=row["currency"],
        state=row["state"],
        is_there=helper.is_there,
        live_calls=row["live_calls"],
    )


def _facts_of(row: Row) -> dict[str, Any]:
    return {
        "call": row["call_id"],
        "helper": row["helper_id"],
        "store": row["store_id"],
        "device": row["device_id"],
        "reservation": row["reservation_id"],
        **{
            name: row[name]
            for name in (
                *("helper_name", "language", "state", "why", "price_cents", "currency"),
                *("chosen_at", "opened_at", "ended_at", "lines"),
            )
        },
    }
