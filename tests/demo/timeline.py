"""Tell what happens as it happens: in calm columns to a person, or as JSON lines to a program."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from typing_extensions import override

from cloud_controller.web.routes import iso

WIDTH: Final = 100
"""Columns; a wider screen is not filled, and a file is written as if it had this many."""

FIGURE_WIDTH: Final = 48
"""Columns of the bar that shows where the time of a start has gone."""

LANGUAGES: Final = ("en", "ja")
"""The facts that are the customer's words, each told on a line of its own."""

_REDRAWS_A_SECOND = 12
_MINUTE_MS = 60_000
_COLOURS = {
    "customer": "#c8763c",
    "controller": "#6f9a4e",
    "program": "#9a6fc0",
    "operator": "#b25b76",
}
_TERMINAL_COLOUR = "#3f93a8"
_WORDS_COLOUR = "#b8863b"
_LINES_COLOUR = "#8a8f9c"
_QUIET = "bright_black"
_INDENT = 28
_WORDS_WIDTH = WIDTH - _INDENT - 4
_SEGMENTS = ("#c8763c", "#3f93a8", "#6f9a4e", "#9a6fc0")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened; `at` is its own instant, not when it was noticed.

    `facts` are for programs; `note` and `lines` say of them what a person cares about.
    """

    at: int
    who: str
    what: str
    note: str = ""
    lines: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of how long something took."""

    name: str
    milliseconds: int


class Timeline:
    """What every telling has: steps in the order of their instants, and the time between them."""

    def __init__(self, began_at: int) -> None:
        self._last_at = began_at

    def tell(self, *steps: Step) -> None:
        """Tell these steps, the earliest first."""
        for step in sorted(steps, key=lambda step: step.at):
            self._tell(step, step.at - self._last_at)
            self._last_at = step.at

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""

    def show(self, *shown: RenderableType) -> None:
        """Show something to a person that is no step."""

    def waiting(self, words: str, *, until_at: int | None = None) -> AbstractContextManager[None]:
        """Show that something is waited for, and how long until an instant that is known."""
        raise NotImplementedError

    def _tell(self, step: Step, since_ms: int) -> None:
        raise NotImplementedError


class JsonLines(Timeline):
    """One JSON object a step, and nothing else."""

    def __init__(self, out: TextIO, began_at: int) -> None:
        super().__init__(began_at)
        self._out = out

    @override
    def waiting(self, words: str, *, until_at: int | None = None) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    @override
    def _tell(self, step: Step, since_ms: int) -> None:
        line = {
            "at": iso(step.at),
            "since_ms": since_ms,
            "who": step.who,
            "what": step.what,
            "facts": dict(step.facts),
        }
        print(json.dumps(line, ensure_ascii=False), file=self._out, flush=True)


class Columns(Timeline):
    """A timeline to read: when, how long after the step before, who, what."""

    def __init__(
        self, console: Console, began_at: int, *, zone: tzinfo, now: Callable[[], int]
    ) -> None:
        super().__init__(began_at)
        self._console, self._zone, self._now = console, zone, now

    @override
    def chapter(self, title: str) -> None:
        rule = Rule(Text(title, style="bold"), align="left", style=_QUIET, characters="─")
        self.show("", Padding(rule, (0, 0, 0, 1)), "")

    @override
    def show(self, *shown: RenderableType) -> None:
        for each in shown:
            # Words that are copied, a long address, must not be cut where a line of ours ends.
            if isinstance(each, str):
                self._console.print(each, soft_wrap=True, highlight=False)
                continue
            self._console.print(each, width=min(WIDTH, self._console.width), highlight=False)

    @override
    def waiting(self, words: str, *, until_at: int | None = None) -> AbstractContextManager[None]:
        if not self._console.is_terminal:
            return contextlib.nullcontext()
        return self._moving(_Waiting(words, self._now, until_at))

    @contextlib.contextmanager
    def _moving(self, shown: RenderableType) -> Iterator[None]:
        with Live(
            shown,
            console=self._console,
            transient=True,
            refresh_per_second=_REDRAWS_A_SECOND,
        ):
            yield

    @override
    def _tell(self, step: Step, since_ms: int) -> None:
        told = Text.assemble(
            (f" {clock(step.at, self._zone)}", _QUIET),
            f"{_since(since_ms):>11}  ",
            ("● ", _colour(step.who)),
            f"{step.who:<10}  {step.what}",
            (f"  {step.note}", _QUIET),
        )
        told.rstrip()
        below = (Text(f"{' ' * _INDENT}{line}", style=_LINES_COLOUR) for line in step.lines)
        self.show(told, *below, *self._words_of(step))

    def _words_of(self, step: Step) -> Iterator[Text]:
        """Return what the customer is told, in each language, below what happened."""
        for language in filter(step.facts.__contains__, LANGUAGES):
            words = Text(step.facts[language], style=_WORDS_COLOUR)
            for number, line in enumerate(words.wrap(self._console, _WORDS_WIDTH)):
                line.rstrip()
                mark = language if number == 0 else "  "
                yield Text.assemble(" " * _INDENT, (f"{mark}  ", _QUIET), line)


