"""What every test gets: async tests run as they are written, and a run can be played again."""

from __future__ import annotations

import asyncio
import inspect
import os
import random
from typing import Any

import hypothesis
import pytest

ASYNC_TEST_SECONDS = 30
"""What waits longer than this waits for something that will not come."""

SEED = "RUSUBAN_SEED"


def pytest_configure() -> None:
    """Draw the seed of this run unless one is given, and let slow machines be slow."""
    os.environ.setdefault(SEED, str(random.SystemRandom().randrange(1 << 30)))
    hypothesis.settings.register_profile("rusuban", deadline=None, print_blob=True)
    hypothesis.settings.load_profile("rusuban")


def pytest_report_header() -> str:
    """Say how to play this run's dice again."""
    return f"seed: {os.environ[SEED]} ({SEED}={os.environ[SEED]} ./dev test plays it again)"


@pytest.fixture
def seed() -> int:
    """Return the seed of this run; a test that rolls dice rolls them from here."""
    return int(os.environ[SEED])


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test in a loop of its own, within its limit."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    asked_for = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(_within_limit(pyfuncitem, {name: pyfuncitem.funcargs[name] for name in asked_for}))
    return True


async def _within_limit(test: pytest.Function, given: dict[str, Any]) -> None:
    async with asyncio.timeout(ASYNC_TEST_SECONDS):
        await test.obj(**given)
