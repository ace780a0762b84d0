"""The real agent at a real broker, before a controller that has gone wrong (A4, A7, A8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud_controller.broker import AccountRole, change_role, create_account, remove_account
from common.codec import Envelope, read, write
from common.messages.base import Message
from common.messages.problems import ProblemTold
from common.messages.registration import Acknowledged, Heartbeat, Hello, StandingTold
from common.messages.sessions import CommandTold, SessionEnded, StopSession
from common.messages.specification import Specification
from common.mqtt import LossReason
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.seals import new_signing_key, public_bytes
from common.system import SystemClock, SystemNames
from common.topics import (
    Address,
    BrokerRole,
    Channel,
    address_of,
    controller_filters,
    filters_for,
    topic_of,
)
from edge_agent.flows import enrolment, sessions
from edge_agent.journal import SqliteJournal
from edge_agent.opened import Opened
from edge_agent.settings import (
    AgentSettings,
    DeviceSettings,
    OfferingSettings,
    RetryPart,
    RunnerPart,
)
from edge_agent.terminal import Terminal
from tests.fakes.house import a_specification
from tests.fakes.terminal import a_device, a_profile, a_program, all_of_service, an_answer
from tests.rim.broker_kit import CONTROLLER, Office, Person, office, secret_of
from tests.waiting import until

NAME, EPOCH = "t-1", "e0"
ONE, OTHER = a_specification("vr"), a_specification("vr", memory_bytes=1 << 34)
TABLES = ("registration", "profile", "desired", "exchanges", "sessions", "commands")


class Controller:
    """Says what the test has it say, to whom it should not say it, and hears everything."""

    def __init__(self, person: Person) -> None:
        self.person = person

    async def say(self, channel: Channel, message: Message, tail: str = "") -> None:
        address = Address(terminal=an_answer({}).terminal, channel=channel, tail=tail)
        envelope = Envelope(id="m", terminal=NAME, epoch="", sent_at=0, message=message)
        await self.person.says(topic_of(address), write(envelope))

    async def say_standing(
        self, standing: Standing, revision: int, about: Specification = ONE
    ) -> None:
        told = StandingTold(
            standing=standing, gate_digest=about.gate_digest, epoch=EPOCH, revision=revision
        )
        await self.say(Channel.REGISTRATION, told)

    async def say_all(self) -> int:
        """Say something of all that a terminal in service is told; return how much it was."""
        said = [(channel, each) for channel, some in SERVICE.items() for each in some]
        for channel, message in said:
            await self.say(channel, message, "c" if channel is Channel.COMMANDS else "")
        return len(said)

    async def gives(self, role: AccountRole) -> None:
        await self.person.orders(change_role(NAME, role))

    def heard(self, kind: type[Message] = Message) -> list[Any]:
        ours = [each for each in self.person.messages if address_of(each.topic) is not None]
        messages = [read(delivery.payload).message for delivery in ours]
        return [message for message in messages if isinstance(message, kind)]

    def channels(self) -> set[Channel]:
        addresses = [address_of(delivery.topic) for delivery in self.person.messages]
        return {address.channel for address in addresses if address is not None}


SERVICE = all_of_service(ONE.gate_digest)


class Pc:
    """A store PC with a journal that outlives its agent."""

    def __init__(self, folder: Path, desk: Office) -> None:
        self.what = ONE
        self._folder = folder / "pc"
        self._desk = desk

    def open(self) -> Opened:
        clock, names = SystemClock(), SystemNames()
        file = self._folder / "journal.db"
        journal = SqliteJournal(file, clock=clock, names=names, boot_id="boot-1")
        keys = {1: public_bytes(new_signing_key(b"k" * 32)).hex()}
        who = an_answer(keys, port=self._desk.broker.port, secret=secret_of(NAME))
        journal.transact(enrolment.keep_identity, who)
        return Opened(
            who=who, catalogue={}, look=lambda: self.what, journal=journal, clock=clock, names=names
        )

    def settings(self) -> AgentSettings:
        folder = self._folder
        return AgentSettings(
            state_folder=folder,
            runner=RunnerPart(
                socket=folder / "s", state_folder=folder, catalogue=folder / "catalogue.toml"
            ),
            devices=(
                DeviceSettings(
                    key="vr",
                    title="Booth",
                    program="game",
                    offering=OfferingSettings(key="vr", title="VR"),
                ),
            ),
            retry=RetryPart(shortest_seconds=0.05, longest_seconds=0.5, refused_seconds=0.2),
        )

    @asynccontextmanager
    async def agent(self) -> AsyncIterator[Terminal]:
        """Run the agent's own parts, joined as its `main` joins them."""
        opened = self.open()
        terminal = Terminal(self.settings(), ["false"], opened, [])
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(loop, name=name) for name, loop in terminal.loops().items()
            ]
            await terminal.connection.start()
            try:
                yield terminal
            finally:
                await terminal.say_goodbye()
                for task in running:
                    task.cancel()
        opened.journal.close()

    async def is_found_to_be(self, terminal: Terminal, what: Specification) -> None:
        """Have the agent look now, and not in a minute."""
        self.what = what
        await terminal._inspector._inspect()
        terminal._on_looked()


