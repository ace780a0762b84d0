"""The service manager is told the truth: each test listens on a real Unix datagram socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import socket
import time
from pathlib import Path

import pytest

from common.watchdog import STATUS_CHARACTERS_MAX, Notifier, keep_watch

WATCHDOG_SECONDS = 0.2
DEADLINE_SECONDS = 5.0
DATAGRAMS = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path: Path):
    """Return a listening socket and the environment systemd would give a program."""
    abstract = request.param == "abstract"
    name = f"@rusuban-{secrets.token_hex(8)}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, DATAGRAMS) as listening:
        listening.bind(name.replace("@", "\0", 1) if abstract else name)
        yield (
            listening,
            {
                "NOTIFY_SOCKET": name,
                "WATCHDOG_USEC": str(int(WATCHDOG_SECONDS * 1_000_000)),
                "WATCHDOG_PID": str(os.getpid()),
            },
        )


async def heard_next(listening: socket.socket) -> str:
    async with asyncio.timeout(DEADLINE_SECONDS):
        return (await asyncio.get_running_loop().sock_recv(listening, 4096)).decode()


def heard_so_far(listening: socket.socket) -> list[str]:
    said = []
    with contextlib.suppress(BlockingIOError):
        while True:
            said.append(listening.recv(4096).decode())
    return said


def test_a_program_says_ready_status_alive_and_stopping(manager):
    listening, environ = manager
    notifier = Notifier.from_environ(environ)
    notifier.ready("12 terminals here")
    notifier.status("13 terminals here")
    notifier.alive()
    notifier.stopping()
    assert heard_so_far(listening) == [
        "READY=1\nSTATUS=12 terminals here",
        "STATUS=13 terminals here",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_a_status_cannot_smuggle_in_a_second_line(manager):
    listening, environ = manager
    Notifier.from_environ(environ).status("all well\nWATCHDOG=trigger\r\nMAINPID=1")
    assert heard_so_far(listening) == ["STATUS=all well WATCHDOG=trigger MAINPID=1"]


def test_a_status_is_cut_to_one_readable_line(manager):
    listening, environ = manager
    Notifier.from_environ(environ).status("x" * 100_000)
    assert heard_so_far(listening) == ["STATUS=" + "x" * STATUS_CHARACTERS_MAX]


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}, {"WATCHDOG_USEC": "9"}],
)
async def test_without_a_service_manager_nothing_is_said_and_nobody_waits(environ):
    notifier = Notifier.from_environ(environ)
    notifier.ready("here")
    notifier.stopping()
    await keep_watch(notifier, lambda: True)
    assert notifier == Notifier()


@pytest.mark.parametrize("address", ["/nowhere/notify", "@nobody-listens-here", "/" + "x" * 300])
def test_a_manager_that_is_away_stops_nobody(address):
    Notifier(address=address).ready("here")


def test_a_manager_that_does_not_read_delays_nobody(tmp_path: Path):
    with socket.socket(socket.AF_UNIX, DATAGRAMS) as deaf:
        deaf.bind(str(tmp_path / "notify"))
        notifier = Notifier(address=str(tmp_path / "notify"))
        started = time.monotonic()
        for _ in range(2_000):
            notifier.alive()
        assert time.monotonic() - started < DEADLINE_SECONDS
        assert 0 < len(heard_so_far(deaf)) < 2_000


@pytest.mark.parametrize(
    "changed", [{"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_PID": "1"}]
)
async def test_the_watch_ends_at_once_when_nobody_watches_this_process(manager, changed):
    listening, environ = manager
    await keep_watch(Notifier.from_environ(environ | changed), lambda: True)
    assert heard_so_far(listening) == []


@pytest.mark.alone
async def test_the_watchdog_is_fed_at_half_its_time(manager):
    listening, environ = manager
    watch = asyncio.create_task(
        keep_watch(Notifier.from_environ(environ), lambda: True), name="watch"
    )
    fed_at = []
    for _ in range(4):
        assert await heard_next(listening) == "WATCHDOG=1"
        fed_at.append(time.monotonic())
    watch.cancel()
    gaps = [later - earlier for earlier, later in itertools.pairwise(fed_at)]
    assert min(gaps) > WATCHDOG_SECONDS * 0.4
    assert sorted(gaps)[1] < WATCHDOG_SECONDS


@pytest.mark.alone
async def test_a_program_that_is_not_alive_is_not_fed_until_it_recovers(manager):
    listening, environ = manager
    answers = iter([True, False, False, False])
    asked = 0

    def alive() -> bool:
        nonlocal asked
        asked += 1
        return next(answers, True)

    watch = asyncio.create_task(keep_watch(Notifier.from_environ(environ), alive), name="watch")
    assert await heard_next(listening) == "WATCHDOG=1"
    assert await heard_next(listening) == "WATCHDOG=1"
    watch.cancel()
    assert asked == 5


@pytest.mark.alone
async def test_a_loop_that_stands_still_is_not_fed(manager):
    listening, environ = manager
    watch = asyncio.create_task(
        keep_watch(Notifier.from_environ(environ), lambda: True), name="watch"
    )
    assert await heard_next(listening) == "WATCHDOG=1"
    block_the_loop(2 * WATCHDOG_SECONDS)
    assert heard_so_far(listening) == []
    assert await heard_next(listening) == "WATCHDOG=1"
    watch.cancel()


def block_the_loop(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass
