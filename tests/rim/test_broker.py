"""The embedded broker lets each account do what its role says, comes back, and dies with us."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from cloud_controller.broker import (
    CONTROL_RESPONSES,
    AccountRole,
    BrokerDoesNotStart,
    BrokerIsMissing,
    BrokerPortIsTaken,
    BrokerSettings,
    EmbeddedBroker,
    Refusal,
    change_role,
    child,
    create_account,
    hash_secret,
    refusals_in,
    remove_account,
)
from common.mqtt import LossReason, Outcome, Will
from common.rules.enrolment import Ladder
from common.topics import CONTROLLER_STATE, BrokerRole, controller_filters, filters_for
from tests.rim.broker_kit import CONTROLLER, Office, Person, account, office, secret_of
from tests.waiting import until

ON_BOTH_ENDS_OF_THE_LADDER = pytest.mark.parametrize(
    "ladder", [Ladder.LOOPBACK, Ladder.CERTIFICATE], ids=lambda ladder: ladder.name.lower()
)
EVERYTHING_UP = controller_filters().subscribe
RESPONSES = (*EVERYTHING_UP, CONTROL_RESPONSES)


def topics_down(name: str) -> tuple[str, ...]:
    branch = f"rusuban/v1/{name}"
    return (f"{branch}/gate/down/registration", f"{branch}/service/down/desired")


async def reach(controller: Person, name: str) -> None:
    """Send one message to each of a terminal's branches, the gate last."""
    gate, service = topics_down(name)
    await controller.says(service, b"service")
    await controller.says(gate, b"gate")


@ON_BOTH_ENDS_OF_THE_LADDER
async def test_a_terminal_at_the_gate_hears_the_gate_and_nothing_of_service(tmp_path, ladder):
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.GATE) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1", filters=filters_for("t-1", BrokerRole.SERVICE).subscribe) as terminal,
    ):
        await reach(controller, "t-1")
        await until(terminal.heard)
        assert terminal.heard() == [b"gate"]
        assert [where for where, _ in terminal.faults] == ["subscribe"]


@pytest.mark.parametrize("role", [AccountRole.SERVICE, AccountRole.SETTLING])
async def test_a_confirmed_terminal_hears_what_its_role_opens(tmp_path, role):
    async with (
        office(tmp_path, t_1=role) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1", filters=filters_for("t-1", BrokerRole.SERVICE).subscribe) as terminal,
    ):
        await reach(controller, "t-1")
        expected = [b"service", b"gate"] if role is AccountRole.SERVICE else [b"gate"]
        await until(lambda: b"gate" in terminal.heard())
        assert terminal.heard() == expected


@ON_BOTH_ENDS_OF_THE_LADDER
async def test_a_terminal_cannot_hear_or_speak_for_another(tmp_path, ladder):
    nosy = ("#", "rusuban/v1/#", "rusuban/v1/+/service/down/#", *topics_down("t-2"))
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE, t_2=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER, filters=EVERYTHING_UP) as controller,
        Person(desk, "t-1", filters=(*nosy, *topics_down("t-1"))) as thief,
    ):
        await reach(controller, "t-2")
        await reach(controller, "t-1")
        await until(lambda: len(thief.messages) >= 2)
        assert {message.topic for message in thief.messages} == set(topics_down("t-1"))
        for topic in ("rusuban/v1/t-2/service/up/events", *topics_down("t-1"), "a/b"):
            assert await thief.says(topic) is Outcome.NOT_AUTHORISED
        assert await thief.says("rusuban/v1/t-1/service/up/events", b"mine") is Outcome.OK
        await until(controller.heard)
        assert controller.heard() == [b"mine"]


@ON_BOTH_ENDS_OF_THE_LADDER
async def test_a_will_on_anothers_topic_is_never_said(tmp_path, ladder):
    will = Will(topic="rusuban/v1/t-2/service/up/presence", payload=b"gone", delay_seconds=0)
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE, t_2=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER, filters=EVERYTHING_UP) as controller,
        Person(desk, "t-1", will=will) as thief,
    ):
        thief.cut_off()
        await thief.is_there(times=2)
        assert await thief.says("rusuban/v1/t-1/service/up/events", b"mine") is Outcome.OK
        await until(controller.heard)
        assert controller.heard() == [b"mine"]


