"""`python -m tests.prove NAME [--for SECONDS] [--seed N] [--json]`: run one long proof."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from random import SystemRandom

from rich.console import Console

from tests.prove import (
    api,
    crash,
    deadlines,
    escrow,
    installs,
    kills,
    pages,
    redeem_race,
    rights,
    rights_rows,
    scanners,
    switches,
    tickets,
)
from tests.prove.counts import Counts

PROOFS: dict[str, Callable[[float, int], Awaitable[Counts]]] = {
    redeem_race.NAME: redeem_race.prove,
    rights.NAME: rights.prove,
    escrow.NAME: escrow.prove,
    crash.NAME: crash.prove,
    rights_rows.NAME: rights_rows.prove,
    kills.NAME: kills.prove,
    tickets.NAME: tickets.prove,
    deadlines.NAME: deadlines.prove,
    scanners.NAME: scanners.prove,
    switches.NAME: switches.prove,
    installs.NAME: installs.prove,
    pages.NAME: pages.prove,
    api.NAME: api.prove,
}

SECONDS = 30.0
LASTS = {
    crash.NAME: crash.SECONDS,
    rights_rows.NAME: rights_rows.SECONDS,
    kills.NAME: kills.SECONDS,
    deadlines.NAME: deadlines.SECONDS,
    scanners.NAME: scanners.SECONDS,
    installs.NAME: installs.SECONDS,
    pages.NAME: pages.SECONDS,
    api.NAME: api.SECONDS,
}
"""Proofs that come to an end by themselves, unless they are told to earlier."""


def main(words: Sequence[str]) -> int:
    """Return 0 when the proof holds, 1 when it does not."""
    asked = _asked(words)
    counts = asyncio.run(_proved(asked))
    if asked.json:
        print(counts.as_line())
    else:
        _show(counts)
    return 0 if counts.holds else 1


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev prove", description="Run one long proof.")
    parser.add_argument("name", choices=PROOFS)
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 30))
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser.parse_args(words)


async def _proved(asked: argparse.Namespace) -> Counts:
    seconds = asked.seconds if asked.seconds is not None else LASTS.get(asked.name, SECONDS)
    return await PROOFS[asked.name](seconds, asked.seed)


def _show(counts: Counts) -> None:
    verdict = "[green]holds[/green]" if counts.holds else "[red]does not hold[/red]"
    console = Console(highlight=False)
    console.print(f"{counts.name} {verdict}  (seed {counts.seed})")
    for sentence in counts.told or _usually_told(counts):
        console.print(f"  {sentence}", markup=False, soft_wrap=True)
    console.print(f"  {len(counts.caught)} of {len(counts.variants)} broken variants caught")
    for sentence in counts.violations:
        console.print(f"  [red]{sentence}[/red]")


def _usually_told(counts: Counts) -> Sequence[str]:
    return (
        f"{counts.schedules:,} schedules, {counts.executions:,} messages",
        f"{counts.states:,} states of all readers together",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
