"""One tool: a state machine is a table and a step through it; what it does not name is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class Machine(Generic[S, E]):
    """A table (state, event) → state.

    `first` is where a new thing begins; a state from which nothing leads on is an end.
    """

    name: str
    first: S
    table: Mapping[tuple[S, E], S]

    def step(self, state: S, event: E) -> S | None:
        """Return the state after `event`, or None: refused, and nothing changes."""
        return self.table.get((state, event))

    def ends(self) -> frozenset[S]:
        """Return the states that nothing leads out of."""
        return frozenset(type(self.first)) - {state for state, _ in self.table}

    def as_mermaid(self) -> str:
        """Return the table as a Mermaid state diagram, so that a picture cannot lie."""
        steps: dict[tuple[S, S], list[str]] = {}
        for (state, event), after in self.table.items():
            steps.setdefault((state, after), []).append(event)
        arrows = [
            f"    {state} --> {after}: {' | '.join(events)}"
            for (state, after), events in steps.items()
        ]
        ends = [f"    {end} --> [*]" for end in type(self.first) if end in self.ends()]
        return "\n".join(["stateDiagram-v2", f"    [*] --> {self.first}", *arrows, *ends])
