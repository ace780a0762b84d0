"""The controller put together: every part, each given what it speaks to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from cloud_controller.accounts import (
    broker_words,
    is_answer,
    is_farewell,
    terminal_accounts,
)
from cloud_controller.actions import Switches
from cloud_controller.auditor import Auditor
from cloud_controller.bookings import Till
from cloud_controller.broker import (
    SALT_BYTES,
    AccountRole,
    BrokerAccount,
    BrokerSettings as MosquittoSettings,
    EmbeddedBroker,
    hash_secret,
)
from cloud_controller.bundle import Bundle
from cloud_controller.connection import Account, Connection, Ends
from cloud_controller.courier import Courier
from cloud_controller.credentials import RENEWAL_SECONDS, Credentials, revoked
from cloud_controller.flows.accounts import Lives
from cloud_controller.forgetting import Forgetting
from cloud_controller.home import BRIDGE, Bridge, accounts_of, bridge_of
from cloud_controller.hooks import hooks_of
from cloud_controller.keys import FileKeys, operator_token, service_secret
from cloud_controller.listener import Listener, flows_for
from cloud_controller.mirrors import Mirrors, mirrors_of
from cloud_controller.packages.serving import PackageShelf
from cloud_controller.packages.signing import Signing
from cloud_controller.payments import Desk
from cloud_controller.ports import RoleGiven, Said
from cloud_controller.postman import postman_for
from cloud_controller.reservations import errands_of, kept_for
from cloud_controller.seeds import seeds_of, sow
from cloud_controller.settings import ControllerSettings, PeersSettings, Role
from cloud_controller.storage.choice import KeptBooks, kept_books
from cloud_controller.telemetry import Telemetry
from cloud_controller.timers import Timers
from cloud_controller.upstream import Upstream
from cloud_controller.web.app import WebParts, listening_on, make_app, runner_of
from cloud_controller.web.peers import make_peers_app
from cloud_controller.web.wallet import wallets_of
from common.errors import CannotStart, RusubanError
from common.mqtt import Delivery, Token
from common.rules.enrolment import Ladder
from common.system import SystemClock, SystemNames
from common.tls import fingerprint_of as pin_of

CONTROLLER: Final = "controller"
"""The controller's own account at its broker."""

SERVICE: Final = "service"
"""The account of a service server that runs apart from the broker."""

RELOAD_REST_SECONDS: Final = 15.0
"""Between two restarts of the broker: a terminal that loses three short-lived connections in a row
takes it for a thief of its name. Whoever leaves meanwhile has lost its account at once."""


