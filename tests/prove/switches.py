"""Switches on a real broker, under all that happens to them; at the end each is as it should.

A story is one seed: customers come and go at two booths, people turn lamps by hand, lamps ignore,
lie and babble, the broker is killed and comes back, the program that moves them dies anywhere. Then
it grows calm, and every lamp must be what its booths need; and no door has opened twice for one
session.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from common.logs import set_up_logs
from common.rules.actions import (
    Course,
    Kind,
    Level,
    Patience,
    Pulse,
    PulseState,
    Scene,
    Switch,
    confirmed,
    levels,
)
from common.switches import MqttSwitch, board
from tests.prove.counts import Counts
from tests.rim.lamp_kit import (
    Lamp,
    Moved,
    Shelf,
    StoreBroker,
    lamp_switch,
    moving,
    store_broker,
)
from tests.waiting import until

NAME: Final = "switches"
STEPS: Final = 40
CALM_SECONDS: Final = 8.0
"""How long it may take until everything is right: the broker's return, and four tries."""

VARIANT_STORIES_MAX: Final = 12
"""Stories in which a broken variant must show."""

BOOTHS: Final = ("booth-1", "booth-2")
NEXT: Final = {
    "available": ("preparing", "out_of_order"),
    "preparing": ("in_use", "turnover"),
    "in_use": ("finishing",),
    "finishing": ("turnover",),
    "turnover": ("available",),
    "out_of_order": ("available",),
}
MOODS: Final = ("obeys", "obeys", "ignores", "lies", "babbles")


async def prove(seconds: float, seed: int) -> Counts:
    """Tell stories for so long, then see each broken variant caught."""
    set_up_logs(level="critical")
    until = time.monotonic() + seconds
    wrong: list[str] = []
    told = 0
    for story in itertools.count(seed):
        wrong += await _story(story, nullcontext)
        told += 1
        if wrong or time.monotonic() > until:
            break
    caught = [name for name, broken in VARIANTS.items() if await _is_caught(seed, broken)]
    return Counts(
        name=NAME,
        seed=seed,
        states=0,
        schedules=told,
        executions=told * STEPS,
        violations=wrong,
        variants=list(VARIANTS),
        caught=caught,
        told=[f"{told} stories of {STEPS} steps on a real broker"],
    )


async def _is_caught(seed: int, broken: Callable[[], AbstractContextManager[None]]) -> bool:
    for story in range(seed, seed + VARIANT_STORIES_MAX):
        if await _story(story, broken):
            return True
    return False


