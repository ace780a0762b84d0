"""The controller put together: every part, each given what it speaks to."""

from __future__ import annotations

import socket
from collections.abc import Coroutine, Sequence
from dataclasses import asdict
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from cloud_controller.broker import (
    CONTROL_RESPONSES,
    SALT_BYTES,
    BrokerAccount,
    BrokerRole as AccountRole,
    BrokerSettings as MosquittoSettings,
    EmbeddedBroker,
    change_role,
    create_account,
    hash_secret,
    refusals_in,
    remove_account,
)
from cloud_controller.courier import Courier
from cloud_controller.flows import registration
from cloud_controller.flows.registration import SECRET_BYTES, Salted
from cloud_controller.keys import FileKeys, operator_token
from cloud_controller.listener import Listener
from cloud_controller.ports import RoleGiven, Said, Transaction
from cloud_controller.settings import ControllerSettings, Role
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.timers import Timers
from cloud_controller.web.app import WebParts, make_app, runner_of
from common.errors import CannotStart
from common.ids import StoreId
from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings, RetrySettings, Token, Will
from common.system import SystemClock, SystemNames
from common.topics import CONTROLLER_STATE, controller_filters

CONTROLLER: Final = "controller"
"""The controller's own account at its broker."""

BOOKS_FILE: Final = "books.db"


