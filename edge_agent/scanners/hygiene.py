"""Wash what a scanner read: only a short, printable text built like a ticket goes further.

A ticket's short code, typed or scanned as text, goes further too.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Final, Literal

from common.errors import TokenIsMalformed
from common.rules.tickets import read_shown, short_code_in
from common.seals import ReadToken

TEXT_LENGTH_MAX: Final = 512
"""Characters; a ticket has 144 or 154, and a log line with any other code stays readable."""

CUT_MARK: Final = "…"
"""Stands for what was cut off; no ticket has it."""

_LOOKED_AT_MAX = 8_192
"""Characters; the longest QR has 7 089, so only something that is no code can be longer."""

_ECI_PREFIXES = re.compile(r"(?:\\0000[0-9]{2})+")
r"""What some scanners put before a text to say its character set, such as `\000026`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """A text that is built like a ticket; whether it is ours, only its signature says."""

    text: str
    read: ReadToken


@dataclass(frozen=True, kw_only=True, slots=True)
class ShortCode:
    """A text that is built like a short code, in its one spelling; whose it is, the books know."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotATicket:
    """The customer's reason, and why in words for the log."""

    reason: Literal["unknown_ticket"]
    why: str


def clean(text: str) -> str:
    """Return the text without control characters and character-set prefixes, cut to its limit."""
    printable = "".join(itertools.islice(filter(str.isprintable, text), _LOOKED_AT_MAX))
    prefixes = _ECI_PREFIXES.match(printable)
    kept = printable[prefixes.end() :] if prefixes else printable
    return kept if len(kept) <= TEXT_LENGTH_MAX else kept[:TEXT_LENGTH_MAX] + CUT_MARK


def hygiene(text: str) -> Scanned | ShortCode | NotATicket:
    """Say whether a scanned text could be a ticket or its short code, cheapest check first."""
    cleaned = clean(text)
    code = short_code_in(cleaned)
    if code is not None:
        return ShortCode(text=code)
    if len(cleaned) > TEXT_LENGTH_MAX:
        return NotATicket(
            reason="unknown_ticket", why=f"it has more than {TEXT_LENGTH_MAX} characters"
        )
    try:
        return Scanned(text=cleaned, read=read_shown(cleaned))
    except TokenIsMalformed as fault:
        return NotATicket(reason="unknown_ticket", why=str(fault.facts["why"]))
