"""The controller's commands: serve, enrol-code, explain, migrate; of others, a group each."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Annotated, Final

import structlog
import typer
from rich.console import Console

from cloud_controller.certificates import Authority
from cloud_controller.commands import (
    auditing,
    beginning,
    customers,
    devices,
    helpers,
    keys,
    module_logs,
    modules,
    offerings,
    peers,
    seats,
    switches,
)
from cloud_controller.commands.beside import (
    EXIT_CANNOT_START,
    SettingsFile,
    leave,
    load,
    look,
    once,
)
from cloud_controller.controller import Controller
from cloud_controller.explain import show, show_proof, show_talks
from cloud_controller.flows import enrolment, help as calls, service, sessions
from cloud_controller.flows.help import Talk
from cloud_controller.flows.sessions import Proof
from cloud_controller.ports import Actor, Transaction
from cloud_controller.settings import ControllerSettings, Role
from cloud_controller.storage.choice import move_schema
from common.errors import CannotStart
from common.ids import StoreId, TerminalId
from common.system import SystemClock, SystemNames, spare_what_stays
from common.tls import fingerprint_of
from common.watchdog import Notifier, keep_watch

__all__ = ["EXIT_CANNOT_START", "command_line"]

RESERVATION: Final = "r-"
"""How the id of a reservation begins, and no other."""

TERMINAL_SETTINGS: Final = "/etc/rusuban/edge-agent.toml"
"""Where an installed terminal keeps its settings."""


def _with_groups() -> typer.Typer:
    made = typer.Typer(
        help="Rusuban's cloud controller: reservations, tickets, rights, commands and pages.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    made.command()(beginning.init)
    made.add_typer(devices.commands, name="devices")
    made.add_typer(offerings.commands, name="offerings")
    made.add_typer(customers.commands, name="customers")
    made.add_typer(helpers.commands, name="helpers")
    made.add_typer(keys.commands, name="keys")
    module_logs.join(modules.commands)
    made.add_typer(modules.commands, name="modules")
    made.add_typer(peers.commands, name="peers")
    made.add_typer(seats.commands, name="seats")
    made.add_typer(switches.commands, name="switches")
    made.command()(auditing.audit)
    return made


command_line = _with_groups()


@command_line.command()
def serve(
    settings: SettingsFile,
    roles: Annotated[
        str, typer.Option(help="Which servers to be: management,service,reservation,web.")
    ] = "",
) -> None:
    """Run the controller until it is told to stop."""

    def go() -> None:
        loaded = load(settings)
        chosen = _roles(roles) or loaded.roles
        if loaded.reservation is not None and chosen & {Role.RESERVATION, Role.WEB}:
            raise CannotStart(why="reservations are kept elsewhere: be neither reservation nor web")
        asyncio.run(_serve(loaded, chosen))

    leave(go)


@command_line.command(name="enrol-code")
def enrol_code(
    settings: SettingsFile,
    store: Annotated[str, typer.Option(help="The store's id.")],
    terminal: Annotated[str, typer.Option(help="A terminal of it, to enrol again.")] = "",
) -> None:
    """Make a one-time code by which a store PC enrols; it is good for fifteen minutes."""

    def go() -> None:
        loaded = load(settings)
        again = TerminalId(terminal) if terminal else None
        code = once(loaded, enrolment.make_code, StoreId(store), Actor.COMMAND_LINE, again)
        typer.echo(code)
        typer.echo(_what_to_type(loaded, code), err=True)

    leave(go)


@command_line.command()
def explain(
    subject: Annotated[str, typer.Argument(help="The id of a terminal, or of a reservation.")],
    settings: SettingsFile,
) -> None:
    """Say what a terminal is and what it carries, or what became of a reservation, and why."""

    def go() -> None:
        loaded = load(settings)
        if subject.startswith(RESERVATION):
            proof, talks = look(loaded, _whole_of, subject)
            show_proof(proof, Console())
            show_talks(talks, proof.time_zone, Console())
        else:
            show(look(loaded, service.explain, TerminalId(subject)), Console())

    leave(go)


@command_line.command()
def migrate(
    settings: SettingsFile,
    to: Annotated[
        str, typer.Option(help="A step of the schema by its name, `head`, or `-1`: one back.")
    ] = "head",
) -> None:
    """Bring the database up to date, or back by a step; not while a controller serves from it."""

    def go() -> None:
        if to == "base":
            raise CannotStart(why="before its first step a database is empty: drop it yourself")
        moved = move_schema(load(settings), to)
        if moved.before == moved.after:
            typer.echo(f"The database is at {moved.after} already.")
        else:
            typer.echo(f"The database has moved from {moved.before or 'nothing'} to {moved.after}.")

    leave(go)


def _what_to_type(settings: ControllerSettings, code: str) -> str:
    """Return what a person needs beside a code; a script reads the code alone."""
    words = ["edge-agent enrol --settings", TERMINAL_SETTINGS, "--url", settings.pages_url]
    words += ["--code", code, *(("--pin", _pin(settings)) if settings.web.tls else ())]
    minutes = enrolment.CODE_LIFE_SECONDS // 60
    return f"Good for {minutes} minutes, and once. On the terminal, type:\n\n  {' '.join(words)}\n"


def _pin(settings: ControllerSettings) -> str:
    """Return by what a terminal knows the controller before it trusts it."""
    return fingerprint_of(Authority(settings.keys_folder, SystemClock(), SystemNames()).pem)


def _whole_of(books: Transaction, reservation: str) -> tuple[Proof, tuple[Talk, ...]]:
    return sessions.proof_of(books, reservation), calls.talks_of(books, reservation)


def _roles(text: str) -> frozenset[Role]:
    known = {role.value for role in Role}
    asked = {part.strip() for part in text.split(",") if part.strip()}
    if not asked <= known:
        raise CannotStart(why=f"there is no role {', '.join(sorted(asked - known))}")
    return frozenset(Role(part) for part in asked)


async def _serve(settings: ControllerSettings, roles: frozenset[Role]) -> None:
    log = structlog.get_logger("controller")
    notifier = Notifier.from_environ(os.environ)
    controller = Controller(settings, roles)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await controller.start()
        spare_what_stays()
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
