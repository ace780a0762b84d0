"""Waiting in tests for what others make true, another process for one: not longer than it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE_SECONDS: Final = 10.0
"""What has not happened by then will not."""

LOOK_SECONDS: Final = 0.002
ASK_SECONDS: Final = 0.01


async def until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Return as soon as it holds.

    Raises:
        TimeoutError: it does not become so in time.
    """
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - few of those who make it true can call
            await asyncio.sleep(LOOK_SECONDS)


async def until_told(
    ask: Callable[[], Awaitable[object]], seconds: float = 2 * PATIENCE_SECONDS
) -> None:
    """Return as soon as whoever is asked says so: a database, which tells nobody by itself.

    Raises:
        TimeoutError: it does not become so in time.
    """
    async with asyncio.timeout(seconds):
        while not await ask():  # noqa: ASYNC110 - see above
            await asyncio.sleep(ASK_SECONDS)
