"""`./dev prove crash`: up to three faults at any hook points of both sides, on real files.

Each side may be killed before each statement, after each commit and between two messages; each
message may be lost, or come again and again later. After each schedule everything is said again
until all is quiet, and then both sides must agree, and nothing may have happened twice. That
schedules which met went on alike is checked by walks that run alone, with a seed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.prove.counts import Counts
from tests.prove.crash_explorer import Exploration, Explored
from tests.prove.crash_stories import STORIES
from tests.prove.crash_variants import VARIANTS, Variant, broken
from tests.prove.crash_world import World

NAME: Final = "crash"

SECONDS: Final = 1_800.0
"""As long as it may take unless somebody says otherwise; with a core of its own it takes three
minutes."""

FAULTS_MAX: Final = 3
FAULTS_OF_A_VARIANT: Final = 2
"""Faults within which each broken variant has to be noticed."""

WALKS: Final = 200
"""Schedules of each story that are drawn and run alone, from its beginning to its end."""

_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - files that outlive a kill, not the machine


async def prove(seconds: float, seed: int) -> Counts:
    """Cover what can be covered in so many seconds; say how much of all that is."""
    ends_at = time.monotonic() + seconds
    caught = [variant.name for variant in VARIANTS if is_caught(variant)]
    found = []
    with _progress() as progress:
        for left, story in zip(range(len(STORIES), 0, -1), STORIES, strict=True):
            until = time.monotonic() + max(0.0, ends_at - time.monotonic()) / left
            found.append(_explored(story, until, progress))
    for story, explored in zip(STORIES, found, strict=True):
        explored.violations += walked(story, seed, WALKS)
    return Counts(
        name=NAME,
        seed=seed,
        states=sum(each.moments for each in found),
        schedules=sum(each.schedules for each in found),
        executions=sum(each.steps for each in found),
        violations=[sentence for each in found for sentence in each.violations],
        variants=[variant.name for variant in VARIANTS],
        caught=caught,
        told=[*map(_told, STORIES, found), _told_of_all(found)],
    )


@contextmanager
def a_world(story: str) -> Iterator[World]:
    """Furnish a world in files that cost no disk."""
    where = _IN_MEMORY if _IN_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        world = World(Path(folder), STORIES[story]())
        try:
            yield world
        finally:
            world.close()


def is_caught(variant: Variant) -> bool:
    """Say whether a broken variant is noticed."""
    with a_world(variant.story) as world, broken(world, variant):
        found = Exploration(world, FAULTS_OF_A_VARIANT, until_caught=True).run()
    return bool(found.violations)


def walked(story: str, seed: int, walks: int) -> list[str]:
    """Run schedules drawn by a seed alone, each from its beginning; return what is wrong."""
    dice = Random(seed)
    with a_world(story) as world:
        for _ in range(walks):
            walk = Exploration(world, FAULTS_MAX)
            walk.walk(dice)
            if walk.found.violations:
                return [f"{sentence} (seed {seed})" for sentence in walk.found.violations]
    return []


def _explored(story: str, until: float, progress: Progress) -> Explored:
    task = progress.add_task(story, total=None, schedules=0)

    def show(found: Explored) -> None:
        progress.update(
            task,
            total=found.first_faults,
            completed=found.done_first,
            schedules=found.schedules,
        )

    is_up: Callable[[], bool] = lambda: time.monotonic() >= until  # noqa: E731 - said once
    with a_world(story) as world:
        return Exploration(world, FAULTS_MAX, is_up=is_up, on_progress=show).run()


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:8}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("first faults  {task.fields[schedules]:>13,} schedules"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _told(story: str, found: Explored) -> str:
    """Say what was covered of a story."""
    covered = (
        "all" if found.is_whole else f"{found.done_first} of {found.first_faults} first faults"
    )
    return (
        f"{story}: {found.points} hook points, {found.schedules:,} schedules ({covered}),"
        f" {found.moments:,} moments, {found.steps:,} steps on files"
    )


def _told_of_all(found: list[Explored]) -> str:
    first, done = sum(each.first_faults for each in found), sum(each.done_first for each in found)
    whole = "all there are" if first == done else f"all that begin with {done} of {first} faults"
    schedules = sum(each.schedules for each in found)
    return (
        f"together {schedules:,} schedules of up to {FAULTS_MAX} faults, {whole};"
        f" and {WALKS * len(found)} that were drawn and run alone"
    )
