"""The bridge itself: what stands in the store goes to the broker, and buttons come from it.

Law: what is described is retained and said again only when it has changed; a press is done once, by
the same act as an operator's, and stands in the audit as Home Assistant's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

import structlog

from cloud_controller import bookings
from cloud_controller.bookings import ActIsRefused, By
from cloud_controller.broker import (
    SALT_BYTES,
    AccountRole,
    BrokerAccount,
    EmbeddedBroker,
    hash_secret,
)
from cloud_controller.flows import home
from cloud_controller.flows.home import House
from cloud_controller.home.discovery import PRESS, Thing, device_thing, switches_thing
from cloud_controller.keys import home_secret
from cloud_controller.ports import Books, Clock, NotFound
from cloud_controller.settings import ControllerSettings, HomeAssistantSettings
from common.errors import RusubanError
from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings, RetrySettings
from common.system import SystemNames
from common.topics import HOME_BORN, bridge_filters, is_told_to_homes, pressed_in

ACCOUNT: Final = "home-assistant"
"""By which name Home Assistant speaks to our broker; its acts stand under it in the audit."""

BRIDGE: Final = "bridge"
"""The account of the bridge itself."""

SECRET_DIGITS: Final = 64
"""Hex digits of the bridge's own secret, made anew at each start."""

LOOK_SECONDS: Final = 2.0
"""How often the books are read: a light that says who sits there need not be quicker."""

PRESSES_MAX: Final = 100
"""Presses that wait; more at once is no hand's."""

REST_SECONDS: Final = 2.0
"""After a press the same button of a device is deaf for so long: a wire may say it twice."""

_RETRY = RetrySettings(
    shortest_seconds=0.1,
    longest_seconds=2.0,
    refused_seconds=2.0,
    taken_over_seconds=(1.0, 2.0),
)


class Bridge:
    """Tells Home Assistant what stands where, and does what its buttons say."""

    def __init__(
        self, settings: HomeAssistantSettings, books: Books, clock: Clock, names: SystemNames
    ) -> None:
        """Take what it shows, and where that is read."""
        self.secret = names.hex_digits(SECRET_DIGITS)
        self._settings, self._books, self._clock, self._names = settings, books, clock, names
        self._log = structlog.get_logger("home")
        self._told: dict[str, bytes] = {}
        self._pressed_at: dict[tuple[str, str], float] = {}
        self._presses: asyncio.Queue[tuple[str, str]] = asyncio.Queue(PRESSES_MAX)
        self._link: Link | None = None

    async def run(self, broker: EmbeddedBroker, tls: ssl.SSLContext | None) -> None:
        """Keep what the broker shows true, for ever; `tls` is how one speaks to it."""
        callbacks = LinkCallbacks(on_message=self._hear, on_connected=self._come)
        self._link = Link(
            LinkSettings(
                host=broker.own_host,
                port=broker.port,
                name=BRIDGE,
                password=self.secret,
                tls=tls,
                session_expiry_seconds=0,
                clean_start=True,
                retry=_RETRY,
            ),
            callbacks,
            random=self._names.fraction,
            report=self._report,
        )
        await self._link.start()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tell_for_ever(), name="home tells")
                group.create_task(self._press_for_ever(), name="home presses")
        finally:
            await self._link.stop()

    async def _tell_for_ever(self) -> None:
        while True:
            try:
                await self.tell()
            except RusubanError as fault:
                self._report("home", fault)
            await asyncio.sleep(LOOK_SECONDS)

    async def tell(self) -> None:
        """Say what is new, and take away what has gone."""
        assert self._link is not None
        if not self._link.is_connected:
            return
        house = await self._books.read(home.glance, self._settings.store or "")
        wanted = {topic: body for thing in self._things(house) for topic, body in thing.messages}
        gone = {topic: b"" for topic in self._told if topic not in wanted}
        for topic, body in (gone | wanted).items():
            if self._told.get(topic) == body:
                continue
            if self._link.publish(topic, body, 1, retain=True) is None:
                return
            self._told[topic] = body
        for topic in gone:
            del self._told[topic]

    def _things(self, house: House) -> Iterator[Thing]:
        settings = self._settings
        extend_seconds = settings.extend_seconds if settings.may_act else None
        for row in house.devices:
            yield device_thing(row, house.now, extend_seconds)
        for owner, rows in groupby(house.switches, key=lambda row: str(row["owner"])):
            switches = list(rows)
            yield switches_thing(owner, switches, switches[0]["store"] or "")

    def _come(self, _: object) -> None:
        """Tell everything anew: a broker that was away may have kept nothing."""
        assert self._link is not None
        self._told.clear()
        self._link.subscribe(bridge_filters().subscribe)

    def _hear(self, delivery: Delivery) -> None:
        assert self._link is not None
        if delivery.qos:
            self._link.acknowledge(delivery)
        if delivery.topic == HOME_BORN:
            self._told.clear()
            return
        if delivery.retain and is_told_to_homes(delivery.topic):
            self._told.setdefault(delivery.topic, delivery.payload)  # kept from an earlier run
            return
        pressed = pressed_in(delivery.topic)
        if pressed is None or delivery.retain or delivery.payload != PRESS.encode():
            return
        now = self._clock.steady_seconds()
        if not self._settings.may_act or now < self._pressed_at.get(pressed, 0.0) + REST_SECONDS:
            return
        self._pressed_at = {
            each: at for each, at in self._pressed_at.items() if now < at + REST_SECONDS
        } | {pressed: now}
        if not self._presses.full():
            self._presses.put_nowait(pressed)

    async def _press_for_ever(self) -> None:
        while True:
            device, button = await self._presses.get()
            try:
                await self._press(device, button)
            except (ActIsRefused, NotFound) as no:
                self._log.info("a press does nothing", device=device, button=button, why=str(no))
            except RusubanError as fault:
                self._report("home", fault)

    async def _press(self, device: str, button: str) -> None:
        """Do what a button says, as an operator's act.

        Raises:
            NotFound, ActIsRefused: there is no such device here, or nothing runs on it.
        """
        by = By(operator=ACCOUNT, reason="a button")
        if not await self._books.read(home.stands_in, device, self._settings.store or ""):
            raise NotFound(what="device")
        if button == "end":
            await self._books.transact(bookings.stop, device, by)
        else:
            await self._books.transact(
                bookings.extend_on, device, self._settings.extend_seconds, by
            )

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.warning("the bridge to Home Assistant has a fault", where=where, why=str(fault))


def bridge_of(
    settings: ControllerSettings, books: Books, clock: Clock, names: SystemNames
) -> Bridge | None:
    """Return the bridge, where one is asked for."""
    homes = settings.home_assistant
    return None if homes is None else Bridge(homes, books, clock, names)


def accounts_of(
    bridge: Bridge | None, keys_folder: Path, names: SystemNames
) -> list[BrokerAccount]:
    """Return the two accounts that the broker has to know: the bridge's, and Home Assistant's.

    Raises:
        CannotStart: the folder of keys cannot be written.
    """
    if bridge is None:
        return []
    salt = names.secret_bytes(SALT_BYTES)
    return [
        BrokerAccount(
            name=name, role=role, salt=salt, secret_hash=hash_secret(shown.encode(), salt)
        )
        for name, role, shown in (
            (BRIDGE, AccountRole.BRIDGE, bridge.secret),
            (ACCOUNT, AccountRole.HOME, home_secret(keys_folder, names)),
        )
    ]
