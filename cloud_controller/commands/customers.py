"""The commands about customers: what is known of one is shown, or forgotten."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cloud_controller.commands.beside import SettingsFile, leave, load, once
from cloud_controller.flows import privacy
from cloud_controller.ports import Actor

Who = Annotated[str, typer.Argument(help="A mail address, or the link of one of his tickets.")]

commands = typer.Typer(help="Show or forget what is known of a customer.", no_args_is_help=True)


@commands.command()
def export(settings: SettingsFile, who: Who) -> None:
    """Print all that is known of a customer, as JSON."""

    def go() -> None:
        known = once(load(settings), privacy.export, privacy.who_of(who), Actor.COMMAND_LINE)
        typer.echo(json.dumps(known, ensure_ascii=False, indent=2))

    leave(go)


@commands.command()
def erase(
    settings: SettingsFile,
    who: Who,
    reason: Annotated[str, typer.Option(help="Why, for the audit; no name.")] = "asked for",
) -> None:
    """Forget a customer; what was sold, when and for how much stays."""

    def go() -> None:
        orders = once(
            load(settings), privacy.erase, privacy.who_of(who), Actor.COMMAND_LINE, reason
        )
        typer.echo(f"forgotten: whose {orders} orders were")

    leave(go)