class _Waiting:
    """One line that moves: what is waited for, and where it is known, how much of it is left."""

    def __init__(self, words: str, now: Callable[[], int], until_at: int | None) -> None:
        self._words, self._now, self._until_at = words, now, until_at
        self._from_at = now()
        self._spinner = Spinner("dots", style=_QUIET)

    def __rich__(self) -> RenderableType:
        """Draw it as it is now."""
        row = Table.grid(padding=(0, 1))
        if self._until_at is None:
            row.add_row(Text(" " * _INDENT), self._spinner, Text(self._words, style=_QUIET))
            return row
        left_ms = max(0, self._until_at - self._now())
        whole_ms = max(1, self._until_at - self._from_at)
        bar = ProgressBar(
            total=whole_ms,
            completed=left_ms,
            width=36,
            style="#3a3f4b",
            complete_style=_TERMINAL_COLOUR,
            finished_style=_TERMINAL_COLOUR,
        )
        words = Text(self._words, style=_QUIET)
        row.add_row(Text(" " * _INDENT), bar, Text(f"{left_ms / 1000:4.1f} s"), words)
        return row


def clock(at: int, zone: tzinfo) -> str:
    """Return an instant as a clock in this zone shows it."""
    moment = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)
    return f"{moment:%H:%M:%S}.{at % 1000:03d}"


def ledger(lines: Iterable[Mapping[str, Any]], zone: tzinfo) -> RenderableType:
    """Return a ticket's ledger as a table; each line has `at`, `type` and `facts`."""
    table = Table(box=None, header_style=f"{_QUIET} not bold", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("when", style=_QUIET, no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("with", style=_QUIET)
    for line in lines:
        facts = " · ".join(_fact(name, fact, zone) for name, fact in line["facts"].items() if fact)
        table.add_row(clock(line["at"], zone), line["type"], facts)
    return Padding(table, (0, 0, 0, 1), expand=False)


def figure(title: str, stretches: Iterable[Stretch], *, scale_ms: int) -> Text:
    """Return a line that says how long something took, with a bar that shows its parts.

    A bar as long as `scale_ms` has the full width, so that bars can be compared.
    """
    parts = list(stretches)
    total_ms = sum(part.milliseconds for part in parts)
    told = Text.assemble(f" {title:<30}", (f"{total_ms:>5} ms", "bold"), "   ")
    legend = Text(" " * len(told))
    for part, colour in zip(parts, _SEGMENTS, strict=False):
        told.append("━" * round(FIGURE_WIDTH * part.milliseconds / scale_ms), style=colour)
        legend.append("■ ", style=colour)
        legend.append(f"{part.name} {part.milliseconds}  ", style=_QUIET)
    legend.rstrip()
    return Text("\n").join((told, legend))


def _fact(name: str, fact: object, zone: tzinfo) -> str:
    if name.endswith("_at") and isinstance(fact, int):
        return f"{name} {clock(fact, zone)}"
    return f"{name} {fact}"


def _since(since_ms: int) -> str:
    if since_ms >= 2 * _MINUTE_MS:
        return f"+{since_ms // _MINUTE_MS} min"
    return f"{since_ms:+,} ms".replace(",", " ")


def _colour(who: str) -> str:
    return _COLOURS.get(who, _TERMINAL_COLOUR)
