"""What a bench says: a value beside its floor from the same run, and the promise between them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from typing_extensions import override


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A ratio that may not be passed; of a rate it is the least, of a time the most."""

    ratio: float
    is_least: bool

    def is_held_by(self, ratio: float) -> bool:
        return ratio >= self.ratio if self.is_least else ratio <= self.ratio

    @override
    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.ratio:g}"


def at_most(ratio: float) -> Promise:
    return Promise(ratio=ratio, is_least=False)


def at_least(ratio: float) -> Promise:
    return Promise(ratio=ratio, is_least=True)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One value, its floor and what was promised of their ratio; without a promise it is told."""

    name: str
    value: float
    unit: str
    floor: float
    floor_name: str
    ratio: float
    promise: Promise | None

    @property
    def holds(self) -> bool:
        return self.promise is None or self.promise.is_held_by(self.ratio)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "floor": round(self.floor, 3),
            "floor_name": self.floor_name,
            "ratio": round(self.ratio, 3),
            "promise": str(self.promise) if self.promise is not None else None,
            "holds": self.holds,
        }


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that one bench found: its first figure names it, the rest stand beside it."""

    figures: Sequence[Figure]
    parts: Mapping[str, float] = field(default_factory=dict)
    """What the value or its floor is made of, in the first figure's unit."""

    @property
    def holds(self) -> bool:
        return all(figure.holds for figure in self.figures)

    def as_line(self) -> str:
        """Return the one line of JSON; `holds` is that of all figures together."""
        first, *others = (figure.as_json() for figure in self.figures)
        parts = {name: round(value, 3) for name, value in self.parts.items()}
        line = first | {"holds": self.holds, "parts": parts, "also": others}
        return json.dumps(line, ensure_ascii=False)


def compared(
    name: str,
    values: Sequence[float],
    unit: str,
    floors: Sequence[float],
    floor_name: str,
    promise: Promise | None = None,
) -> Figure:
    """Compare repetitions with the floors of the same repetitions.

    A median of ratios is steadier than a ratio of medians: each repetition is its own witness.
    """
    return Figure(
        name=name,
        value=median(values),
        unit=unit,
        floor=median(floors),
        floor_name=floor_name,
        ratio=median([value / floor for value, floor in zip(values, floors, strict=True)]),
        promise=promise,
    )


def limited(name: str, values: Sequence[float], unit: str, most: float) -> Figure:
    """Compare repetitions with the most that they may be, whatever the machine."""
    return compared(name, values, unit, [most] * len(values), "at most", at_most(1))


def quantile(samples: Sequence[float], part: float) -> float:
    """Return the sample below which this part of them lies."""
    return sorted(samples)[min(len(samples) - 1, int(part * len(samples)))]


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)
