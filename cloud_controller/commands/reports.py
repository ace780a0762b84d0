"""The command about royalties: what the next report of a module says, and that it is closed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cloud_controller.commands.beside import SettingsFile, leave, load, look, once
from cloud_controller.commands.printed import table_of, told
from cloud_controller.flows import modules
from cloud_controller.ports import Actor
from common.errors import CannotStart
from common.seals import digest_of

ModuleName = Annotated[str, typer.Argument(help="The module's name.")]
Until = Annotated[
    datetime | None,
    typer.Option(
        help="Where the period ends; without an offset in UTC. Left out: now.",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
    ),
]
Close = Annotated[bool, typer.Option("--close", help="Sign it and keep it: it never changes.")]
Sheet = Annotated[
    Path | None, typer.Option("--csv", help="Write every closed report to this file as CSV.")
]


def report(
    module: ModuleName,
    settings: SettingsFile,
    until: Until = None,
    close: Close = False,  # noqa: FBT002 - a switch of the command line
    csv: Sheet = None,
) -> None:
    """Show what the next royalty report of a module says; close it; write all as a sheet."""

    def go() -> None:
        loaded = load(settings)
        document = look(loaded, modules.draft_report, module, _instant(until))
        if close:
            row = once(loaded, modules.close_report, document, Actor.COMMAND_LINE)
            document = json.loads(row["document"])
        _show(document, is_closed=close)
        if csv is not None:
            rows = look(loaded, modules.reports, module)
            _write(csv, modules.sheet_of(json.loads(row["document"]) for row in rows))

    leave(go)


def _show(document: dict[str, Any], *, is_closed: bool) -> None:
    console = Console(width=120)
    state = "closed" if is_closed else "not closed"
    starts = told(document["starts_at"]) if document["starts_at"] else "the beginning"
    console.print(f"{document['module']}: report {document['number']}, {state}", style="bold")
    console.print(f"from {starts} to {told(document['ends_at'])}")
    for name, count in document["match"].items():
        console.print(f"  {name.replace('_', ' '):<20}{count:>10}")
    titles = ("line", "counted by", "counted", "each", "due")
    table = table_of(*titles, numbers={"counted", "each", "due"})
    for line in document["lines"]:
        is_own = line["report"] == document["number"]
        table.add_row(
            "this period" if is_own else f"correction of report {line['report']}",
            *(line["basis"], f"{line['counted']:+}", str(line["royalty_cents"])),
            f"{line['cents']:+} {line['currency']}",
        )
    console.print(table)
    if not document["is_complete"]:
        known = document["known_up_to"]
        up_to = f"only up to {told(known)}" if known else "not at all yet"
        console.print(f"The logs of other controllers are known {up_to}.", style="yellow")
    if is_closed:
        console.print(f"SHA-256 {digest_of(document)}", style="dim")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as fault:
        raise CannotStart(why=f"{file}: {fault.strerror}") from fault


def _instant(said: datetime | None) -> int | None:
    if said is None:
        return None
    moment = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
