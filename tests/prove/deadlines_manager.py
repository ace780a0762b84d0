"""The service manager of a proof's runner: it starts, watches and restarts as the unit says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from common.system import SystemClock

UNIT: Final = Path(__file__).parents[2] / "systemd" / "edge-agent-runner.service"

SLACK_SECONDS: Final = 0.3
"""How long systemd takes to start again what was killed, as measured on a real one."""


class Manager:
    """Keeps one runner running; one that does not feed its watchdog is killed."""

    def __init__(
        self, argv: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self._argv, self._log = argv, log
        self._seconds = _watchdog_seconds()
        self._environment = environment
        self._clock = SystemClock()
        self._socket = folder / "notify.sock"
        self._process: asyncio.subprocess.Process | None = None
        self.kills: list[float] = []
        """When the watchdog has killed, in seconds since boot."""

    @property
    def pid(self) -> int | None:
        """The runner's pid while one runs."""
        running = self._process
        return None if running is None or running.returncode is not None else running.pid

    async def run(self) -> None:
        """Keep a runner running until cancelled."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
            heard.bind(str(self._socket))
            heard.settimeout(0)
            while True:
                self._process = await self._start()
                await self._watch(heard, self._process)
                await asyncio.sleep(SLACK_SECONDS)

    async def _start(self) -> asyncio.subprocess.Process:
        told = {
            "NOTIFY_SOCKET": str(self._socket),
            "WATCHDOG_USEC": str(int(self._seconds * 1_000_000)),
        }
        with self._log.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env={**os.environ, **self._environment, **told},
            )

    async def _watch(self, heard: socket.socket, process: asyncio.subprocess.Process) -> None:
        """Return when it has ended, by itself or because it was silent for too long."""
        ended = asyncio.ensure_future(process.wait())
        try:
            while not ended.done():
                word = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(heard, 4096))
                done, _ = await asyncio.wait(
                    {ended, word},
                    timeout=self._seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not word.done():
                    word.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await word
                if not done:
                    self.kills.append(self._clock.boot_seconds())
                    # As systemd does it: the watchdog's signal, and a stopped process goes on.
                    process.send_signal(signal.SIGABRT)
                    process.send_signal(signal.SIGCONT)
                    await ended
        finally:
            ended.cancel()


def _watchdog_seconds() -> float:
    found = re.search(r"^WatchdogSec=(\d+)s$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert found, "the runner's unit has a watchdog"
    return float(found[1])
