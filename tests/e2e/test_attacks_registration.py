"""An old backup of the controller is put back: what it forgot locks no terminal out, or in."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.demo.world import Terminal, World
from tests.e2e.worlds import a_world

ENDS_SECONDS_MAX = 15.0
"""How long the controller may take to end when it is asked to."""


@pytest.fixture
def world() -> Iterator[World]:
    """Give a store that confirms by itself, with one terminal in service."""
    with a_world() as made:
        made.add_terminal()
        made.wait_until_on_offer(1)
        yield made


def test_after_an_old_backup_a_terminal_serves_tells_and_obeys(world: World):
    """Promises 9 and 10: it knows a later word, and told events, of which nobody knows any more."""
    (terminal,) = world.terminals
    backup = world.folder / "backup"
    _end_controller(world)
    shutil.copytree(_state_folder(world), backup)
    world.start_controller()
    world.wait_until_on_offer(1)
    for _ in range(2):
        _say(world, terminal, "suspend", "suspended")
        _say(world, terminal, "resume", "confirmed")
        world.wait_until_on_offer(1)
    world.wait_for("all to be told", lambda: _events_waiting(terminal) == 0)

    _end_controller(world)
    shutil.rmtree(_state_folder(world))
    shutil.move(backup, _state_folder(world))
    world.start_controller()
    world.wait_until_on_offer(1)
    _say(world, terminal, "suspend", "suspended")
    _say(world, terminal, "resume", "confirmed")
    world.wait_until_on_offer(1)
    world.wait_for("all to be told", lambda: _events_waiting(terminal) == 0)
    (lost,) = world.books("SELECT body FROM ledger WHERE type = 'events.lost'")
    assert json.loads(lost["body"])["from"] > 1
    assert world.books("SELECT 1 FROM inbox") == []


def _state_folder(world: World) -> Path:
    return world.folder / "controller"


def _end_controller(world: World) -> None:
    assert world.controller is not None
    world.controller.terminate()
    world.controller.wait(ENDS_SECONDS_MAX)


def _say(world: World, terminal: Terminal, event: str, standing: str) -> None:
    """Say the operator's word, and wait until the terminal goes by it itself."""
    (row,) = world.books("SELECT terminal_id FROM terminals")
    path = f"/api/v1/terminals/{row['terminal_id']}/standing"
    world.operator("POST", path, {"event": event, "reason": "a test"})
    world.wait_for(f"it to be {standing}", lambda: _own_standing(terminal) == standing)


def _own_standing(terminal: Terminal) -> str:
    return str(_in_journal(terminal, "SELECT standing FROM registration"))


def _events_waiting(terminal: Terminal) -> object:
    return _in_journal(terminal, "SELECT count(*) FROM outbox")


def _in_journal(terminal: Terminal, query: str) -> object:
    file = terminal.folder / "agent" / "journal.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as journal:
        (value,) = journal.execute(query).fetchone()
    return value