def answer_to_a_spoof(desk: Office) -> str:
    """Return what the broker says to t-1's secret under t-2's client id."""
    answers: SimpleQueue[str] = SimpleQueue()
    spoof = Client(CallbackAPIVersion.VERSION2, client_id="t-2", protocol=MQTTv5)
    spoof.username_pw_set("t-1", secret_of("t-1"))
    spoof.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(str(reason))
    spoof.connect(desk.broker.host, desk.broker.port)
    spoof.loop_start()
    try:
        return answers.get(timeout=5)
    finally:
        spoof.loop_stop()


async def test_nobody_gets_in_under_anothers_client_id(tmp_path):
    async with office(tmp_path, t_1=AccountRole.SERVICE, t_2=AccountRole.SERVICE) as desk:
        assert await asyncio.to_thread(answer_to_a_spoof, desk) == "Not authorized"
        async with Person(desk, "t-3") as unknown:
            assert unknown.losses == [LossReason.NOT_AUTHORISED]


@ON_BOTH_ENDS_OF_THE_LADDER
async def test_a_terminal_sent_back_to_the_gate_hears_no_more_of_service(tmp_path, ladder):
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as terminal,
    ):
        await reach(controller, "t-1")
        await until(lambda: len(terminal.messages) == 2)
        await controller.orders(change_role("t-1", AccountRole.GATE))
        await terminal.is_there(times=2)
        await reach(controller, "t-1")
        await until(lambda: len(terminal.messages) == 3)
        assert terminal.sessions == [False, True]
        assert terminal.heard() == [b"service", b"gate", b"gate"]


async def test_an_account_made_while_running_works_as_one_known_from_the_start(tmp_path):
    async with (
        office(tmp_path) as desk,
        Person(desk, CONTROLLER, filters=RESPONSES) as controller,
    ):
        for _ in range(2):
            await controller.orders(create_account("t-9", AccountRole.GATE, secret_of("t-9")))
        async with Person(desk, "t-9", filters=topics_down("t-9")) as terminal:
            await reach(controller, "t-9")
            await until(terminal.heard)
            assert terminal.heard() == [b"gate"]
            await controller.orders(change_role("t-9", AccountRole.SERVICE))
            await terminal.is_there(times=2)
            await reach(controller, "t-9")
            await until(lambda: len(terminal.messages) == 3)
            await controller.orders(change_role("t-9", None))
            await terminal.is_there(times=3)
            await reach(controller, "t-9")
            assert len(terminal.messages) == 3
            for _ in range(2):
                await controller.orders(remove_account("t-9"))
            await until(lambda: LossReason.NOT_AUTHORISED in terminal.losses)
        responses = [m for m in controller.messages if m.topic == CONTROL_RESPONSES]
        assert len(responses) == 6
        assert [refusals_in(response.payload) for response in responses] == [()] * 6


async def test_a_refused_command_names_its_account_and_why(tmp_path):
    async with (
        office(tmp_path) as desk,
        Person(desk, CONTROLLER, filters=RESPONSES) as controller,
    ):
        await controller.orders(change_role("t-9", AccountRole.SERVICE))
        await until(lambda: controller.messages)
        assert refusals_in(controller.messages[0].payload) == (
            Refusal(command="modifyClient", account="t-9", why="Client not found"),
        )


