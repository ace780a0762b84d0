"""The commands about offerings: what is registered, the operator's own words, and pictures."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows import offerings
from cloud_controller.flows.offerings import Registered
from cloud_controller.ports import Actor, NotFound, Transaction
from common.errors import RusubanError
from common.messages.offerings import OfferingSaid, PictureNamed
from common.pictures import drawn_small

Store = Annotated[str, typer.Option(help="The store's id.")]
Key = Annotated[str, typer.Argument(help="The offering's key within its store.")]
ExistingFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]

commands = typer.Typer(
    help="See offerings, say what one is, and give it pictures.", no_args_is_help=True
)


class OfferingIsWrong(RusubanError):
    """The file does not say an offering: {where}: {why}."""


@commands.command(name="list")
def show(settings: SettingsFile, store: Store) -> None:
    """Show all that is registered in a store, on or off, and why."""

    def go() -> None:
        table = table_of("key", "title", "words of", "device", "state", "why", "terminal")
        for each in look(load(settings), offerings.registered, store):
            known = (each.key, each.said.title, each.teller.value)
            for row in each.devices:
                why = "out_of_order" if row["is_out_of_order"] else row["reason"]
                table.add_row(*known, row["title"], row["state"], why, row["presence"])
            if not each.devices:
                table.add_row(*known, "none", "", "", "")
        Console(width=120).print(table)

    leave(go)


@commands.command(name="register")
def register(settings: SettingsFile, store: Store, key: Key, file: ExistingFile) -> None:
    """Have an offering be what a TOML file says, whatever its terminals say of it."""

    def go() -> None:
        said = _read(file)
        once(load(settings), offerings.say, store, key, said, Actor.COMMAND_LINE)
        typer.echo(f"{key} is {said.title}, in your words")

    leave(go)


@commands.command(name="picture")
def picture(
    settings: SettingsFile,
    store: Store,
    key: Key,
    file: ExistingFile,
    alt: Annotated[
        list[str], typer.Option(help="What is to be seen, as `en=A blue sky`; once a language.")
    ],
) -> None:
    """Give an offering one more picture; it is made small. From then on its words are yours."""

    def go() -> None:
        words = dict(each.partition("=")[::2] for each in alt)
        body = drawn_small(file.read_bytes())
        once(load(settings), _add_picture, store, key, body, words)
        typer.echo(f"{key} has one more picture, of {len(body)} bytes")

    leave(go)


@commands.command(name="hand-back")
def hand_back(settings: SettingsFile, store: Store, key: Key) -> None:
    """Let an offering's terminals say again what it is, from their next start on."""

    def go() -> None:
        once(load(settings), offerings.hand_back, store, key, Actor.COMMAND_LINE)
        typer.echo(f"{key} is what its terminals say")

    leave(go)


def _read(file: Path) -> OfferingSaid:
    try:
        return OfferingSaid.model_validate(tomllib.loads(file.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise OfferingIsWrong(where=file.name, why=str(fault)) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise OfferingIsWrong(where=where, why=first["msg"]) from fault


def _add_picture(
    books: Transaction, store: str, key: str, body: bytes, alt: dict[str, str]
) -> Registered:
    known = [each for each in offerings.registered(books, store) if each.key == key]
    if not known:
        raise NotFound(what="offering")
    digest = offerings.add_picture(books, store, body, Actor.COMMAND_LINE)
    said = dict(known[0].said)
    others = tuple(each for each in known[0].said.pictures if each.sha256 != digest)
    try:
        said["pictures"] = (*others, PictureNamed(sha256=digest, alt=alt))
        checked = OfferingSaid.model_validate({**said})
    except ValidationError as fault:
        raise OfferingIsWrong(where="pictures", why=fault.errors()[0]["msg"]) from fault
    return offerings.say(books, store, key, checked, Actor.COMMAND_LINE)