async def _story(seed: int, broken: Callable[[], AbstractContextManager[None]]) -> list[str]:
    """Return what was wrong at the end of a story, in sentences."""
    dice = Random(seed)
    lamp = lamp_switch(devices=["booth-1"], after_seconds=0.2, answer_seconds=0.1)
    door = lamp_switch(
        switch="door", topic="door/set", status_topic="door/state", kind=Kind.PULSE,
        after_seconds=0.2, answer_seconds=0.1,
    )  # fmt: skip
    socket = lamp_switch(
        switch="socket", topic="socket/set", status_topic="socket/state",
        when="until_clean", answer_seconds=0.1,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, store_broker(Path(folder)) as broker, broken():
        telling = _Telling(dice, broker, (lamp, door, socket))
        return [f"seed {seed}: {wrong}" for wrong in await telling.tell()]


class _Telling:
    """One story: the lamps, the booths, and the program that moves the ones for the others."""

    def __init__(self, dice: Random, broker: StoreBroker, switches: tuple[MqttSwitch, ...]) -> None:
        self.dice, self.broker, self.switches = dice, broker, switches
        self.shelf = Shelf(*switches)
        self.states = dict.fromkeys(BOOTHS, "available")
        self.sessions = Counter[str]()
        self.lamps: dict[str, Lamp] = {}

    async def tell(self) -> list[str]:
        async with AsyncExitStack() as held:
            for switch in self.switches:
                lamp = Lamp(self.broker, switch.switch)
                self.lamps[switch.switch] = await held.enter_async_context(lamp)
            left = STEPS
            while left:
                steps = min(left, self.dice.randrange(1, 20))
                settings = self.broker.settings()
                async with moving(settings, *self.switches, shelf=self.shelf) as moved:
                    for _ in range(steps):
                        await self._step(moved)
                left -= steps
            return await self._calm()

    async def _step(self, moved: Moved) -> None:
        match self.dice.randrange(6):
            case 0 | 1 | 2:
                booth = self.dice.choice(BOOTHS)
                self.states[booth] = self.dice.choice(NEXT[self.states[booth]])
                self.sessions[booth] += self.states[booth] == "preparing"
                name = f"{booth}-{self.sessions[booth]}"
                moved.becomes(self.states[booth], session=name, place=booth)
            case 3:
                self._any_lamp().turn_by_hand(on=self.dice.random() < 0.5)
            case 4:
                self._any_lamp().mood = self.dice.choice(MOODS)
            case _ if self.broker.process is not None:
                self.broker.kill()
            case _:
                self.broker.start()
        await asyncio.sleep(self.dice.random() * 0.05)

    def _any_lamp(self) -> Lamp:
        return self.lamps[self.dice.choice(sorted(self.lamps))]

    async def _calm(self) -> list[str]:
        """Let everything work, turn all by hand once more, and look."""
        if self.broker.process is None:
            self.broker.start()
        for lamp in self.lamps.values():
            lamp.mood = "obeys"
        async with moving(self.broker.settings(), *self.switches, shelf=self.shelf):
            for lamp in self.lamps.values():
                lamp.turn_by_hand(on=self.dice.random() < 0.5)
            wrong = await self._left_wrong()
            if not wrong:
                self.lamps["lamp"].turn_by_hand(on=not self.lamps["lamp"].is_on)
                wrong = await self._left_wrong()
        return [*wrong, *self._opened_twice()]

    async def _left_wrong(self) -> list[str]:
        with suppress(TimeoutError):
            await until(lambda: not self._wrong(), CALM_SECONDS)
        return self._wrong()

    def _wrong(self) -> list[str]:
        served = ("preparing", "in_use", "finishing")
        needed = {
            "lamp": self.states["booth-1"] in served,
            "door": False,
            "socket": any(state in (*served, "turnover") for state in self.states.values()),
        }
        return [
            f"the {name} is {Level.ON if self.lamps[name].is_on else Level.OFF}"
            for name, is_on in needed.items()
            if self.lamps[name].is_on is not is_on
        ]

    def _opened_twice(self) -> list[str]:
        pulses = [pulse for pulse in self.shelf.pulses.values() if pulse.state is PulseState.SENT]
        opened = self.lamps["door"].told.count("ON")
        if opened > len(pulses):
            return [f"the door opened {opened} times for {len(pulses)} sessions"]
        return []


@contextmanager
def _broken(whose: Any, name: str, by: object) -> Iterator[None]:
    """Have something work otherwise for a while."""
    right = getattr(whose, name)
    setattr(whose, name, by)
    try:
        yield
    finally:
        setattr(whose, name, right)


def _first_needs(switch: Switch, scenes: Iterable[Scene]) -> bool:
    mine = [each for each in scenes if levels._concerns(switch, each)]
    return any(levels._needs(switch, each) for each in mine[:1])


async def _begin_without_a_note(_shelf: Shelf, _pulse: Pulse) -> bool:
    return True


def _never_again(course: Course, patience: Patience, now: float) -> Course:
    return replace(confirmed(course, patience, now), due_at=math.inf)


VARIANTS: Final[dict[str, Callable[[], AbstractContextManager[None]]]] = {
    "only the first booth counts": partial(_broken, levels, "is_needed", _first_needs),
    "a pulse is not noted": partial(_broken, Shelf, "begin_pulse", _begin_without_a_note),
    "nobody looks again": partial(_broken, board, "confirmed", _never_again),
}
