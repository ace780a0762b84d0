"""Who and what this terminal is, with its journal open: what its parts are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from common.errors import CannotStart
from common.messages.specification import DeviceFound, Specification
from common.system import SystemClock, SystemNames
from edge_agent.flows import enrolment
from edge_agent.inventory import FileDigests, look
from edge_agent.journal import SqliteJournal
from edge_agent.ports import Identity
from edge_agent.runner.catalogue import Program, read_catalogue
from edge_agent.settings import AgentSettings

JOURNAL_FILE: Final = "journal.db"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What an agent needs before its parts can be made."""

    who: Identity
    catalogue: Mapping[str, Program]
    look: Callable[[], Specification]
    journal: SqliteJournal
    clock: SystemClock
    names: SystemNames


def open_terminal(settings: AgentSettings) -> Opened:
    """Return who this terminal is and what says what it is, with its journal open.

    Raises:
        CannotStart: it is not enrolled, or its catalogue or journal cannot be read.
    """
    clock, names = SystemClock(), SystemNames()
    catalogue = read_catalogue(settings.runner.catalogue, settings.runner.catalogue_key).programs
    devices = [
        DeviceFound(key=device.key, title=device.title, program=device.program, also=device.also)
        for device in settings.devices
    ]
    scanners = [scanner.name for scanner in settings.scanners]
    journal = open_journal(settings, clock, names)
    who = journal.transact(enrolment.identity)
    if who is None:
        journal.close()
        raise CannotStart(why="this terminal is not enrolled; run `edge-agent enrol` first")
    return Opened(
        who=who,
        catalogue=catalogue,
        look=partial(look, devices, catalogue, scanners, digests=FileDigests()),
        journal=journal,
        clock=clock,
        names=names,
    )


def open_journal(settings: AgentSettings, clock: SystemClock, names: SystemNames) -> SqliteJournal:
    """Return this terminal's journal.

    Raises:
        CannotStart: it cannot be opened or written.
    """
    boot_id = settings.runner.boot_id_file.read_text("ascii").strip()
    return SqliteJournal(
        settings.state_folder / JOURNAL_FILE, clock=clock, names=names, boot_id=boot_id
    )
