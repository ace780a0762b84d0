"""Who is not confirmed gets nothing, and what nobody can read is counted, logged and dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from cloud_controller.web.qr import ticket_png
from common.codec import PAYLOAD_BYTES_MAX
from common.system import SystemClock, SystemNames
from common.topics import Address, Channel, topic_of
from edge_agent.flows import enrolment
from edge_agent.opened import open_journal
from edge_agent.ports import Identity
from edge_agent.settings import AgentSettings
from tests.demo.world import Terminal, World
from tests.e2e.customer import SHORT, begin, nothing_changes, offering_of, scan, settles
from tests.e2e.worlds import a_world
from tests.rim.scanner_kit import a_token

SENT_SECONDS_MAX = 5.0
"""How long the broker may take to have a message."""

MALFORMED = {
    "cut off": b'{"v":1,"type":"session.run',
    "no JSON": b"\x00\xff\xfe\x01",
    "no object": b"[1,2,3]",
    "another version": b'{"v":9,"type":"terminal.heartbeat","data":{}}',
    "an unknown type": b'{"v":1,"type":"session.begun","data":{}}',
    "a field of a wrong type": b'{"v":1,"type":"session.running","data":{"session":7}}',
    "endless brackets": b"[" * 5_000,
    "too large": b'{"v":1,"pad":"' + b"x" * PAYLOAD_BYTES_MAX + b'"}',
}


def test_a_terminal_gets_no_service_before_an_operator_has_confirmed_it():
    """A3, A4, A5, A7, promise 10: with policy `manual` the gate is shut until somebody says so."""
    with a_world(SHORT, policy="manual") as world:
        terminal = world.add_terminal()
        known = world.wait_for("the specification to come", lambda: pending(world))
        refused = scan(world, terminal, ticket_png(a_token(), module_pixels=8))
        assert refused["reason"] == "not_registered"
        assert world.api("GET", "/api/v1/offerings")["offerings"] == []
        assert known["broker_role"] == "gate"
        assert "service profile taken" not in events(terminal.log)
        path = f"/api/v1/terminals/{known['terminal']}/standing"
        world.operator("POST", path, {"event": "confirm"})
        settles(world, begin(world, terminal))
        assert "service profile taken" in events(terminal.log)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one confirmed terminal whose agent is away."""
    with a_world(SHORT) as made:
        terminal = made.add_terminal()
        offering_of(made, terminal)
        stop_agent(terminal)
        yield made


@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_message_is_counted_and_logged_and_dropped(world: World, payload: bytes):
    """Bad input: the log names the sender by its topic, and nothing else happens."""
    who = identity(world.terminals[0])
    before = dropped(world, "malformed")
    with nothing_changes(world):
        publish(who, Channel.EVENTS, payload)
        world.wait_for("it to be counted", lambda: dropped(world, "malformed") == before + 1)
    assert last_dropped(world)["topic"] == topic(who, Channel.EVENTS)
    assert last_dropped(world)["why"] == "malformed"


def test_nobody_can_speak_in_the_name_of_another(world: World):
    """Attacks: an envelope that names another terminal than its topic is dropped, and counted."""
    who = identity(world.terminals[0])
    before = dropped(world, "false_sender")
    publish(who, Channel.HEARTBEAT, envelope("terminal.heartbeat", terminal="t-somebody"))
    world.wait_for("it to be counted", lambda: dropped(world, "false_sender") == before + 1)
    assert last_dropped(world)["detail"] == "t-somebody"


def test_a_message_on_the_wrong_channel_is_not_taken(world: World):
    """Bad input: good messages are good where they belong."""
    who = identity(world.terminals[0])
    before = dropped(world, "wrong_channel")
    publish(who, Channel.EVENTS, envelope("terminal.heartbeat", terminal=who.terminal))
    world.wait_for("it to be counted", lambda: dropped(world, "wrong_channel") == before + 1)


def test_a_store_serves_on_after_all_that_was_thrown_at_it(world: World):
    """Promise 13: no input brings anything down; the terminal comes back and serves."""
    (terminal,) = world.terminals
    world.start_agent(terminal)
    settles(world, begin(world, terminal))
    assert dropped(world, "failed") == 0


def pending(world: World) -> dict[str, Any] | None:
    """Return the terminal that waits for its confirmation, once there is one."""
    found = world.operator("GET", "/api/v1/terminals")["terminals"]
    return next((each for each in found if each["standing"] == "pending"), None)


def events(log: Path) -> list[str]:
    """Return the names of what a log tells, in order."""
    lines = (json.loads(line) for line in log.read_text("utf-8").splitlines() if line[:1] == "{")
    return [line["event"] for line in lines]


def stop_agent(terminal: Terminal) -> None:
    """Have a terminal's agent leave as it leaves at night."""
    assert terminal.agent is not None
    terminal.agent.terminate()
    assert terminal.agent.wait() == 0


def identity(terminal: Terminal) -> Identity:
    """Return who a terminal is, as only its own journal knows."""
    settings = AgentSettings.load(terminal.settings)
    with closing(open_journal(settings, SystemClock(), SystemNames())) as journal:
        who = journal.transact(enrolment.identity)
    assert who is not None
    return who


def topic(who: Identity, channel: Channel) -> str:
    """Return one of a terminal's own topics."""
    return topic_of(Address(terminal=who.terminal, channel=channel))


def envelope(kind: str, *, terminal: str) -> bytes:
    """Return a message without fields of its own, in the name of a terminal."""
    return json.dumps({"v": 1, "type": kind, "terminal": terminal, "data": {}}).encode()


def publish(who: Identity, channel: Channel, payload: bytes) -> None:
    """Publish on one of a terminal's own topics, with nothing of ours in between."""
    with _connected(who) as rogue:
        sent = rogue.publish(topic(who, channel), payload, qos=1)
        sent.wait_for_publish(SENT_SECONDS_MAX)
        assert sent.is_published()


@contextmanager
def _connected(who: Identity) -> Iterator[mqtt.Client]:
    rogue = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=who.terminal, protocol=mqtt.MQTTv5)
    rogue.username_pw_set(who.terminal, who.secret)
    rogue.connect(who.broker_host, who.broker_port)
    rogue.loop_start()
    try:
        yield rogue
    finally:
        rogue.disconnect()
        rogue.loop_stop()


def dropped(world: World, why: str) -> float:
    """Return how many messages the controller has dropped for a reason."""
    metrics = world.figures()
    counted = rf'rusuban_messages_dropped_total{{reason="{why}"}} (\S+)'
    count = re.search(counted, metrics)
    return float(count[1]) if count else 0.0


def last_dropped(world: World) -> dict[str, Any]:
    """Return the last line in the controller's log about a message that was dropped."""
    log = world.folder / "controller.log"
    lines = [dict(json.loads(line)) for line in log.read_text("utf-8").splitlines()]
    return [line for line in lines if line["event"] == "message dropped"][-1]