def rows(terminal: Terminal, table: str) -> list[dict[str, Any]]:
    query = f"SELECT * FROM {table}"  # noqa: S608 - named by tests
    return [dict(row) for row in terminal._journal._connection.execute(query)]


def told(terminal: Terminal) -> list[str]:
    return [row["type"] for row in rows(terminal, "outbox")]


@asynccontextmanager
async def a_store(folder: Path, role: AccountRole) -> AsyncIterator[tuple[Office, Controller, Pc]]:
    """Run a broker that lets the terminal have this role, and a controller in the test's hand."""
    async with office(folder, t_1=role) as desk:
        filters = controller_filters().subscribe
        async with Person(desk, CONTROLLER, filters=filters) as person:
            yield desk, Controller(person), Pc(folder, desk)


async def serve(controller: Controller, terminal: Terminal) -> None:
    """Let the terminal be confirmed and have its service information."""
    await until(lambda: controller.heard(Specification))
    await controller.say_standing(Standing.CONFIRMED, 1)
    await until(lambda: Channel.REQUESTS in controller.channels())
    profile = a_profile(a_device("vr"), gate_digest=ONE.gate_digest)
    await controller.say(Channel.REPLIES, profile)
    await until(lambda: "offering.on" in told(terminal))


async def run_session(terminal: Terminal) -> None:
    """Let a session run, as far as the journal knows."""
    facts = {
        "session": "s-1",
        "device": "d-vr",
        "program": "game",
        "ticket": "",
        "admission": "right",
        "fence": 1,
        "right_document": "{}",
        "granted_seconds": 60.0,
        "extends_itself": 0,
        "start_by_boot_seconds": 1e12,
        "deadline_boot_seconds": 1e12,
        "boot_id": "boot-1",
        "state": "starting",
        "made_at": 1,
    }
    journal = terminal._journal
    journal.transact(lambda opened: opened.rows.add_session(**facts))
    journal.transact(sessions.note_seen, a_program("s-1", "running"))


async def acknowledge(controller: Controller, terminal: Terminal) -> None:
    """Have everything that was told so far."""
    (last,) = terminal._journal._connection.execute("SELECT coalesce(max(seq), 0) FROM outbox")
    await controller.say(Channel.ACKS, Acknowledged(epoch=EPOCH, up_to=last[0]))


async def test_a4_a_wrong_controller_gets_nothing_into_a_terminal_that_is_not_confirmed(tmp_path):
    """The broker is wrong too: it delivers all of it, also what has waited since before."""
    async with a_store(tmp_path, AccountRole.SERVICE) as (desk, controller, pc):
        once_in_service = filters_for(NAME, BrokerRole.SERVICE).subscribe
        async with Person(desk, NAME, filters=once_in_service):
            pass
        count = await controller.say_all()
        for _ in range(2):  # and again after a restart
            async with pc.agent() as terminal:
                await until(lambda: controller.heard(Specification))
                await controller.say_standing(Standing.PENDING, 1)
                count += await controller.say_all()
                dropped = terminal.listener.dropped
                await until(lambda: dropped["gate_is_closed"] == count)  # noqa: B023 - awaited here
                kept = {table: rows(terminal, table) for table in TABLES}
                assert [row["standing"] for row in kept.pop("registration")] == ["pending"]
                assert not any(kept.values())
                problems = [row["body"] for row in rows(terminal, "outbox")]
                assert all(ProblemKind.SERVICE_TOO_EARLY in body for body in problems)
                assert problems
                count = 0
        assert controller.channels() == {Channel.SPECIFICATION}, "and it says nothing but that"


async def test_a4_service_is_served_only_after_the_word(tmp_path: Path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc),
        pc.agent() as terminal,
    ):
        await until(lambda: controller.heard(Specification))
        assert controller.channels() == {Channel.SPECIFICATION}
        await serve(controller, terminal)
        up = {channel for channel in Channel if channel.is_up} - {Channel.TELEMETRY}
        await until(lambda: controller.channels() == up, seconds=15)
        assert controller.heard(Heartbeat)


async def test_what_the_broker_kept_is_not_taken_by_a_terminal_in_service(tmp_path: Path):
    async with a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc):
        desired, *_ = SERVICE[Channel.DESIRED]
        topic = f"rusuban/v1/{NAME}/{Channel.DESIRED}"
        kept = write(Envelope(id="m", terminal=NAME, epoch="", sent_at=0, message=desired))
        assert controller.person.link.publish(topic, kept, 1, retain=True) is not None
        async with pc.agent() as terminal:
            await serve(controller, terminal)
            await until(lambda: terminal.listener.dropped["retained"] == 1)
            assert not rows(terminal, "desired")


