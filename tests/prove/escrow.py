"""`./dev prove escrow`: seats between controllers in every state, and in races for the last ones.

It is exhaustive within its worlds, over the flows and the SQL of production; there neither the seed
nor the seconds change what it does. See `escrow_world`, `escrow_explorer`, `seat_race`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from common.logs import set_up_logs
from tests.contracts.engines import ENGINES
from tests.prove.counts import Counts
from tests.prove.escrow_explorer import LAWS, Found, explore
from tests.prove.escrow_variants import VARIANTS
from tests.prove.escrow_world import Scope, Shell, Wish
from tests.prove.seat_race import ASKS, SEATS, WORKERS, raced

NAME: Final = "escrow"

SOME: Final = (Wish(1), Wish(2, 1), Wish(-1))
"""One seat or none, two or one, and one back."""

SCOPES: Final = (
    Scope(name="a branch, 4 exchanges, 3 seats", owned=3, branches=1, exchanges=4, wishes=SOME),
    Scope(
        name="a branch, 3 exchanges given up, 2 seats",
        owned=2,
        branches=1,
        exchanges=3,
        wishes=(Wish(2, 1), Wish(-1)),
        may_give_up=True,
    ),
    Scope(name="two branches, 2 exchanges each", owned=2, branches=2, exchanges=2, wishes=SOME),
    Scope(
        name="two branches, an exchange each given up, 3 seats",
        owned=3,
        branches=2,
        exchanges=1,
        wishes=SOME,
        may_give_up=True,
    ),
)
"""What may happen in each world, besides that anything said is lost, doubled, late, in any order,
that any line is cut for as long as one likes, and that everybody dies between any two steps."""

SMALL: Final = (
    Scope(name="a branch, 2 exchanges", owned=2, branches=1, exchanges=2, wishes=SOME),
    Scope(name="two branches, an exchange each", owned=2, branches=2, exchanges=1, wishes=SOME),
)
"""The same for a test of a second."""

STATES_MAX: Final = 5_000
"""States after which the world of a variant is left; each variant is caught in fewer."""

RACES: Final = 5
"""Races for the last seats on each engine."""


async def prove(seconds: float, seed: int) -> Counts:  # noqa: ARG001 - it ends when all is seen
    """Explore every world, then each broken variant where it does harm; then race on engines."""
    set_up_logs(level="critical")
    found = [_explored(scope) for scope in SCOPES]
    caught = {name: variant_found(name) for name in VARIANTS}
    races = [f"{name}: {wrong}" async for name, wrong in _raced()]
    return Counts(
        name=NAME,
        seed=seed,
        states=sum(each.states for each in found),
        schedules=len(found) + RACES * len(ENGINES),
        executions=sum(each.steps for each in found),
        violations=[*(line for each in found if each.breach for line in _wrong(each)), *races],
        variants=list(VARIANTS),
        caught=[name for name, each in caught.items() if each.breach is not None],
        told=list(_told(found, caught)),
    )


def variant_found(name: str) -> Found:
    """Return what is found of a broken variant."""
    variant = VARIANTS[name]
    return explore(variant.shell, variant.scope, spared=variant.spared, states_max=STATES_MAX)


async def _raced():
    for engine in ENGINES:
        for _ in range(RACES):
            with tempfile.TemporaryDirectory(prefix="rusuban-race-") as folder:
                for wrong in (await raced(engine, Path(folder))).wrongs():
                    yield engine.name, wrong


def _explored(scope: Scope) -> Found:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    states = TextColumn("{task.completed:,} of {task.total:,} states known so far")
    with Progress(*columns, states, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(scope.name, total=1)
        return explore(
            Shell,
            scope,
            on_states=lambda done, known: progress.update(task, completed=done, total=known),
        )


def _told(found: list[Found], caught: Mapping[str, Found]) -> Iterator[str]:
    yield "exhaustive: the seed and --for change nothing"
    for each in found:
        words = f"{each.states:>11,} states {each.steps:>12,} steps {each.seconds:>6.1f} s"
        yield f"{words}  {each.scope} ({each.transactions:,} transactions)"
    yield f"{RACES} races of {WORKERS} workers on each engine: {SEATS} seats, {ASKS} asks"
    for name, each in caught.items():
        yield ""
        yield f"variant: {name}"
        if each.breach is None:
            yield f"  not caught in {each.states:,} states"
        else:
            yield from _wrong(each)


def _wrong(found: Found) -> Iterator[str]:
    """Yield what was wrong and the shortest way there."""
    assert found.breach is not None
    law, _, what = found.breach.partition(" ")
    yield f"  breaks {law} ({LAWS[law]}): {what}"
    for number, step in enumerate(found.trace, start=1):
        yield f"  {number:>4}  {step}"
