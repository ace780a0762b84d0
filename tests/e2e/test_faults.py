"""Whatever is killed or cut off during a use: the program ends on time, the ledger comes right."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from cloud_controller.web.routes import from_iso
from common.rules.sessions import OWED_FROM_SECONDS
from tests.demo.logs import first, text
from tests.demo.world import Terminal, World
from tests.e2e.customer import (
    SHORT,
    Use,
    begin,
    ends_on_time,
    is_there,
    kill,
    offering_of,
    picture_of,
    programs,
    scan,
    settles,
    take_back,
)
from tests.e2e.worlds import a_world

LONGER_SECONDS = 8
"""Of a use of which some two seconds are lost before it begins."""

LONGEST_SECONDS = 14
"""Of a use in which the power is cut, and all of a PC's programs are started again."""

ROUNDING_SECONDS = 0.2
"""Between the second at which we see a process gone and the one that the terminal counted to."""


@pytest.fixture(scope="module")
def mended() -> Iterator[World]:
    """Give a store with one terminal, for all faults one after the other."""
    lengths = (*SHORT.lengths_seconds, LONGER_SECONDS, LONGEST_SECONDS)
    with a_world(replace(SHORT, lengths_seconds=lengths)) as made:
        terminal = made.new_terminal()
        boot_id_file = f'[runner]\nboot_id_file = "{boot_id_of(terminal)}"'
        told = terminal.settings.read_text("utf-8").replace("[runner]", boot_id_file, 1)
        terminal.settings.write_text(told, "utf-8")
        boot_id_of(terminal).write_text("boot-1\n", "ascii")
        made.enrol(terminal, made.new_code())
        made.start_agent(terminal)
        yield made


@pytest.fixture
def world(mended: World) -> World:
    """Return the store with all its parts at work again, whatever the last test left of it."""
    if mended.controller is None or mended.controller.poll() is not None:
        mended.start_controller()
    (terminal,) = mended.terminals
    if terminal.agent is None or terminal.agent.poll() is not None:
        mended.start_agent(terminal)
    offering_of(mended, terminal)
    mended.wait_for("the last program to be gone", lambda: not programs(mended, terminal))
    return mended


@pytest.fixture
def terminal(world: World) -> Terminal:
    """Return the store's terminal."""
    return world.terminals[0]


def test_a_use_goes_on_and_ends_on_time_without_its_controller(world: World, terminal: Terminal):
    """Promises 4, 9, 13: the controller is killed; started again, it learns all, in order, once."""
    use = begin(world, terminal)
    kill_controller(world)
    ends_on_time(world, use)
    world.start_controller()
    settles(world, use)


def test_an_agent_that_comes_back_finds_the_program_as_it_was(world: World, terminal: Terminal):
    """Promises 2, 4: the agent is killed and started again; the program is adopted, not begun."""
    use = begin(world, terminal)
    kill_agent(terminal)
    world.start_agent(terminal)
    world.wait_for_line(use.link, "session.warned")
    assert programs(world, terminal) == [use.pid]
    ends_on_time(world, use)
    settles(world, use)


def test_a_program_ends_on_time_though_its_agent_stays_away(world: World, terminal: Terminal):
    """Promises 4, 6: the runner alone keeps the end; the agent, back late, reports its seconds."""
    use = begin(world, terminal)
    started_at = from_iso(world.wait_for_line(use.link, "session.running")["at"])
    kill_agent(terminal)
    ends_on_time(world, use)
    world.start_agent(terminal)
    ended = settles(world, use, beside=["session.warned"])
    whole_seconds = (use.ends_at - started_at) / 1000
    assert ended["facts"]["delivered_seconds"] == pytest.approx(whole_seconds, abs=ROUNDING_SECONDS)


def test_a_killed_runner_is_started_again_and_adopts(world: World, terminal: Terminal):
    """Promise 4: the runner is killed; the next one takes the program over and keeps its end."""
    use = begin(world, terminal)
    before = runners(world, terminal)
    kill(before)
    world.wait_for("another runner", lambda: set(runners(world, terminal)) - set(before))
    assert programs(world, terminal) == [use.pid]
    ends_on_time(world, use)
    settles(world, use)


def test_a_use_goes_on_when_the_broker_is_killed(world: World, terminal: Terminal):
    """Promise 13: the controller starts it again, and nothing that was said is lost or doubled."""
    use = begin(world, terminal)
    before = brokers(world)
    kill(before)
    world.wait_for("another broker", lambda: set(brokers(world)) - set(before))
    ends_on_time(world, use)
    settles(world, use)


