"""Runs a runner for a test: `python -m tests.programs.runner FOLDER`, everything in that folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from typing_extensions import override

from common.system import SystemClock
from common.watchdog import Notifier
from edge_agent.runner.main import run
from edge_agent.runner.settings import RunnerSettings


def settings_in(folder: Path) -> RunnerSettings:
    """Return settings with which runners in different folders know nothing of each other."""
    told = folder / "resume"
    limit_seconds, requires_scan = told.read_text().split() if told.exists() else ("0", "1")
    return RunnerSettings(
        socket=folder / "socket",
        state_folder=folder / "state",
        catalogue=folder / "catalogue.toml",
        warn_before_seconds=(60, 2, 1),
        allowed_uids=frozenset({os.getuid()}),
        resume_limit_seconds=float(limit_seconds),
        resume_requires_scan=requires_scan == "1",
        boot_id_file=folder / "boot_id",
        packages_folder=folder / "packages",
        modules_elsewhere={"optics": folder / "optics"},
    )


class ClockOfAFolder(SystemClock):
    """The computer's clocks; whether a time server keeps them, the folder says."""

    def __init__(self, folder: Path) -> None:
        self._mark = folder / "time_is_kept"

    @override
    def is_synchronised(self) -> bool:
        return self._mark.exists()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sys.exit(run(settings_in(folder), clock=ClockOfAFolder(folder), notifier=Notifier()))
