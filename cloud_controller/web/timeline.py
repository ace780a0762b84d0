"""What became of a ticket, for the operator with its evidence, and for whoever holds its link."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from pydantic import Field

from cloud_controller.flows import reservations, sessions
from cloud_controller.flows.sessions import Proof
from cloud_controller.ports import Transaction
from cloud_controller.web.language import Language
from cloud_controller.web.routes import Call, InstantText, Shape
from common.rules.sessions import Given, Moment, for_customer
from common.words import moment_words_for

BAR_WIDTH = 600
BAR_HEIGHT = 28
SLIVER = 4
"""Units of the drawing: what was ever so short is still to be seen."""


class MomentTold(Shape):
    """One moment; `evidence` are the numbers of the lines of the ledger that say so."""

    at: InstantText
    clock: Annotated[str, Field(description="the same by the store's clock")]
    kind: str
    sign: str
    words: Annotated[str, Field(description="one sentence, in the language asked for")]
    session: str | None
    evidence: tuple[int, ...]


class GivenTold(Shape):
    """What was promised, and what became of it: `promised` is the sum of the other three.

    While `is_known` is false, some terminal has not told yet what it delivered; until then
    `lost_seconds` is what is not accounted for, and nothing is paid back for it.
    """

    promised_seconds: float
    delivered_seconds: float
    left_seconds: float
    lost_seconds: float
    is_known: bool
    price_cents: int
    compensated_cents: int
    currency: str


class Timeline(Shape):
    """What became of a reservation, the earliest moment first."""

    reservation: str | None
    time_zone: str
    given: GivenTold
    moments: tuple[MomentTold, ...]


async def show_timeline(call: Call[None]) -> Timeline:
    """Return a reservation's timeline, each moment with its evidence.

    Raises:
        NotFound: there is no such reservation.
    """
    proof = await call.parts.books.read(sessions.proof_of, call.names["reservation"])
    return _timeline(proof, moments_told(proof, call.language), proof.reservation)


async def show_ticket_timeline(call: Call[None]) -> Timeline:
    """Return what a ticket's holder is told of it.

    Raises:
        NotFound: there is no such ticket.
    """
    proof = await call.parts.books.read(proof_by_link, call.names["link"])
    return _timeline(proof, told_to_customer(proof, call.language), None)


def proof_by_link(books: Transaction, link: str) -> Proof:
    """Return what became of a ticket.

    Raises:
        NotFound: there is no such ticket.
    """
    return sessions.proof_of(books, reservations.ticket(books, link)["reservation_id"])


def moments_told(proof: Proof, language: Language) -> tuple[MomentTold, ...]:
    """Return all moments, each with its evidence, as an operator is told them."""
    return tuple(_moment(each, proof, language) for each in proof.moments)


def told_to_customer(proof: Proof, language: Language) -> tuple[MomentTold, ...]:
    """Return the moments that a customer is told, without our own numbers."""
    told = (_moment(each, proof, language) for each in for_customer(proof.moments))
    return tuple(each.model_copy(update={"evidence": (), "session": None}) for each in told)


def bar_svg(given: Given, words: str) -> Markup:
    """Return what was promised as a bar: given, lost, left; `words` say the same to who hears it.

    Its colours are the page's. What was lost is hatched as well, so that no colour says it alone.
    """
    parts = (
        ("given", given.delivered_seconds),
        ("lost", given.lost_seconds),
        ("left", given.left_seconds),
    )
    at, drawn = 0.0, ""
    for name, width in zip((name for name, _ in parts), _widths(parts), strict=True):
        if width:
            drawn += _RECT.format(name=name, at=round(at, 2), width=round(width, 2))
        at += width
    return _SVG.format(words=words, drawn=Markup(drawn))  # noqa: S704 - drawn by ourselves: numbers


def _widths(parts: tuple[tuple[str, float], ...]) -> list[float]:
    """Return how wide each part is drawn: as long as it was, and never too narrow to be seen."""
    whole = sum(seconds for _, seconds in parts) or 1.0
    widths = [BAR_WIDTH * seconds / whole for _, seconds in parts]
    seen = [max(width, SLIVER) if width else 0.0 for width in widths]
    too_wide = sum(seen) - BAR_WIDTH
    widest = seen.index(max(seen))
    seen[widest] -= max(0.0, too_wide)
    return seen


def _timeline(proof: Proof, moments: tuple[MomentTold, ...], reservation: str | None) -> Timeline:
    given = proof.given
    return Timeline(
        reservation=reservation,
        time_zone=proof.time_zone,
        given=GivenTold(
            promised_seconds=given.promised_seconds,
            delivered_seconds=given.delivered_seconds,
            left_seconds=given.left_seconds,
            lost_seconds=given.lost_seconds,
            is_known=given.is_known,
            price_cents=proof.price_cents,
            compensated_cents=proof.compensated_cents,
            currency=proof.currency,
        ),
        moments=moments,
    )


def _moment(moment: Moment, proof: Proof, language: Language) -> MomentTold:
    def amount(cents: int, currency: str) -> str:
        return language.amount(cents, currency or proof.currency)

    return MomentTold(
        at=moment.at,
        clock=language.clock(moment.at, proof.time_zone, day_of=proof.starts_at),
        kind=moment.kind,
        sign=moment.sign,
        words=moment_words_for(moment, language.code, amount),
        session=moment.session,
        evidence=moment.evidence,
    )


_RECT = '<rect class="{name}" x="{at}" y="0" width="{width}" height="28"/>'

_SVG = Markup(
    '<svg class="bar" role="img" aria-label="{words}" viewBox="0 0 600 28"'
    ' preserveAspectRatio="none" xmlns="http://www.w3.org/2000/svg">'
    '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse"'
    ' patternTransform="rotate(45)"><rect class="lost-ground" width="7" height="7"/>'
    '<rect class="lost-line" width="3" height="7"/></pattern></defs>{drawn}</svg>'
)
