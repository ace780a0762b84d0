"""The commands about seats: how many are owned here, and how they move between controllers."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cloud_controller.bundle import Bundle
from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows.rights import pools, upstream
from cloud_controller.flows.rights.pools import Pool
from cloud_controller.flows.rights.upstream import Branch
from cloud_controller.ports import Actor
from cloud_controller.settings import ControllerSettings
from common.errors import CannotStart

ModuleName = Annotated[str, typer.Argument(help="The module's id.")]
Seats = Annotated[int, typer.Argument(help="How many seats.", min=1)]
SeatsOrNone = Annotated[int, typer.Argument(help="How many seats.", min=0)]

commands = typer.Typer(help="Say how many seats of a module are where.", no_args_is_help=True)


@commands.command()
def own(module: ModuleName, seats: SeatsOrNone, settings: SettingsFile) -> None:
    """Say how many seats of a module this controller owns; never fewer than are used."""

    def go() -> None:
        once(load(settings), pools.own_seats, module, seats, Actor.COMMAND_LINE)
        typer.echo(f"{module}: owned {seats}.")

    leave(go)


@commands.command()
def take(module: ModuleName, seats: Seats, settings: SettingsFile) -> None:
    """Take seats of a module from the root; the running controller fetches them."""
    leave(lambda: _want(load(settings), module, seats, "asked for"))


@commands.command(name="return")
def give_back(module: ModuleName, seats: Seats, settings: SettingsFile) -> None:
    """Return free seats of a module to the root; the running controller brings them back."""
    leave(lambda: _want(load(settings), module, -seats, "returning"))


@commands.command(name="give-up")
def give_up(module: ModuleName, settings: SettingsFile) -> None:
    """Ask no longer for what the root has not answered."""

    def go() -> None:
        loaded = load(settings)
        once(loaded, upstream.give_up_seats, _branch(loaded), module)
        typer.echo(f"{module}: given up, unless the root has decided meanwhile.")

    leave(go)


@commands.command()
def settle(
    module: ModuleName,
    peer: Annotated[str, typer.Argument(help="The other controller's name.")],
    seats: SeatsOrNone,
    settings: SettingsFile,
) -> None:
    """Say how many of our seats another controller has: it is lost, or was set back."""

    def go() -> None:
        once(load(settings), pools.settle_seats, module, peer, seats, Actor.COMMAND_LINE)
        typer.echo(f"{module}: {peer} has {seats}.")

    leave(go)


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show the seats of every module: owned, used, given on, free, and what is under way."""

    def go() -> None:
        loaded = load(settings)
        epoch = _branch(loaded).epoch if loaded.upstream is not None else ""
        counts = ("owned", "used", "given on", "free")
        table = table_of("module", *counts, "", numbers=counts)
        for pool in look(loaded, pools.pools, epoch):
            seats = (pool.owned, pool.used, pool.given, pool.owned - pool.used)
            table.add_row(pool.module, *map(str, seats), _notes(pool))
        Console().print(table)

    leave(go)


def _want(settings: ControllerSettings, module: str, seats: int, told: str) -> None:
    once(settings, upstream.want_seats, _branch(settings), module, seats)
    typer.echo(f"{module}: {told} {abs(seats)}; `seats list` says how far that is.")


def _branch(settings: ControllerSettings) -> Branch:
    """Return who we are to our root.

    Raises:
        CannotStart: we have none.
    """
    if settings.upstream is None:
        raise CannotStart(why="say in `[upstream]` from which controller seats are taken")
    return Bundle.load(settings.upstream.bundle).branch()


def _notes(pool: Pool) -> str:
    notes = []
    if pool.under_way is not None:
        seats, state = pool.under_way
        notes.append(f"{'taking' if seats > 0 else 'returning'} {abs(seats)}: {state}")
    if pool.short:
        notes.append(f"{pool.short} too many in use")
    if pool.is_doubted:
        notes.append("given to nobody: the root takes us for a copy")
    return ", ".join(notes)
