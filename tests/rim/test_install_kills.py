"""Killed at any moment, an install leaves the old version or the new one, and goes on to its end.

Here at a few moments by the run's dice; `./dev prove installs` does it at all of them.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.rim.install_lives import living

OFTEN = {"install": 2, "complain": 1, "remove": 1}


async def test_killed_at_any_moment_it_is_the_old_version_or_the_new_one(tmp_path: Path, seed: int):
    dice = random.Random(seed)
    async with living(tmp_path) as lives:
        for does, often in OFTEN.items():
            count = await lives.moments(does)
            for moment in dice.sample(range(1, count + 1), often):
                assert await lives.why_broken(does, [moment]) is None
