"""A message there and its answer back on each step of the ladder, beside the step in the clear."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cloud_controller.broker import AccountRole
from common.ids import TerminalId
from common.mqtt import Delivery
from common.rules.enrolment import Ladder
from common.topics import Address, Channel, address_of, controller_filters, topic_of
from tests.bench.figures import Figure, Measured, compared, quantile
from tests.bench.raw_controller import ECHO, RIGHT_BYTES
from tests.bench.raw_parts import ANSWER_SECONDS_MAX, REQUEST_BYTES
from tests.rim.broker_kit import CONTROLLER, Person, office

TERMINAL = TerminalId("t-1")
REQUEST = topic_of(Address(terminal=TERMINAL, channel=Channel.REQUESTS, tail=ECHO))
REPLY = topic_of(Address(terminal=TERMINAL, channel=Channel.REPLIES))

REPETITIONS = 5
ROUNDS = 200
"""Of a repetition: the fewest of which a p99 says something."""

PAUSE_SECONDS = 0.002
"""Before each round: customers come one by one."""

Samples = Mapping[Ladder, list[float]]


@dataclass
class Line:
    """A terminal and a controller that answers it, on one step of the ladder."""

    terminal: Person
    answered: asyncio.Event

    async def round_trip(self) -> float:
        """Return the milliseconds from a request to its reply, both with QoS 1."""
        self.answered.clear()
        began = time.perf_counter()
        assert self.terminal.link.publish(REQUEST, b"." * REQUEST_BYTES, 1)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await self.answered.wait()
        return (time.perf_counter() - began) * 1000


async def measure() -> Measured:
    """Time the three steps in turns, each over a broker of its own."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        async with AsyncExitStack() as lines_open:
            lines = {
                step: await lines_open.enter_async_context(_line(Path(name) / step.name, step))
                for step in Ladder
            }
            await _samples(lines)
            taken = [await _samples(lines) for _ in range(REPETITIONS)]
    return Measured(
        figures=[
            _figure(step, taken, part)
            for part in (0.5, 0.99)
            for step in (Ladder.PASSWORD, Ladder.CERTIFICATE)
        ]
    )


@asynccontextmanager
async def _line(folder: Path, step: Ladder) -> AsyncIterator[Line]:
    await asyncio.to_thread(folder.mkdir)
    answered = asyncio.Event()
    async with office(folder, ladder=step, t_1=AccountRole.SERVICE) as desk:
        controller = Person(desk, CONTROLLER, filters=controller_filters().subscribe)
        controller.on_message = lambda delivery: _answer(controller, delivery)
        terminal = Person(desk, TERMINAL, filters=[REPLY])
        terminal.on_message = lambda _: answered.set()
        async with controller, terminal:
            yield Line(terminal=terminal, answered=answered)


def _answer(controller: Person, delivery: Delivery) -> None:
    address = address_of(delivery.topic)
    if address is not None and address.channel is Channel.REQUESTS:
        controller.link.publish(REPLY, b"." * RIGHT_BYTES, 1)


async def _samples(lines: Mapping[Ladder, Line]) -> Samples:
    """Return milliseconds of so many round trips on each step, in turns."""
    samples: dict[Ladder, list[float]] = {step: [] for step in lines}
    for _ in range(ROUNDS):
        for step, line in lines.items():
            await asyncio.sleep(PAUSE_SECONDS)
            samples[step].append(await line.round_trip())
    return samples


def _figure(step: Ladder, taken: Sequence[Samples], part: float) -> Figure:
    values, floors = (
        [quantile(samples[each], part) for samples in taken] for each in (step, Ladder.LOOPBACK)
    )
    name = f"ladder_{step.name.lower()}{'_p99' if part > 0.5 else ''}"
    return compared(name, values, "ms", floors, "in the clear")
