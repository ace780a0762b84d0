"""A program that comes as a package runs with a seat of its module, whoever is killed meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo.world import World
from tests.e2e.customer import SHORT, kill, offering_of, picture_of, scan
from tests.e2e.packages import begin_packages, controller_does, needs_packages, publish
from tests.e2e.worlds import a_world

RACER = b"""#!/bin/sh
echo "$RUSUBAN_PACKAGE $RUSUBAN_MODULE_PHYSICS" > "$RUSUBAN_RUNNER.seen"
exec sleep 60
"""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store whose booth runs a program from a package, with one seat for all its runs."""
    with a_world(SHORT) as made:
        begin_packages(made)
        publish(made, "racer", "1.0", kind="program", files={"bin/racer": RACER})
        terms, files = 'basis = "concurrent"\n', {"table.bin": b"9.81"}
        publish(made, "physics", "1.0", kind="module", files=files, terms=terms)
        controller_does(made, "seats", "own", "physics", "1")
        terminal = made.new_terminal()
        needs_packages(made, terminal, "physics")
        made.enrol(terminal, made.new_code())
        made.start_agent(terminal)
        yield made


def seats_used(world: World) -> int:
    (pool,) = world.books("SELECT used FROM seat_pools WHERE module = 'physics'")
    return int(pool["used"])


def test_d5_d11_a_seat_follows_the_run_though_the_agent_is_killed_before_it_can_say_so(
    world: World,
):
    (terminal,) = world.terminals
    link = world.book(offering_of(world, terminal))["link"]
    assert seats_used(world) == 0, "on offer, so all that it needs is here; and that takes no seat"
    world.wait_until_open(link)
    assert scan(world, terminal, picture_of(world, link))["opens"]
    world.wait_for_line(link, "session.running")
    assert seats_used(world) == 1
    assert terminal.agent is not None
    kill([terminal.agent.pid])
    terminal.agent.wait()
    said = (terminal.folder / "runner.seen").read_text("utf-8").split()
    packages = terminal.folder / "agent"
    assert said[0].startswith(str(packages / "programs" / "racer" / "1.0-"))
    assert said[1].startswith(str(packages / "modules" / "physics" / "1.0-"))
    world.wait_for("the program to have ended", lambda: not world.processes(said[0]))
    assert seats_used(world) == 1, "nobody has said that it is over"
    world.start_agent(terminal)
    world.wait_for("the seat to be back", lambda: seats_used(world) == 0)
    world.wait_for_line(link, "session.ended")
    ended = world.books("SELECT * FROM ledger WHERE type = 'module.run_ended'")
    assert len(ended) == 1
    uses = world.books("SELECT * FROM module_events WHERE kind = 'used'")
    assert [row["module"] for row in uses] == ["physics"]
