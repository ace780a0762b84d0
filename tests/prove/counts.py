"""What a proof says at its end: what was tried, what broke, which broken variants it caught."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """One line of a proof; it holds when nothing broke and no broken variant went unseen.

    Attributes:
        told: what a person reads of it; empty: schedules, messages and states.
    """

    name: str
    seed: int
    states: int
    schedules: int
    executions: int
    violations: Sequence[str]
    variants: Sequence[str]
    caught: Sequence[str]
    told: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        return not self.violations and set(self.caught) == set(self.variants)

    def as_line(self) -> str:
        return json.dumps(
            {
                "name": self.name,
                "seed": self.seed,
                "states": self.states,
                "schedules": self.schedules,
                "executions": self.executions,
                "violations": len(self.violations),
                "first_violation": next(iter(self.violations), None),
                "variants": len(self.variants),
                "variants_caught": len(self.caught),
                "holds": self.holds,
            },
            ensure_ascii=False,
        )
