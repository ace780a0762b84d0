"""What is said of helpers and of calls to them: who is there, who was chosen, and the text (E6)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from common.messages.base import (
    LANGUAGES_MAX,
    Count,
    Currency,
    Instant,
    Language,
    Message,
    Name,
    ShortText,
)

LINE_LENGTH_MAX: Final = 500
"""Characters of one line: what a customer reads at a glance on a screen."""

LINES_MAX: Final = 200
"""Lines of one call: an hour's talk, and what one customer can make us keep."""

LINES_TOLD_MAX: Final = 20
"""Lines in one message: at four bytes a character they leave it room below its largest size."""

HELPERS_THERE_MAX: Final = 20
"""Helpers told of at once: more than a screen shows, few enough for one message."""

NAME_LENGTH_MAX: Final = 60
"""Characters of a helper's name: it fits one line of a phone."""

PRICE_CENTS_MAX: Final = 10_000_000
"""The highest price of one call, in minor units."""

Line = Annotated[str, Field(min_length=1, max_length=LINE_LENGTH_MAX)]
LineNumber = Annotated[int, Field(ge=1, le=LINES_MAX)]
PriceCents = Annotated[int, Field(ge=0, le=PRICE_CENTS_MAX)]


class Bilingual(Message):
    """One text in both languages; where one is empty, the other stands for it."""

    type: ClassVar[str] = "help.bilingual"
    ja: ShortText = ""
    en: ShortText = ""


class HelperThere(Message):
    """A helper who is there now: what he helps with, in which languages, for how much a call.

    Attributes:
        price_cents: what a call costs, whatever its length, in minor units; 0: nothing.
    """

    type: ClassVar[str] = "help.helper"
    helper: Name
    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
    title: Bilingual = Bilingual()
    languages: Annotated[tuple[Language, ...], Field(max_length=LANGUAGES_MAX)] = ()
    price_cents: PriceCents = 0
    currency: Currency = "JPY"


class HelpThere(Message):
    """Who can be called at this terminal's store now: the whole list, and nobody else.

    `number` grows with each change, in the terminal's epoch: what comes with a lower one is old.
    """

    type: ClassVar[str] = "help.there"
    number: Count
    helpers: Annotated[tuple[HelperThere, ...], Field(max_length=HELPERS_THERE_MAX)] = ()


class LineTold(Message):
    """One line of a call.

    Attributes:
        number: its place in the call, by the controller: 1, 2, 3 … over both sides.
        own: the number that the terminal gave it, where it came from there; 0: it did not.
    """

    type: ClassVar[str] = "help.line_told"
    number: LineNumber
    by: Literal["customer", "helper"]
    text: Line
    at: Instant
    own: Annotated[int, Field(ge=0, le=LINES_MAX)] = 0


class HelpTold(Message):
    """Where a call from this terminal stands, and its lines that `help.heard` has not confirmed.

    Said again it changes nothing; lines come in the order of their numbers, at most
    `LINES_TOLD_MAX` at once.

    Attributes:
        state: a `common.rules.help.CallState`: `waiting`, `open` or `ended`; never back.
        why: once it has ended, a `common.rules.help.CallEnd`; empty before.
        place: calls that the helper has before this one while it waits.
    """

    type: ClassVar[str] = "help.told"
    call: Name
    device: Name
    state: Literal["waiting", "open", "ended"]
    why: ShortText = ""
    place: Count = 0
    lines: Annotated[tuple[LineTold, ...], Field(max_length=LINES_TOLD_MAX)] = ()


class HelpChosen(Message):
    """Somebody at a device has chosen a helper (an event); `call` is made there, and random.

    Attributes:
        language: in which he has chosen, so that the helper knows what to write.
        price_cents: what the customer was shown and has agreed to; a call that costs more by now
            is not opened.
    """

    type: ClassVar[str] = "help.chosen"
    call: Name
    helper: Name
    device: Name
    session: Name | None = None
    language: Language
    price_cents: PriceCents = 0
    currency: Currency = "JPY"
    at: Instant


class HelpJoined(Message):
    """A session has begun where a call was made without one: it is that customer's (an event)."""

    type: ClassVar[str] = "help.joined"
    call: Name
    session: Name


class HelpLine(Message):
    """The customer at the device has written (an event); his lines are numbered from 1, no gaps."""

    type: ClassVar[str] = "help.line"
    call: Name
    number: LineNumber
    text: Line
    at: Instant


class HelpHeard(Message):
    """The terminal keeps the lines of a call up to this number, and where it stands (an event)."""

    type: ClassVar[str] = "help.heard"
    call: Name
    number: Annotated[int, Field(ge=0, le=LINES_MAX)]
    state: Literal["waiting", "open", "ended"]


class HelpLeft(Message):
    """The customer at the device has ended a call, or gone (an event)."""

    type: ClassVar[str] = "help.left"
    call: Name
    at: Instant


EVENTS: Final = (HelpChosen, HelpJoined, HelpLine, HelpHeard, HelpLeft)
"""What a terminal says of calls, in its one ordered stream."""
