"""`./dev prove tickets`: bytes and mutated tickets through the token's parser and its seal.

Two processes of their own run Atheris on `common.seals.read_token` and `token_is_ours`; see
`tickets_fuzz` for the law, `tickets_worker` for the process. What libFuzzer does in a given time
depends on the machine: the seed gives its dice, and not the number of its executions.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.prove.counts import Counts
from tests.prove.tickets_fuzz import VARIANTS, variant_found, vectors

NAME: Final = "tickets"
WORKERS: Final = 2
WANTED: Final = 100_000_000
"""Executions that a whole run has: `--for` says for how long it goes on."""

START_AND_END_SECONDS: Final = 60.0
"""What a worker may take besides, to start and to tell."""


async def prove(seconds: float, seed: int) -> Counts:
    """Fuzz for so long in two processes, then look for each broken variant."""
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_worked(seconds, seed * WORKERS + number), name=f"fuzz {number}")
            for number in range(WORKERS)
        ]
    lines = [task.result() for task in tasks]
    given = vectors()
    caught = {name: variant_found(name, given, seed) for name in VARIANTS}
    return Counts(
        name=NAME,
        seed=seed,
        states=sum(line["well_formed"] for line in lines),
        schedules=WORKERS,
        executions=sum(line["executions"] for line in lines),
        violations=[sentence for line in lines for sentence in line["violations"]],
        variants=list(VARIANTS),
        caught=[name for name, tally in caught.items() if tally.violations],
        told=list(_told(lines)),
    )


async def _worked(seconds: float, seed: int) -> dict[str, Any]:
    """Run one worker to its end and return its line."""
    with tempfile.TemporaryDirectory(prefix="rusuban-fuzz-") as name:
        words = (sys.executable, "-m", "tests.prove.tickets_worker", str(seconds), str(seed), name)
        root = Path(__file__).parents[2]
        process = await asyncio.create_subprocess_exec(
            *words, stdout=PIPE, stderr=DEVNULL, cwd=root
        )
        try:
            async with asyncio.timeout(seconds + START_AND_END_SECONDS):
                told, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            told, _ = await process.communicate()
    return _line_in(told, process.returncode)


def _line_in(told: bytes, code: int | None) -> dict[str, Any]:
    """Return a worker's line; one that died without it has found something, and it counts."""
    lines = told.decode().splitlines()
    if code == 0 and lines:
        line: dict[str, Any] = json.loads(lines[-1])
        return line
    fault = f"a worker ended with {code} and told nothing: a crash, or too long in one execution"
    return {
        "fuzzer": "unknown",
        "seconds": 0.0,
        "executions": 0,
        "well_formed": 0,
        "accepted": 0,
        "violations": [fault],
    }


def _told(lines: Sequence[dict[str, Any]]) -> Iterator[str]:
    fuzzers = sorted({line["fuzzer"] for line in lines})
    executions = sum(line["executions"] for line in lines)
    seconds = max(line["seconds"] for line in lines)
    rate = executions / seconds if seconds else 0.0
    yield f"{', '.join(fuzzers)} in {len(lines)} processes: {executions:,} executions"
    yield f"{sum(line['well_formed'] for line in lines):,} of them well formed, their seal checked"
    yield f"{sum(line['accepted'] for line in lines):,} accepted, all of them signed vectors"
    if rate:
        minutes = WANTED / rate / 60
        yield f"{rate:,.0f} executions a second: {WANTED:,} take {minutes:,.0f} minutes here"
