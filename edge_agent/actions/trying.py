"""One switch of this terminal moved by whoever installs it, beside an agent that runs or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from common.errors import CannotStart
from common.rules.actions import Level, SwitchSeen
from common.switches import Board, Doer, line_on_trial, try_switch
from common.system import SystemClock, SystemNames
from edge_agent.actions.commands import Commands, RunsCommands
from edge_agent.settings import AgentSettings, AgentSwitch

Report = Callable[[str, BaseException], None]


async def try_one(
    settings: AgentSettings, name: str, level: Level, runner: RunsCommands, report: Report
) -> SwitchSeen:
    """Move a switch as the agent would, and return what came of it.

    Raises:
        CannotStart: the settings have no such switch, or a file of its broker cannot be read.
    """
    known = {each.switch: each for each in settings.switches}
    if name not in known:
        raise CannotStart(why=f"the settings have no switch {name}")
    switch, names = known[name], SystemNames()
    if switch.is_by_mqtt:
        assert settings.switch_broker is not None, "the settings are checked together"
        doer = partial(line_on_trial, settings.switch_broker, switch, names, report)
    else:
        doer = partial(_commands_on_trial, switch, runner)
    return await try_switch(switch, level, doer, seconds=SystemClock().boot_seconds, names=names)


@asynccontextmanager
async def _commands_on_trial(
    switch: AgentSwitch, runner: RunsCommands, board: Board
) -> AsyncIterator[Doer]:
    commands = Commands([switch], runner, board)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(commands.run(), name="commands on trial")
        yield commands
        task.cancel()
