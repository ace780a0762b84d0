"""The commands about other controllers: which of them may take seats from this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cloud_controller.bundle import Bundle
from cloud_controller.certificates import Authority
from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows.rights import peers
from cloud_controller.keys import FileKeys
from cloud_controller.ports import Actor
from cloud_controller.settings import ControllerSettings
from cloud_controller.web.routes import iso
from common.errors import CannotStart
from common.files import replace
from common.system import SystemClock, SystemNames
from common.tls import fingerprint_of

PeerName = Annotated[str, typer.Argument(help="The other controller's name.")]

commands = typer.Typer(help="Let other controllers take seats from this one.", no_args_is_help=True)


@commands.command()
def add(
    name: PeerName,
    settings: SettingsFile,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; without it, it is printed.")
    ] = None,
    url: Annotated[str, typer.Option(help="How it reaches us, where that is special.")] = "",
) -> None:
    """Let a controller in, and write the bundle it needs; said again, it is let in anew."""

    def go() -> None:
        bundle = _add(load(settings), name, url)
        text = bundle.model_dump_json(indent=2)
        if out is None:
            typer.echo(text)
            return
        replace(out, f"{text}\n".encode())
        typer.echo(f"{name} is let in. Bring {out} to it, and name it there: [upstream] bundle")

    leave(go)


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show who was ever let in, how it stands, and what seats it has."""

    def go() -> None:
        table = table_of("peer", "since", "state", "holds")
        for each in look(load(settings), peers.peers):
            held = ", ".join(f"{module} {seats}" for module, seats in each.holds.items())
            table.add_row(each.name, iso(each.made_at), each.state, held)
        Console().print(table)

    leave(go)


@commands.command()
def revoke(
    name: PeerName,
    settings: SettingsFile,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
) -> None:
    """Hear a controller no longer; what seats it has stay counted as given."""

    def go() -> None:
        once(load(settings), peers.revoke_peer, name, Actor.COMMAND_LINE, reason)
        typer.echo(f"{name} is let in no more.")

    leave(go)


def _add(settings: ControllerSettings, name: str, url: str) -> Bundle:
    """Let a controller in, and return what it needs.

    Raises:
        CannotStart: no peers are let in here.
        NotAllowed: it cannot be called so.
    """
    if settings.peers is None or not (url or settings.peers.port):
        raise CannotStart(why="say in `[peers]` where this controller is to be called by others")
    once(settings, peers.check_peer_name, name)
    names = SystemNames()
    authority = Authority(settings.keys_folder, SystemClock(), names)
    certificate, key = authority.certify_peer(peers.certificate_name(name))
    fingerprint = fingerprint_of(certificate)
    return Bundle(
        url=url or settings.peers.url,
        name=name,
        epoch=once(settings, peers.add_peer, name, fingerprint, Actor.COMMAND_LINE),
        authority=authority.pem,
        certificate=certificate,
        key=key,
        keys=FileKeys(settings.keys_folder, names).public_keys(),
    )
