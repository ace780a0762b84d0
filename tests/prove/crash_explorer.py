"""Every schedule of so many faults, by way of its moments: what follows from one is tried once.

Schedules that meet at the same moment go on alike, so that they are counted from there and not run
again. The clock, names and all else that chance decides are in the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.prove.crash_laws import wrong_with_the_answers
from tests.prove.crash_moments import Fault, FlowBroke, Moment, Step
from tests.prove.crash_world import World

STEPS_MAX: Final = 200
"""Steps without a fault after which nothing comes to rest any more."""

STEPS_OF_A_STORY: Final = 40
"""About how many there are when nothing goes wrong."""

SENTENCES_MAX: Final = 5
"""Broken promises that are told; each has its schedule."""


class TimeIsUp(Exception):
    """No schedule is begun any more."""


class Caught(Exception):
    """Something is wrong, and that is all that was asked."""


@dataclass(kw_only=True)
class Explored:
    """What came of an exploration.

    Attributes:
        points: hook points of the story when nothing goes wrong.
        schedules: how many schedules were covered, the one without a fault among them.
        moments: moments that were reached, each gone on from at real files.
        steps: transactions and deliveries that were done.
        first_faults: faults that could come first, each with all that may follow it.
        done_first: how many of these were covered.
        violations: what is wrong, each with its schedule.
    """

    points: int = 0
    schedules: int = 0
    moments: int = 0
    steps: int = 0
    first_faults: int = 0
    done_first: int = 0
    violations: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return self.done_first == self.first_faults


class Exploration:
    """Walks through the moments of one story."""

    def __init__(
        self,
        world: World,
        faults_max: int,
        *,
        is_up: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Explored], None] = lambda _: None,
        until_caught: bool = False,
    ) -> None:
        """Take the world to walk in.

        Args:
            world: both sides and a story.
            faults_max: how many faults a schedule has at the most.
            is_up: says whether the time is up.
            on_progress: told after each first fault what has come of it so far.
            until_caught: stop at the first thing that is wrong.
        """
        self.found = Explored()
        self._world = world
        self._faults_max = faults_max
        self._is_up = is_up
        self._on_progress = on_progress
        self._until_caught = until_caught
        self._known: dict[tuple[bytes, int], int] = {}
        self._trail: list[str] = []

    def run(self) -> Explored:
        """Explore the story; from its end to its beginning, so that what follows is known."""
        found = self.found
        try:
            line, found.schedules = self._line(self._world.first(), self._faults_max)
            firsts = [fault for _, step in line for fault in step.faults] * bool(self._faults_max)
            found.points = sum(fault.points for fault in firsts)
            found.first_faults = len(firsts)
            for fault in reversed(firsts):
                found.schedules += self._after(fault, self._faults_max - 1)
                found.done_first += 1
                self._on_progress(found)
        except (TimeIsUp, Caught):
            pass
        found.moments = len({key for key, _ in self._known})
        return found

    def walk(self, dice: Random) -> None:
        """Run one schedule to its end, with faults where the dice have them."""
        moment: Moment | None = self._world.first()
        odds = self._faults_max / STEPS_OF_A_STORY
        for _ in range(STEPS_MAX):
            assert moment is not None, "a walk ends where all is quiet"
            before, step = moment, self._world.step(moment, with_faults=True)
            self.found.steps += 1
            if step.after is None:
                self._judge(before)
                return
            moment = step.after
            if len(self._trail) < self._faults_max and step.faults and dice.random() < odds:
                fault = dice.choice(step.faults)
                self._trail.append(fault.words)
                moment = fault.moment
        self._note("it does not come to rest")

    def _after(self, fault: Fault, left: int) -> int:
        """Return how many schedules begin as this one does; `left` faults may still come."""
        if self._is_up():
            raise TimeIsUp
        self._trail.append(fault.words)
        count = self._from(fault.moment, left)
        self._trail.pop()
        return fault.points * count

    def _from(self, moment: Moment, left: int) -> int:
        """Return how many schedules lead on from a moment; each is tried or known."""
        line, count = self._line(moment, left)
        for key, step in reversed(line):
            if left:
                count += sum(self._after(fault, left - 1) for fault in step.faults)
            self._known[key, left] = count
        return count

    def _line(self, moment: Moment, left: int) -> tuple[list[tuple[bytes, Step]], int]:
        """Go on without a fault until all is quiet or known; return the steps, and what follows."""
        line: list[tuple[bytes, Step]] = []
        key = moment.key()
        while (count := self._known.get((key, left))) is None:
            try:
                step = self._world.step(moment, with_faults=left > 0)
            except FlowBroke as fault:
                self._note(str(fault))
                return line, 1
            self.found.steps += 1
            line.append((key, step))
            if step.after is None:
                self._judge(moment)
                return line, 1
            if len(line) > STEPS_MAX:
                self._note("it does not come to rest")
                return line, 1
            moment, key = step.after, step.after.key()
        return line, count

    def _judge(self, moment: Moment) -> None:
        for sentence in (*wrong_with_the_answers(moment), *self._world.story.wrong(self._world)):
            self._note(sentence)

    def _note(self, sentence: str) -> None:
        if len(self.found.violations) < SENTENCES_MAX:
            schedule = "; then ".join(self._trail) or "nothing goes wrong"
            self.found.violations.append(f"{sentence} ({self._world.story.name}: {schedule})")
        if self._until_caught:
            raise Caught
