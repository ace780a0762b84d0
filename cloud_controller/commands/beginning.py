"""The first command of all: everything a controller keeps is made, and its first owner let in."""

from __future__ import annotations

import typer

from cloud_controller.commands.beside import SettingsFile, leave, load, once
from cloud_controller.flows import accounts
from cloud_controller.keys import operator_token
from cloud_controller.ports import Actor
from common.system import SystemNames


def init(settings: SettingsFile) -> None:
    """Make folders, keys and schema, and print the one-time link of the first owner.

    Said again while there is no owner yet, it prints another link, and the one before opens
    nothing any more. It works beside a running controller.
    """

    def go() -> None:
        loaded = load(settings)
        loaded.state_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        operator_token(loaded.keys_folder, SystemNames())
        made = once(loaded, accounts.first_link, Actor.COMMAND_LINE)
        typer.echo(f"{loaded.pages_url}/operator/join/{made.link}")
        hours = accounts.FIRST_LINK_SECONDS // 3600
        typer.echo(
            f"Good for {hours} hours. With the controller running, open it in a browser to become "
            "the first owner.",
            err=True,
        )

    leave(go)
