"""The agent's commands: run, runner, enrol, read-ticket, scanners, switches, modules, catalogue.

Each loads what it needs when it is asked for: a runner that was killed is back in half the time
without the agent's part, and its programs' deadlines wait for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from common.errors import RusubanError
from common.logs import set_up_logs
from common.rules.actions import Level
from common.system import look_for_garbage
from edge_agent.runner.catalogue.commands import catalogue_group
from edge_agent.settings import AgentSettings

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

SettingsFile = Annotated[Path, typer.Option("--settings", help="The agent's TOML file.")]


def _leave(go: Callable[[], int]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    look_for_garbage()
    try:
        code = go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        code = EXIT_CANNOT_START
    except typer.Abort:
        sys.stderr.write("Nothing was answered; nothing has changed.\n")
        code = EXIT_CANNOT_START
    raise typer.Exit(code)


def _load(file: Path) -> AgentSettings:
    settings = AgentSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


def list_switches(settings: SettingsFile) -> None:
    """Show where each switch of this terminal stood when that last changed."""
    from edge_agent.commands import switching

    _leave(lambda: switching.list_switches(_load(settings)))


def try_switch(
    switch: Annotated[str, typer.Argument(help="The switch's id.")],
    level: Annotated[Level, typer.Argument(help="on or off.")],
    settings: SettingsFile,
) -> None:
    """Move one switch of this terminal; an agent that runs soon puts it right again."""
    from edge_agent.commands import switching

    _leave(lambda: switching.try_switch(_load(settings), switch, level))


def list_modules(settings: SettingsFile) -> None:
    """Show where each package of this terminal stands: its programs' own, and modules."""
    from edge_agent.commands import packaging

    _leave(lambda: packaging.list_packages(_load(settings)))


def watch_modules(
    settings: SettingsFile,
    *,
    until_settled: Annotated[
        bool, typer.Option("--until-settled", help="End when nothing is under way.")
    ] = False,
) -> None:
    """Show how far each package is, with a bar, until Ctrl-C."""
    from edge_agent.commands import packaging

    _leave(lambda: packaging.watch_packages(_load(settings), until_settled=until_settled))


def uninstall_module(
    package: Annotated[str, typer.Argument(help="A module, or a program's package.")],
    settings: SettingsFile,
) -> None:
    """Want a package off this PC; of modules goes what came from us and nothing else needs."""
    from edge_agent.commands import packaging

    _leave(lambda: packaging.uninstall(_load(settings), package))


def _with_groups() -> typer.Typer:
    made = typer.Typer(
        help="Rusuban's edge agent: reads tickets and runs the devices of one store PC.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    switches = typer.Typer(help="Doors, lights and sockets.", no_args_is_help=True)
    switches.command(name="list")(list_switches)
    switches.command(name="try")(try_switch)
    made.add_typer(switches, name="switches")
    packages = typer.Typer(help="Packages of programs and modules.", no_args_is_help=True)
    packages.command(name="list")(list_modules)
    packages.command(name="watch")(watch_modules)
    packages.command(name="uninstall")(uninstall_module)
    made.add_typer(packages, name="modules")
    made.add_typer(catalogue_group(_leave), name="catalogue")
    return made


command_line = _with_groups()


@command_line.command()
def run(settings: SettingsFile) -> None:
    """Run the agent until it is told to stop."""
    from edge_agent.commands.serving import serve

    _leave(lambda: serve(_load(settings), settings))


@command_line.command()
def runner(settings: SettingsFile) -> None:
    """Run the runner, which holds the programs and their deadlines."""
    from edge_agent.commands.running import run_runner

    _leave(lambda: run_runner(_load(settings)))


@command_line.command()
def enrol(
    settings: SettingsFile,
    url: Annotated[str | None, typer.Option(help="The controller's address.")] = None,
    code: Annotated[str | None, typer.Option(help="The one-time code.")] = None,
    pin: Annotated[str, typer.Option(help="The pin that enrol-code prints.")] = "",
    *,
    again: Annotated[bool, typer.Option("--again", help="Also if it is enrolled.")] = False,
) -> None:
    """Give this terminal its identity, with the one-time code that the operator made."""
    from edge_agent.commands import enrolling

    _leave(lambda: enrolling.enrol(_load(settings), url, code, pin, again=again))


@command_line.command(name="read-ticket")
def read_ticket(
    files: Annotated[list[Path], typer.Argument(help="Pictures of codes.")],
    keys: Annotated[
        Path | None, typer.Option(help="Public keys as JSON, to check signatures too.")
    ] = None,
) -> None:
    """Read the ticket in each picture and print one JSON line a file."""
    from edge_agent.commands.reading import read_pictures

    _leave(lambda: read_pictures(files, keys))


@command_line.command()
def scanners(
    settings: Annotated[
        Path | None, typer.Option("--settings", help="The agent's TOML file.")
    ] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Try them until Ctrl-C.")] = False,
    calibration: Annotated[
        Path | None, typer.Option(help="Draw the code that teaches a typing scanner its layout.")
    ] = None,
) -> None:
    """Say what there is to read tickets from, and try it."""
    from edge_agent.commands.reading import look_at_scanners

    def go() -> int:
        loaded = _load(settings) if settings is not None else None
        return look_at_scanners(loaded, watch=watch, calibration=calibration)

    _leave(go)
