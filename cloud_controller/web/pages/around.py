"""What stands around a ticket now, for its holder: his booth, his place in line, what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from cloud_controller.flows import help as help_calls, reservations, sessions
from cloud_controller.flows.devices import Around
from cloud_controller.flows.sessions import Proof
from cloud_controller.ports import Transaction
from cloud_controller.web import extensions
from cloud_controller.web.extensions import MorePossible
from cloud_controller.web.language import Language
from cloud_controller.web.reservations import Ticket
from cloud_controller.web.routes import WebParts
from common.rules.devices import ForHolder
from common.rules.reservations import is_in_time
from common.rules.sessions import MomentKind

NEAR_SECONDS: Final = 3_600
"""How long before a ticket opens its holder is told how its booth stands: he is on his way."""

LATE_SECONDS: Final = 10
"""After which a booth that was asked to stop, and has not said so, is called silent."""

WINDOWS: Final = 12
"""Windows of the house on a ticket: as many as still look like windows on a small phone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """What a session costs now (E5).

    Attributes:
        price_cents: the whole of it, what was extended included.
        extended_cents: how much of that its extensions are.
        more: how it can go on, and for how much.
        may_end: whether it can be ended from here.
    """

    price_cents: int
    extended_cents: int
    more: MorePossible
    may_end: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """Until when a ticket may be changed and given up; None where it may not be at all."""

    change_until_at: int | None
    cancel_until_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Help:
    """Who of the people that help at a ticket's store is there now (E5, E6).

    Attributes:
        names: of those who can be called now, and of nobody else.
        is_talking: whether the ticket has a call that is not over.
    """

    names: tuple[str, ...]
    is_talking: bool


def help_of(books: Transaction, ticket: Ticket, reservation: str) -> Help | None:
    """Return who can be called from a ticket; None where nobody ever helps."""
    if ticket.store not in {row["store_id"] for row in books.help.stores()}:
        return None
    names = tuple(each.name for each in help_calls.helpers_there(books, ticket.store))
    is_talking = bool(list(books.help.live_of_reservation(reservation_id=reservation)))
    return Help(names=names, is_talking=is_talking)


def running_of(books: Transaction, link: str, proof: Proof, parts: WebParts) -> Running:
    """Return what a running session costs, and how it could go on.

    Raises:
        NotFound: there is no such ticket.
    """
    extended = (each for each in proof.moments if each.kind is MomentKind.EXTENDED)
    return Running(
        price_cents=proof.price_cents,
        extended_cents=sum(_cents(each.facts) for each in extended),
        more=extensions.possible(books, link, parts),
        may_end=sessions.may_end(books, link),
    )


def terms_of(books: Transaction, link: str) -> Terms:
    """Return until when an unused ticket may be changed and given up.

    Raises:
        NotFound: there is no such ticket.
    """
    row = reservations.ticket(books, link)
    is_unused = row["state"] == "confirmed" and row["ticket_state"] == "issued"
    if not is_unused or row["cancel_asked_at"] is not None:
        return Terms(change_until_at=None, cancel_until_at=None)

    def until(cut_off_seconds: int) -> int | None:
        in_time = is_in_time(cut_off_seconds, row["starts_at"], books.now)
        return row["starts_at"] - cut_off_seconds * 1000 if in_time else None

    return Terms(
        change_until_at=until(row["change_seconds"]), cancel_until_at=until(row["cancel_seconds"])
    )


def booth_words(seen: Around, ticket: Ticket, language: Language) -> str:
    """Return one sentence on the booth that a ticket opens, and on who comes before."""
    facts: dict[str, Any] = {"number": ticket.device.number, "before": seen.before_you}
    facts["until"] = "" if seen.free_at is None else _minute(seen.free_at, ticket, language)
    words = language.say(f"booth.{seen.device}", **facts)
    if seen.device not in {ForHolder.IN_USE, ForHolder.BOOKED}:
        return words
    place = "in_line" if seen.before_you > 1 else "you_are_next"
    return f"{words} {language.say(f'booth.{place}', **facts)}"


def _minute(at: int, ticket: Ticket, language: Language) -> str:
    """Return the first whole minute from an instant on, by the store's clock."""
    return language.time(-(-at // 60_000) * 60_000, ticket.time_zone)


def house_svg(lit: int) -> Markup:
    """Return the windows of a house as a drawing, so many of them lit; it says nothing alone."""
    drawn = Markup("").join(
        _PANE.format(at=2 + 36 * number, lit="lit" if number < lit else "dark")
        for number in range(WINDOWS)
    )
    return _HOUSE.format(drawn=drawn)


def lit_windows(left_seconds: float, whole_seconds: float) -> int:
    """Return how many windows are lit while so much of the time is left: the last one to its end.

    A page that counts down by itself lights them by the same rule.
    """
    if whole_seconds <= 0:
        return 0
    return max(0, min(WINDOWS, -(-int(WINDOWS * left_seconds) // int(whole_seconds))))


def _cents(facts: Mapping[str, Any]) -> int:
    cents = facts.get("cents", 0)
    return cents if isinstance(cents, int) else 0


_PANE = Markup(
    '<g class="{lit}"><rect x="{at}" y="2" width="24" height="30" rx="3"/>'
    '<path d="M{at} 16h24m-12-14v30"/></g>'
)

_HOUSE = Markup(
    '<svg class="house" aria-hidden="true" viewBox="0 0 424 34"'
    ' xmlns="http://www.w3.org/2000/svg">{drawn}</svg>'
)
