"""The last seats of a module, after which many workers are at once, on every engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.engines import ENGINES, Engine
from tests.prove.seat_race import JUST_RIGHT, raced


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
async def test_d11_in_a_race_of_many_writers_no_seat_is_taken_twice(engine: Engine, tmp_path: Path):
    """D11: 32 workers, 200 seats, 600 asks of 600 terminals: 200 get one, and nobody else."""
    assert await raced(engine, tmp_path) == JUST_RIGHT
