"""Puts the runner together and runs it until it is asked to leave; its programs then stay."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Final

from common.errors import CannotStart
from common.watchdog import Notifier, keep_watch
from edge_agent.runner.catalogue import read_catalogue
from edge_agent.runner.deadlines import Clock, Deadlines
from edge_agent.runner.groups import delegated
from edge_agent.runner.held import Means
from edge_agent.runner.keeper import Keeper
from edge_agent.runner.packages import Packages
from edge_agent.runner.programs import Programs
from edge_agent.runner.records import Records
from edge_agent.runner.runs import Runs
from edge_agent.runner.server import Desk, Door, listen_on, refuse_second
from edge_agent.runner.settings import RunnerSettings
from edge_agent.runner.wipes import Wipes

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""


class BootIsUnknown(CannotStart):
    """The kernel's name for this boot in {file} cannot be read: {why}."""


def run(settings: RunnerSettings, *, clock: Clock, notifier: Notifier) -> int:
    """Run until SIGTERM or SIGINT, and leave the programs running.

    Args:
        settings: where it listens and writes, and what it may start.
        clock: CLOCK_BOOTTIME for every decision, the wall clock for what is shown.
        notifier: told when programs are adopted and the door is open, and that the loop turns.

    Returns:
        The exit code: 0, or 2 after one sentence on standard error.
    """
    try:
        refuse_second(settings.socket)
        with closing(Records(settings.state_folder)) as records:
            asyncio.run(_hold(settings, clock, records, notifier))
    except CannotStart as fault:
        sys.stderr.write(f"{fault}\n")
        return EXIT_CANNOT_START
    return 0


class _LeaveTaken(Exception):
    """The runner was asked to leave."""


async def _hold(
    settings: RunnerSettings,
    clock: Clock,
    records: Records,
    notifier: Notifier,
) -> None:
    report = logging.getLogger("rusuban.runner").error
    catalogue, boot_id = (
        read_catalogue(settings.catalogue, settings.catalogue_key),
        _read_boot_id(settings.boot_id_file),
    )
    listening = listen_on(settings.socket)
    door = Door(allowed_uids=settings.allowed_uids, report=report)
    deadlines = Deadlines(clock)
    runner = str(settings.state_folder.resolve())
    packages = Packages(
        settings.packages_folder, settings.modules_elsewhere, settings.package_owners
    )
    groups = delegated(runner)
    programs = Programs(runner=runner, clock=clock, groups=groups, packages=packages)
    programs.become_subreaper()
    asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, programs.reap)
    try:
        async with asyncio.TaskGroup() as tasks:
            means = Means(
                catalogue=catalogue,
                warn_before_seconds=settings.warn_before_seconds,
                resume_limit_seconds=settings.resume_limit_seconds,
                resume_requires_scan=settings.resume_requires_scan,
                boot_id=boot_id,
                clock=clock,
                deadlines=deadlines,
                records=records,
                programs=programs,
                tasks=tasks,
                announce=door.announce,
                report=report,
            )
            keeper = Keeper(means)
            runs = Runs(means)
            ours = (settings.state_folder, settings.catalogue)
            spared = tuple(PurePosixPath(each.resolve()) for each in ours)
            wipes = Wipes(means, keeper.live_programs, spared)
            keeper.take_up()
            runs.take_up()
            tasks.create_task(deadlines.run(), name="deadlines")
            tasks.create_task(keep_watch(notifier, lambda: True), name="watchdog")
            await _serve(door, listening, Desk(keeper, runs, wipes), notifier)
            raise _LeaveTaken  # noqa: TRY301 - how a task group is told to end
    except* _LeaveTaken:
        settings.socket.unlink(missing_ok=True)


async def _serve(door: Door, listening: socket.socket, desk: Desk, notifier: Notifier) -> None:
    leave = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    server = await door.open(listening, desk)
    notifier.ready()
    await leave.wait()
    notifier.stopping()
    server.close()
    desk.keeper.leave()


def _read_boot_id(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise BootIsUnknown(file=file, why=fault) from None
