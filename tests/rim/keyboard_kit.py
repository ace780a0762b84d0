"""A scanner that types, as its events were recorded: one press and release a key, and a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge_agent.scanners.keyboard import EVENT

SHIFT, ENTER = 42, 28
MILLISECONDS_APART = 2

_FIRST = {"1234567890-": 2, "QWERTYUIOP": 16, "ASDFGHJKL": 30, "ZXCVBNM": 44}
US = {sign: first + n for row, first in _FIRST.items() for n, sign in enumerate(row)}
"""Where each sign is on the layout that a scanner leaves the factory with."""

GERMAN: Mapping[str, int] = US | {"Y": US["Z"], "Z": US["Y"], "-": 53}

FRENCH: Mapping[str, int] = US | {
    "A": US["Q"],
    "Q": US["A"],
    "Z": US["W"],
    "W": US["Z"],
    "M": 39,
    "-": 7,
}
"""AZERTY; its digits need shift, its dash does not."""


def events(*told: tuple[int, int, int], at_ms: int = 0) -> bytes:
    """Return events as the kernel gives them: type, code, value."""
    return b"".join(EVENT.pack(at_ms // 1_000, at_ms % 1_000 * 1_000, *each) for each in told)


def typed(text: str, layout: Mapping[str, int] = US, *, at_ms: int = 1_000_000) -> bytes:
    """Return the events of a scanner that types this text with capitals, and Enter behind it."""
    return b"".join(_typed(text, layout, at_ms))


def _typed(text: str, layout: Mapping[str, int], at_ms: int) -> Iterator[bytes]:
    needs_shift = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + ("0123456789" if layout is FRENCH else "")
    for sign in (*text, ""):
        code = layout[sign] if sign else ENTER
        at_ms += MILLISECONDS_APART
        if sign and sign in needs_shift:
            yield events((1, SHIFT, 1), (0, 0, 0), at_ms=at_ms)
        yield events((4, 4, code), (1, code, 1), (0, 0, 0), at_ms=at_ms)
        yield events((4, 4, code), (1, code, 0), (0, 0, 0), at_ms=at_ms)
        if sign and sign in needs_shift:
            yield events((1, SHIFT, 0), (0, 0, 0), at_ms=at_ms)
