"""A store's own broker, a pretend lamp on it that obeys or not, and a keeper in memory."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings
from common.rules.actions import (
    Held,
    Known,
    Pulse,
    PulseState,
    Scene,
    Sight,
    Standing,
    Switch,
    SwitchSeen,
    sight,
)
from common.switches import Board, Line, MqttSwitch, SwitchBroker
from tests.rim.broker_kit import QUICK

PASSWORD = "open sesame"  # noqa: S105 - of a broker that lives as long as a test


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class StoreBroker:
    """A mosquitto as a store runs one, with one user, started and killed by the test."""

    folder: Path
    port: int
    lines: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        passwords = self.folder / "passwords"
        if not passwords.exists():
            made = ["mosquitto_passwd", "-b", "-c", str(passwords), "switches", PASSWORD]
            subprocess.run(made, check=True, capture_output=True)
        settings = self.folder / "mosquitto.conf"
        own = pwd.getpwuid(os.getuid()).pw_name  # or it gives up the right to read its files
        said = [
            f"user {own}",
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            *self.lines,
        ]
        settings.write_text("\n".join([*said, f"password_file {passwords}", ""]))
        self.process = subprocess.Popen(
            ["mosquitto", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.005)
        message = "mosquitto does not listen"
        raise TimeoutError(message)

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def settings(self, **other: Any) -> SwitchBroker:
        """Return how a program is told of it."""
        file = self.folder / "password"
        file.write_text(f"{PASSWORD}\n")
        known: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "tls": False}
        return SwitchBroker(**known | {"user": "switches", "password_file": file} | other)

    def link(self, name: str, callbacks: LinkCallbacks, **other: Any) -> Link:
        known: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "name": name,
            "user": "switches",
            "password": PASSWORD,
            "clean_start": True,
            "retry": QUICK,
        }
        return Link(LinkSettings(**known | other), callbacks, random=random.random, report=_ignore)


@contextmanager
def store_broker(folder: Path, *lines: str) -> Iterator[StoreBroker]:
    """Run a broker; `lines` are of mosquitto's own configuration."""
    broker = StoreBroker(folder, free_port(), list(lines))
    broker.start()
    try:
        yield broker
    finally:
        if broker.process is not None:
            broker.kill()


class Lamp:
    """A lamp as cheap ones are: it obeys, or ignores, or lies, or is unplugged."""

    def __init__(self, broker: StoreBroker, name: str = "lamp") -> None:
        self.is_on = False
        self.mood = "obeys"
        self.told: list[str] = []
        self.when_told: Callable[[str], object] = len
        self.speaks_json = False
        self._name = name
        self._comes = asyncio.Event()
        self._link = broker.link(
            name,
            LinkCallbacks(on_message=self._hear, on_connected=self._come),
            session_expiry_seconds=0,
        )

    async def __aenter__(self) -> Self:
        await self.plug_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._link.stop()

    async def plug_in(self) -> None:
        self._comes.clear()
        await self._link.start()
        await self._comes.wait()

    async def unplug(self) -> None:
        self.is_on = False
        await self._link.stop()

    def turn_by_hand(self, *, on: bool) -> None:
        self.is_on = on
        self._say()

    def _come(self, _session_present: object) -> None:
        self._link.subscribe([f"{self._name}/set"])
        self._comes.set()
        self._say()

    def _hear(self, delivery: Delivery) -> None:
        self._link.acknowledge(delivery)
        self.told.append(delivery.payload.decode())
        self.when_told(self.told[-1])
        if self.mood == "obeys":
            self.is_on = delivery.payload == b"ON"
            self._say()
        elif self.mood == "lies":
            self._say(on=delivery.payload != b"ON")
        elif self.mood == "babbles":
            self._link.publish(f"{self._name}/state", b"\xff\x00 {", 1)

    def _say(self, *, on: bool | None = None) -> None:
        word = "ON" if (self.is_on if on is None else on) else "OFF"
        said = json.dumps({"power": {"state": word}}) if self.speaks_json else word
        self._link.publish(f"{self._name}/state", said.encode(), 1)


