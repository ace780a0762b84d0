"""Registrations a second, from enrolment to service information, beside their raw SQL in groups."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from cloud_controller.certificates import Authority
from cloud_controller.flows.enrolment import Given
from common.messages.service import Program
from common.messages.specification import Specification
from common.rules.enrolment import Ladder
from common.system import SystemNames
from tests.bench.books import KEYS, books_in, fresh
from tests.bench.by_statements import Script, replay
from tests.bench.figures import Measured, at_least, compared, median
from tests.bench.newcomers import (
    Newcomers,
    a_pc,
    a_program,
    ask,
    enrol,
    newcomers_in,
    recorded,
    registered_in,
    specify,
)
from tests.fakes.store import GIVEN, ClockInHand

COUNT = 1_000
"""Terminals of one run: a chain's opening day."""

PROGRAMS = 20
"""Programs that the controller knows."""

PROGRAMS_A_PC = 5
"""Programs that each PC has; its one device carries them all."""

WAITING = 32
REPETITIONS = 5

Run = Callable[[Path], Awaitable[float]]


async def measure() -> Measured:
    """Run them in turn, so that each repetition sees the same machine."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        known = [a_program(number) for number in range(PROGRAMS)]
        newcomers = await newcomers_in(Path(name), known, [_pc(n, known) for n in range(COUNT)])
        flow, certified = partial(_register, newcomers), partial(_certify, newcomers)
        bare = partial(_replay, recorded(newcomers))
        flows, floors, with_certificates = [], [], []
        for _ in range(REPETITIONS):
            flows.append(await _rate(flow, newcomers))
            floors.append(await _rate(bare, newcomers))
            with_certificates.append(await _rate(certified, newcomers))
        return Measured(
            figures=(
                compared("registrations", flows, "1/s", floors, "raw groups of 32", at_least(0.2)),
            ),
            parts={"with a certificate each": median(with_certificates)},
        )


def _pc(number: int, known: Sequence[Program]) -> Specification:
    """Return what a PC is that has some of the known programs, each PC others."""
    carries = [known[(number + nth) % PROGRAMS] for nth in range(PROGRAMS_A_PC)]
    return a_pc(number, carries, devices=1, also=PROGRAMS_A_PC - 1)


async def _register(newcomers: Newcomers, folder: Path, given: Given = GIVEN) -> float:
    """Return the seconds that all of them take, 32 at a time, each step from its message on."""
    books = books_in(folder)
    await books.open()
    waiting = iter(newcomers.each)

    async def register_next() -> None:
        for each in waiting:
            enrolled = await books.transact(enrol, each, given)
            await books.transact(specify, each, enrolled)
            await books.transact(ask, each, enrolled)

    try:
        began = time.perf_counter()
        await asyncio.gather(*(register_next() for _ in range(WAITING)))
        return time.perf_counter() - began
    finally:
        await books.close()


async def _certify(newcomers: Newcomers, folder: Path) -> float:
    """Do the same on the ladder's highest step."""
    authority = Authority(folder / KEYS, ClockInHand(), SystemNames())
    given = replace(GIVEN, ladder=Ladder.CERTIFICATE, certify=authority.certify_terminal)
    return await _register(newcomers, folder, given)


async def _replay(script: Script, folder: Path) -> float:
    return replay(script, folder)


async def _rate(run: Run, newcomers: Newcomers) -> float:
    """Return registrations a second of one run on fresh books, which then hold each just once."""
    with fresh(newcomers.folder) as folder:
        gc.collect()
        seconds = await run(folder)
        found = registered_in(folder)
        assert found == (COUNT,) * len(found), f"spent, confirmed, profiles, numbers: {found}"
        return COUNT / seconds
