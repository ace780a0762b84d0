"""Making the service information of a PC with many programs, beside digesting the same words."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from common.messages.service import Program, ServiceProfile
from common.messages.specification import Specification
from common.rules.service import profile_of
from common.seals import digest_of
from tests.bench.by_statements import ear_in
from tests.bench.figures import Measured, compared, limited, median, quantile
from tests.bench.newcomers import Newcomers, a_pc, a_program, ask, enrol, newcomers_in, specify

PROGRAMS = 100
DEVICES = 16

ALSO = 10
"""Programs that a device may carry besides its own."""

MS_MAX = 5.0
"""The writer does nothing else meanwhile: a scan would wait for it."""

REPETITIONS = 5
SAMPLES = 200
"""Of a repetition: the fewest of which a p99 says something."""

RULE, FLOOR, FLOW = "the rule", "canonical JSON, SHA-256", "the flow, without its commit"

Deed = Callable[[], object]


async def measure() -> Measured:
    """Time the rule and its floor in turn, then the flow around the rule; all is computing."""
    known = [a_program(number) for number in range(PROGRAMS)]
    specification = a_pc(1, known, DEVICES, ALSO)
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        newcomers = await newcomers_in(Path(name), known, [specification])
        told = {program.program: program for program in known}
        document = _made(specification, told).model_dump(mode="json", exclude={"profile_digest"})
        pair = {RULE: lambda: _made(specification, told), FLOOR: lambda: digest_of(document)}
        with _flow(newcomers) as flow:
            taken = [{**_taken(pair), **_taken({FLOW: flow})} for _ in range(REPETITIONS)]
    half, most = ([_quantiles(each, part) for each in taken] for part in (0.5, 0.99))
    rules = [each[RULE] for each in half]
    return Measured(
        figures=(
            limited("profile", rules, "ms", MS_MAX),
            limited("profile_p99", [each[RULE] for each in most], "ms", MS_MAX),
            compared("profile_beside_digest", rules, "ms", [each[FLOOR] for each in half], FLOOR),
        ),
        parts={
            FLOW: median([each[FLOW] for each in half]),
            "the longest": max(max(each[RULE]) for each in taken),
        },
    )


def _made(specification: Specification, told: Mapping[str, Program]) -> ServiceProfile:
    numbers = {
        found.key: (f"d-{number:020}", number)
        for number, found in enumerate(specification.devices, start=1)
    }
    profile = profile_of(
        specification,
        told,
        store="shinjuku",
        store_number=1,
        numbers=numbers,
        time_zone="Asia/Tokyo",
    )
    assert (len(profile.devices), len(profile.programs)) == (DEVICES, PROGRAMS)
    return profile


@contextmanager
def _flow(newcomers: Newcomers) -> Iterator[Deed]:
    """Give what answers a request: reading, deciding, numbering, keeping, all undone after."""
    (newcomer,) = newcomers.each
    with ear_in(newcomers.folder) as ear:
        enrolled = ear.do(enrol, newcomer)
        ear.do(specify, newcomer, enrolled)

        def answer() -> None:
            ear.connection.execute("BEGIN IMMEDIATE")
            ear.do(ask, newcomer, enrolled)
            ear.connection.execute("ROLLBACK")

        yield answer


def _taken(deeds: Mapping[str, Deed]) -> Mapping[str, list[float]]:
    """Return milliseconds of each deed, done in turns: of our own computing, not of waiting."""
    taken: dict[str, list[float]] = {name: [] for name in deeds}
    for _ in range(SAMPLES):
        for name, deed in deeds.items():
            began = time.thread_time()
            deed()
            taken[name].append((time.thread_time() - began) * 1000)
    return taken


def _quantiles(taken: Mapping[str, list[float]], part: float) -> Mapping[str, float]:
    return {name: quantile(samples, part) for name, samples in taken.items()}
