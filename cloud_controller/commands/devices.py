"""The commands about devices: where each stands, and the code of those who clean them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows import devices
from cloud_controller.ports import Actor
from common.ids import StoreId

Store = Annotated[str, typer.Option(help="The store's id.")]

commands = typer.Typer(help="See devices, and make their cleaners' code.", no_args_is_help=True)


@commands.command(name="list")
def show(settings: SettingsFile, store: Store = "") -> None:
    """Show where devices stand, those of one store or the first of all."""

    def go() -> None:
        titles = ("device", "store", "number", "title", "state", "fault")
        table = table_of(*titles, numbers={"number"})
        for row, state in look(load(settings), devices.board, store or None):
            fault = " ".join(filter(None, (row["fault"], row["fault_detail"])))
            known = (row["device_id"], row["store_id"], str(row["number"]), row["title"])
            table.add_row(*known, state, fault)
        Console(width=120).print(table)

    leave(go)


@commands.command(name="cleaner-code")
def cleaner_code(
    settings: SettingsFile,
    store: Store,
    forget: Annotated[bool, typer.Option("--forget", help="Take no code any more.")] = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Make the code by which a store's cleaners confirm; the one before counts no more."""

    def go() -> None:
        loaded = load(settings)
        if forget:
            once(loaded, devices.forget_cleaner_code, StoreId(store), Actor.COMMAND_LINE)
        else:
            code = once(loaded, devices.make_cleaner_code, StoreId(store), Actor.COMMAND_LINE)
            typer.echo(code)

    leave(go)
