"""A real mosquitto with made-up accounts, and links that remember what they heard."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_controller.broker import (
    SALT_BYTES,
    AccountRole,
    BrokerAccount,
    BrokerCommand,
    BrokerFiles,
    BrokerSettings,
    EmbeddedBroker,
    hash_secret,
)
from cloud_controller.certificates import Authority
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    LossReason,
    Outcome,
    RetrySettings,
    Token,
)
from common.rules.enrolment import Ladder
from common.system import SystemClock, SystemNames
from common.tls import trusting
from tests.waiting import until

CONTROLLER = "controller-1"
QUICK = RetrySettings(
    shortest_seconds=0.05,
    longest_seconds=0.5,
    refused_seconds=0.5,
    taken_over_seconds=(1.0, 2.0),
)


def account(name: str, role: AccountRole | None) -> BrokerAccount:
    """Return an account whose secret is `secret_of` its name."""
    salt = name.encode().ljust(SALT_BYTES, b".")[:SALT_BYTES]
    return BrokerAccount(
        name=name, role=role, salt=salt, secret_hash=hash_secret(secret_of(name).encode(), salt)
    )


def secret_of(name: str) -> str:
    return f"the secret of {name}"


class Papers:
    """What it takes to speak over TLS: an authority, and a folder of certificates for each name."""

    def __init__(self, folder: Path, ladder: Ladder) -> None:
        self.folder = folder
        self.ladder = ladder
        self.serials: dict[str, str] = {}

    @cached_property
    def authority(self) -> Authority:
        return Authority(self.folder / "keys", SystemClock(), SystemNames())

    @property
    def files(self) -> BrokerFiles:
        """Return what the broker needs, from the second step on."""
        self.authority.take_back({})
        shown = self.authority.server_files(["127.0.0.1"])
        return BrokerFiles(
            certificate=shown.certificate,
            key=shown.key,
            authority=self.authority.file,
            revoked=self.authority.revoked_file,
        )

    def context(self, name: str) -> ssl.SSLContext:
        """Return how someone speaks, with a new certificate where the ladder asks for one."""
        if self.ladder < Ladder.CERTIFICATE:
            return trusting(self.authority.pem)
        certificate, key = self.certified(name)
        return trusting(self.authority.pem, certificate=certificate, key=key)

    def certified(self, name: str, *, by: Authority | None = None) -> tuple[Path, Path]:
        """Return files with a new key and its certificate."""
        key = Ed25519PrivateKey.generate()
        public_key = key.public_key().public_bytes_raw().hex()
        certified = (by or self.authority).certify_terminal(name, public_key)
        self.serials[name] = certified.serial
        folder = self.folder / name / certified.serial
        folder.mkdir(parents=True)
        (folder / "certificate.pem").write_text(certified.pem, "ascii")
        (folder / "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return folder / "certificate.pem", folder / "key"


@dataclass
class Office:
    """A running broker, the accounts it starts with and what went wrong."""

    broker: EmbeddedBroker
    accounts: list[BrokerAccount]
    papers: Papers
    faults: list[tuple[str, BaseException]] = field(default_factory=list)

    def kill_broker(self) -> int:
        """Kill mosquitto; return its process id."""
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)
        return self.broker.pid


@asynccontextmanager
async def office(
    folder: Path,
    *,
    saves_each_change: bool = False,
    ladder: Ladder = Ladder.LOOPBACK,
    **roles: AccountRole | None,
) -> AsyncIterator[Office]:
    """Run a broker for the controller and these terminals (underscores are hyphens)."""
    accounts = [account(CONTROLLER, AccountRole.CONTROLLER)]
    accounts += [account(name.replace("_", "-"), role) for name, role in roles.items()]
    faults: list[tuple[str, BaseException]] = []

    async def known() -> Sequence[BrokerAccount]:
        return accounts

    def report(where: str, fault: BaseException) -> None:
        faults.append((where, fault))

    papers = Papers(folder, ladder)
    settings = BrokerSettings(
        folder=folder / "broker",
        saves_each_change=saves_each_change,
        ladder=ladder,
        tls=papers.files if ladder else None,
    )
    broker = EmbeddedBroker(settings, accounts=known, report=report)
    await broker.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(broker.keep(), name="broker")
        try:
            yield Office(broker=broker, accounts=accounts, faults=faults, papers=papers)
        finally:
            await broker.stop()


class Person:
    """A link that remembers: messages are acknowledged at once unless told otherwise."""

    def __init__(
        self, office: Office, name: str, *, filters: Sequence[str] = (), **settings: Any
    ) -> None:
        self.messages: list[Delivery] = []
        self.sessions: list[bool] = []
        self.losses: list[LossReason] = []
        self.outcomes: dict[Token, Outcome] = {}
        self.faults: list[tuple[str, BaseException]] = []
        self.filters = filters
        self.acknowledges = True
        self.on_message: Callable[[Delivery], object] = lambda _: None
        known: dict[str, Any] = {
            "host": office.broker.own_host,
            "port": office.broker.port,
            "name": name,
            "password": secret_of(name),
            "retry": QUICK,
        }
        if office.papers.ladder and "tls" not in settings:
            known["tls"] = office.papers.context(name)
        callbacks = LinkCallbacks(
            on_message=self._hear,
            on_connected=self._come,
            on_lost=self.losses.append,
            on_acknowledged=self.outcomes.__setitem__,
        )
        self.link = Link(
            LinkSettings(**known | settings),
            callbacks,
            random=random.random,
            report=self._fail,
        )

    async def __aenter__(self) -> Self:
        await self.link.start()
        await until(lambda: self.sessions or self.losses)
        if self.sessions:
            await self.is_there(times=1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.link.stop()

    async def is_there(self, times: int) -> None:
        """Return when connected this often and the last subscription is in force."""
        await until(lambda: len(self.sessions) >= times)
        await self.says("are/my/subscriptions/read")  # the broker answers in order

    async def says(self, topic: str, payload: bytes = b"hello") -> Outcome:
        """Publish with QoS 1 and return the broker's answer."""
        token = self.link.publish(topic, payload, 1)
        assert token is not None
        await until(lambda: token in self.outcomes)
        return self.outcomes.pop(token)

    async def orders(self, command: BrokerCommand) -> None:
        """Change the broker."""
        assert await self.says(command.topic, command.payload) is not Outcome.NOT_AUTHORISED

    def cut_off(self) -> None:
        """Lose the connection without a goodbye."""
        assert self.link._connection is not None
        self.link._connection.cut()

    def heard(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def _hear(self, message: Delivery) -> None:
        self.messages.append(message)
        self.on_message(message)
        if self.acknowledges and message.qos:
            self.link.acknowledge(message)

    def _come(self, session_present: bool) -> None:  # noqa: FBT001 - the link calls it so
        if self.filters:
            self.link.subscribe(self.filters)
        self.sessions.append(session_present)

    def _fail(self, where: str, fault: BaseException) -> None:
        self.faults.append((where, fault))
