"""The command that audits the books now: what was looked at, and what must never be."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import typer
from rich.console import Console

from cloud_controller.auditor import audit_all
from cloud_controller.commands.beside import SettingsFile, leave, load, opened
from cloud_controller.commands.printed import table_of, told
from cloud_controller.flows import audit as auditing
from cloud_controller.flows.audit import Audited
from cloud_controller.ports import Actor
from cloud_controller.settings import ControllerSettings
from common.rules.audit import PROMISES
from common.system import SystemClock
from common.words import invariant_words_for

EXIT_FOUND: Final = 1
"""The exit code that says: the audit is made, and it found something."""


def audit(settings: SettingsFile) -> None:
    """Look in the books for what must never be; leave with 1 where there is any, with 0 if not."""

    def go() -> None:
        audited = asyncio.run(_audited(load(settings)))
        _show(audited, Console(width=120))
        if audited.found:
            raise typer.Exit(EXIT_FOUND)

    leave(go)


async def _audited(settings: ControllerSettings) -> Audited:
    async with opened(settings) as books:
        await audit_all(books, SystemClock(), Actor.COMMAND_LINE)
        (last,) = await books.read(auditing.audits, 1)
        return last


def _show(audited: Audited, console: Console) -> None:
    rows = ", ".join(f"{name} {number}" for name, number in audited.looked.items())
    console.print(f"{audited.audit}, {told(audited.began_at)}: {rows}")
    if not audited.found:
        console.print("Every promise that the books can show is kept.", style="green")
        return
    table = table_of("what was found", "promise", "about", "store", "facts", numbers={"promise"})
    for each in audited.findings:
        what = invariant_words_for(each.invariant, "en").what
        facts = json.dumps(each.facts, sort_keys=True)
        table.add_row(what, str(PROMISES[each.invariant]), each.subject, each.store, facts)
    console.print(table)
    if audited.found > len(audited.findings):
        console.print(f"and {audited.found - len(audited.findings)} more", style="yellow")
