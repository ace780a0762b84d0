"""A terminal that lies, a disk that is full: neither costs anybody else anything, nor is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud_controller.flows.service import DEVICES_KEPT_MAX
from common.messages.base import DEVICES_MAX
from common.messages.specification import (
    DeviceFound,
    MachineFound,
    ProgramFound,
)
from common.rules.specification import new_specification
from common.topics import Channel
from tests.demo.world import STORE, World
from tests.e2e.customer import SHORT, begin, ends_on_time, offering_of, settles
from tests.e2e.test_uninvited import dropped
from tests.e2e.worlds import a_world

FULL_FOR_SECONDS = 3.0
"""How long past its end the use finds no room in the journal: longer than one try to write."""

LINK_SECONDS_MAX = 5.0
"""How long the broker may take to let somebody in, or to bring an answer."""

FLOOD_MESSAGES = 30_000
"""More than the books let wait, in less time than they are taken in."""

FLOOD_CALLS_MIN = 20
"""Calls of others while that is worked off, and so many more without one more message dropped."""

ROLE_CHANGE_LOOKS = 20
"""How often a terminal comes back that is sent away to get its new role."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one honest terminal."""
    with a_world(SHORT) as made:
        offering_of(made, made.add_terminal())
        yield made


def test_a_journal_without_room_ends_no_agent_and_loses_no_end(world: World):
    """Promises 4, 9: a program ends on time and its end is told once the disk takes it."""
    (terminal,) = world.terminals
    journal = Path(terminal.folder) / "agent" / "journal.db"
    use = begin(world, terminal)
    with closing(sqlite3.connect(journal, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends_on_time(world, use)
        time.sleep(FULL_FOR_SECONDS)  # the fault itself: it lasts
        assert terminal.agent is not None
        assert terminal.agent.poll() is None
    settles(world, use, beside=["session.warned"])
    settles(world, begin(world, terminal))


def test_a_terminal_cannot_fill_what_is_kept_for_ever(world: World):
    """Promise 13: it is heard for devices of its own, and of these for as many as one may have."""
    liar = Liar(world)
    for first in range(0, DEVICES_KEPT_MAX, DEVICES_MAX):
        told = liar.specifies(range(first, first + DEVICES_MAX))
        assert told["type"] == "service.profile"
    told = liar.specifies(range(DEVICES_KEPT_MAX, DEVICES_KEPT_MAX + 1))
    assert told["data"] == {"reason": "too_many_devices"}
    comm_id = f"{liar.terminal}/{liar.epoch}/session:d-nowhere/1/{'a' * 32}"
    told = liar.asks("rights.announce", {"comm_id": comm_id})
    assert told["data"]["trouble"] == "busy"
    books = world.folder / "controller" / "books.db"
    with closing(sqlite3.connect(f"file:{books}?mode=ro", uri=True)) as seen:
        count = "SELECT count(*) FROM devices WHERE terminal_id = ?"
        assert seen.execute(count, [liar.terminal]).fetchone() == (DEVICES_KEPT_MAX,)
        count = "SELECT count(*) FROM exchanges WHERE party = ?"
        assert seen.execute(count, [liar.terminal]).fetchone() == (0,)


def test_a_terminal_that_floods_takes_the_room_of_nobody_else(world: World):
    """Promise 13: what one terminal has waiting is bounded, so that the others are served."""
    liar = Liar(world)
    liar.specifies(range(1))
    with liar.flooding(FLOOD_MESSAGES):
        counts: list[float] = []
        while len(counts) < FLOOD_CALLS_MIN or counts[-1] > counts[-FLOOD_CALLS_MIN]:
            assert world.operator("POST", "/api/v1/enrolment-codes", {"store": STORE})["code"]
            counts.append(dropped(world, "too_many_waiting"))
    assert counts[-1]
    settles(world, begin(world, world.terminals[0]))


class Liar:
    """A terminal that has enrolled and been confirmed, with nothing of ours inside."""

    def __init__(self, world: World) -> None:
        code = world.operator("POST", "/api/v1/enrolment-codes", {"store": STORE})["code"]
        about = {"code": code, "public_key": os.urandom(32).hex(), "hostname": "liar"}
        self._told = world.api("POST", "/api/v1/enrolments", about)
        self._world = world
        self.terminal: str = self._told["terminal"]
        self.epoch: str = self._told["epoch"]

    def specifies(self, numbers: range) -> dict[str, Any]:
        """Say that these are its devices, and return what service it is given for them."""
        specification = new_specification(
            agent_version="1",
            machine=MachineFound(),
            devices=[DeviceFound(key=f"k-{n}", title="x", program="racer") for n in numbers],
            programs=[ProgramFound(program="racer")],
        )
        said = specification.model_dump(mode="json")
        with self._connected() as (link, _):
            self._say(link, Channel.SPECIFICATION, "registration.specification", said)
        return self.asks("service.request", {"gate_digest": specification.gate_digest})

    def asks(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Ask on the service's channel and return the answer."""
        for _ in range(ROLE_CHANGE_LOOKS):
            with self._connected() as (link, answers):
                self._say(link, f"{Channel.REQUESTS}/{kind}", kind, fields)
                until = time.monotonic() + LINK_SECONDS_MAX / ROLE_CHANGE_LOOKS
                while not answers and time.monotonic() < until:
                    time.sleep(0.005)
            if answers and answers[0]["data"].get("reason") != "not_registered":
                return answers[0]
        pytest.fail(f"no answer to {kind}")

    @contextmanager
    def flooding(self, count: int) -> Iterator[None]:
        """Send so many good requests as fast as they go."""
        fields = {"comm_id": f"{self.terminal}/{self.epoch}/session:d-nowhere/1/{'a' * 32}"}
        who = {"terminal": self.terminal, "epoch": self.epoch}
        said = json.dumps({"v": 1, "type": "rights.announce", "data": fields, **who})
        topic = f"rusuban/v1/{self.terminal}/{Channel.REQUESTS}/rights.announce"
        with self._connected() as (link, _):
            for _ in range(count):
                link.publish(topic, said, qos=0)
            yield

    def _say(self, link: mqtt.Client, channel: str, kind: str, fields: dict[str, Any]) -> None:
        who = {"terminal": self.terminal, "epoch": self.epoch}
        said = {"v": 1, "type": kind, "data": fields, **who}
        sent = link.publish(f"rusuban/v1/{self.terminal}/{channel}", json.dumps(said), qos=1)
        with suppress(RuntimeError):  # sent away to get a new role: it comes back and asks again
            sent.wait_for_publish(LINK_SECONDS_MAX)

    @contextmanager
    def _connected(self) -> Iterator[tuple[mqtt.Client, list[dict[str, Any]]]]:
        answers: list[dict[str, Any]] = []
        ready: list[object] = []
        link = mqtt.Client(CallbackAPIVersion.VERSION2, self.terminal, protocol=mqtt.MQTTv5)
        link.username_pw_set(self.terminal, self._told["secret"])
        replies = f"rusuban/v1/{self.terminal}/{Channel.REPLIES}"

        def listen(*_: object) -> None:
            link.subscribe(replies, 1)

        link.on_connect = listen
        link.on_subscribe = lambda *_: ready.append(True)
        link.on_message = lambda _link, _, told: answers.append(json.loads(told.payload))
        link.connect(self._told["broker"]["host"], self._told["broker"]["port"])
        link.loop_start()
        try:
            self._world.wait_for("the broker to let the liar in", lambda: ready)
            yield link, answers
        finally:
            link.disconnect()
            link.loop_stop()
