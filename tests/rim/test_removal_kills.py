"""Killed at any moment of its removal, a module is told to be gone once, and only when it is.

Here at two moments by the run's dice; `./dev prove installs` does it at all of them.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.rim.install_lives import living
from tests.rim.removal_lives import moments, why_broken


async def test_d8_killed_at_any_moment_a_module_is_told_to_be_gone_once(tmp_path: Path, seed: int):
    dice = random.Random(seed)
    async with living(tmp_path) as lives:
        for moment in dice.sample(range(1, await moments(lives) + 1), 2):
            assert await why_broken(lives, [moment]) is None