def test_a_broker_killed_between_scan_and_answer_costs_a_moment(world: World, terminal: Terminal):
    """B11: the question is repeated from the journal, and its answer is the one right."""
    ticket = world.book(offering_of(world, terminal), length_seconds=LONGER_SECONDS)
    link = ticket["link"]
    number = len(world.verdicts(terminal))
    world.wait_until_open(link)
    before = brokers(world)
    kill(before, signal.SIGSTOP)
    terminal.show(picture_of(world, link), "ticket")
    world.wait_for("the question to be asked", lambda: asks(terminal))
    kill(before)
    assert world.wait_for_verdict(terminal, number)["opens"]
    take_back(terminal)
    (pid,) = world.wait_for("the program to run", lambda: programs(world, terminal))
    issued = world.wait_for_line(link, "right.issued")
    waited_ms = from_iso(issued["at"]) - issued["facts"]["read_at"]
    # The seconds granted count from the scan: a late answer must never carry a use past its slot.
    use = Use(link=link, ends_at=from_iso(ticket["ends_at"]) - waited_ms, pid=pid)
    ends_on_time(world, use)
    settles(world, use, beside=["session.warned"])


def test_a_use_ends_on_time_with_the_cable_pulled(world: World, terminal: Terminal):
    """Promises 4, 9: nothing comes through before the end; later it is told as it was."""
    use = begin(world, terminal)
    kill(brokers(world), signal.SIGSTOP)
    try:
        ends_on_time(world, use)
        assert "session.ended" not in [line["type"] for line in world.story(use.link)]
    finally:
        kill(brokers(world), signal.SIGCONT)
    settles(world, use)


def test_a_use_goes_on_after_a_power_cut_when_its_ticket_is_shown_again(
    world: World, terminal: Terminal
):
    """Promises 2, 4, 6: agent, runner and program are gone at once, and another boot begins."""
    use = begin(world, terminal, length_seconds=LONGEST_SECONDS)
    since = len(text(terminal.log))
    cut_the_power(world, terminal)
    time.sleep(OWED_FROM_SECONDS)  # so long there is no power: a shorter loss is not paid back
    world.start_agent(terminal)
    waits = partial(first, terminal.log, "notice", {"notice": "scan_to_go_on"}, since=since)
    world.wait_for("the customer to be told", waits)
    assert programs(world, terminal) == []
    assert scan(world, terminal, picture_of(world, use.link))["opens"]
    (pid,) = world.wait_for("the program to run again", lambda: programs(world, terminal))
    ends_on_time(world, replace(use, pid=pid))
    ended = settles(world, use, beside=["session.warned"])
    assert world.wait_for_line(use.link, "session.resumed")["facts"]["remaining_seconds"] > 0
    granted = world.wait_for_line(use.link, "right.issued")["facts"]["seconds"]
    owed = world.wait_for_line(use.link, "reservation.compensated")["facts"]["seconds"]
    assert ended["facts"]["delivered_seconds"] + owed == pytest.approx(granted, abs=0.01)


def test_nothing_is_left_of_a_world_in_which_something_failed():
    """The demo and the tests leave no process and no file, also after a failure in the middle."""
    seen: list[World] = []
    with pytest.raises(InTheMiddleError):
        fail_in_the_middle(seen)
    assert seen[0].processes() == []
    assert not seen[0].folder.exists()


class InTheMiddleError(Exception):
    """What a test may fail with at any time."""


def fail_in_the_middle(seen: list[World]) -> None:
    """Have a world with a running use in it, and fail."""
    with a_world(SHORT) as world:
        seen.append(world)
        use = begin(world, world.add_terminal())
        assert is_there(use.pid)
        raise InTheMiddleError


def kill_controller(world: World) -> None:
    """Kill the controller, and with it goes its broker."""
    assert world.controller is not None
    world.controller.kill()
    world.controller.wait()
    world.wait_for("the broker to go with it", lambda: not brokers(world))


def kill_agent(terminal: Terminal) -> None:
    """Kill a terminal's agent and nothing else of it."""
    assert terminal.agent is not None
    terminal.agent.kill()
    terminal.agent.wait()


def cut_the_power(world: World, terminal: Terminal) -> None:
    """Kill all that runs on a PC at once; what is started there next is another boot's."""
    kill_agent(terminal)
    kill(runners(world, terminal))
    kill(programs(world, terminal))
    world.wait_for("all of it to be gone", lambda: not world.processes(str(terminal.folder)))
    boot_id_of(terminal).write_text("boot-2\n", "ascii")


def boot_id_of(terminal: Terminal) -> Path:
    """Return the file that says which start of a PC this is."""
    return terminal.folder / "boot_id"


def brokers(world: World) -> list[int]:
    """Return the broker that runs, or none."""
    return world.processes("mosquitto.conf")


def runners(world: World, terminal: Terminal) -> list[int]:
    """Return the runner of a terminal, or none."""
    return world.processes("runner", str(terminal.settings))


def asks(terminal: Terminal) -> bool:
    """Say whether a terminal has asked for a right and has no answer yet."""
    journal = f"file:{terminal.folder / 'agent' / 'journal.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(journal, uri=True)) as reading:
        states = reading.execute("SELECT state FROM exchanges").fetchall()
    return ("requesting",) in states
