"""What every test gets: async tests run as written, a run can be played again, some run alone."""

from __future__ import annotations

import asyncio
import fcntl
import inspect
import os
import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import structlog

ASYNC_TEST_SECONDS = 30
"""What waits longer than this waits for something that will not come."""

SEED = "RUSUBAN_SEED"

WORKERS = 4
"""How many files go on at a time: on two cores, for half of them wait more than they work."""

WAITING = ("e2e", "rim")
"""The folders whose tests mostly wait for other processes; all others work all the time."""

TESTS = Path(__file__).parent


def pytest_configure() -> None:
    """Draw the seed of this run unless one is given, and let slow machines be slow."""
    os.environ.setdefault(SEED, str(random.SystemRandom().randrange(1 << 30)))
    hypothesis.settings.register_profile("rusuban", deadline=None, print_blob=True)
    hypothesis.settings.load_profile("rusuban")


def pytest_report_header() -> str:
    """Say how to play this run's dice again."""
    return f"seed: {os.environ[SEED]} ({SEED}={os.environ[SEED]} ./dev test plays it again)"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Let workers share a run of everything; a selection is over before they have started."""
    is_selected = any(config.getoption(each, "") for each in ("keyword", "markexpr", "lf"))
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not is_selected
    return WORKERS if is_whole else 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where workers share a run, give them files that wait and files that work in turn.

    Either kind alone would leave the processors idle for one half of the run, and have more work
    than processors in the other. Files with tests that run alone come first of theirs, then what
    lasts: what is left at the end is soon over.
    """
    if not hasattr(config, "workerinput"):
        return
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    waiting = [file for file in files if _folder(file) in WAITING]
    waiting.sort(key=lambda file: (not any(map(_is_alone, files[file])), _folder(file)))
    working = [file for file in files if _folder(file) not in WAITING]
    items[:] = [item for file in _in_turn(waiting, working) for item in files[file]]


def _folder(file: Path) -> str:
    return file.relative_to(TESTS).parts[0]


def _in_turn(some: Sequence[Path], others: Sequence[Path]) -> list[Path]:
    """Return all files, the two kinds spread evenly among each other, each in its own order."""
    place = {
        file: (number + 0.5) / len(kind)
        for kind in (some, others)
        for number, file in enumerate(kind)
    }
    return sorted(place, key=lambda file: place[file])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test that is marked `alone` while no other worker runs one."""
    with in_the_room(alone=_is_alone(item)):
        return (yield)


@contextmanager
def in_the_room(*, alone: bool) -> Iterator[None]:
    """Share a room with the other workers, or have it to oneself.

    Whoever waits for it to be empty holds its door: nobody slips in before him.
    """
    room, door = (os.open(each, os.O_RDONLY | os.O_CLOEXEC) for each in (TESTS, __file__))
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
    finally:
        for held in (room, door):
            fcntl.flock(held, fcntl.LOCK_UN)
            os.close(held)


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Forget how a command that a test has run would log: where to is closed when the test is."""
    yield
    structlog.reset_defaults()


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
