"""The commands about helpers: who helps customers where, and the link that lets each in."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows import help as calls
from cloud_controller.flows.help import HelperMade
from cloud_controller.ports import Actor, NotAllowed
from cloud_controller.settings import ControllerSettings
from common.messages.help import NAME_LENGTH_MAX
from common.rules.help import clean_line

Helper = Annotated[str, typer.Argument(help="The helper's id, as `helpers list` shows it.")]

commands = typer.Typer(help="Let people help customers from elsewhere.", no_args_is_help=True)


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show who helps, where, at what price, and who is there now."""

    def go() -> None:
        table = table_of("helper", "name", "stores", "languages", "price", "state", "there")
        for each in look(load(settings), calls.helpers):
            row = each.row
            price = f"{row['price_cents']} {row['currency']}" if row["price_cents"] else ""
            stands = (row["languages"], price, row["state"], "yes" if each.is_there else "")
            table.add_row(row["helper_id"], row["name"], " ".join(each.stores), *stands)
        Console(width=120).print(table)

    leave(go)


@commands.command()
def add(
    settings: SettingsFile,
    name: Annotated[str, typer.Argument(help="What customers are to call the helper.")],
    store: Annotated[list[str], typer.Option(help="The store's id; once for each store.")],
) -> None:
    """Make a helper, and print the link that lets his browser in, once."""

    def go() -> None:
        loaded = load(settings)
        called = clean_line(name)
        if not 1 <= len(called) <= NAME_LENGTH_MAX:
            raise NotAllowed(why=f"a helper's name has 1 to {NAME_LENGTH_MAX} characters")
        made = once(loaded, calls.add, called, tuple(store), Actor.COMMAND_LINE)
        _print(loaded, made)

    leave(go)


@commands.command()
def link(settings: SettingsFile, helper: Helper) -> None:
    """Print another link for a helper; the browser that opens it is his, and no other any more."""

    def go() -> None:
        loaded = load(settings)
        _print(loaded, once(loaded, calls.new_link, helper, Actor.COMMAND_LINE))

    leave(go)


@commands.command()
def remove(settings: SettingsFile, helper: Helper) -> None:
    """Let a helper help no more."""

    def go() -> None:
        once(load(settings), calls.remove, helper, Actor.COMMAND_LINE)

    leave(go)


def _print(settings: ControllerSettings, made: HelperMade) -> None:
    typer.echo(f"{made.helper} {settings.pages_url}/helper/enter/{made.link}")