class Controller:
    """The controller's parts, each given what it speaks to; `start` opens them in order."""

    def __init__(self, settings: ControllerSettings, roles: frozenset[Role]) -> None:
        clock, names = SystemClock(), SystemNames()
        self._settings, self._roles, self._names, self._clock = settings, roles, names, clock
        self._log = structlog.get_logger("controller")
        self._keys = FileKeys(settings.keys_folder, names)
        self._name = CONTROLLER if self.has_broker else SERVICE
        self._service_secret = service_secret(settings.keys_folder, names)
        self._secret = names.hex_digits(64) if self.has_broker else self._service_secret
        self.credentials = Credentials(
            settings.keys_folder,
            ladder=settings.broker.ladder,
            has_pages=settings.web.tls or settings.peers is not None,
            server_names=settings.server_names,
            clock=clock,
            names=names,
        )
        self._calling = self.credentials.calling(self._name)
        self._served = self.credentials.serving() if settings.web.tls else None
        self._credentials_are_due = asyncio.Event()
        self.public_url = settings.web.public_url
        self._sites: list[web.AppRunner] = []
        self.books = kept_books(
            settings, clock=clock, names=names, keys=self._keys, on_said=self._post
        )
        self.courier = Courier(
            self.books, publish=self._publish, broker_words=broker_words, clock=clock, names=names
        )
        self.desk = Desk(
            settings.payments, self.books, clock, lambda link: f"{self.public_url}/b/{link}"
        )
        self.timers = Timers(self.books, clock, has_terminals=not settings.keeps_for_others)
        self.telemetry = Telemetry()
        self.listener = Listener(
            self.books,
            {
                **flows_for(roles, Till(self.desk.provider, lambda: self.public_url)),
                **(self.telemetry.flows if self.has_broker else {}),
            },
            acknowledge=self._acknowledge,
            on_heard=self.timers.heard,
            on_change=self._look_again,
        )
        self._connection = self._new_connection()
        self.broker, self._bridge = self._new_broker(), self._new_bridge()
        self.switches = Switches(settings, self.books, clock, names) if self.has_broker else None
        self._mirrors, self._upstream = self._new_mirrors(), self._new_upstream()
        self._postman = postman_for(settings.mail, self.books, clock, lambda: self.public_url)
        self._hooks = hooks_of(settings.hooks, self.books, clock)
        elsewhere = settings.reservation if self.has_broker else None
        self._errands = errands_of(elsewhere, self.books, settings.keys_folder, clock, names)

    @property
    def has_broker(self) -> bool:
        """Say whether this process has the broker, and with it the outbox and the time."""
        return Role.MANAGEMENT in self._roles

    @property
    def speaks_mqtt(self) -> bool:
        """Say whether this process speaks to terminals."""
        return self.has_broker or Role.SERVICE in self._roles

    async def start(self) -> None:
        """Open the books, start the broker, connect to it, and serve the pages.

        Raises:
            CannotStart: one of them cannot be had.
        """
        await self.books.open()
        if self._mirrors is not None:
            await self._mirrors.begin()
        await sow(self._settings, self.books)
        if self.has_broker:
            await self._check_ladder()
            self.credentials.take_back(await self.books.read(revoked))
            await self.broker.start()
        if self.speaks_mqtt:
            if not self.broker.port:
                raise CannotStart(why="apart from the broker its port must be told: `broker.port`")
            await self._connection.start(self.broker.own_host, self.broker.port)
        await self._serve_pages()
        peers = self._settings.peers
        if peers is not None and (self.has_broker or self._settings.keeps_for_others):
            await self._serve_peers(peers)

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return everything that runs beside each other, by name."""
        if not (self.has_broker or self._settings.keeps_for_others):
            return {}
        sold = {"timers": self.timers, "postman": self._postman, "payments": self.desk}
        parts: dict[str, Any] = sold | {"upstream": self._upstream, "errands": self._errands}
        parts |= {"switches": self.switches, "mirrors": self._mirrors, "hooks": self._hooks}
        parts |= {"privacy": Forgetting(self.books, self._settings.privacy)}
        loops = {name: part.run() for name, part in parts.items() if part is not None}
        if self.has_broker:
            folders = self._settings.packages_folder, self._settings.keys_folder
            signing = Signing(*folders, self.books, self._clock, self._names)
            loops |= {"broker": self.broker.keep(), "credentials": self._keep_credentials()}
            loops["packages"] = signing.run()
            if self._bridge is not None:
                loops["home"] = self._bridge.run(self.broker, self.credentials.calling(BRIDGE))
            loops["auditor"] = Auditor(self.books, self._clock).run()
        return loops

    async def close(self) -> None:
        """Close what was opened, in the opposite order."""
        for site in reversed(self._sites):
            await site.cleanup()
        await self._connection.stop()
        await self.desk.close()
        await self.broker.stop()
        await self.books.close()

    def is_alive(self) -> bool:
        """Say whether the parts beside the loop still do their work."""
        return self.books.is_alive()

    async def _check_ladder(self) -> None:
        """Refuse to ask of terminals less than they have been promised.

        Raises:
            CannotStart: one of them stands on a higher step.
        """
        highest = await self.books.read(lambda books: books.enrolment.highest_ladder())
        if highest > self.credentials.ladder:
            raise CannotStart(
                why=f"terminals stand on step {highest} of the ladder and never go down: "
                f"set `broker.ladder` to {highest}"
            )

    async def _keep_credentials(self) -> None:
        """Renew certificates in time, and take back those of terminals that were sent away."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEWAL_SECONDS):
                    await self._credentials_are_due.wait()
            self._credentials_are_due.clear()
            try:
                await self._renew_credentials()
            except RusubanError as fault:
                self._report("credentials", fault)

    async def _renew_credentials(self) -> None:
        """Renew what runs out; the broker that reads it sends everybody through its door again."""
        is_new = self.credentials.renew()
        is_revoked = self.credentials.take_back(await self.books.read(revoked))
        if is_new or is_revoked:
            await self.broker.reload()
            await asyncio.sleep(RELOAD_REST_SECONDS)

    async def _accounts(self) -> Sequence[BrokerAccount]:
        own = self._account(CONTROLLER, AccountRole.CONTROLLER, self._secret)
        apart = self._account(SERVICE, AccountRole.PROFILES, self._service_secret)
        homes = accounts_of(self._bridge, self._settings.keys_folder, self._names)
        return [own, apart, *homes, *await self.books.transact(terminal_accounts)]

    def _account(self, name: str, role: AccountRole, secret: str) -> BrokerAccount:
        salt = self._names.secret_bytes(SALT_BYTES)
        return BrokerAccount(
            name=name, role=role, salt=salt, secret_hash=hash_secret(secret.encode(), salt)
        )

    def _new_broker(self) -> EmbeddedBroker:
        settings = self._settings
        return EmbeddedBroker(
            MosquittoSettings(
                folder=settings.state_folder / "broker",
                host=settings.broker.host,
                port=settings.broker.port,
                program=settings.broker.program,
                ladder=settings.broker.ladder,
                tls=self.credentials.broker_files(),
            ),
            accounts=self._accounts,
            report=self._report,
        )

    def _new_bridge(self) -> Bridge | None:
        """Return who speaks with Home Assistant, where it is let in."""
        return bridge_of(self._settings, self.books, self._clock, self._names)

    def _new_mirrors(self) -> Mirrors | None:
        """Return who exchanges the log of modules; only one process of a database does."""
        if not self.has_broker:
            return None
        return mirrors_of(self._settings, self.books, self._names.fraction)

    def _new_upstream(self) -> Upstream | None:
        """Return who speaks with our root, where we have one."""
        settings = self._settings
        if settings.upstream is None or not self.has_broker:
            return None
        bundle = Bundle.load(settings.upstream.bundle)
        return Upstream(
            bundle,
            self.books,
            settings.keys_folder,
            self._names.fraction,
            settings.upstream.modules,
        )

    def _look_again(self) -> None:
        """Have everybody look who waits for a change in the books."""
        self.timers.nudge()
        for other in (self._errands, self.switches):
            if other is not None:
                other.nudge()

    def _new_connection(self) -> Connection:
        return Connection(
            Account(
                name=self._name,
                password=self._secret,
                has_broker=self.has_broker,
                tls=self._calling,
            ),
            Ends(
                on_message=self.listener.take,
                on_connected=self.courier.on_connected,
                on_acknowledged=self.courier.on_acknowledged,
                report=self._report,
            ),
            self._names.fraction,
        )

    def _post(self, said: Sequence[Said | RoleGiven]) -> None:
        """Send what is ours to send: without the broker only answers; the outbox is another's."""
        self.courier.post(said if self.has_broker else [each for each in said if is_answer(each)])
        certifies = self.credentials.ladder is Ladder.CERTIFICATE
        if certifies and any(is_farewell(each) for each in said):
            self._credentials_are_due.set()

    def _acknowledge(self, delivery: Delivery) -> None:
        self._connection.acknowledge(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        return self._connection.publish(topic, payload, qos, retain=retain)

    async def _serve_pages(self) -> None:
        settings = self._settings.web
        listening = listening_on(settings.host, settings.port, "web.port")
        host, port = listening.getsockname()[:2]
        scheme = "https" if self._served is not None else "http"
        self.public_url = settings.public_url or f"{scheme}://{host}:{port}"
        parts = WebParts(
            books=self.books,
            clock=self._clock,
            names=self._names,
            roles=frozenset(role.value for role in self._roles),
            operator_token=operator_token(self._settings.keys_folder, self._names),
            public_url=self.public_url,
            broker_address=lambda: (self._settings.broker.all_names[0], self.broker.port),
            credentials=self.credentials.given,
            authority=lambda: self.credentials.authority_text,
            provider=self.desk.provider,
            desk=self.desk,
            packages=PackageShelf(self._settings.packages_folder),
            is_ready=self._is_ready,
            waiting_count=self.books.waiting,
            dropped_counts=lambda: self.listener.dropped,
            registry=CollectorRegistry(),
            viewers_max=settings.viewers_max,
            viewers_of_a_peer_max=settings.viewers_of_a_peer_max,
            wallets=wallets_of(self._settings.wallet),
            hook_hosts=self._settings.hooks.hosts,
            seeds=seeds_of(self._settings),
            enrol_pin=lambda: pin_of(self.credentials.authority_text) if self._served else "",
            lives=Lives(idle_seconds=settings.idle_seconds, whole_seconds=settings.whole_seconds),
        )
        parts.registry.register(self.telemetry)
        await self._serve(make_app(parts), listening, self._served)

    async def _serve_peers(self, settings: PeersSettings) -> None:
        """Serve other controllers, on a door of their own that asks for their certificates."""
        listening = listening_on(settings.host, settings.port, "peers.port")
        is_keeper = self._settings.keeps_for_others
        keeps = partial(kept_for, self.books, self.timers.heard) if is_keeper else None
        app = make_peers_app(self.books, self._clock, self._names, keeps)
        await self._serve(app, listening, self.credentials.serving_peers())
        self._log.info("peers are served", port=listening.getsockname()[1])

    async def _serve(
        self, app: web.Application, listening: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        self._sites.append(runner_of(app))
        await self._sites[-1].setup()
        await web.SockSite(self._sites[-1], listening, ssl_context=tls).start()

    def _is_ready(self) -> dict[str, bool]:
        parts = {"books": self.books.is_alive()}
        if self.speaks_mqtt:
            parts["broker"] = self._connection.is_up
        return parts

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.error("something failed", where=where, exc_info=fault)


def open_books(settings: ControllerSettings) -> KeptBooks:
    """Return the books for one command beside a running controller, which sends nothing itself."""
    names = SystemNames()
    return kept_books(
        settings,
        clock=SystemClock(),
        names=names,
        keys=FileKeys(settings.keys_folder, names),
        on_said=lambda _said: None,
    )
