"""The ticket page: the code, when and where, and what happens now, with nobody there to ask."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from aiohttp import web
from markupsafe import Markup

from cloud_controller import bookings
from cloud_controller.flows import devices, reservations, sessions
from cloud_controller.flows.devices import Around
from cloud_controller.flows.sessions import Proof
from cloud_controller.ports import NotAllowed, Transaction
from cloud_controller.web.language import Language
from cloud_controller.web.pages.around import (
    LATE_SECONDS,
    NEAR_SECONDS,
    WINDOWS,
    Help,
    Running,
    Terms,
    booth_words,
    help_of,
    house_svg,
    lit_windows,
    running_of,
    terms_of,
)
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.paper import grouped
from cloud_controller.web.qr import ticket_svg
from cloud_controller.web.receipts import has_receipt
from cloud_controller.web.routes import COMMUNICATION, Call, Page, Worker
from cloud_controller.web.tickets import MailGiven, Shown, look
from cloud_controller.web.timeline import bar_svg, told_to_customer
from common.rules.devices import ForHolder

REFRESH_SECONDS: Final = 5
"""How often a page is read again while its state can change by somebody else's doing."""

CODE_SECONDS: Final = 15
"""How often a page is read again whose code changes by itself: twice for each code."""

OPENS_SOON_SECONDS: Final = 900
"""A page shown this long before its ticket opens is read again once, when it does."""

COUNTED_SECONDS: Final = 86_400
"""How long before it opens a ticket counts down: further off a date says more."""


class Phase(StrEnum):
    """Where a ticket stands, as its holder sees it."""

    HELD = "held"
    EARLY = "early"
    OPEN = "open"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    STOPPING = "stopping"
    DONE = "done"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    MISSED = "missed"


WITH_CODE: Final = frozenset({Phase.EARLY, Phase.OPEN, Phase.STARTING})
"""Phases in which the code can still be needed."""

CHANGING: Final = frozenset(
    {
        Phase.HELD,
        Phase.OPEN,
        Phase.STARTING,
        Phase.RUNNING,
        Phase.ENDING,
        Phase.STOPPING,
        Phase.CANCELLING,
    }
)
"""Phases that the store, the reader or the clock ends soon."""

HELPED: Final = (CHANGING | {Phase.EARLY}) - {Phase.HELD, Phase.CANCELLING}
"""Phases in which somebody may be needed who helps."""

CLOSED: Final = frozenset({Phase.DONE, Phase.CANCELLED, Phase.LAPSED, Phase.MISSED})
"""Phases that nothing leads out of: no browser keeps such a ticket."""

IN_USE: Final = frozenset({Phase.RUNNING, Phase.ENDING, Phase.STOPPING})
"""Phases in which the program runs, as far as anybody has heard."""

WITH_PROOF: Final = IN_USE | {Phase.DONE, Phase.CANCELLED}
"""Phases in which there may be something to show for what was booked."""

_IN_SESSION: Final = {
    "granted": Phase.STARTING,
    "starting": Phase.STARTING,
    "running": Phase.RUNNING,
    "ending": Phase.ENDING,
}

