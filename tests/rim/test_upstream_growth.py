"""A running branch takes seats by itself, over a real line, and gives them out without one."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from cloud_controller import upstream
from tests.fakes.controllers import PHYSICS
from tests.rim.peers_kit import both


async def test_d11_seats_of_a_named_module_are_taken_by_themselves_and_last_while_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(upstream, "LOOK_SECONDS", 0.02)
    async with AsyncExitStack() as stack:
        root, branch = await both(stack, tmp_path)
        async with branch.runs([PHYSICS]):
            for owned in (2, 4, 6):
                assert owned == 2 or await branch.books.transact(give_out_all) == 2
                await branch.grown_to(owned)
            await branch.settled()
        assert await branch.owned() == (await root.pool())[1] == 6
        assert await branch.books.transact(give_out_all) == 2, "it is cut off, and has some"


def give_out_all(books: Any) -> int:
    """Have every seat that is here in use; return how many that were."""
    pool = books.rights.pool(module=PHYSICS)
    free = int(pool["owned"] - pool["used"])
    return free if books.rights.take_seats(module=PHYSICS, seats=free) else 0
