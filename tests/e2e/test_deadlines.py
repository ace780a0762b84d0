"""A small `./dev prove deadlines`: one of its cells, with four faults at once."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from itertools import product
from random import Random
from typing import Final

from tests.prove.deadlines import Scope, run
from tests.prove.deadlines_cells import (
    AROUND,
    CELLS,
    Agent,
    Around,
    Cell,
    Runner,
    Store,
    Wall,
    rounds,
)

SMALL: Final = Scope(
    cells=(Cell(agent=Agent.STOPPED, runner=Runner.KILLED, wall=Wall.AHEAD),),
    around=(Around(store=Store.BROKER_GONE, burns=False),),
    managed=1,
    by_agent=0,
    length_seconds=10,
    strike_seconds=5.0,
    spare_seconds=3.0,
    stop_seconds=2.0,
    is_checked_itself=False,
)


def test_every_combination_is_tried_once_and_no_killed_runner_is_left_to_a_dead_agent(seed: int):
    """What the long proof has not cast, it cannot have shown."""
    played = list(rounds(CELLS, AROUND, managed=4, by_agent=5, dice=Random(seed)))
    tried = [(cell, each.around) for each in played for cell in (*each.managed, *each.by_agent)]
    assert Counter(tried) == Counter(product(CELLS, AROUND))
    assert not any(cell.needs_manager for each in played for cell in each.by_agent)


def test_a_program_ends_on_time_whatever_meets_its_pc(seed: int):
    """Promise 4: agent stopped, runner killed, broker away, the wall clock ten years ahead."""
    found = asyncio.run(run(SMALL, math.inf, seed))
    assert found.violations == []
    assert len(found.ended) == 2 * len(SMALL.cells)
