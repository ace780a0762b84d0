"""Plots as geometry: bars over days, a card of busy hours; the template draws them.

Across, everything is in per cent of the plot; up and down it is in pixels, so that letters and
strokes keep their shape on any screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from cloud_controller.web.pages.chart import step_of
from common.rules.figures import DayFigures, Figures

HEIGHT: Final = 168
"""Pixels from the ground line to the highest line."""

ABOVE: Final = 14
"""Pixels above the highest line, for its number."""

BENEATH: Final = 24
"""Pixels beneath the ground line, for the days."""

COLUMNS_MAX: Final = 62
"""Columns of a day; a longer period has columns of a week."""

LABELS_MAX: Final = 3
"""Days that are named beneath a plot: as many as fit on a phone."""

GAP: Final = 0.24
"""What of a column's width is between two bars."""

ROW: Final = 30
"""Pixels of a weekday's row on the card of busy hours."""

RADIUS: Final = 13.0
"""Pixels of a dot for an hour that was used throughout."""

SPECK: Final = 1.6
"""Pixels of a dot for an hour that was open and not used."""

WEEK_DAYS: Final = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """The figures of a day, or of the days of a week that belong to the period."""

    first: date
    last: date
    figures: DayFigures

    @property
    def share(self) -> float:
        """Return what share of the open time was used, from nought to one."""
        opened = self.figures.open_seconds
        return self.figures.delivered_seconds / opened if opened else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One part of a column: `kind` is what it counts, `column` whose it is."""

    kind: str
    column: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """Bars, the lines behind them with the numbers they stand for, and which columns are named."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, float], ...]
    names: tuple[tuple[int, float], ...]
    ground: float

    @property
    def height(self) -> int:
        """Return the height of all of it, in pixels."""
        return ABOVE + HEIGHT + BENEATH

    @property
    def names_at(self) -> int:
        """Return where the days' names stand, in pixels from above."""
        return ABOVE + HEIGHT + BENEATH - 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """An hour of a weekday: how much of its open time was used; None of a closed one."""

    weekday: int
    hour: int
    x: float
    y: int
    radius: float
    share: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """Busy hours: a dot for each that is open, and the hours from the first to the last."""

    dots: tuple[Dot, ...]
    hours: tuple[tuple[int, float], ...]
    rows: tuple[int, ...]
    height: int


def columns_of(figures: Figures) -> tuple[Column, ...]:
    """Return the days of a period, or its weeks where there are more of them than can be drawn."""
    if len(figures.days) <= COLUMNS_MAX:
        return tuple(Column(first=each.day, last=each.day, figures=each) for each in figures.days)
    weeks: dict[date, list[DayFigures]] = {}
    for each in figures.days:
        weeks.setdefault(each.day - timedelta(days=each.day.weekday()), []).append(each)
    return tuple(
        Column(first=days[0].day, last=days[-1].day, figures=DayFigures.sum_of(days))
        for days in weeks.values()
    )


def plot_of(parts: Sequence[tuple[str, Sequence[float]]], unit: float = 1.0) -> Plot:
    """Return stacked bars, a column for each index of the parts' values.

    Args:
        parts: from the ground up, what is counted and its values; below nought hangs below it.
        unit: the least step between two lines, in the values' own unit.
    """
    count = max((len(values) for _, values in parts), default=0)
    sums = [sum(max(0.0, values[at]) for _, values in parts) for at in range(count)]
    lows = [sum(min(0.0, values[at]) for _, values in parts) for at in range(count)]
    step = step_of(max(sums, default=0.0) - min(lows, default=0.0), unit)
    top = max(1, math.ceil(max(sums, default=0.0) / step))
    bottom = math.ceil(-min(lows, default=0.0) / step)
    pixels = HEIGHT / ((top + bottom) * step)
    ground = ABOVE + top * step * pixels
    return Plot(
        bars=tuple(_bars(parts, count, pixels, ground)),
        lines=tuple(
            (round(ground - number * step * pixels, 2), number * step)
            for number in range(-bottom, top + 1)
        ),
        names=_names(count),
        ground=round(ground, 2),
    )


def card_of(busy: Sequence[Sequence[float | None]]) -> Card:
    """Return the card of busy hours; hours at which it is never open are left out."""
    is_open = [any(row[hour] is not None for row in busy) for hour in range(24)]
    shown = range(
        is_open.index(True) if any(is_open) else 0,
        24 - is_open[::-1].index(True) if any(is_open) else 0,
    )
    width = 100 / max(1, len(shown))
    at = {hour: round((place + 0.5) * width, 3) for place, hour in enumerate(shown)}
    return Card(
        dots=tuple(
            Dot(
                weekday=weekday,
                hour=hour,
                x=at[hour],
                y=weekday * ROW + ROW // 2,
                radius=round(max(SPECK, RADIUS * math.sqrt(min(1.0, share))), 2),
                share=share,
            )
            for weekday, row in enumerate(busy)
            for hour in shown
            if (share := row[hour]) is not None
        ),
        hours=tuple((hour, at[hour]) for hour in shown if hour % 3 == 0),
        rows=tuple(weekday * ROW + ROW // 2 for weekday in range(WEEK_DAYS)),
        height=WEEK_DAYS * ROW + BENEATH,
    )


def _bars(
    parts: Sequence[tuple[str, Sequence[float]]], count: int, pixels: float, ground: float
) -> list[Bar]:
    width = 100 / max(1, count)
    bars: list[Bar] = []
    for column in range(count):
        above = beneath = ground
        for kind, values in parts:
            height = abs(values[column]) * pixels
            if not height:
                continue
            if values[column] > 0:
                above -= height
            bars.append(
                Bar(
                    kind=kind,
                    column=column,
                    x=round((column + GAP / 2) * width, 3),
                    y=round(above if values[column] > 0 else beneath, 2),
                    width=round(width * (1 - GAP), 3),
                    height=round(height, 2),
                )
            )
            if values[column] < 0:
                beneath += height
    return bars


def _names(count: int) -> tuple[tuple[int, float], ...]:
    """Return which columns are named, and where the bar of each one begins."""
    every = max(1, math.ceil(count / LABELS_MAX))
    width = 100 / max(1, count)
    return tuple((at, round((at + GAP / 2) * width, 3)) for at in range(0, count, every))
