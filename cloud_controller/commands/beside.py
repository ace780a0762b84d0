"""One command beside a running controller: its settings, one transaction, an exit code."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from cloud_controller.controller import open_books
from cloud_controller.settings import ControllerSettings
from cloud_controller.storage.choice import KeptBooks
from common.errors import RusubanError
from common.logs import set_up_logs

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

SettingsFile = Annotated[Path, typer.Option("--settings", help="The controller's TOML file.")]

T = TypeVar("T")


def leave(go: Callable[[], None]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    try:
        go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        raise typer.Exit(EXIT_CANNOT_START) from None


def load(file: Path) -> ControllerSettings:
    """Return the settings of this file, with the logs set up as they say.

    Raises:
        SettingsAreWrong: they are.
    """
    settings = ControllerSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


def once(settings: ControllerSettings, function: Callable[..., T], *args: object) -> T:
    """Run one transaction beside whatever else uses the database."""

    async def go() -> T:
        async with opened(settings) as books:
            return await books.transact(function, *args)

    return asyncio.run(go())


def look(settings: ControllerSettings, function: Callable[..., T], *args: object) -> T:
    """Read beside whatever else uses the database, and keep nobody waiting."""

    async def go() -> T:
        async with opened(settings) as books:
            return await books.read(function, *args)

    return asyncio.run(go())


@asynccontextmanager
async def opened(settings: ControllerSettings) -> AsyncIterator[KeptBooks]:
    """Open the books beside whatever else uses them, and close them."""
    books = open_books(settings)
    try:
        await books.open()
        yield books
    finally:
        await books.close()
