"""`python -m tests.bench [NAME] [--json]`: run one bench or all, for a person or a program."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import (
    agent_at_rest,
    agent_scanning,
    bookings,
    exchange,
    ladder,
    live_page,
    module_download,
    pictures,
    profile,
    redemptions,
    registrations,
    scan_to_start,
    specification,
    stop_tree,
)
from tests.bench.figures import Figure, Measured
from tests.bench.plot import draw

BENCHES: dict[str, Callable[[], Awaitable[Measured]]] = {
    "scan_to_start": scan_to_start.measure,
    "redemptions": redemptions.measure,
    "bookings": bookings.measure,
    "exchange": exchange.measure,
    "registrations": registrations.measure,
    "profile": profile.measure,
    "specification": specification.measure,
    "ladder": ladder.measure,
    "pictures": pictures.measure,
    "stop_tree": stop_tree.measure,
    "agent_at_rest": agent_at_rest.measure,
    "agent_scanning": agent_scanning.measure,
    "module_download": module_download.measure,
    "live_page": live_page.measure,
}


def main(words: Sequence[str]) -> int:
    """Return 0 when every promise is held, 1 when one is not."""
    asked = _asked(words)
    found = []
    for name in [asked.name] if asked.name else BENCHES:
        found.append(asyncio.run(_measured(name)))
        if asked.plot is not None:
            draw(found[-1], asked.plot)
        if asked.json:
            print(found[-1].as_line(), flush=True)
    if not asked.json:
        _show(found)
    return 0 if all(measured.holds for measured in found) else 1


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Measure the speed next to its floor."
    )
    parser.add_argument("name", nargs="?", choices=BENCHES, help="one bench; without it all")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each bench")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the last bench as SVG")
    return parser.parse_args(words)


async def _measured(name: str) -> Measured:
    return await BENCHES[name]()


def _show(found: Sequence[Measured]) -> None:
    table = Table(title="Speed, beside floors measured in the same run", title_justify="left")
    table.add_column("what")
    for column in ("value", "floor", "ratio", "promise", "holds"):
        table.add_column(column, justify="right")
    for measured in found:
        for figure in measured.figures:
            table.add_row(*_row(figure))
        for part, value in measured.parts.items():
            table.add_row(f"  [dim]{part}[/dim]", f"[dim]{value:,.3f}[/dim]")
        table.add_section()
    Console().print(table)


def _row(figure: Figure) -> tuple[str, ...]:
    promise, verdict = "", "[dim]told[/dim]"
    if figure.promise is not None:
        promise = str(figure.promise)
        verdict = "[green]yes[/green]" if figure.holds else "[red]no[/red]"
    return (
        figure.name,
        f"{figure.value:,.2f} {figure.unit}",
        f"{figure.floor:,.2f} {figure.floor_name}",
        f"{figure.ratio:.2f}",
        promise,
        verdict,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