async def test_a_terminal_that_is_suspended_finishes_its_session_and_goes_to_the_gate(tmp_path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc),
        pc.agent() as terminal,
    ):
        await serve(controller, terminal)
        await run_session(terminal)
        await controller.say_standing(Standing.SUSPENDED, 2)
        await controller.gives(AccountRole.SETTLING)
        await until(lambda: terminal._gate.role is BrokerRole.SETTLING)
        await until(
            lambda: terminal.connection.link.counts.connected == 2 and terminal.courier.is_connected
        )

        stop = StopSession(command="c-1", session="s-1", reason="revoked", accept_by=1)
        await controller.say(Channel.COMMANDS, stop, "c-1")
        await until(lambda: controller.heard(CommandTold))
        terminal._journal.transact(sessions.note_seen, a_program("s-1", "ended"))
        await until(lambda: controller.heard(SessionEnded))
        await acknowledge(controller, terminal)
        await until(lambda: terminal._gate.role is BrokerRole.GATE)
        assert "offering.off" in [message.type for message in controller.heard()]

        controller.person.messages.clear()
        await controller.gives(AccountRole.SERVICE)  # the broker gives too much
        await until(lambda: terminal.connection.link.counts.connected == 3)
        await until(lambda: controller.heard(Specification))
        await controller.say(Channel.COMMANDS, stop, "c-2")
        assert controller.channels() == {Channel.SPECIFICATION}


async def test_a8_a_pc_that_changes_closes_its_own_gate_while_a_session_goes_on(tmp_path: Path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc),
        pc.agent() as terminal,
    ):
        await serve(controller, terminal)
        await run_session(terminal)
        await pc.is_found_to_be(terminal, OTHER)
        assert terminal._gate.role is BrokerRole.SETTLING
        assert [row["state"] for row in rows(terminal, "sessions")] == ["running"]
        await until(lambda: OTHER in controller.heard(Specification))
        await until(lambda: "offering.off" in [each.type for each in controller.heard()])
        await controller.say_standing(Standing.CONFIRMED, 1)
        await controller.say_standing(Standing.PENDING, 2, OTHER)
        await until(lambda: rows(terminal, "registration")[0]["standing"] == "pending")
        assert terminal._gate.role is BrokerRole.SETTLING
        await controller.say_standing(Standing.CONFIRMED, 3, OTHER)
        await until(lambda: terminal._gate.is_open)


async def test_who_is_not_let_in_is_at_the_gate_until_it_is_told_again(tmp_path: Path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc),
        pc.agent() as terminal,
    ):
        await serve(controller, terminal)
        await controller.person.orders(remove_account(NAME))
        await until(lambda: terminal._gate.role is BrokerRole.GATE)
        controller.person.messages.clear()
        await controller.person.orders(create_account(NAME, AccountRole.SERVICE, secret_of(NAME)))
        await until(lambda: controller.heard(Specification))
        assert controller.channels() <= {Channel.SPECIFICATION, Channel.PRESENCE}
        assert not terminal._gate.is_open
        await controller.say_standing(Standing.CONFIRMED, 1)
        await until(lambda: terminal._gate.is_open)


async def test_a_name_that_is_taken_over_is_told_of_once_an_hour(tmp_path: Path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, _controller, pc),
        pc.agent() as terminal,
    ):
        for _ in range(3):
            terminal._on_lost(LossReason.TAKEN_OVER)
        assert told(terminal) == [ProblemTold.type]
        assert ProblemKind.IDENTITY_TAKEN_OVER in rows(terminal, "outbox")[0]["body"]


async def test_until_it_has_looked_at_itself_it_serves_nobody(tmp_path: Path):
    """What the journal remembers of this PC may be of before somebody opened it."""
    async with a_store(tmp_path, AccountRole.SERVICE) as (_, controller, pc):
        async with pc.agent() as terminal:
            await serve(controller, terminal)
        pc.what = OTHER
        async with pc.agent() as terminal:
            assert not terminal._gate.is_open
            await until(lambda: OTHER in controller.heard(Specification))
            assert not terminal._gate.is_open
        assert len(controller.heard(Hello)) == 1, "the first agent's"


async def test_renewed_credentials_are_used_at_once_and_useless_ones_never(tmp_path: Path):
    async with (
        a_store(tmp_path, AccountRole.SERVICE) as (_, _controller, pc),
        pc.agent() as terminal,
    ):
        await until(lambda: terminal.connection.link.is_connected)
        first, who = terminal.connection.link, terminal.connection.who
        terminal.connection.renew(replace(who, broker_host="203.0.113.1"))  # in the clear
        terminal.connection.renew(replace(who, store="renewed"))
        await until(
            lambda: terminal.connection.link is not first and terminal.connection.link.is_connected
        )
        now = terminal.connection.who
        assert (now.store, now.broker_host) == ("renewed", who.broker_host)
        assert not first.is_connected
