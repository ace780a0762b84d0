"""What a person reads of the deadlines: the worst of each cell in a table, all of them as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.prove.deadlines_cells import Around, Cell

STEP_SECONDS: Final = 0.1
LAST_STEP: Final = 20
"""Whatever ends later than that stands in one bar."""

BAR_WIDTH: Final = 48
NAME_WIDTH: Final = 46


@dataclass(frozen=True, kw_only=True)
class Ended:
    """One session that was seen to end, and how long after it was due; before that: negative."""

    cell: Cell
    around: Around
    program: str
    is_managed: bool
    error_seconds: float


def told(cells: Sequence[Cell], around: Sequence[Around], ended: Sequence[Ended]) -> list[str]:
    """Return the table and the bars, as lines."""
    if not ended:
        return ["nothing was tried"]
    errors = sorted(each.error_seconds for each in ended)
    middle, nearly_all = errors[len(errors) // 2], errors[int(len(errors) * 0.99)]
    return [
        "seconds from when it was due to when its last process was gone; the worst of each cell",
        "",
        *_table(cells, around, ended),
        "",
        *_bars(ended),
        "",
        f"{len(ended)} sessions: {errors[0]:+.3f} s to {errors[-1]:+.3f} s",
        f"half of them at most {middle:+.3f} s, 99 % at most {nearly_all:+.3f} s",
    ]


def _table(
    cells: Sequence[Cell], around: Sequence[Around], ended: Sequence[Ended]
) -> Iterator[str]:
    heads = [str(each).split(", ") for each in around]
    rows = (
        ("", *(head[0].removesuffix(" gone") for head in heads)),
        ("", *("gone" if "gone" in head[0] else "" for head in heads)),
        ("", *("burn" if len(head) > 1 else "" for head in heads)),
    )
    for row in rows:
        yield f"{'':{NAME_WIDTH}}" + "".join(f"{word:>12}" for word in row[1:])
    worst: dict[tuple[Cell, Around], float] = {}
    for each in ended:
        key = (each.cell, each.around)
        worst[key] = max(worst.get(key, each.error_seconds), each.error_seconds, key=abs)
    for cell in cells:
        figures = [worst.get((cell, each)) for each in around]
        if any(figure is not None for figure in figures):
            words = ("" if figure is None else f"{figure:+.3f}" for figure in figures)
            yield f"{cell!s:{NAME_WIDTH}}" + "".join(f"{word:>12}" for word in words)


def _bars(ended: Sequence[Ended]) -> Iterator[str]:
    """Draw how many ended how late, the polite and the stubborn programs apart."""
    for program in sorted({each.program for each in ended}):
        counted: dict[int, int] = {}
        for each in ended:
            if each.program == program:
                step = min(LAST_STEP, int(each.error_seconds // STEP_SECONDS))
                counted[step] = counted.get(step, 0) + 1
        most = max(counted.values())
        yield f"program {program}"
        for step in range(min(counted), max(counted) + 1):
            count = counted.get(step, 0)
            bar = "█" * max(1 if count else 0, round(BAR_WIDTH * count / most))
            more = "…" if step == LAST_STEP else " "
            yield f"  {step * STEP_SECONDS:+5.1f} s{more} {bar} {count or ''}".rstrip()