@ON_BOTH_ENDS_OF_THE_LADDER
async def test_no_terminal_can_change_accounts(tmp_path, ladder):
    async with (
        office(tmp_path, ladder=ladder, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1") as thief,
    ):
        order = create_account("t-9", AccountRole.CONTROLLER, "x")
        assert await thief.says(order.topic, order.payload) is Outcome.NOT_AUTHORISED


async def test_a_killed_broker_is_back_on_its_port_with_its_accounts_and_sessions(tmp_path):
    async with (
        office(tmp_path, saves_each_change=True, t_1=AccountRole.GATE) as desk,
        Person(desk, CONTROLLER, filters=EVERYTHING_UP) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as terminal,
    ):
        await reach(controller, "t-1")
        await until(lambda: terminal.heard() == [b"gate"])
        port = desk.broker.port
        desk.accounts[1] = account("t-1", AccountRole.SERVICE)  # what the database says by then
        pid = desk.kill_broker()
        await controller.is_there(times=2)
        await terminal.is_there(times=2)
        assert (desk.broker.port, desk.broker.restarts) == (port, 1)
        assert desk.broker.pid != pid
        assert [type(fault).__name__ for _, fault in desk.faults] == ["BrokerEnded"]
        assert terminal.sessions == [False, True]
        await reach(controller, "t-1")
        await until(lambda: terminal.heard() == [b"gate", b"service", b"gate"])


async def test_an_acknowledged_message_outlives_the_brokers_kill(tmp_path):
    async with (
        office(tmp_path, saves_each_change=True, t_1=AccountRole.SERVICE) as desk,
        Person(desk, CONTROLLER) as controller,
        Person(desk, "t-1", filters=topics_down("t-1")) as terminal,
    ):
        await terminal.link.stop()
        for number in range(50):
            assert await controller.says(topics_down("t-1")[1], b"%d" % number) is Outcome.OK
        await controller.says(CONTROLLER_STATE)  # it saves after each turn, before it reads this
        desk.kill_broker()
        await controller.is_there(times=2)
        await terminal.link.start()
        await until(lambda: len(terminal.messages) == 50)
        assert terminal.heard() == [b"%d" % number for number in range(50)]


PARENT = """
import asyncio, sys
from pathlib import Path
from cloud_controller.broker import BrokerSettings, EmbeddedBroker

async def none():
    return []

async def main():
    broker = EmbeddedBroker(BrokerSettings(folder=Path(sys.argv[1])), accounts=none, report=print)
    await broker.start()
    print(broker.pid, flush=True)
    await broker.keep()

asyncio.run(main())
"""


async def test_the_broker_dies_with_its_parent_even_by_kill(tmp_path):
    with subprocess.Popen(  # noqa: ASYNC220 - the parent that is to be killed
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        await until(lambda: not is_alive(pid), seconds=2)


def is_alive(pid: int | None) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except FileNotFoundError:
        return False
    return "Name:\tmosquitto" in status and "State:\tZ" not in status


async def nobody():
    return []


async def test_a_missing_broker_is_one_clear_sentence(tmp_path):
    settings = BrokerSettings(folder=tmp_path, program="mosquitto-that-is-not-there")
    with pytest.raises(BrokerIsMissing, match="install the Debian packages mosquitto"):
        await EmbeddedBroker(settings, accounts=nobody, report=print).start()


async def test_a_taken_port_is_one_clear_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = BrokerSettings(folder=tmp_path, port=port)
        with pytest.raises(BrokerPortIsTaken, match=f"Port {port} on 127.0.0.1 is in use"):
            await EmbeddedBroker(settings, accounts=nobody, report=print).start()


async def test_a_broker_that_cannot_start_says_why_in_its_own_words(tmp_path):
    settings = BrokerSettings(folder=tmp_path, program="false")
    with pytest.raises(BrokerDoesNotStart, match="The broker does not start: no answer"):
        await EmbeddedBroker(settings, accounts=nobody, report=print).start()


async def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path):
    (tmp_path / "broker").touch()
    settings = BrokerSettings(folder=tmp_path / "broker")
    with pytest.raises(BrokerDoesNotStart, match=r"The broker does not start: .*File exists"):
        await EmbeddedBroker(settings, accounts=nobody, report=print).start()


async def test_a_stopped_broker_stays_stopped_and_leaves_nothing_running(tmp_path):
    broker = EmbeddedBroker(BrokerSettings(folder=tmp_path), accounts=nobody, report=print)
    await broker.start()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(broker.keep(), name="broker")
        await broker.stop()
    assert not is_alive(broker.pid)
    assert broker.restarts == 0


async def test_the_accounts_file_is_for_our_eyes_only_and_holds_no_secret(tmp_path):
    async with office(tmp_path, t_1=AccountRole.SERVICE):
        file = tmp_path / "broker" / "dynamic-security.json"
        assert file.stat().st_mode & 0o077 == 0
        assert secret_of("t-1") not in file.read_text("utf-8")
        assert not any(json.loads(file.read_bytes())["defaultACLAccess"].values())


def test_the_log_is_set_aside_when_it_is_full(tmp_path):
    log = tmp_path / "mosquitto.log"
    for letter in b"abc":
        child._append(log, bytes([letter]) * (child.LOG_BYTES_MAX + 1))
    child._append(log, b"d")
    assert [file.read_bytes()[:1] for file in sorted(tmp_path.iterdir())] == [b"d", b"c"]


def test_the_hash_depends_on_secret_and_salt_and_is_what_mosquitto_reads():
    assert len(hash_secret(b"secret", b"salt")) == 64
    assert hash_secret(b"secret", b"salt") != hash_secret(b"secret", b"tlas")
    assert hash_secret(b"secret", b"salt") != hash_secret(b"sacret", b"salt")
