"""A chart as geometry: a column a month, stacked, below a round number; the template draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from common.rules.modules import Match

STEP: Final = 30
"""Units from one column to the next."""

HEIGHT: Final = 120
"""Units of the highest column."""

WIDE: Final = 20
"""Units of a column."""

LINES_MAX: Final = 4
"""Lines above the ground: as many as one reads numbers at."""

STACK: Final = ("via_this_system", "issued_never_used", "obtained_elsewhere")
"""What stands on what, from the ground up."""


Number = TypeVar("Number", int, float)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One part of a column; its kind is what it counts."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """All bars, and the lines behind them, each at a height and with the number it stands for."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, int], ...]


def chart_of(matches: Sequence[Match]) -> Chart:
    """Return the chart of some instants, the first one leftmost."""
    highest = max((_height(match) for match in matches), default=0)
    step = step_of(highest, 1)
    top = max(step * -(-highest // step), step)
    bars: list[Bar] = []
    for column, match in enumerate(matches):
        ground = float(HEIGHT)
        for kind in STACK:
            height = HEIGHT * getattr(match, kind) / top
            if height:
                x = column * STEP + (STEP - WIDE) / 2
                ground = round(ground - height, 2)
                bars.append(Bar(kind=kind, x=x, y=ground, width=WIDE, height=round(height, 2)))
    lines = tuple(
        (round(HEIGHT - HEIGHT * number / top, 2), number) for number in range(step, top + 1, step)
    )
    return Chart(width=STEP * len(matches), height=HEIGHT, bars=tuple(bars), lines=lines)


def _height(match: Match) -> int:
    return match.issued + match.obtained_elsewhere


def step_of(highest: float, unit: Number) -> Number:
    """Return the smallest of 1, 2, 5, 10, 20 … units by which few lines reach the highest value."""
    power = unit
    while True:
        for first in (1, 2, 5):
            if first * power * LINES_MAX >= highest:
                return first * power
        power *= 10
