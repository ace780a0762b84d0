"""A small `./dev prove deadlines`: one of its cells, with four faults at once."""

from __future__ import annotations

import asyncio
import math
from typing import Final

from tests.prove.deadlines import Scope, run
from tests.prove.deadlines_cells import Agent, Around, Cell, Runner, Store, Wall

SMALL: Final = Scope(
    cells=(Cell(agent=Agent.STOPPED, runner=Runner.KILLED, wall=Wall.AHEAD),),
    around=(Around(store=Store.BROKER_GONE, burns=False),),
    managed=1,
    by_agent=0,
    length_seconds=8,
    strike_seconds=2.5,
    stop_seconds=2.0,
    is_checked_itself=False,
)


def test_a_program_ends_on_time_whatever_meets_its_pc(seed: int):
    """Promise 4: agent stopped, runner killed, broker away, the wall clock ten years ahead."""
    found = asyncio.run(run(SMALL, math.inf, seed))
    assert found.violations == []
    assert len(found.ended) == 2 * len(SMALL.cells)
