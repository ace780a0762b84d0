"""Doors, lights and sockets of a real store follow its customers, whoever is killed meanwhile."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.web.routes import from_iso
from tests.demo.world import SCRIPTS, SlotTerms, Terminal, World
from tests.e2e.customer import (
    Use,
    ends_on_time,
    offering_of,
    picture_of,
    programs,
    take_back,
)
from tests.e2e.worlds import a_world
from tests.rim.lamp_kit import LampBeside, StoreBroker, lamp_beside, store_broker

TERMS = SlotTerms(lengths_seconds=(10,), grid_seconds=1, warn_before_seconds=(1,))
"""Long enough for an agent that is started again on a machine with other work."""

BROKER = """
[switch_broker]
host = "127.0.0.1"
port = {port}
tls = false
user = "switches"
password_file = "{password}"
"""

OF_THE_TERMINAL = """
[[switches]]
switch = "lamp"
devices = ["booth-1"]
topic = "lamp/set"
status_topic = "lamp/state"
again_seconds = 0.5
answer_seconds = 0.5

[[switches]]
switch = "door"
kind = "pulse"
after_seconds = 1
topic = "door/set"
status_topic = "door/state"

[[switches]]
switch = "wall"
what = "command"
command_on = "wall-on"
command_off = "wall-off"
"""

OF_THE_CONTROLLER = """
[[switches]]
switch = "sign"
when = "presence_here"
topic = "sign/set"
status_topic = "sign/state"
"""

COMMANDS = """
[commands.wall-on]
argv = ["/bin/sh", "-c", "echo on >> wall"]
working_folder = "{folder}"

[commands.wall-off]
argv = ["/bin/sh", "-c", "echo off >> wall"]
working_folder = "{folder}"
"""


@dataclass
class Store:
    """A store whose terminal and controller have switches on a broker of the store's."""

    world: World
    terminal: Terminal
    broker: StoreBroker
    lamp: LampBeside
    door: LampBeside
    sign: LampBeside

    def said(self, *words: str, of: str = "edge-agent") -> str:
        """Return what a command about switches prints."""
        is_agent = of == "edge-agent"
        settings = self.terminal.settings if is_agent else self.world.folder / "controller.toml"
        asked = [str(SCRIPTS / of), "switches", *words, "--settings", str(settings)]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout

    def wall(self) -> list[str]:
        """Return what the commands of the wall have done."""
        file = self.terminal.folder / "wall"
        return file.read_text().split() if file.exists() else []

    def problems(self) -> list[dict[str, Any]]:
        """Return the problems of switches that are open."""
        told = self.world.operator("GET", "/api/v1/problems")["problems"]
        return [
            each
            for each in told
            if each["kind"] == "switch_did_not_answer" and each["solved_at"] is None
        ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give a store with one booth, its lamp, its door and the sign over it."""
    folder = tmp_path_factory.mktemp("broker")
    with ExitStack() as held:
        broker = held.enter_context(store_broker(folder))
        lamps = [held.enter_context(lamp_beside(broker, n)) for n in ("lamp", "door", "sign")]
        password = broker.settings().password_file
        named = BROKER.format(port=broker.port, password=password)
        world = held.enter_context(a_world(TERMS, programs=named + OF_THE_CONTROLLER))
        terminal = world.new_terminal()
        add(terminal.settings, named + OF_THE_TERMINAL)
        add(terminal.folder / "catalogue.toml", COMMANDS.format(folder=terminal.folder))
        world.enrol(terminal, world.new_code())
        world.start_agent(terminal)
        world.wait_until_on_offer(1)
        yield Store(world, terminal, broker, *lamps)


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def begin_and_survive(store: Store, agent: subprocess.Popen[bytes]) -> Use:
    """Let a customer in, have the agent killed by its own door, and start it again."""
    world, terminal = store.world, store.terminal
    ticket = world.book(offering_of(world, terminal))
    link = ticket["link"]
    world.wait_until_open(link)
    terminal.show(picture_of(world, link), "ticket")
    world.wait_for("the agent to be killed", lambda: agent.poll() is not None)
    take_back(terminal)
    world.start_agent(terminal)
    world.wait_for_line(link, "session.running")
    (pid,) = programs(world, terminal)
    return Use(link=link, ends_at=from_iso(ticket["ends_at"]), pid=pid)


def test_a_door_opens_once_although_the_agent_is_killed_as_it_opens(store: Store):
    """Killed between the message and its answer: the customer plays, and nothing opens again."""
    world, terminal, door = store.world, store.terminal, store.door.lamp
    world.wait_for("the sign", lambda: store.sign.lamp.is_on)
    world.wait_for("the lamp to be told", lambda: store.lamp.lamp.told)
    world.wait_for("the door to be told", lambda: door.told)
    assert set(store.lamp.lamp.told) == set(door.told) == {"OFF"}
    agent = terminal.agent
    assert agent is not None
    door.mood = "ignores"
    door.when_told = lambda word: agent.kill() if word == "ON" else None
    use = begin_and_survive(store, agent)
    world.wait_for("the lamp", lambda: store.lamp.lamp.is_on)
    world.wait_for("the door to be shut", lambda: door.told[-1] == "OFF")
    assert door.told.count("ON") == 1
    door.mood = "obeys"
    world.wait_for("the wall", lambda: "on" in store.wall())
    ends_on_time(world, use)
    world.wait_for("the lamp to be off", lambda: not store.lamp.lamp.is_on)
    world.wait_for("the wall to be off", lambda: store.wall()[-1] == "off")
    assert door.told.count("ON") == 1


def test_a_light_without_a_session_goes_off_and_one_that_is_unplugged_is_a_problem(store: Store):
    world, lamp = store.world, store.lamp
    lamp.turn_by_hand(on=True)
    world.wait_for("the lamp to be lit", lambda: lamp.lamp.is_on)
    world.wait_for("the lamp to be put off", lambda: not lamp.lamp.is_on)
    lamp.do(lamp.lamp.unplug())
    (problem,) = world.wait_for("the problem", store.problems)
    assert problem["terminal"] is not None
    assert (problem["evidence"]["switch"], problem["evidence"]["trouble"]) == (
        "lamp",
        "nobody_listens",
    )
    assert "lamp/set" not in str(problem)
    assert "lamp                 off  unanswered  nobody_listens" in store.said("list")
    assert "unanswered" in store.said("list", of="cloud-controller")
    lamp.do(lamp.lamp.plug_in())
    world.wait_for("the problem to close itself", lambda: not store.problems())
    told = world.operator("GET", "/api/v1/switches")["switches"]
    assert [(each["switch"], each["standing"]) for each in told] == [
        ("sign", "confirmed"),
        *((name, "confirmed") for name in ("door", "lamp", "wall")),
    ]
    assert 'rusuban_switches{standing="confirmed"} 4.0' in world.figures()


def test_whoever_installs_a_switch_tries_it_and_the_agent_puts_it_right(store: Store):
    assert store.said("try", "lamp", "on").startswith("lamp                 on   confirmed")
    store.world.wait_for("the lamp to be off again", lambda: not store.lamp.lamp.is_on)
    assert store.said("try", "wall", "on").split() == ["wall", "on", "confirmed"]
    assert store.wall()[-1] == "on"


def test_a_sign_goes_off_when_its_terminal_is_gone(store: Store):
    assert store.sign.lamp.is_on
    assert store.terminal.agent is not None
    store.terminal.agent.send_signal(signal.SIGTERM)
    store.world.wait_for("the sign to be off", lambda: not store.sign.lamp.is_on)
