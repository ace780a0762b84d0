"""The controller's composition root and its commands: the only place that knows everything."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import structlog
import typer
from aiohttp import web
from prometheus_client import CollectorRegistry

from cloud_controller.broker import (
    SALT_BYTES,
    BrokerAccount,
    BrokerRole as AccountRole,
    BrokerSettings as MosquittoSettings,
    EmbeddedBroker,
    change_role,
    create_account,
    hash_secret,
    remove_account,
)
from cloud_controller.courier import Courier
from cloud_controller.flows import registration
from cloud_controller.flows.registration import SECRET_BYTES, Salted
from cloud_controller.keys import FileKeys, operator_token
from cloud_controller.listener import Listener
from cloud_controller.ports import RoleGiven, Transaction
from cloud_controller.settings import ControllerSettings, Role
from cloud_controller.storage.books import SqliteBooks
from cloud_controller.timers import Timers
from cloud_controller.web.app import WebParts, make_app, runner_of
from common.errors import CannotStart, RusubanError
from common.ids import StoreId
from common.logs import set_up_logs
from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings, RetrySettings, Will
from common.system import SystemClock, SystemNames
from common.topics import CONTROLLER_STATE, controller_filters
from common.watchdog import Notifier, keep_watch

EXIT_CANNOT_START: Final = 2
"""The exit code that says: read the sentence, put it right, start again."""

CONTROLLER: Final = "controller"
"""The controller's own account at its broker."""

BOOKS_FILE: Final = "books.db"

T = TypeVar("T")

SettingsFile = Annotated[Path, typer.Option("--settings", help="The controller's TOML file.")]

command_line = typer.Typer(
    help="Rusuban's cloud controller: reservations, tickets, rights, commands and pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@command_line.command()
def serve(
    settings: SettingsFile,
    roles: Annotated[
        str, typer.Option(help="Which servers to be: management,service,reservation,web.")
    ] = "",
) -> None:
    """Run the controller until it is told to stop."""

    def go() -> None:
        loaded = _load(settings)
        chosen = _roles(roles) or loaded.roles
        asyncio.run(_serve(loaded, chosen))

    _leave(go)


@command_line.command(name="enrol-code")
def enrol_code(
    settings: SettingsFile, store: Annotated[str, typer.Option(help="The store's id.")]
) -> None:
    """Make a one-time code by which a store PC enrols; it is good for fifteen minutes."""

    def go() -> None:
        code = _once(_load(settings), registration.make_code, StoreId(store), "command line")
        typer.echo(code)

    _leave(go)


@command_line.command()
def migrate(settings: SettingsFile) -> None:
    """Bring the database up to date, and do nothing else."""

    def go() -> None:
        _once(_load(settings), lambda _books: None)
        typer.echo("The database is up to date.")

    _leave(go)


def _leave(go: Callable[[], None]) -> None:
    """Leave with an exit code; what stops a start is one sentence, never a traceback."""
    try:
        go()
    except RusubanError as fault:
        sys.stderr.write(f"{fault}\n")
        raise typer.Exit(EXIT_CANNOT_START) from None


def _load(file: Path) -> ControllerSettings:
    settings = ControllerSettings.load(file)
    set_up_logs(level=settings.log_level)
    return settings


def _roles(text: str) -> frozenset[Role]:
    known = {role.value for role in Role}
    asked = {part.strip() for part in text.split(",") if part.strip()}
    if not asked <= known:
        raise CannotStart(why=f"there is no role {', '.join(sorted(asked - known))}")
    return frozenset(Role(part) for part in asked)


def _once(settings: ControllerSettings, function: Callable[..., T], *args: object) -> T:
    """Run one transaction beside whatever else uses the database."""

    async def go() -> T:
        books = _books(settings, SystemClock(), SystemNames(), lambda _said: None)
        await books.open()
        try:
            return await books.transact(function, *args)
        finally:
            await books.close()

    return asyncio.run(go())


def _books(
    settings: ControllerSettings,
    clock: SystemClock,
    names: SystemNames,
    on_said: Callable[[Any], None],
) -> SqliteBooks:
    keys = FileKeys(settings.state_folder / "keys", names)
    return SqliteBooks(
        settings.state_folder / BOOKS_FILE, clock=clock, names=names, keys=keys, on_said=on_said
    )


class _Told(Exception):  # noqa: N818 - not an error: how the task group is ended
    """The controller was told to stop."""


async def _serve(settings: ControllerSettings, roles: frozenset[Role]) -> None:
    log = structlog.get_logger("controller")
    notifier = Notifier.from_environ(os.environ)
    controller = _Controller(settings, roles)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await controller.start()
        async with asyncio.TaskGroup() as tasks:
            for name, loop in controller.loops().items():
                tasks.create_task(loop, name=name)
            tasks.create_task(keep_watch(notifier, controller.is_alive), name="watchdog")
            notifier.ready(f"pages at {controller.public_url}")
            log.info("started", pages=controller.public_url, broker=controller.broker_port)
            await stop.wait()
            notifier.stopping()
            raise _Told
    except* _Told:
        log.info("stopping")
    finally:
        await controller.close()


class _Controller:
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
            on_said=lambda said: self.courier.post(said),
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
            keys=self._keys.verifying_keys(),
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
    def broker_port(self) -> int:
        """Return the port that terminals connect to."""
        return self.broker.port

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

    def loops(self) -> dict[str, Any]:
        """Return everything that runs beside each other, by name."""
        if not self.speaks_mqtt:
            return {}
        return {"broker": self.broker.keep(), "timers": self.timers.run()}

    async def close(self) -> None:
        """Close what was opened, in the opposite order."""
        if self._site is not None:
            await self._site.cleanup()
        if self._link is not None:
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
                on_message=self.listener.take,
                on_connected=self._on_connected,
                on_acknowledged=self.courier.on_acknowledged,
            ),
            random=self._names.fraction,
            report=self._report,
        )

    def _on_connected(self, _session_present: bool) -> None:  # noqa: FBT001 - the link calls it so
        assert self._link is not None
        self._link.subscribe(controller_filters().subscribe)
        self._link.publish(CONTROLLER_STATE, b"here", 1, retain=True)
        self.courier.on_connected()

    def _acknowledge(self, delivery: Delivery) -> None:
        if self._link is not None:
            self._link.acknowledge(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int) -> Any:  # noqa: ANN401 - a token or None
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
        commands = [remove_account(given.terminal), create_account(given.terminal, role, given.secret)]
    elif role is None:
        commands = [remove_account(given.terminal)]
    else:
        commands = [change_role(given.terminal, role)]
    return [(command.topic, command.payload) for command in commands]

