"""`./dev prove rights`: every state of the rights exchange within bounds, and every broken variant.

It is exhaustive: neither the seed nor the seconds change what it does. Its shells call the tables
and functions of production; see `rights_world`, `rights_laws`, `rights_explorer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.prove.counts import Counts
from tests.prove.rights_explorer import Found, explore
from tests.prove.rights_laws import LAWS
from tests.prove.rights_variants import VARIANTS
from tests.prove.rights_world import Scope, Shell

NAME: Final = "rights"

SCOPES: Final = (
    Scope(name="6 exchanges, 3 seats", exchanges=6, seats=3, may_refuse=True),
    Scope(
        name="3 exchanges given up or refused",
        exchanges=3,
        seats=2,
        may_refuse=True,
        may_give_up=True,
    ),
    Scope(name="4 exchanges given up, 2 seats", exchanges=4, seats=2, may_give_up=True),
    Scope(name="3 exchanges and a copied disk", exchanges=3, may_copy=True),
    Scope(
        name="2 exchanges given up and a copied disk",
        exchanges=2,
        may_copy=True,
        may_give_up=True,
    ),
    Scope(name="3 exchanges and an old backup", exchanges=3, may_restore=True),
    Scope(
        name="2 exchanges given up or refused and an old backup",
        exchanges=2,
        may_refuse=True,
        may_give_up=True,
        may_restore=True,
    ),
    Scope(
        name="1 exchange given up, a copied disk and an old backup",
        exchanges=1,
        may_give_up=True,
        may_copy=True,
        may_restore=True,
    ),
)
"""What may happen in each world, besides that anything said is lost, doubled, late and in any
order, and that either side dies at any point; the larger ones fill a minute."""

SMALL: Final = (
    Scope(name="3 exchanges", exchanges=3, seats=2, may_refuse=True),
    Scope(
        name="2 exchanges given up or refused",
        exchanges=2,
        seats=1,
        may_refuse=True,
        may_give_up=True,
    ),
    Scope(name="2 exchanges and a copied disk", exchanges=2, may_copy=True),
    Scope(name="2 exchanges and an old backup", exchanges=2, may_restore=True),
    Scope(
        name="1 exchange given up or refused and an old backup",
        exchanges=1,
        may_refuse=True,
        may_give_up=True,
        may_restore=True,
    ),
    Scope(
        name="1 exchange given up and a copied disk", exchanges=1, may_give_up=True, may_copy=True
    ),
    Scope(
        name="1 exchange, a copied disk and an old backup",
        exchanges=1,
        may_copy=True,
        may_restore=True,
    ),
)
"""The same for a test of a few seconds."""


async def prove(seconds: float, seed: int) -> Counts:  # noqa: ARG001 - it ends when all is seen
    """Explore every world, then each broken variant in the world where it does harm."""
    found = [_explored(scope) for scope in SCOPES]
    caught = {name: variant_found(name) for name in VARIANTS}
    return Counts(
        name=NAME,
        seed=seed,
        states=sum(each.states for each in found),
        schedules=len(found),
        executions=sum(each.steps for each in found),
        violations=[sentence for each in found if each.breach for sentence in _wrong(each)],
        variants=list(VARIANTS),
        caught=[name for name, each in caught.items() if each.breach is not None],
        told=list(_told(found, caught)),
    )


def variant_found(name: str) -> Found:
    """Return what is found of a broken variant."""
    variant = VARIANTS[name]
    return explore(variant.shell, variant.scope, spared=variant.spared)


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
        yield f"{words}  {each.scope}"
    states = sum(each.states for each in found)
    steps = sum(each.steps for each in found)
    seconds = sum(each.seconds for each in found)
    yield f"{states:>11,} states {steps:>12,} steps {seconds:>6.1f} s  together"
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