_OVER: Final = {
    "completed": Phase.DONE,
    "cancelled": Phase.CANCELLED,
    "expired": Phase.LAPSED,
    "no_show": Phase.MISSED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a ticket's page shows at one instant; `text` is what its QR says.

    `running` is what it costs while it runs, None where it does not. `help` is who is there to
    help, None where nobody ever does, or nothing is to be helped with any more.
    """

    shown: Shown
    text: str
    phase: Phase
    has_receipt: bool
    may_address: bool
    proof: Proof
    around: Around
    terms: Terms
    running: Running | None
    help: Help | None
    now: int


async def show_page(call: Call[None]) -> Page:
    """Show a ticket by its link."""
    standing = await call.parts.books.read(_standing, call.names["link"], call)
    phase, ticket = standing.phase, standing.shown.ticket
    refresh = refresh_seconds(standing)
    return Page(
        template="ticket.html",
        facts={
            "shown": standing.shown,
            "ticket": ticket,
            "phase": phase,
            "now": standing.now,
            "qr": _drawn(standing.text) if phase in WITH_CODE else None,
            "short_code": grouped(standing.shown.short_code) if phase in WITH_CODE else "",
            "later": _later(standing),
            "paid_back": ticket.compensated_cents,
            "has_receipt": standing.has_receipt,
            "may_address": standing.may_address,
            "is_closed": phase in CLOSED,
            "is_coming": phase in {Phase.EARLY, Phase.OPEN},
            "terms": standing.terms,
            "wallets": call.parts.wallets,
            "booth": _booth(standing, call.language),
            "running": standing.running,
            "help": standing.help,
            "house": _house(standing),
            "counts_to": _counts_to(standing),
            "look_at": _look_at(standing),
            "is_silent": _is_silent(standing),
            **_shown_proof(standing, call.language),
        },
        refresh_seconds=refresh,
    )


async def show_worker(_call: Call[None]) -> Worker:
    """Return the script by which a browser keeps its tickets."""
    return Worker()


async def cancel(call: Call[None]) -> web.Response:
    """Give a reservation up and show its ticket."""
    link = call.names["link"]
    await call.parts.books.transact(bookings.give_up, link)
    return lead_to(f"/t/{link}")


async def end(call: Call[None]) -> web.Response:
    """End what runs, because its holder wishes it, and show its ticket."""
    link = call.names["link"]
    with suppress(NotAllowed):
        await call.parts.books.transact(sessions.end_for_holder, link)
    return lead_to(f"/t/{link}")


async def send(call: Call[MailGiven]) -> web.Response:
    """Have a ticket mailed to its holder, and what becomes of it from then on."""
    link, mail = call.names["link"], call.asked.mail
    await call.parts.books.transact(bookings.address, link, mail, call.language.code)
    return lead_to(f"/t/{link}")


def phase_of(shown: Shown, now: int, *, is_told_to_stop: bool = False) -> Phase:
    """Return where a ticket stands at an instant."""
    ticket = shown.ticket
    told = _told_phase(shown, now)
    if told is not None:
        return told
    if ticket.session is not None and ticket.session.state in _IN_SESSION:
        phase = _IN_SESSION[ticket.session.state]
        return Phase.STOPPING if phase is Phase.RUNNING and is_told_to_stop else phase
    if ticket.ticket_state == "spent":
        return Phase.DONE
    if now >= ticket.ends_at:
        return Phase.MISSED
    return Phase.EARLY if now < ticket.opens_at else Phase.OPEN


def refresh_seconds(standing: Standing) -> int | None:
    """Return when the page is worth reading again, or None: nothing will change soon."""
    if standing.phase in CHANGING:
        return REFRESH_SECONDS
    if standing.phase is Phase.EARLY and standing.shown.rotates:
        return CODE_SECONDS
    wait_seconds = (standing.shown.ticket.opens_at - standing.now) // 1000 + 1
    if standing.phase is Phase.EARLY and wait_seconds <= OPENS_SOON_SECONDS:
        return max(wait_seconds, REFRESH_SECONDS)
    return None


def _told_phase(shown: Shown, now: int) -> Phase | None:
    """Return what the reservation itself says, where that is all there is to say."""
    ticket = shown.ticket
    if ticket.state == "held":
        is_held = shown.hold_ends_at is None or now < shown.hold_ends_at
        return Phase.HELD if is_held else Phase.LAPSED
    return Phase.CANCELLING if ticket.is_being_cancelled else _OVER.get(ticket.state)


def _later(standing: Standing) -> list[tuple[int, Phase]]:
    """Return what the clock alone makes of a ticket, for a page that has no network."""
    ticket, phase = standing.shown.ticket, standing.phase
    if phase is Phase.EARLY:
        return [(ticket.opens_at, Phase.OPEN), (ticket.ends_at, Phase.MISSED)]
    return [(ticket.ends_at, Phase.MISSED)] if phase is Phase.OPEN else []


def _look_at(standing: Standing) -> int | None:
    """Return when the clock alone changes the page next; None: it does not."""
    shown, ticket, now = standing.shown, standing.shown.ticket, standing.now
    session = ticket.session
    moments: dict[Phase, tuple[int | None, ...]] = {
        Phase.HELD: (shown.hold_ends_at,),
        Phase.EARLY: (ticket.opens_at - NEAR_SECONDS * 1000, ticket.opens_at, ticket.ends_at),
        Phase.OPEN: (standing.around.free_at, ticket.ends_at),
        Phase.RUNNING: (None if session is None else session.deadline_at,),
        Phase.STOPPING: ((standing.around.stop_asked_at or 0) + LATE_SECONDS * 1000,),
    }
    coming = [at for at in moments.get(standing.phase, ()) if at is not None and at > now]
    return min(coming, default=None)


def _booth(standing: Standing, language: Language) -> tuple[ForHolder, str] | None:
    """Return how the booth stands, in one sentence, once its holder may be on his way to it."""
    ticket = standing.shown.ticket
    is_near = standing.now >= ticket.opens_at - NEAR_SECONDS * 1000
    if standing.phase not in {Phase.EARLY, Phase.OPEN} or not is_near:
        return None
    seen = standing.around
    return seen.device, booth_words(seen, ticket, language)


def _house(standing: Standing) -> Markup:
    """Return the house of a ticket: one window keeps watch, all are lit for whoever is awaited."""
    ticket, phase = standing.shown.ticket, standing.phase
    if phase in IN_USE and ticket.remaining_seconds is not None:
        whole_seconds = (ticket.ends_at - ticket.starts_at) / 1000
        return house_svg(lit_windows(ticket.remaining_seconds, whole_seconds))
    return house_svg(WINDOWS if phase in {Phase.OPEN, Phase.STARTING} else 1)


def _counts_to(standing: Standing) -> int | None:
    """Return to which instant the page counts down; None: to none."""
    ticket, phase = standing.shown.ticket, standing.phase
    if phase is Phase.RUNNING and ticket.session is not None:
        return ticket.session.deadline_at
    is_soon = standing.now >= ticket.opens_at - COUNTED_SECONDS * 1000
    return ticket.opens_at if phase is Phase.EARLY and is_soon else None


def _is_silent(standing: Standing) -> bool:
    """Say whether a booth was asked to stop a while ago and has not answered."""
    asked_at = standing.around.stop_asked_at
    is_asked = standing.phase is Phase.STOPPING and asked_at is not None
    return is_asked and standing.now >= (asked_at or 0) + LATE_SECONDS * 1000


def _shown_proof(standing: Standing, language: Language) -> dict[str, Any]:
    """Return what a page shows of what was given: the bar once it is over, and what happened."""
    proof, given = standing.proof, standing.proof.given
    if standing.phase not in WITH_PROOF or not proof.has_sessions:
        return {"moments": (), "given": None, "bar": None}
    told = {
        "delivered": language.length(given.delivered_seconds),
        "promised": language.length(given.promised_seconds),
        "lost": language.length(given.lost_seconds),
        "left": language.length(given.left_seconds),
    }
    return {
        "moments": told_to_customer(proof, language),
        "given": given if standing.phase in CLOSED else None,
        "bar": bar_svg(given, language.say("given.bar", **told)),
        "began_at": proof.ends_at - int(given.promised_seconds * 1000),
        "over_at": proof.ends_at,
    }


def _standing(books: Transaction, link: str, call: Call[None]) -> Standing:
    shown = look(books, link, call.parts.public_url, call.language.code)
    seen = devices.around(books, link)
    phase = phase_of(shown, books.now, is_told_to_stop=seen.stop_asked_at is not None)
    proof = sessions.proof_of(books, shown.reservation)
    return Standing(
        shown=shown,
        text=reservations.text_to_show(books, shown.ticket.token),
        phase=phase,
        has_receipt=has_receipt(books, link),
        may_address=bookings.may_address(books, shown.order, shown.reservation),
        proof=proof,
        around=seen,
        terms=terms_of(books, link),
        running=running_of(books, link, proof, call.parts) if phase is Phase.RUNNING else None,
        help=_help(books, shown, phase) if call.parts.roles >= COMMUNICATION else None,
        now=books.now,
    )


def _help(books: Transaction, shown: Shown, phase: Phase) -> Help | None:
    """Return who helps; once all is over only a talk that goes on, whose page nobody shall lose."""
    if phase not in HELPED and phase not in CLOSED:
        return None
    found = help_of(books, shown.ticket, shown.reservation)
    is_shown = found is not None and (phase in HELPED or found.is_talking)
    return found if is_shown else None


def _drawn(text: str) -> Markup:
    return Markup(ticket_svg(text))  # noqa: S704 - drawn by ourselves, and holds no text