class Controller:
    """The controller's parts, each given what it speaks to; `start` opens them in order."""

    def __init__(self, settings: ControllerSettings, roles: frozenset[Role]) -> None:
        clock, names = SystemClock(), SystemNames()
        self._settings, self._roles, self._names, self._clock = settings, roles, names, clock
        self._log = structlog.get_logger("controller")
        self._keys = FileKeys(settings.state_folder / "keys", names)
        self._secret = names.hex_digits(64)
        self.public_url = settings.web.public_url
        self._site: web.AppRunner | None = None
        self._link: Link | None = None
        self.books = SqliteBooks(
            settings.state_folder / BOOKS_FILE,
            clock=clock,
            names=names,
            keys=self._keys,
            on_said=self._post,
        )
        self.courier = Courier(
            self.books,
            publish=self._publish,
            broker_words=broker_words,
            clock=clock,
            names=names,
        )
        self.timers = Timers(self.books, clock)
        self.listener = Listener(
            self.books,
            acknowledge=self._acknowledge,
            on_heard=self.timers.heard,
            on_change=self.timers.nudge,
        )
        self.broker = EmbeddedBroker(
            MosquittoSettings(
                folder=settings.state_folder / "broker",
                host=settings.broker.host,
                port=settings.broker.port,
                program=settings.broker.program,
            ),
            accounts=self._accounts,
            report=self._report,
        )

    @property
    def speaks_mqtt(self) -> bool:
        """Say whether this process is the one that terminals speak to."""
        return bool(self._roles & {Role.MANAGEMENT, Role.SERVICE})

    async def start(self) -> None:
        """Open the books, start the broker, connect to it, and serve the pages.

        Raises:
            CannotStart: one of them cannot be had.
        """
        await self.books.open()
        for store in self._settings.stores:
            await self.books.transact(
                registration.add_store,
                StoreId(store.store),
                store.title,
                store.time_zone,
                store.policy,
            )
        if self.speaks_mqtt:
            await self.broker.start()
            self._link = self._new_link()
            await self._link.start()
        await self._serve_pages()

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return everything that runs beside each other, by name."""
        if not self.speaks_mqtt:
            return {}
        return {"broker": self.broker.keep(), "timers": self.timers.run()}

    async def close(self) -> None:
        """Close what was opened, in the opposite order."""
        if self._site is not None:
            await self._site.cleanup()
        if self._link is not None:
            self._link.publish(CONTROLLER_STATE, b"gone", 1, retain=True)  # a goodbye has no will
            await self._link.stop()
        await self.broker.stop()
        await self.books.close()

    def is_alive(self) -> bool:
        """Say whether the parts beside the loop still do their work."""
        return self.books.is_alive()

    async def _accounts(self) -> Sequence[BrokerAccount]:
        salt = self._names.secret_bytes(SALT_BYTES)
        own = BrokerAccount(
            name=CONTROLLER,
            role=AccountRole.CONTROLLER,
            salt=salt,
            secret_hash=hash_secret(self._secret.encode(), salt),
        )
        return [own, *await self.books.transact(terminal_accounts)]

    def _new_link(self) -> Link:
        return Link(
            LinkSettings(
                host=self.broker.host,
                port=self.broker.port,
                name=CONTROLLER,
                password=self._secret,
                session_expiry_seconds=0,
                clean_start=True,
                will=Will(topic=CONTROLLER_STATE, payload=b"gone", delay_seconds=0),
                retry=RetrySettings(
                    shortest_seconds=0.05, longest_seconds=1.0, refused_seconds=1.0
                ),
            ),
            LinkCallbacks(
                on_message=self._on_message,
                on_connected=self._on_connected,
                on_acknowledged=self.courier.on_acknowledged,
            ),
            random=self._names.fraction,
            report=self._report,
        )

    def _on_connected(self, _session_present: object) -> None:
        assert self._link is not None
        self._link.subscribe((*controller_filters().subscribe, CONTROL_RESPONSES))
        self._link.publish(CONTROLLER_STATE, b"here", 1, retain=True)
        self.courier.on_connected()

    def _on_message(self, delivery: Delivery) -> None:
        """Hand on what terminals say; the broker itself speaks only when it refuses a command."""
        if delivery.topic != CONTROL_RESPONSES:
            self.listener.take(delivery)
            return
        for refusal in refusals_in(delivery.payload):
            self._log.error("the broker refuses a command", **asdict(refusal))
        self._acknowledge(delivery)

    def _post(self, said: Sequence[Said | RoleGiven]) -> None:
        self.courier.post(said)

    def _acknowledge(self, delivery: Delivery) -> None:
        if self._link is not None:
            self._link.acknowledge(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int) -> Token | None:
        return None if self._link is None else self._link.publish(topic, payload, qos)

    async def _serve_pages(self) -> None:
        settings = self._settings.web
        try:
            listening = socket.create_server((settings.host, settings.port))
        except OSError as fault:
            raise CannotStart(
                why=f"port {settings.port} on {settings.host} is in use; give `web.port` another"
            ) from fault
        host, port = listening.getsockname()[:2]
        self.public_url = settings.public_url or f"http://{host}:{port}"
        parts = WebParts(
            books=self.books,
            clock=self._clock,
            names=self._names,
            roles=frozenset(role.value for role in self._roles),
            operator_token=operator_token(self._settings.state_folder / "keys", self._names),
            public_url=self.public_url,
            broker_address=lambda: (self.broker.host, self.broker.port),
            salt_secret=self._salt_secret,
            is_ready=self._is_ready,
            waiting_count=self.books.waiting,
            dropped_counts=lambda: self.listener.dropped,
            registry=CollectorRegistry(),
        )
        self._site = runner_of(make_app(parts))
        await self._site.setup()
        await web.SockSite(self._site, listening).start()

    def _salt_secret(self) -> Salted:
        secret = self._names.secret_bytes(SECRET_BYTES).hex()
        salt = self._names.secret_bytes(SALT_BYTES)
        digest = hash_secret(secret.encode(), salt)
        return Salted(secret=secret, salt=salt.hex(), digest=digest.hex())

    def _is_ready(self) -> dict[str, bool]:
        parts = {"books": self.books.is_alive()}
        if self.speaks_mqtt:
            parts["broker"] = self._link is not None and self._link.is_connected
        return parts

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.error("something failed", where=where, exc_info=fault)


def open_books(settings: ControllerSettings) -> SqliteBooks:
    """Return the books for one command beside a running controller, which sends nothing itself."""
    names = SystemNames()
    return SqliteBooks(
        settings.state_folder / BOOKS_FILE,
        clock=SystemClock(),
        names=names,
        keys=FileKeys(settings.state_folder / "keys", names),
        on_said=lambda _said: None,
    )


def terminal_accounts(books: Transaction) -> list[BrokerAccount]:
    """Return every terminal's account as the broker has to know it after a start."""
    return [
        BrokerAccount(
            name=row["terminal_id"],
            role=AccountRole(row["broker_role"]),
            salt=bytes.fromhex(row["secret_salt"]),
            secret_hash=bytes.fromhex(row["secret_digest"]),
        )
        for row in books.registration.broker_accounts()
    ]


def broker_words(given: RoleGiven) -> list[tuple[str, bytes]]:
    """Return what the broker is told so that a terminal has this role."""
    role = AccountRole(given.role) if given.role is not None else None
    if given.secret is not None:
        commands = [
            remove_account(given.terminal),
            create_account(given.terminal, role, given.secret),
        ]
    elif role is None:
        commands = [remove_account(given.terminal)]
    else:
        commands = [change_role(given.terminal, role)]
    return [(command.topic, command.payload) for command in commands]
