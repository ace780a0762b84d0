"""Signing keys are changed under terminals that run, and one that is away; nobody notices."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from common.seals import read_token
from tests.demo.world import Terminal, World
from tests.e2e.customer import SHORT, begin, ends_on_time, kill, settles
from tests.e2e.worlds import a_world


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with two terminals, each with a booth of its own."""
    with a_world(SHORT) as made:
        for _ in range(2):
            made.add_terminal()
        made.wait_until_on_offer(2)
        yield made


def keys_known(terminal: Terminal) -> list[str]:
    """Return the ids of the keys that a terminal's journal has."""
    file = terminal.folder / "agent" / "journal.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as journal:
        (text,) = journal.execute("SELECT public_keys FROM identity").fetchone()
    return sorted(json.loads(text))


def serve(world: World, terminal: Terminal, key_id: int) -> None:
    """Serve a customer whose ticket that key has signed."""
    use = begin(world, terminal)
    (row,) = world.books(
        "SELECT k.token FROM tickets AS k JOIN reservations USING (reservation_id) WHERE link = ?",
        use.link,
    )
    assert read_token(row["token"]).token.key_id == key_id
    ends_on_time(world, use)
    settles(world, use)


def test_c2_keys_are_changed_and_a_stolen_one_retired_while_terminals_run_or_are_away(
    world: World,
):
    here, away = world.terminals
    serve(world, here, 1)
    assert away.agent is not None
    kill([away.agent.pid], signal.SIGTERM)
    away.agent.wait()
    assert "Key 2 signs" in world.ask_controller("keys", "rotate")
    world.wait_for("the new key to be told", lambda: keys_known(here) == ["1", "2"])
    assert keys_known(away) == ["1"]
    assert "Key 1 counts no more" in world.ask_controller("keys", "retire", "1", "--stolen")
    world.wait_for("the stolen key to be forgotten", lambda: keys_known(here) == ["2", "3"])
    listed = world.ask_controller("keys", "list").splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["2", "verifies"], ["3", "signs"]]
    serve(world, here, 3)
    world.start_agent(away)
    world.wait_until_on_offer(2)
    serve(world, away, 3)
    assert keys_known(away) == ["2", "3"]
