"""Packages shown where an installer sits: where each stands, and how far what is fetched is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table

from common.rules.modules import RemovalState, Step
from common.system import SystemClock, SystemNames
from edge_agent.flows import modules, rights
from edge_agent.flows.modules import PackageSeen
from edge_agent.flows.rights import Removal
from edge_agent.journal import SqliteJournal
from edge_agent.opened import open_journal
from edge_agent.settings import AgentSettings

LOOK_SECONDS: Final = 0.5
"""How often the journal is looked at: a bar that moves, and hardly any work."""

WAIT_SECONDS: Final = 20.0
"""How long somebody who wants a package off waits: for an agent that looks each two seconds, a
controller's answer, and the disk."""

SETTLED: Final = frozenset({RemovalState.REMOVED, RemovalState.KEPT})

MEBIBYTE: Final = 1_048_576

EXIT_STAYS: Final = 1
"""The exit code of a package that stays, or of which it is not known yet."""

WIDTH_WITHOUT_A_SCREEN: Final = 100
"""Columns where the output goes into a file."""


def list_packages(settings: AgentSettings) -> int:
    """Show where each package of this terminal stands."""
    with closing(_journal(settings)) as journal:
        seen, going = journal.transact(modules.steps), journal.transact(rights.removals)
    table = Table("Package", "Kind", "Version", "Stands", "Detail", box=None, pad_edge=False)
    for each in seen:
        table.add_row(each.package, each.kind, each.version, each.step, each.detail)
    _console().print(table if seen else "No package is needed here, or the agent has not looked.")
    for removal in going:
        if removal.state is not RemovalState.REMOVED:
            _console().print(f"To go: {removal.package}: {_told(removal)}")
    return 0


def watch_packages(settings: AgentSettings, *, until_settled: bool) -> int:
    """Show a bar for each package, until Ctrl-C or until nothing is under way any more."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[size]}"),
        TextColumn("{task.fields[stands]}"),
    )
    with closing(_journal(settings)) as journal, Progress(*columns, console=_console()) as bars:
        tasks: dict[str, TaskID] = {}
        while True:
            seen = journal.transact(modules.steps)
            _draw(bars, tasks, seen)
            if until_settled and seen and all(modules.is_settled(each.step) for each in seen):
                return 0
            try:
                time.sleep(LOOK_SECONDS)
            except KeyboardInterrupt:
                return 0


def uninstall(settings: AgentSettings, package: str) -> int:
    """Want a package off this PC, wait a little for what comes of it, and return the exit code.

    The agent that runs here does it; where none runs, the next one does.
    """
    with closing(_journal(settings)) as journal:
        journal.transact(rights.wish_away, package)
        seen = None
        for _ in range(round(WAIT_SECONDS / LOOK_SECONDS)):
            seen = journal.transact(rights.removal, package)
            if seen is not None and seen.state in SETTLED:
                break
            time.sleep(LOOK_SECONDS)
    _console().print(f"{package}: {_told(seen)}")
    return 0 if seen is not None and seen.state is RemovalState.REMOVED else EXIT_STAYS


def _told(seen: Removal | None) -> str:
    """Return where a removal stands, and why."""
    if seen is None:
        return "wanted off; the agent has not looked yet"
    why = ": ".join(filter(None, (seen.reason, seen.detail)))
    return f"{seen.state} ({why})" if why else seen.state.value


def _draw(bars: Progress, tasks: dict[str, TaskID], seen: Sequence[PackageSeen]) -> None:
    """Move each package's bar to where it stands; what is not needed any more loses its own."""
    for gone in tasks.keys() - {each.package for each in seen}:
        bars.remove_task(tasks.pop(gone))
    for each in seen:
        if each.package not in tasks:
            tasks[each.package] = bars.add_task(each.package, size="", stands="")
        whole = each.all_bytes or 1
        is_here = each.step in {Step.HERE, Step.ELSEWHERE}
        bars.update(
            tasks[each.package],
            description=f"{each.package} {each.version}",
            total=whole,
            completed=whole if is_here else each.done_bytes,
            size=_size(each),
            stands=f"{each.step} {each.detail}".strip(),
        )


def _size(seen: PackageSeen) -> str:
    if not seen.all_bytes:
        return ""
    return f"{seen.done_bytes / MEBIBYTE:.1f} of {seen.all_bytes / MEBIBYTE:.1f} MiB"


def _journal(settings: AgentSettings) -> SqliteJournal:
    return open_journal(settings, SystemClock(), SystemNames())


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_A_SCREEN)
