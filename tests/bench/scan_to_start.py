"""From a frame in memory to the program's first byte, beside the sum of its raw parts."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence

from edge_agent.scanners.decoders import Frame
from tests.bench.counter import DEVICES_A_TERMINAL
from tests.bench.figures import Figure, Measured, at_most, compared, median, quantile
from tests.bench.raw_parts import RawParts, raw_parts
from tests.bench.stage import Stage, stage

REPETITIONS = 3
SCANS = 200
"""Scans of a repetition: the fewest of which a p99 says something."""

TURN = 20
"""Scans, then all parts as often: near enough to see one machine, and alike in their pauses."""

WARM_UPS = TURN
SCANS_AS_INSTALLED = 40
"""Each takes a tenth of a second, and they hardly differ."""

PAUSE_SECONDS = 0.01
"""Before each scan and each round of the parts alike: a customer finds a machine at rest."""

Samples = Mapping[str, Sequence[float]]
SCAN = "scan"


async def measure() -> Measured:
    """Time scans and parts in turn, then the same stack as its libraries come."""
    count = REPETITIONS * SCANS + WARM_UPS
    room = -(-count // DEVICES_A_TERMINAL) * DEVICES_A_TERMINAL
    async with (
        stage(count) as ready,
        raw_parts(ready.world.folder / "raw", ready.first_byte, ready.program, room) as raw,
    ):
        await _samples(ready, raw, WARM_UPS)
        repetitions = [await _samples(ready, raw, SCANS) for _ in range(REPETITIONS)]
    scans = [quantile(samples[SCAN], 0.5) for samples in repetitions]
    as_installed = await _as_installed()
    return Measured(
        figures=(
            _figure("scan_to_start", repetitions, 0.5, limit=1.2),
            _figure("scan_to_start_p99", repetitions, 0.99, limit=1.4),
            Figure(
                name="scan_to_start_beside_defaults",
                value=median(scans),
                unit="ms",
                floor=as_installed,
                floor_name="the same with library defaults",
                ratio=median(scans) / as_installed,
                promise=at_most(0.1),
            ),
        ),
        parts={
            part: median([quantile(samples[part], 0.5) for samples in repetitions])
            for part in repetitions[0]
            if part != SCAN
        },
    )


async def _samples(ready: Stage, raw: RawParts, count: int) -> Samples:
    """Return milliseconds of so many scans, and of every part just as often, in turns."""
    samples: dict[str, list[float]] = {SCAN: []}
    for _ in range(count // TURN):
        frames = list(itertools.islice(ready.frames, TURN))
        for frame in frames:
            samples[SCAN].append(await _scan(ready, frame))
        await ready.settled()
        async for part, milliseconds in raw.each(frames, PAUSE_SECONDS):
            samples.setdefault(part, []).append(milliseconds)
    return samples


async def _scan(ready: Stage, frame: Frame) -> float:
    await ready.settled()
    await asyncio.sleep(PAUSE_SECONDS)
    return await ready.scan(frame)


async def _as_installed() -> float:
    """Return the median of scans where neither end of a connection sends small packets at once."""
    scans = []
    async with stage(SCANS_AS_INSTALLED, is_as_installed=True) as ready:
        for frame in ready.frames:
            scans.append(await _scan(ready, frame))  # noqa: PERF401 - one after the other
    return median(scans)


def _figure(name: str, repetitions: Sequence[Samples], part: float, *, limit: float) -> Figure:
    """Compare a quantile of the scans with the sum of that quantile of each part."""
    values = [quantile(samples[SCAN], part) for samples in repetitions]
    floors = [sum(_quantiles_of_parts(samples, part)) for samples in repetitions]
    return compared(name, values, "ms", floors, "sum of its raw parts", at_most(limit))


def _quantiles_of_parts(samples: Samples, part: float) -> Iterator[float]:
    return (quantile(times, part) for name, times in samples.items() if name != SCAN)
