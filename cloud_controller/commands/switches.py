"""The commands about switches: where each stands, and one moved by whoever installs it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

import typer

from cloud_controller.commands.beside import SettingsFile, leave, load, look
from cloud_controller.flows import actions
from cloud_controller.settings import ControllerSettings
from common.errors import CannotStart
from common.rules.actions import Level, Standing, SwitchSeen
from common.switches import line_on_trial, told, try_switch
from common.system import SystemClock, SystemNames

commands = typer.Typer(help="Doors, lights and sockets.", no_args_is_help=True)

DID_NOT_ANSWER = 1
"""The exit code of a switch that was told in vain."""


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show where each switch stands, the controller's own and those of terminals."""

    def go() -> None:
        for owner, seen in look(load(settings), actions.all_seen):
            typer.echo(f"{owner.ljust(24)} {told(seen)}")

    leave(go)


@commands.command(name="try")
def try_one(
    switch: Annotated[str, typer.Argument(help="The switch's id.")],
    level: Annotated[Level, typer.Argument(help="on or off.")],
    settings: SettingsFile,
) -> None:
    """Move one switch of the controller's own; a running controller soon puts it right again."""

    def go() -> None:
        seen = asyncio.run(_try(load(settings), switch, level))
        typer.echo(told(seen))
        if seen.standing is not Standing.CONFIRMED:
            raise typer.Exit(DID_NOT_ANSWER)

    leave(go)


async def _try(settings: ControllerSettings, name: str, level: Level) -> SwitchSeen:
    """Move a switch and return what came of it.

    Raises:
        CannotStart: the settings have no such switch.
    """
    known = {each.switch: each for each in settings.switches}
    if name not in known:
        raise CannotStart(why=f"the settings have no switch {name}")
    assert settings.switch_broker is not None, "the settings are checked together"
    names = SystemNames()
    line = partial(line_on_trial, settings.switch_broker, known[name], names, _say)
    return await try_switch(
        known[name], level, line, seconds=SystemClock().steady_seconds, names=names
    )


def _say(where: str, fault: BaseException) -> None:
    typer.echo(f"{where}: {fault}", err=True)
