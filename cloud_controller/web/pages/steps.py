"""What the pages with forms share: a time to tap, the way on, and how a browser is known again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from cloud_controller.flows import offerings
from cloud_controller.ports import Transaction
from cloud_controller.web.faults import Alternative
from cloud_controller.web.offerings import Offering, Slot, offering_of
from cloud_controller.web.routes import HOLDER, Call

KEY_DIGITS: Final = 32
"""Hex digits of the key that a form is made with, so that a second tap does nothing more."""

SEE_OTHER: Final = 303

HOLDER_SECONDS: Final = 86_400
"""How long a browser is known by what it holds: longer than any hold."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Time:
    """A time that one tap takes, or waits for where it is not free.

    `key` is its form's, empty where the form is everybody's. `more_cents` is what it costs more
    than the time that it would stand in for, `cents` what it costs where that has to be said.
    """

    starts_at: int
    ends_at: int
    key: str = ""
    is_free: bool = True
    more_cents: int = 0
    cents: int | None = None


def time_of(
    slot: Slot | Alternative, key: str, *, more_cents: int = 0, cents: int | None = None
) -> Time:
    """Return a slot as a time to tap, with the key of its form."""
    return Time(
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        key=key,
        is_free=not isinstance(slot, Slot) or bool(slot.devices),
        more_cents=more_cents,
        cents=cents,
    )


def new_key(books: Transaction) -> str:
    """Return the key of a new form."""
    return books.names.hex_digits(KEY_DIGITS)


def offered(books: Transaction, wanted: str) -> Offering | None:
    """Return an offering that can be had now, or None."""
    found = offerings.shelf(books, wanted)
    return None if found is None else offering_of(found)


def lead_to(path: str, **asked: str) -> web.Response:
    """Return the way on from a form that was taken, to a page of which something may be asked."""
    return web.Response(status=SEE_OTHER, headers={"Location": address_of(path, **asked)})


def address_of(path: str, **asked: str) -> str:
    """Return where a page is that is asked something; what is empty is left out."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path


def holder_of(call: Call[Any]) -> str:
    """Return what a browser is known by as a holder; a new one is known by its first form's key."""
    return call.holder or call.key


def remember(response: web.Response, call: Call[Any]) -> web.Response:
    """Let a browser be known again as whoever holds something."""
    response.set_cookie(
        HOLDER,
        holder_of(call),
        max_age=HOLDER_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=urlsplit(call.parts.public_url).scheme == "https",
    )
    return response
