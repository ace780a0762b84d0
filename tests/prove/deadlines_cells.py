"""What happens to a session before it ends: every combination of the faults, and who meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from random import Random
from typing import Final

from typing_extensions import override


class Store(StrEnum):
    """What happens to what is not in the booth's PC."""

    THERE = "there"
    BROKER_GONE = "broker gone"
    CONTROLLER_GONE = "controller gone"


class Agent(StrEnum):
    """What happens to the agent."""

    THERE = "agent there"
    BACK = "agent -9, back"
    GONE = "agent -9, gone"
    STOPPED = "agent stopped"


class Runner(StrEnum):
    """What happens to the runner."""

    THERE = "runner there"
    KILLED = "runner -9"
    STOPPED = "runner stopped"


class Wall(StrEnum):
    """Where the PC's wall clock jumps."""

    RIGHT = "right"
    AHEAD = "+10 years"
    BEHIND = "-10 years"


@dataclass(frozen=True, kw_only=True)
class Around:
    """What happens to everybody at once."""

    store: Store
    burns: bool

    @override
    def __str__(self) -> str:
        """Name it as the table's head does."""
        return f"{self.store}, burn" if self.burns else str(self.store)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What happens to one PC."""

    agent: Agent
    runner: Runner
    wall: Wall

    @property
    def is_long(self) -> bool:
        """Whether something stands still for long in it."""
        return self.agent is Agent.STOPPED or self.runner is Runner.STOPPED

    @property
    def needs_manager(self) -> bool:
        """Whether a killed runner has no agent that would start it again in time."""
        is_killed = self.runner is Runner.KILLED
        return is_killed and self.agent in {Agent.GONE, Agent.STOPPED}

    @override
    def __str__(self) -> str:
        """Name it as the table's rows do."""
        parts = [
            *([self.agent] if self.agent is not Agent.THERE else []),
            *([self.runner] if self.runner is not Runner.THERE else []),
            *([f"clock {self.wall}"] if self.wall is not Wall.RIGHT else []),
        ]
        return " · ".join(parts) or "nothing"


CELLS: Final = tuple(
    Cell(agent=agent, runner=runner, wall=wall)
    for agent, runner, wall in product(Agent, Runner, Wall)
)

AROUND: Final = tuple(
    Around(store=store, burns=burns) for burns, store in product((False, True), Store)
)


@dataclass(frozen=True, kw_only=True)
class Round:
    """Sessions that run beside each other, each on a PC of its own, and what meets them all.

    Attributes:
        managed: cells of the PCs where a service manager starts the runner.
        by_agent: cells of the PCs where the agent does.
    """

    around: Around
    managed: Sequence[Cell]
    by_agent: Sequence[Cell]

    @property
    def size(self) -> int:
        """How many sessions' PCs it has."""
        return len(self.managed) + len(self.by_agent)


def rounds(
    cells: Sequence[Cell],
    around: Sequence[Around],
    *,
    managed: int,
    by_agent: int,
    dice: Random,
) -> Iterator[Round]:
    """Yield the rounds in which each cell meets each of what is around, on so many PCs at a time.

    Cells that last long stand beside others that do; the dice say which of the rest are managed.
    """
    for each in around:
        for is_long in (False, True):
            left = [cell for cell in cells if cell.is_long is is_long]
            dice.shuffle(left)
            while left:
                left.sort(key=lambda cell: cell.needs_manager, reverse=True)
                of_managed = left[:managed]
                rest = left[managed:]
                of_agents = [cell for cell in rest if not cell.needs_manager][:by_agent]
                yield Round(around=each, managed=of_managed, by_agent=of_agents)
                left = [cell for cell in rest if cell not in of_agents]
