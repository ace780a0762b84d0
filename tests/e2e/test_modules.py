"""Published, offered, asked for, fetched, installed and counted: real processes all the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge_agent.main import command_line as agent_commands
from tests.demo.terminal import Terminal
from tests.demo.world import World
from tests.e2e.customer import SHORT
from tests.e2e.packages import begin_packages, controller_does, needs_packages, publish
from tests.e2e.worlds import a_world

MODULE_BYTES = 3 * 1024 * 1024 + 17
"""Of one file of the module: more than three chunks, so that a bar has something to show."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store whose one booth runs a program from a package that needs two modules.

    Of one of them two seats are owned; the other one is not licensed here.
    """
    with a_world(SHORT, ladder=2) as made:
        begin_packages(made)
        publish(made, "racer", "1.0", kind="program", files={"bin/racer": b"#!/bin/sh\nsleep 60\n"})
        content = bytes(range(256)) * (MODULE_BYTES // 256)
        publish(made, "physics", "1.0", kind="module", files={"table.bin": content})
        controller_does(made, "seats", "own", "physics", "2")
        terminal = made.new_terminal()
        needs_packages(made, terminal, "physics", "sound")
        made.enrol(terminal, made.new_code())
        made.start_agent(terminal)
        yield made


def agent_says(terminal: Terminal, *words: str) -> str:
    """Return what a command of the agent prints, beside the agent that runs."""
    said = CliRunner().invoke(agent_commands, [*words, "--settings", str(terminal.settings)])
    assert said.exit_code == 0, said.output
    return said.stdout


def lines(world: World, kind: str) -> list[dict[str, Any]]:
    rows = world.books("SELECT * FROM module_events WHERE kind = ? ORDER BY lseq", kind)
    return [dict(row) for row in rows]


def test_d1_d2_d3_d4_the_client_comes_first_then_the_licensed_module_and_is_counted(world: World):
    (terminal,) = world.terminals
    shown = agent_says(terminal, "modules", "watch", "--until-settled")
    assert "racer 1.0" in shown
    assert "physics 1.0" in shown
    (issued,) = world.wait_for("the issue", lambda: lines(world, "issued"))
    (installed,) = world.wait_for("the install", lambda: lines(world, "installed"))
    assert issued["at"] <= installed["at"], "it is logged before anything is sent"
    assert (issued["module"], issued["version"]) == ("physics", "1.0")
    assert (installed["client"], installed["version"]) == (issued["client"], "1.0")
    packages = terminal.folder / "agent"
    module = json.loads((packages / "modules" / "physics" / "current.json").read_text("utf-8"))
    assert module["sha256"] == issued["digest"]
    assert module["digest"] == installed["digest"]
    assert (packages / "programs" / "racer" / "current.json").exists()
    table = next((packages / "modules" / "physics").glob("1.0-*/**/table.bin"))
    assert table.stat().st_size == MODULE_BYTES // 256 * 256
    (pool,) = world.books("SELECT owned, used FROM seat_pools WHERE module = 'physics'")
    assert tuple(pool) == (2, 1)
    shown = agent_says(terminal, "modules", "list")
    stands = {row.split()[0]: row.split()[-1] for row in shown.splitlines()[1:]}
    assert stands == {"racer": "here", "physics": "here", "sound": "not_on_offer"}
    states = {row["package"]: row["state"] for row in world.books("SELECT * FROM package_progress")}
    assert (states["racer"], states["physics"]) == ("here", "here")


def test_d4_fetched_again_it_takes_no_new_seat(world: World):
    (terminal,) = world.terminals
    ours = terminal.folder / "agent" / "modules" / "physics"
    (ours / "current.json").unlink()
    _move_away(ours)
    world.wait_for("the second issue", lambda: len(lines(world, "issued")) == 2)
    world.wait_for("it to be there again", (ours / "current.json").exists)
    (pool,) = world.books("SELECT owned, used FROM seat_pools WHERE module = 'physics'")
    assert tuple(pool) == (2, 1)
    (row,) = world.books("SELECT * FROM download_log")
    assert row["deliveries"] == 2
    assert row["registered_at"] < row["updated_at"]


def test_d7_d8_a_program_goes_with_the_module_that_it_needed_and_the_seat_is_back(world: World):
    (terminal,) = world.terminals
    said = CliRunner().invoke(
        agent_commands, ["modules", "uninstall", "physics", "--settings", str(terminal.settings)]
    )
    assert (said.exit_code, said.stdout) == (1, "physics: kept (needed: racer)\n")
    assert "To go: physics: kept" in agent_says(terminal, "modules", "list")
    (row,) = world.books("SELECT terminal_id FROM terminals")
    controller_does(world, "modules", "uninstall", row["terminal_id"], "racer")
    (gone,) = world.wait_for("it to be gone", lambda: lines(world, "uninstalled"))
    (asked,) = lines(world, "uninstall_allowed")
    assert (gone["module"], gone["digest"]) == ("physics", asked["digest"])
    packages = terminal.folder / "agent"
    for kind, package in (("modules", "physics"), ("programs", "racer")):
        assert not (packages / kind / package / "current.json").exists()
    (pool,) = world.books("SELECT owned, used FROM seat_pools WHERE module = 'physics'")
    assert tuple(pool) == (2, 0)


def _move_away(ours: Path) -> None:
    """Lose a module as whoever tidies a disk by hand does."""
    ours.rename(ours.with_name("lost"))
