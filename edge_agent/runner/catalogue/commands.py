"""`edge-agent catalogue`: make the operator's key, sign a catalogue, say how one stands here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from common.system import SystemNames
from edge_agent.runner.catalogue.operating import findings, sign_catalogue
from edge_agent.runner.catalogue.reading import read_catalogue
from edge_agent.runner.catalogue.seal import make_key

EXIT_NOT_ALL: Final = 1
"""The exit code of a check that was made and has found something."""

CatalogueFile = Annotated[Path, typer.Argument(help="The catalogue's TOML file.")]


def catalogue_group(leave: Callable[[Callable[[], int]], None]) -> typer.Typer:
    """Return the commands; `leave` runs what each does and turns its faults into a sentence."""
    made = typer.Typer(help="Signs catalogues and checks them.", no_args_is_help=True)

    @made.command(name="init-key")
    def init_key(
        file: Annotated[Path, typer.Argument(help="Where the new key is to be kept.")],
    ) -> None:
        """Make the key that catalogues are signed with, and print what terminals know it by."""
        leave(lambda: _made(file))

    @made.command()
    def sign(
        file: CatalogueFile,
        key: Annotated[Path, typer.Option("--key", help="The operator's key.")],
    ) -> None:
        """Sign a catalogue that is in order."""
        leave(lambda: _signed(file, key))

    @made.command()
    def check(
        file: CatalogueFile,
        key: Annotated[str, typer.Option("--key", help="What terminals know the key by.")] = "",
    ) -> None:
        """Say of each program and command whether it would start on this PC."""
        leave(lambda: _checked(file, key))

    return made


def _made(file: Path) -> int:
    typer.echo(make_key(file, SystemNames().secret_bytes))
    return 0


def _signed(file: Path, key: Path) -> int:
    typer.echo(f"Signed: {sign_catalogue(file, key)}")
    return 0


def _checked(file: Path, key: str) -> int:
    standing = tuple(findings(read_catalogue(file, key), os.geteuid()))
    for one in standing:
        typer.echo(f"{one.place}: {one.file}: {one.why_not or 'ready'}")
    return EXIT_NOT_ALL if any(one.why_not for one in standing) else 0
