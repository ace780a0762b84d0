"""A screen's server on a free port, whose devices are whatever a test says they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession

from common.messages.devices import DeviceAsk
from common.messages.help import Bilingual, HelperThere
from common.rules.presence import LineMode
from common.rules.scanners import ScannerHint
from common.rules.sessions import EndReason, SessionState
from common.system import SystemClock
from common.words import Here
from edge_agent.display.calls import Calls
from edge_agent.display.presses import Presses
from edge_agent.display.server import Server
from edge_agent.display.stage import Look, Stage
from edge_agent.flows.help import Call, Line, Refused
from edge_agent.ports import (
    Asked,
    DeviceOnScreen,
    ExtensionAnswer,
    ExtensionChoice,
    ExtensionOffered,
    ProgramSeen,
    ScannerSeen,
    SessionOnScreen,
)
from edge_agent.scanners.reading import Viewfinder
from edge_agent.settings import DisplayPart

BOOTH = DeviceOnScreen(key="booth-1", title="Booth 1", device="d-1", number=7)

HALF_HOUR = ExtensionChoice(seconds=1800, price_cents=400)
HOUR = ExtensionChoice(seconds=3600, price_cents=800)


AIKO = HelperThere(
    helper="p-1",
    name="Aiko",
    title=Bilingual(ja="機器の使い方、トラブル", en="How things work, and what does not"),
    languages=("ja", "en"),
)
BEN = HelperThere(
    helper="p-2",
    name="Ben",
    title=Bilingual(en="Driving lessons, beside you on the line"),
    languages=("en",),
    price_cents=300,
)
CHOSEN = Call(call="h-1", name="Aiko", is_told=False)

OFFERED = ExtensionOffered(
    session="s-1", choices=(HALF_HOUR, HOUR), currency="JPY", longest_seconds=5400
)
EXTENDED = ExtensionAnswer(session="s-1", added_seconds=1800)


@dataclass
class Pressed:
    """Buttons that remember who pressed them and answer as a test says."""

    offered: ExtensionOffered = OFFERED
    answer: ExtensionAnswer = EXTENDED
    code: str = "2580"
    refused: Refused | None = None
    pressed: list[tuple[Any, ...]] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)

    async def offer(self, session: str) -> ExtensionOffered:
        self.pressed.append(("offer", session))
        return self.offered

    async def extend(self, session: str, seconds: int) -> ExtensionAnswer:
        self.pressed.append(("extend", session, seconds))
        return self.answer

    def end(self, session: str) -> bool:
        self.pressed.append(("end", session))
        return True

    def call_for_help(self, device: str, session: str | None, about: str) -> None:
        self.pressed.append(("help", device, session, about))

    def choose_helper(
        self, device: DeviceOnScreen, helper: str, price_cents: int, language: str
    ) -> Refused | None:
        session = None if device.session is None else device.session.session
        self.pressed.append(("choose", device.device, session, helper, price_cents, language))
        if self.refused is None:
            self.calls[str(device.device)] = CHOSEN
        return self.refused

    def write_line(self, device: str, call: str, text: str) -> Refused | None:
        self.pressed.append(("line", device, call, text))
        if self.refused is None:
            self.is_written(device, Line(by="customer", text=text, is_told=False))
        return self.refused

    def leave_call(self, device: str, call: str) -> bool:
        self.pressed.append(("leave", device, call))
        return self.calls.pop(device, None) is not None

    def is_written(self, device: str, line: Line, **having: Any) -> None:
        """Have a line be written at a device."""
        call = self.calls[device]
        self.calls[device] = replace(call, lines=(*call.lines, line), **having)

    def note_warning_seen(self, session: str, seconds_left: int) -> None:
        self.pressed.append(("seen", session, seconds_left))

    def note_message_seen(self, device: str, message: str) -> None:
        self.pressed.append(("read", device, message))

    def confirm_turnover(self, device: str, code: str) -> bool:
        self.pressed.append(("confirm", device, code))
        return code == self.code


@dataclass
class LineInHand:
    """A line that remembers about which devices it was asked."""

    is_connected: bool = True
    asked: list[str] = field(default_factory=list)

    def post(self, asked: Sequence[Asked]) -> None:
        self.asked += [each.message.device for each in asked if isinstance(each.message, DeviceAsk)]


class Scanner(Viewfinder):
    """A scanner that sees what a test says."""

    def sees(self, hint: ScannerHint, picture: bytes | None = None) -> None:
        self.show(ScannerSeen(scanner="camera", hint=hint, picture=picture))


@dataclass
class Kit:
    """A served stage, and what a test changes of it."""

    devices: list[DeviceOnScreen]
    scanner: Scanner = field(default_factory=Scanner)
    buttons: Pressed = field(default_factory=Pressed)
    serves: bool = True
    help_told: bool = True
    helpers: tuple[HelperThere, ...] = ()
    line: LineInHand = field(default_factory=LineInHand)
    url: str = ""

    def __post_init__(self) -> None:
        here = Here(time_zone="Asia/Tokyo", now=1_790_000_000_000)
        self.stage = Stage(self._look, SystemClock(), lambda: here, self.scanner)
        self.stage.surroundings.line = self.line
        self.stage.tell_mode(LineMode.ASKS)

    def device_is(self, **having: Any) -> None:
        """Have the first device be otherwise, and say so."""
        self.devices[0] = replace(self.devices[0], **having)
        self.stage.refresh()

    def begins_anew(self) -> None:
        """Have nothing be told, and the first device be free."""
        stage = self.stage
        for known in (stage._told, stage._warned, stage._over, stage._called):
            known.clear()
        stage.surroundings._told.clear()
        self.buttons.calls.clear()
        self.helpers = ()
        stage._asked_at = None
        stage.tell_mode(LineMode.ASKS)
        self.devices[0] = BOOTH
        stage.refresh()

    def runs(self, left_seconds: float, of_seconds: float = 3600.0) -> None:
        """Have somebody use the first device."""
        self.device_is(session=self.session(left_seconds, of_seconds))

    def session(self, left_seconds: float, of_seconds: float = 3600.0) -> SessionOnScreen:
        """Return a session with so much left of so much."""
        return SessionOnScreen(
            session="s-1",
            state=SessionState.RUNNING,
            ends_at=self.stage.now() + left_seconds,
            granted_seconds=of_seconds,
        )

    def server(self, port: int = 0, **part: Any) -> Server:
        """Return what serves it; nothing is served yet."""
        settings = DisplayPart(port=port, **part)
        calls = Calls(self.stage, self.buttons)
        presses = Presses(self.stage, self.buttons, self.buttons, calls)
        return Server(settings, self.stage, presses, "0123abcd")

    def _look(self) -> Look:
        return Look(
            devices=list(self.devices),
            serves=self.serves,
            help_told=self.help_told,
            helpers=self.helpers,
            calls=dict(self.buttons.calls),
        )


def ended(reason: EndReason) -> ProgramSeen:
    """Return what the runner says of the session's end."""
    return ProgramSeen(
        session="s-1",
        state=SessionState.ENDED,
        end_reason=reason,
        remaining_seconds=0.0,
        delivered_seconds=3600.0,
        started_at=1,
        ended_at=2,
    )


