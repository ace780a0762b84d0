"""Every page in every state, once: in one language, by day or by night; `./dev prove pages` all."""

from __future__ import annotations

import asyncio
from itertools import cycle
from pathlib import Path

from tests.rim.eyes import eyes
from tests.rim.looking import look_at, reach
from tests.rim.scenes import SCENES

VIEWS_MIN = 60
"""Pages and states there were when this was written: none is lost unseen."""


def test_no_page_in_no_state_shuts_anybody_out(tmp_path: Path):
    """E: 0 faults by axe, nothing cut off zoomed or in large type; by keyboard, without script."""
    asyncio.run(looked_at_by_all(tmp_path))


async def looked_at_by_all(folder: Path) -> None:
    wrong: list[str] = []
    looked = 0
    turns = cycle((("ja", "light"), ("en", "dark"), ("ja", "dark"), ("en", "light")))
    async with eyes() as sight:
        for scene in SCENES:
            (folder / scene.__name__).mkdir()
            is_first = True
            async for view in scene(folder / scene.__name__):
                language, scheme = next(turns)
                wrong += await look_at(sight, view, language, (scheme,))
                if is_first:
                    wrong += await reach(sight, view, language)
                is_first, looked = False, looked + 1
        wrong += sight.wrongs
    assert wrong == []
    assert looked >= VIEWS_MIN
