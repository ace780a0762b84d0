"""The commands about the log of modules: who got one, who uses it, and how far it is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Final

import typer
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of
from cloud_controller.flows import modules
from cloud_controller.ports import Actor, Row, Transaction
from cloud_controller.settings import ControllerSettings
from cloud_controller.web.routes import iso

ROWS_AT_ONCE: Final = 500
"""Rows read in one look, so that a long log keeps nobody waiting."""

COUNTS: Final = {"issued", "used by", "reports", "deliveries", "lines"}

WIDTH: Final = 160
"""Columns of what is printed: names and instants are not cut, in a pipe neither."""

Rows = Callable[[Transaction, str, str, int], list[Row]]


def join(group: typer.Typer) -> None:
    """Add these commands to those about modules."""
    group.command()(log)
    group.command()(origins)
    group.command(name="answer-for")(answer_for)


def log(
    settings: SettingsFile,
    module: Annotated[
        str, typer.Argument(help="The module's id; without it, all in one line.")
    ] = "",
    users: Annotated[  # noqa: FBT002 - a switch of the command line
        bool, typer.Option("--users", help="Who uses it, and not who got it from us.")
    ] = False,
) -> None:
    """Show the download log of a module, or who uses it; without one, the counts of each."""

    def go() -> None:
        loaded = load(settings)
        if not module:
            _print(("module", "issued", "used by"), look(loaded, _counts))
        elif users:
            head = ("client", "first used at", "last used at", "reports")
            _print(head, _cells(_all(loaded, modules.users, module)))
        else:
            head = ("client", "registered at", "updated at", "deliveries")
            _print(head, _cells(_all(loaded, modules.downloads, module)))
        _say_up_to(look(loaded, modules.known_up_to))

    leave(go)


def origins(settings: SettingsFile) -> None:
    """Show every log of modules that is known here: its lines, who answers for it, since when."""

    def go() -> None:
        loaded = load(settings)
        table = [
            (row["origin"], str(row["last_lseq"]), _whose(row), _up_to(row))
            for row in look(loaded, modules.origins)
        ]
        _print(("origin", "lines", "of", "complete up to"), table)
        for row in look(loaded, modules.mirrors):
            heard = iso(row["heard_at"]) if row["heard_at"] else "never"
            unsure = "" if row["is_sure"] else "; it may have lines of ours that are not here"
            typer.echo(f"{row['name']} was heard {heard}{unsure}")

    leave(go)


def answer_for(
    origin: Annotated[str, typer.Argument(help="The log, as `modules origins` names it.")],
    settings: SettingsFile,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
) -> None:
    """Say that nobody need wait for further lines of a log: its controller is gone for good."""

    def go() -> None:
        once(load(settings), modules.answer_for, origin, Actor.COMMAND_LINE, reason)
        typer.echo(f"{origin}: answered for here from now on.")

    leave(go)


def _all(settings: ControllerSettings, rows: Rows, module: str) -> Iterator[Row]:
    after = ""
    while page := look(settings, rows, module, after, ROWS_AT_ONCE):
        yield from page
        after = page[-1]["client"]


def _cells(rows: Iterator[Row]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        client, first, last, times = (row[name] for name in row.keys())  # noqa: SIM118 - a row
        yield client, iso(first), iso(last), str(times)


def _counts(books: Transaction) -> list[tuple[str, ...]]:
    return [
        (
            module,
            str(modules.downloads_count(books, module)),
            str(modules.users_count(books, module)),
        )
        for module in modules.modules_logged(books)
    ]


def _whose(row: Row) -> str:
    if row["is_own"]:
        return "us, doubted" if row["is_doubted"] else "us"
    if row["is_closed"]:
        return "answered for by an operator"
    if row["is_vouched"]:
        return "answered for here, doubted" if row["is_doubted"] else "answered for here"
    return f"heard from {row['heard_from']}"


def _up_to(row: Row) -> str:
    if row["is_vouched"] and not row["is_doubted"]:
        return "now"
    return iso(row["complete_at"]) if row["complete_at"] else "not known"


def _print(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = table_of(*head, numbers=COUNTS, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=WIDTH).print(table)


def _say_up_to(at: int) -> None:
    if not at:
        typer.echo("Not every controller has been heard yet: there may be more.", err=True)
        return
    typer.echo(f"Of all controllers up to {iso(at)}.", err=True)