@asynccontextmanager
async def a_screen(*devices: DeviceOnScreen, **part: Any) -> AsyncIterator[Kit]:
    """Serve a screen of these devices, by default of one booth."""
    kit = Kit(devices=list(devices or (BOOTH,)))
    kit.stage.refresh()
    server = kit.server(**part)
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(kit.stage.run(), name="stage"),
            tasks.create_task(server.run(), name="server"),
        ]
        await server.is_served.wait()
        kit.url = server.address.rstrip("/")
        try:
            yield kit
        finally:
            for task in running:
                task.cancel()


@dataclass
class Answer:
    """What the server answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Return what its text says."""
        return json.loads(self.text)


async def ask(kit: Kit, method: str, path: str, **having: Any) -> Answer:
    """Ask the server."""
    async with ClientSession() as session, session.request(method, kit.url + path, **having) as it:
        return Answer(status=it.status, headers=dict(it.headers), text=await it.text())


async def press(kit: Kit, path: str, body: Any, **having: Any) -> Answer:
    """Press a button as our own page does; with `headers` in another way."""
    headers = {"Origin": kit.url} | having.pop("headers", {})
    return await ask(kit, "POST", path, json=body, headers=headers, **having)


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    body: Any
    number: str


@asynccontextmanager
async def a_stream(
    kit: Kit, heard: str = "", device: str = ""
) -> AsyncIterator[Callable[[], Awaitable[Event]]]:
    """Listen as a page does; give what reads the next event."""
    headers = {"Last-Event-ID": heard} if heard else {}
    url = f"{kit.url}/events?device={device}" if device else f"{kit.url}/events"
    async with ClientSession() as session, session.get(url, headers=headers) as it:

        async def next_event() -> Event:
            async with asyncio.timeout(5):
                while True:
                    text = (await it.content.readuntil(b"\n\n")).decode()
                    fields = dict(line.split(": ", 1) for line in text.strip().split("\n"))
                    if "event" in fields:
                        body = json.loads(fields["data"])
                        return Event(name=fields["event"], body=body, number=fields.get("id", ""))

        yield next_event


async def up_to(next_event: Callable[[], Awaitable[Event]], name: str) -> list[Event]:
    """Return the events up to the first of this name, with it."""
    heard = [await next_event()]
    while heard[-1].name != name:
        heard.append(await next_event())
    return heard