@contextmanager
def lamp_beside(broker: StoreBroker, name: str) -> Iterator[LampBeside]:
    """Give a lamp with a thread of its own, for tests that wait by standing still."""
    beside = LampBeside(broker, name)
    beside.thread.start()
    beside.do(beside.lamp.plug_in())
    try:
        yield beside
    finally:
        beside.do(beside.lamp.unplug())
        beside.loop.call_soon_threadsafe(beside.loop.stop)
        beside.thread.join()
        beside.loop.close()


class LampBeside:
    """A lamp whose loop runs in a thread; what is done to it is done there."""

    def __init__(self, broker: StoreBroker, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.lamp = Lamp(broker, name)
        self.thread = threading.Thread(target=self.loop.run_forever, name=f"lamp {name}")

    def do(self, deed: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(deed, self.loop).result(10)

    def turn_by_hand(self, *, on: bool) -> None:
        self.loop.call_soon_threadsafe(lambda: self.lamp.turn_by_hand(on=on))


class Shelf:
    """A keeper that keeps in memory: what should be is set by the test."""

    def __init__(self, *switches: MqttSwitch) -> None:
        self.switches: list[Switch] = [each.as_rule() for each in switches]
        self.scenes: list[Scene] = []
        self.held: dict[str, Held] = {}
        self.pulses: dict[tuple[str, str], Pulse] = {}
        self.noted: list[SwitchSeen] = []

    async def look(self) -> tuple[Sight, float]:
        now = time.monotonic()
        known = Known(held=self.held, pulses=list(self.pulses.values()))
        seen = sight(self.switches, self.scenes, known, now)
        self.held |= seen.held
        self.pulses |= {(pulse.switch, pulse.session): pulse for pulse in seen.pulses}
        return seen, now

    async def begin_pulse(self, pulse: Pulse) -> bool:
        if self.pulses[pulse.switch, pulse.session].state is not PulseState.DUE:
            return False
        sent = replace(pulse, state=PulseState.SENT, at=time.monotonic())
        self.pulses[pulse.switch, pulse.session] = sent
        return True

    async def note(self, seen: SwitchSeen) -> None:
        self.noted.append(seen)

    def standings(self) -> list[Standing]:
        return [seen.standing for seen in self.noted]


@dataclass
class Moved:
    """A board that runs, with its keeper."""

    board: Board
    shelf: Shelf

    def becomes(self, state: str, *, session: str = "s-1", place: str = "booth-1") -> None:
        """Have a device become this."""
        others = [scene for scene in self.shelf.scenes if scene.place != place]
        name = session if state in ("preparing", "in_use", "finishing") else ""
        self.shelf.scenes = [*others, Scene(place=place, state=state, session=name)]
        self.board.nudge()

    def standing(self, switch: str = "lamp") -> Standing | None:
        known = {seen.switch: seen.standing for seen in self.board.seen()}
        return known.get(switch)


@asynccontextmanager
async def moving(
    broker: SwitchBroker, *switches: MqttSwitch, shelf: Shelf | None = None
) -> AsyncIterator[Moved]:
    """Run a board with these switches until the block is left; a shelf outlives it."""
    shelf = shelf or Shelf(*switches)
    board = Board(
        switches,
        shelf,
        seconds=time.monotonic,
        random=random.random,
        new_run=lambda: random.randbytes(8).hex(),
    )
    line = Line(
        broker, switches, board, client="t-1-switches", random=random.random, report=_ignore
    )
    board.doers = {each.switch: line for each in switches}
    await line.start()
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(board.run(), name="board")
            yield Moved(board, shelf)
            task.cancel()
    finally:
        await line.stop()


def lamp_switch(**other: Any) -> MqttSwitch:
    """Return a lamp's switch, looked after each half second."""
    known: dict[str, Any] = {
        "switch": "lamp",
        "topic": "lamp/set",
        "status_topic": "lamp/state",
        "again_seconds": 0.5,
        "answer_seconds": 0.3,
    }
    return MqttSwitch(**known | other)


def _ignore(*_: object) -> None:
    """Hear of faults that the test has made itself."""


__all__ = [
    "Lamp",
    "Moved",
    "Shelf",
    "StoreBroker",
    "lamp_switch",
    "moving",
    "store_broker",
]
