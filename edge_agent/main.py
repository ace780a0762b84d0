"""The agent's commands: run, runner, enrol, read-ticket, scanners, switches, catalogue."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated, Final

import structlog
import typer

from common.errors import CannotStart, RusubanError
from common.logs import set_up_logs
from common.rules.actions import Level, Standing, SwitchSeen
from common.switches import told
from common.system import SystemClock, SystemNames, spare_what_stays
from common.watchdog import Notifier, keep_watch
from edge_agent.actions import try_one
from edge_agent.alone import alone_in
from edge_agent.enrolment import Asking, enrol as ask_to_enrol, kept_key
from edge_agent.flows import actions, enrolment
from edge_agent.opened import open_journal, open_terminal
from edge_agent.runner.beside import RunnerBeside
from edge_agent.runner.catalogue.commands import catalogue_group
from edge_agent.runner.link import RunnerLink
from edge_agent.runner.main import run as run_runner
from edge_agent.runner.server import heard_uids
from edge_agent.runner.settings import RunnerSettings
from edge_agent.scanners import found
from edge_agent.scanners.read_ticket import load_keys, read_tickets
from edge_agent.settings import AgentSettings
from edge_agent.terminal import Terminal

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

EXIT_DID_NOT_ANSWER: Final = 1
"""The exit code of a switch that was told in vain."""

SettingsFile = Annotated[Path, typer.Option("--settings", help="The agent's TOML file.")]


def list_switches(settings: SettingsFile) -> None:
    """Show where each switch of this terminal stood when that last changed."""

    def go() -> int:
        with closing(open_journal(_load(settings), SystemClock(), SystemNames())) as journal:
            for seen in journal.transact(actions.seen):
                typer.echo(told(seen))
        return 0

    _leave(go)


def try_switch(
    switch: Annotated[str, typer.Argument(help="The switch's id.")],
    level: Annotated[Level, typer.Argument(help="on or off.")],
    settings: SettingsFile,
) -> None:
    """Move one switch of this terminal; an agent that runs soon puts it right again."""

    def go() -> int:
        seen = asyncio.run(_try(_load(settings), switch, level))
        typer.echo(told(seen))
        return 0 if seen.standing is Standing.CONFIRMED else EXIT_DID_NOT_ANSWER

    _leave(go)


def _with_groups() -> typer.Typer:
    def leave(go: Callable[[], int]) -> None:
        _leave(go)  # which stands further down, where reading comes to it

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
    made.add_typer(catalogue_group(leave), name="catalogue")
    return made


command_line = _with_groups()


@command_line.command()
def run(settings: SettingsFile) -> None:
    """Run the agent until it is told to stop."""

    def go() -> int:
        loaded = _load(settings)
        with alone_in(loaded.state_folder):
            kept_key(loaded.state_folder, SystemNames().secret_bytes)
            return asyncio.run(_run(loaded, settings))

    _leave(go)


@command_line.command()
def runner(settings: SettingsFile) -> None:
    """Run the runner, which holds the programs and their deadlines."""

    def go() -> int:
        notifier = Notifier.from_environ(os.environ)
        return run_runner(_runner_settings(_load(settings)), clock=SystemClock(), notifier=notifier)

    _leave(go)


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

    def go() -> int:
        loaded = _load(settings)
        with alone_in(loaded.state_folder):
            _enrol(loaded, again=again, say=lambda: _asking(url, code, pin))
        return 0

    _leave(go)


@command_line.command(name="read-ticket")
def read_ticket(
    files: Annotated[list[Path], typer.Argument(help="Pictures of codes.")],
    keys: Annotated[
        Path | None, typer.Option(help="Public keys as JSON, to check signatures too.")
    ] = None,
) -> None:
    """Read the ticket in each picture and print one JSON line a file."""

    def go() -> int:
        known = load_keys(keys) if keys is not None else None
        return read_tickets(files, known, typer.echo, SystemClock().steady_seconds)

    _leave(go)


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

    def go() -> int:
        loaded = _load(settings) if settings is not None else None
        told = loaded.scanners if loaded is not None else ()
        if calibration is not None:
            found.write_calibration(calibration)
            return 0
        there = found.look_for_scanners()
        found.tell_found(there, told, typer.echo)
        if watch:
            folder = loaded.state_folder if loaded is not None else Path.cwd()
            seconds = SystemClock().steady_seconds
            with suppress(KeyboardInterrupt):
                asyncio.run(
                    found.try_scanners(told or found.to_try(there), folder, seconds, typer.echo)
                )
        return 0

    _leave(go)


def _leave(go: Callable[[], int]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    try:
        code = go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        code = EXIT_CANNOT_START
    except typer.Abort:
        sys.stderr.write("Nothing was answered; nothing has changed.\n")
        code = EXIT_CANNOT_START
    raise typer.Exit(code)


def _enrol(settings: AgentSettings, *, again: bool, say: Callable[[], Asking]) -> None:
    """Have the key on the disk, then ask, then keep the answer: cut anywhere, it is asked again."""
    names = SystemNames()
    key = kept_key(settings.state_folder, names.secret_bytes)
    with closing(open_journal(settings, SystemClock(), names)) as journal:
        known = journal.transact(enrolment.identity)
        if known is not None and not again:
            typer.echo(f"This PC is {known.terminal} of store {known.store} already.")
            typer.confirm("Enrol it anew?", abort=True)
        who = ask_to_enrol(say(), key)
        journal.transact(enrolment.keep_identity, who)
    typer.echo(f"Enrolled as {who.terminal} of store {who.store}.")
    typer.echo("Start the agent now; an operator may have to confirm it.")


def _asking(url: str | None, code: str | None, pin: str) -> Asking:
    return Asking(
        url=url or typer.prompt("Controller's address"),
        code=code or typer.prompt("Enrolment code"),
        hostname=os.uname().nodename,
        pin=pin,
    )


def _load(file: Path) -> AgentSettings:
    settings = AgentSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


async def _try(settings: AgentSettings, switch: str, level: Level) -> SwitchSeen:
    """Move a switch, by the runner where a command moves it, and return what came of it.

    Raises:
        CannotStart: the settings have no such switch, or a file of its broker cannot be read.
    """
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


async def _run(settings: AgentSettings, settings_file: Path) -> int:
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


def _runner_settings(settings: AgentSettings) -> RunnerSettings:
    part = settings.runner
    return RunnerSettings(
        socket=part.socket,
        state_folder=part.state_folder,
        catalogue=part.catalogue,
        catalogue_key=part.catalogue_key,
        warn_before_seconds=part.warn_before_seconds,
        resume_limit_seconds=part.resume_limit_seconds,
        resume_requires_scan=part.resume_requires_scan,
        boot_id_file=part.boot_id_file,
        allowed_uids=heard_uids([_uid_of(each) for each in part.allowed_users], os.getuid()),
    )


def _uid_of(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise CannotStart(why=f"there is no user {user} on this PC") from None


def _runner_argv(settings_file: Path) -> list[str]:
    program = Path(sys.argv[0]).absolute()
    return [sys.executable, str(program), "runner", "--settings", str(settings_file.absolute())]


def _told_to_stop() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
