"""The commands about signing keys: which are live, a new one, and one that counts no more."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of, told
from cloud_controller.flows import rights
from cloud_controller.flows.reservations import signing
from cloud_controller.keys import ANNOUNCED_SECONDS, FileKeys, KeysCannotChange
from cloud_controller.ports import Actor, Transaction
from cloud_controller.settings import ControllerSettings
from common.system import SystemNames

KeyId = Annotated[int, typer.Argument(help="The key's id.", min=0, max=15)]
Stolen = Annotated[
    bool,
    typer.Option("--stolen", help="Refuse it at once; its tickets are signed anew."),
]

commands = typer.Typer(help="Change the keys that sign tickets and rights.", no_args_is_help=True)


@commands.command(name="list")
def show(settings: SettingsFile) -> None:
    """Show the live keys, which of them signs, and what each still has to verify."""

    def go() -> None:
        loaded = load(settings)
        keys = _keys(loaded)
        signed = look(loaded, signing.signed_by_key)
        table = table_of("key", "", "tickets", "until", "public", numbers={"tickets"})
        for key_id, public in keys.public_keys().items():
            found = signed.get(key_id)
            until = told(found.last_at) if found is not None else ""
            does = "signs" if key_id == keys.key_id else "verifies"
            table.add_row(str(key_id), does, str(found.tickets if found else 0), until, public)
        Console(width=120).print(table)

    leave(go)


@commands.command()
def rotate(settings: SettingsFile) -> None:
    """Make a new key; it signs as soon as the terminals know it, the earlier ones verify."""

    def go() -> None:
        loaded = load(settings)
        new = _keys(loaded).rotate()
        once(loaded, _enter, "key.made", new)
        typer.echo(f"Key {new} signs in {ANNOUNCED_SECONDS} seconds; the others verify.")

    leave(go)


@commands.command()
def retire(key: KeyId, settings: SettingsFile, stolen: Stolen = False) -> None:  # noqa: FBT002 - a switch of the command line
    """Have a key count no more: one that has no good tickets left, or one that was stolen."""
    leave(lambda: _retire(load(settings), key, is_stolen=stolen))


def _retire(settings: ControllerSettings, key: int, *, is_stolen: bool) -> None:
    """Retire a key; said again after it was cut short, it does what is left.

    Raises:
        KeysCannotChange: it is not live, it signs, or it has good tickets and was not stolen.
    """
    keys = _keys(settings)
    left = look(settings, signing.signed_by_key).get(key)
    if left is not None and not is_stolen:
        why = f"key {key} has {left.tickets} good tickets until {told(left.last_at)}"
        raise KeysCannotChange(why=f"{why}; say --stolen to sign them anew")
    if is_stolen and key == keys.key_id:
        keys.rotate(at_once=True)
    if keys.is_live(key) or left is None:
        keys.retire(key)
    count = _sign_anew(settings, key) if is_stolen else 0
    once(settings, _enter, "key.retired", key)
    typer.echo(f"Key {key} counts no more; {count} tickets were signed anew.")


def _sign_anew(settings: ControllerSettings, key: int) -> int:
    """Sign a key's tickets anew, and have their holders hold them anew; return how many."""
    count, devices = once(settings, signing.sign_anew, key, Actor.COMMAND_LINE)
    once(settings, rights.hold_anew, sorted(devices))
    return count


def _enter(books: Transaction, act: str, key: int) -> None:
    books.audit(Actor.COMMAND_LINE, act, f"key {key}")


def _keys(settings: ControllerSettings) -> FileKeys:
    return FileKeys(settings.keys_folder, SystemNames())
