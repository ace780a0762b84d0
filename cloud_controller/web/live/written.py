"""An event as it is written: the lines of server-sent events, in one chunk of HTTP."""

from __future__ import annotations

import json
from typing import Any, Final

BEAT: Final = b": \n\n"
"""Says nothing; a line that is dead is found by it."""

ID_DIGITS_MAX: Final = 15
"""Digits of an event's number that are read; ours stay far below."""


def event(name: str, told: Any, number: str = "") -> bytes:  # noqa: ANN401 - whatever JSON can say
    """Return one event; `told` is written as JSON, which has no line of its own to break it.

    `number` is what a browser says when it comes again: it stands in the last event of those that
    belong together, so that whoever is cut off between them is told all of them again.
    """
    said = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    line = f"id: {number}\n" if number else ""
    return f"event: {name}\n{line}data: {said}\n\n".encode()


def chunk(body: bytes) -> bytes:
    """Return bytes as one chunk of an answer without a length (RFC 9112 §7.1)."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def number_of(heard: str, epoch: str) -> int | None:
    """Return up to which number of this epoch somebody has heard; None: of another, or nothing."""
    told_by, _, number = heard.rpartition("-")
    is_ours = told_by == epoch and number.isascii() and number.isdigit()
    return int(number) if is_ours and len(number) <= ID_DIGITS_MAX else None
