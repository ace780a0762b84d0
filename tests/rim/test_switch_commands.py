"""A switch that a command of the catalogue moves, by a real runner: done when it ends with 0."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from common.rules.actions import Kind, Standing, Trouble
from common.switches import Board
from edge_agent.actions import Commands
from edge_agent.runner.beside import RunnerBeside
from edge_agent.settings import AgentSwitch
from tests.rim.lamp_kit import Moved, Shelf
from tests.rim.runner_kit import Terminal, terminal_in
from tests.waiting import until


@asynccontextmanager
async def moving(terminal: Terminal, switch: AgentSwitch) -> AsyncIterator[Moved]:
    """Run a board whose switch is moved by the commands of this terminal's catalogue."""
    shelf = Shelf(switch)
    board = Board(
        [switch],
        shelf,
        seconds=time.monotonic,
        random=random.random,
        new_run=lambda: random.randbytes(8).hex(),
    )
    commands = Commands([switch], RunnerBeside(terminal.link), board)
    board.doers = {switch.switch: commands}
    async with asyncio.TaskGroup() as group:
        loops = {"board": board.run(), "commands": commands.run()}
        tasks = [group.create_task(loop, name=name) for name, loop in loops.items()]
        yield Moved(board, shelf)
        for task in tasks:
            task.cancel()


def a_switch(on: str, off: str = "count", **other: Any) -> AgentSwitch:
    return AgentSwitch(
        switch="lamp",
        what="command",
        command_on=on,
        command_off=off,
        **{"again_seconds": 0.1} | other,
    )


def count(terminal: Terminal) -> int:
    file = terminal.folder / "count"
    return file.read_text().count("once") if file.exists() else 0


async def test_a_command_puts_a_light_on_and_is_run_again_each_time_it_is_looked_after(
    tmp_path: Path,
):
    async with terminal_in(tmp_path) as terminal, moving(terminal, a_switch("count")) as moved:
        moved.becomes("in_use")
        await until(lambda: moved.shelf.standings() == [Standing.CONFIRMED])
        await until(lambda: count(terminal) >= 3)
        assert moved.shelf.standings() == [Standing.CONFIRMED]


async def test_a_door_by_a_command_is_opened_once_a_session(tmp_path: Path):
    door = a_switch("count", "", kind=Kind.PULSE, after_seconds=1)
    async with terminal_in(tmp_path) as terminal, moving(terminal, door) as moved:
        for state in ("preparing", "in_use", "finishing"):
            moved.becomes(state)
            await until(lambda: moved.shelf.standings() == [Standing.CONFIRMED])
        moved.becomes("available")
        moved.becomes("preparing", session="s-2")
        await until(lambda: count(terminal) == 2)


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        ("fails", Trouble.COMMAND_FAILED),
        ("missing", Trouble.COMMAND_TIMED_OUT),
        ("game", Trouble.COMMAND_REFUSED),
    ],
)
async def test_a_command_that_does_not_work_says_why(tmp_path: Path, command, trouble):
    async with terminal_in(tmp_path) as terminal, moving(terminal, a_switch(command)) as moved:
        moved.becomes("in_use")
        await until(lambda: moved.shelf.standings() == [Standing.UNANSWERED])
        assert moved.shelf.noted[0].trouble is trouble


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"what": "command"}, "`command_on`"),
        ({"what": "command", "command_on": "on", "topic": "lamp/set"}, "`topic` goes with"),
        ({"topic": "lamp/set", "command_on": "on"}, "`command_on` goes with"),
        ({"what": "command", "command_on": "on"}, "only a pulse"),
        ({"what": "command", "command_on": "/bin/sh -c x"}, "pattern"),
    ],
)
def test_settings_that_mix_messages_and_commands_are_refused(wrong, why):
    with pytest.raises(ValidationError, match=why):
        AgentSwitch(switch="lamp", **wrong)
