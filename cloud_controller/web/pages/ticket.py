"""The ticket page: the code, when and where, and what happens now, with nobody there to ask."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web
from markupsafe import Markup

from cloud_controller import bookings
from cloud_controller.ports import Transaction
from cloud_controller.web.qr import ticket_svg
from cloud_controller.web.reservations import Ticket, ticket_of
from cloud_controller.web.routes import Call, Page

REFRESH_SECONDS: Final = 5
"""How often a page reloads itself while its state can change by somebody else's doing."""

OPENS_SOON_SECONDS: Final = 900
"""A page shown this long before its ticket opens reloads itself once, when it does."""

SEE_OTHER: Final = 303


class Phase(StrEnum):
    """Where a ticket stands, as its holder sees it."""

    EARLY = "early"
    OPEN = "open"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    DONE = "done"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    MISSED = "missed"


WITH_CODE: Final = frozenset({Phase.EARLY, Phase.OPEN, Phase.STARTING})
"""Phases in which the code can still be needed."""

CHANGING: Final = frozenset(
    {Phase.OPEN, Phase.STARTING, Phase.RUNNING, Phase.ENDING, Phase.CANCELLING}
)
"""Phases that the store, the reader or the clock ends soon."""

_IN_SESSION: Final = {
    "granted": Phase.STARTING,
    "starting": Phase.STARTING,
    "running": Phase.RUNNING,
    "ending": Phase.ENDING,
}

_CLOSED: Final = {
    "completed": Phase.DONE,
    "cancelled": Phase.CANCELLED,
    "expired": Phase.MISSED,
    "no_show": Phase.MISSED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What a ticket's page shows at one instant."""

    ticket: Ticket
    phase: Phase
    now: int


async def show_page(call: Call[None]) -> Page:
    """Show a ticket by its link."""
    link, url = call.names["link"], call.parts.public_url
    shown = await call.parts.books.read(_shown, link, url)
    return Page(
        template="ticket.html",
        facts={
            "shown": shown,
            "qr": _drawn(shown.ticket.token) if shown.phase in WITH_CODE else None,
            "paid_back": shown.ticket.compensated_cents,
            "may_cancel": shown.phase in {Phase.EARLY, Phase.OPEN},
        },
        refresh_seconds=refresh_seconds(shown),
    )


async def cancel(call: Call[None]) -> web.Response:
    """Give a reservation up and show its ticket."""
    link = call.names["link"]
    await call.parts.books.transact(bookings.give_up, link)
    return web.Response(status=SEE_OTHER, headers={"Location": f"/t/{link}"})


def phase_of(ticket: Ticket, now: int) -> Phase:
    """Return where a ticket stands at an instant."""
    if ticket.state in _CLOSED:
        return _CLOSED[ticket.state]
    if ticket.is_being_cancelled:
        return Phase.CANCELLING
    if ticket.session is not None and ticket.session.state in _IN_SESSION:
        return _IN_SESSION[ticket.session.state]
    if ticket.ticket_state == "spent":
        return Phase.DONE
    if now >= ticket.ends_at:
        return Phase.MISSED
    return Phase.EARLY if now < ticket.opens_at else Phase.OPEN


def refresh_seconds(shown: Shown) -> int | None:
    """Return when the page is worth reading again, or None: nothing will change soon."""
    if shown.phase in CHANGING:
        return REFRESH_SECONDS
    wait_seconds = (shown.ticket.opens_at - shown.now) // 1000 + 1
    if shown.phase is Phase.EARLY and wait_seconds <= OPENS_SOON_SECONDS:
        return max(wait_seconds, REFRESH_SECONDS)
    return None


def _shown(books: Transaction, link: str, public_url: str) -> Shown:
    ticket = ticket_of(books, link, public_url)
    return Shown(ticket=ticket, phase=phase_of(ticket, books.now), now=books.now)


def _drawn(token: str) -> Markup:
    return Markup(ticket_svg(token))  # noqa: S704 - drawn by ourselves, and holds no text
