"""Tickets read by hand: from pictures, and by the scanners that this PC has."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import typer

from common.system import SystemClock
from edge_agent.scanners import found
from edge_agent.scanners.read_ticket import load_keys, read_tickets
from edge_agent.settings import AgentSettings


def read_pictures(files: list[Path], keys: Path | None) -> int:
    """Print one JSON line for each picture, and return the exit code.

    Raises:
        CannotStart: the keys cannot be read.
    """
    known = load_keys(keys) if keys is not None else None
    return read_tickets(files, known, typer.echo, SystemClock().steady_seconds)


def look_at_scanners(
    settings: AgentSettings | None, *, watch: bool, calibration: Path | None
) -> int:
    """Tell what scanners there are, try them, or draw the code that calibrates one."""
    if calibration is not None:
        found.write_calibration(calibration)
        return 0
    told = settings.scanners if settings is not None else ()
    there = found.look_for_scanners()
    found.tell_found(there, told, typer.echo)
    if watch:
        folder = settings.state_folder if settings is not None else Path.cwd()
        seconds = SystemClock().steady_seconds
        trying = found.try_scanners(told or found.to_try(there), folder, seconds, typer.echo)
        with suppress(KeyboardInterrupt):
            asyncio.run(trying)
    return 0
