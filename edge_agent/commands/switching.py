"""Switches told and tried by hand, where an installer stands beside them."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Final

import typer

from common.errors import CannotStart
from common.rules.actions import Level, Standing, SwitchSeen
from common.switches import told
from common.system import SystemClock, SystemNames
from edge_agent.actions import try_one
from edge_agent.flows import actions
from edge_agent.opened import open_journal
from edge_agent.runner.beside import RunnerBeside
from edge_agent.runner.link import RunnerLink
from edge_agent.settings import AgentSettings

EXIT_DID_NOT_ANSWER: Final = 1
"""The exit code of a switch that was told in vain."""


def list_switches(settings: AgentSettings) -> int:
    """Tell where each switch stood when that last changed."""
    with closing(open_journal(settings, SystemClock(), SystemNames())) as journal:
        for seen in journal.transact(actions.seen):
            typer.echo(told(seen))
    return 0


def try_switch(settings: AgentSettings, switch: str, level: Level) -> int:
    """Move one switch, and return the exit code: whether it has answered.

    Raises:
        CannotStart: the settings have no such switch, or a file of its broker cannot be read.
    """
    seen = asyncio.run(_try(settings, switch, level))
    typer.echo(told(seen))
    return 0 if seen.standing is Standing.CONFIRMED else EXIT_DID_NOT_ANSWER


async def _try(settings: AgentSettings, switch: str, level: Level) -> SwitchSeen:
    """Move a switch, by the runner where a command moves it, and return what came of it."""
    link = RunnerLink(settings.runner.socket, on_event=_nobody_hears, on_connected=_nobody_hears)
    came_of_it: SwitchSeen | CannotStart
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(link.run(), name="runner link")
        try:
            came_of_it = await try_one(settings, switch, level, RunnerBeside(link), _say)
        except CannotStart as fault:  # raised here, it would leave as one of a group
            came_of_it = fault
        task.cancel()
    if isinstance(came_of_it, CannotStart):
        raise came_of_it
    return came_of_it


def _nobody_hears(*_: object) -> None:
    """Hear and do nothing."""


def _say(where: str, fault: BaseException) -> None:
    typer.echo(f"{where}: {fault}", err=True)
