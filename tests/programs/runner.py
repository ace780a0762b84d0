"""Runs a runner for a test: `python -m tests.programs.runner FOLDER`, everything in that folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from common.system import SystemClock
from common.watchdog import Notifier
from edge_agent.runner.main import run
from edge_agent.runner.settings import RunnerSettings


def settings_in(folder: Path) -> RunnerSettings:
    """Return settings with which runners in different folders know nothing of each other."""
    return RunnerSettings(
        socket=folder / "socket",
        state_folder=folder / "state",
        catalogue=folder / "catalogue.toml",
        warn_before_seconds=(60, 2, 1),
        allowed_uids=frozenset({os.getuid()}),
        boot_id_file=folder / "boot_id",
    )


if __name__ == "__main__":
    settings = settings_in(Path(sys.argv[1]))
    sys.exit(run(settings, clock=SystemClock(), notifier=Notifier()))
