"""`./dev prove installs`: killed at each moment of an install, cut at random bytes, lied to.

Every moment of installing over an older version, of rolling back and of removing is killed once,
and as many again are killed twice, the second time while going on. Then a download is cut at 500
random bytes. A store that writes over what is current, and a part that believes what it gets, have
to be caught.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from typing import Final

from typing_extensions import override

from common.messages.modules import CHUNK_BYTES
from common.system import SystemClock
from edge_agent.modules.download import Attempt, CutOff, DownloadTerms
from edge_agent.modules.part import Part
from tests.prove.counts import Counts
from tests.rim import removal_lives
from tests.rim.install_lives import ENDS, Lives, living
from tests.rim.lying import Behaviour, Server, archive_of, honest, ranged

NAME: Final = "installs"
SECONDS: Final = 600.0
"""At most; it comes to its end by itself after some two minutes."""

CUTS: Final = 500
CHUNKS: Final = 4
PATIENT: Final = DownloadTerms(silence_seconds=10, headers_seconds=10)

WRITES_OVER: Final = "a store that writes over what is current"
TELLS_FIRST: Final = "an uninstaller that tells before it takes away"
BELIEVES: Final = "a part that believes what it gets"


class Credulous(Part):
    """A broken variant: keeps what comes without comparing it."""

    @override
    def take(self, chunk: bytes | bytearray | memoryview) -> None:
        self._file.write(chunk)
        self.verified += len(chunk)


class Tally:
    """What was counted so far."""

    def __init__(self) -> None:
        self.moments = self.lives = self.cuts = 0
        self.cost_some = 0
        self.violations: list[str] = []
        self.caught: list[str] = []


async def prove(seconds: float, seed: int) -> Counts:
    """Return what was killed, cut and lied to, and what broke."""
    dice, ends_at, tally = random.Random(seed), time.monotonic() + seconds, Tally()
    with tempfile.TemporaryDirectory(prefix="rusuban-") as folder:
        async with living(Path(folder)) as lives:
            await _kill(lives, dice, ends_at, tally)
            await _catch_writing_over(lives, tally)
            await _kill_removals(lives, dice, ends_at, tally)
        await asyncio.to_thread(_cut, Path(folder), dice, ends_at, tally)
        await asyncio.to_thread(_catch_believing, Path(folder), tally)
    return Counts(
        name=NAME,
        seed=seed,
        states=tally.moments,
        schedules=tally.lives,
        executions=tally.cuts,
        violations=tally.violations,
        variants=[WRITES_OVER, TELLS_FIRST, BELIEVES],
        caught=tally.caught,
        told=[
            f"{tally.moments} moments, {tally.lives} times killed and gone on with",
            f"{tally.cuts} cuts, of which {tally.cost_some} cost a part of one chunk, none more",
        ],
    )


async def _kill(lives: Lives, dice: random.Random, ends_at: float, tally: Tally) -> None:
    """Kill at each moment, and at as many pairs of moments."""
    for does in ENDS:
        count = await lives.moments(does)
        tally.moments += count
        once = [[moment] for moment in range(1, count + 1)]
        twice = [[dice.randint(1, count), dice.randint(1, count)] for _ in range(count // 2)]
        for moments in once + twice:
            if time.monotonic() > ends_at:
                return
            tally.lives += 1
            if (why := await lives.why_broken(does, moments)) is not None:
                tally.violations.append(why)


async def _kill_removals(lives: Lives, dice: random.Random, ends_at: float, tally: Tally) -> None:
    """Kill at each moment of a module's removal, and at as many pairs; catch who tells first."""
    count = await removal_lives.moments(lives)
    tally.moments += count
    once = [[moment] for moment in range(1, count + 1)]
    twice = [[dice.randint(1, count), dice.randint(1, count)] for _ in range(count // 2)]
    for moments in once + twice:
        if time.monotonic() > ends_at:
            return
        tally.lives += 1
        if (why := await removal_lives.why_broken(lives, moments)) is not None:
            tally.violations.append(f"removal: {why}")
    for moment in range(1, count + 1):
        variant = removal_lives.TELLS_FIRST
        if await removal_lives.why_broken(lives, [moment], variant) is not None:
            tally.caught.append(TELLS_FIRST)
            return


async def _catch_writing_over(lives: Lives, tally: Tally) -> None:
    count = await lives.moments("install")
    for moment in range(count, 0, -1):  # what is current changes late
        if await lives.why_broken("install", [moment], "writes over") is not None:
            tally.caught.append(WRITES_OVER)
            return


def _cut(folder: Path, dice: random.Random, ends_at: float, tally: Tally) -> None:
    """Cut downloads at random bytes until it was done often enough."""
    content = dice.randbytes(CHUNKS * CHUNK_BYTES + dice.randrange(1, CHUNK_BYTES))
    archive, file = archive_of(content), folder / "cut.part"
    while tally.cuts < CUTS and time.monotonic() < ends_at:
        file.unlink(missing_ok=True)
        is_whole = False
        while not is_whole:
            cut = dice.randrange(len(content))
            part = Part(file, archive)
            start = part.verified
            here = min(start + cut, len(content))
            with Server(honest(content, cut)).going() as server:
                try:
                    Attempt(server.source, part, PATIENT, SystemClock(), lambda _: None).go()
                except CutOff:
                    tally.cuts += 1
            is_whole = part.is_whole
            part.close()
            if not is_whole and here - part.verified >= CHUNK_BYTES:
                tally.violations.append(f"{here} bytes came and {part.verified} are kept")
            tally.cost_some += here > part.verified
        if file.read_bytes() != content:
            tally.violations.append("what is whole is not what was sent")


def _catch_believing(folder: Path, tally: Tally) -> None:
    """Send another file: it must not be kept."""
    content = bytes(2 * CHUNK_BYTES)
    lie: Behaviour = ranged(CHUNK_BYTES, len(content) - 1, len(content), b"!" * CHUNK_BYTES)
    file = folder / "lie.part"
    file.write_bytes(content[:CHUNK_BYTES])
    part = Credulous(file, archive_of(content))
    with Server(lie).going() as server:
        Attempt(server.source, part, PATIENT, SystemClock(), lambda _: None).go()
    part.close()
    if file.read_bytes() != content:
        tally.caught.append(BELIEVES)
