"""The controller's commands: serve, enrol-code, migrate."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, TypeVar

import structlog
import typer

from cloud_controller.controller import Controller, open_books
from cloud_controller.flows import registration
from cloud_controller.settings import ControllerSettings, Role
from common.errors import CannotStart, RusubanError
from common.ids import StoreId
from common.logs import set_up_logs
from common.watchdog import Notifier, keep_watch

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

T = TypeVar("T")

SettingsFile = Annotated[Path, typer.Option("--settings", help="The controller's TOML file.")]

command_line = typer.Typer(
    help="Rusuban's cloud controller: reservations, tickets, rights, commands and pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@command_line.command()
def serve(
    settings: SettingsFile,
    roles: Annotated[
        str, typer.Option(help="Which servers to be: management,service,reservation,web.")
    ] = "",
) -> None:
    """Run the controller until it is told to stop."""

    def go() -> None:
        loaded = _load(settings)
        chosen = _roles(roles) or loaded.roles
        asyncio.run(_serve(loaded, chosen))

    _leave(go)


@command_line.command(name="enrol-code")
def enrol_code(
    settings: SettingsFile, store: Annotated[str, typer.Option(help="The store's id.")]
) -> None:
    """Make a one-time code by which a store PC enrols; it is good for fifteen minutes."""

    def go() -> None:
        code = _once(_load(settings), registration.make_code, StoreId(store), "command line")
        typer.echo(code)

    _leave(go)


@command_line.command()
def migrate(settings: SettingsFile) -> None:
    """Bring the database up to date, and do nothing else."""

    def go() -> None:
        _once(_load(settings), lambda _books: None)
        typer.echo("The database is up to date.")

    _leave(go)


def _leave(go: Callable[[], None]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    try:
        go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        raise typer.Exit(EXIT_CANNOT_START) from None


def _load(file: Path) -> ControllerSettings:
    settings = ControllerSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


def _roles(text: str) -> frozenset[Role]:
    known = {role.value for role in Role}
    asked = {part.strip() for part in text.split(",") if part.strip()}
    if not asked <= known:
        raise CannotStart(why=f"there is no role {', '.join(sorted(asked - known))}")
    return frozenset(Role(part) for part in asked)


def _once(settings: ControllerSettings, function: Callable[..., T], *args: object) -> T:
    """Run one transaction beside whatever else uses the database."""

    async def go() -> T:
        books = open_books(settings)
        await books.open()
        try:
            return await books.transact(function, *args)
        finally:
            await books.close()

    return asyncio.run(go())


async def _serve(settings: ControllerSettings, roles: frozenset[Role]) -> None:
    log = structlog.get_logger("controller")
    notifier = Notifier.from_environ(os.environ)
    controller = Controller(settings, roles)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await controller.start()
        async with asyncio.TaskGroup() as tasks:
            loops = controller.loops() | {"watchdog": keep_watch(notifier, controller.is_alive)}
            running = [tasks.create_task(loop, name=name) for name, loop in loops.items()]
            notifier.ready(f"pages at {controller.public_url}")
            log.info("started", pages=controller.public_url, broker=controller.broker.port)
            await stop.wait()
            notifier.stopping()
            for task in running:
                task.cancel()
    finally:
        await controller.close()
    log.info("stopped")
