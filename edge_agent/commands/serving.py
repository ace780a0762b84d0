"""The agent as a daemon: the terminal put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog

from common.system import SystemNames, spare_what_stays
from common.watchdog import Notifier, keep_watch
from edge_agent.alone import alone_in
from edge_agent.enrolment import kept_key
from edge_agent.opened import open_terminal
from edge_agent.settings import AgentSettings
from edge_agent.terminal import Terminal


def serve(settings: AgentSettings, settings_file: Path) -> int:
    """Run the agent until SIGTERM or SIGINT, and return the exit code.

    Raises:
        CannotStart: another agent runs here, or something that it needs is not there.
    """
    with alone_in(settings.state_folder):
        kept_key(settings.state_folder, SystemNames().secret_bytes)
        return asyncio.run(_serve(settings, settings_file))


async def _serve(settings: AgentSettings, settings_file: Path) -> int:
    log = structlog.get_logger("agent")
    notifier = Notifier.from_environ(os.environ)
    stop = _told_to_stop()
    opened = open_terminal(settings)
    terminal = Terminal(settings, _runner_argv(settings_file), opened)
    try:
        async with asyncio.TaskGroup() as tasks:
            loops = terminal.loops() | {"watchdog": keep_watch(notifier, terminal.is_alive)}
            running = [tasks.create_task(loop, name=name) for name, loop in loops.items()]
            await terminal.connection.start()
            spare_what_stays()
            notifier.ready(f"terminal {opened.who.terminal}")
            log.info("started", terminal=opened.who.terminal, epoch=opened.who.epoch)
            await stop.wait()
            notifier.stopping()
            await terminal.say_goodbye()
            for task in running:
                task.cancel()
    finally:
        opened.journal.close()
    log.info("stopped", terminal=opened.who.terminal)
    return 0


def _runner_argv(settings_file: Path) -> list[str]:
    program = Path(sys.argv[0]).absolute()
    return [sys.executable, str(program), "runner", "--settings", str(settings_file.absolute())]


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
