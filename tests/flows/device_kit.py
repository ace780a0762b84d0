"""A booth of a real terminal in a real store's hand; the runner is the test's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from cloud_controller import bookings
from cloud_controller.flows import devices as known_of
from cloud_controller.flows.service import DeviceTold as Word
from common.messages.devices import DevicesDesired
from common.messages.rights import Refused, Right
from common.rules.devices import (
    Care,
    ConfirmBy,
    DeviceState,
    NotConfirmed,
)
from common.rules.tickets import DenialReason
from common.topics import Channel
from edge_agent.flows import devices, rights, sessions
from edge_agent.flows.devices import Served
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

FULL = Care(wipes=True, reset="clean", confirm_by=ConfirmBy.CODE)
JPEG = b"a picture of a clean booth"
FREE, PREPARING, IN_USE, FINISHING, TURNOVER, OUT = DeviceState


@dataclass
class Booth:
    """A terminal with two devices, of which one is looked at; the runner is in the test's hand."""

    house: HouseInHand
    terminal: TerminalInHand
    care: Care = FULL
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.device, self.other = self.house.devices_of(self.terminal)
        self.review()

    @property
    def served(self) -> list[Served]:
        served = Served(device=self.device, program="racer", care=self.care, **self.more)
        return [served, replace(served, device=self.other, care=Care())]

    @property
    def state(self) -> DeviceState:
        return self.now.state

    @property
    def now(self) -> devices.DeviceNow:
        states: dict[str, devices.DeviceNow] = self.terminal.do(devices.states)
        return states[self.device]

    @property
    def in_the_books(self) -> dict[str, Any]:
        rows = self.house.books.rows("devices")
        return next(row for row in rows if row["device_id"] == self.device)

    def review(self) -> None:
        self.terminal.do(devices.review, self.served)

    def tell(self) -> None:
        """Let the terminal take in what happened, and the controller hear of it."""
        self.review()
        self.house.tell_all(self.terminal)

    def start(self) -> str:
        """Let a customer in who has booked the next slot; return the session."""
        answer = self.house.scan(self.terminal, self.device, self.house.book(self.device))
        assert isinstance(answer, Right)
        self.tell()
        return str(answer.document["session"])

    def run(self, session: str) -> None:
        at = self.house.clock.now
        self.terminal.do(sessions.note_seen, a_program(session, "running", started_at=at))
        self.tell()

    def end(self, session: str) -> None:
        at = self.house.clock.now
        ended = a_program(session, "ended", delivered_seconds=60.0, started_at=at, ended_at=at)
        self.terminal.do(sessions.note_seen, ended)
        self.tell()

    def use(self) -> str:
        """Let a customer come, play to the end of his slot, and go."""
        session = self.start()
        self.run(session)
        self.house.clock.move(SLOT_SECONDS)
        self.end(session)
        return session

    def to_do(self) -> list[devices.ToDo]:
        found: list[devices.ToDo] = self.terminal.do(devices.to_do, self.served)
        return found

    def done(self, why_not: str | None = None) -> None:
        """Let the runner carry out the one step that there is to do."""
        (each,) = self.to_do()
        assert self.terminal.do(devices.note_done, self.served, each.run, why_not)
        self.tell()

    def enter(self, code: str) -> NotConfirmed | None:
        confirmation = self.terminal.do(devices.confirm, self.served, self.device, code)
        self.tell()
        why_not: NotConfirmed | None = confirmation.why_not
        return why_not

    def overdue(self, seconds: float) -> None:
        self.house.clock.move(seconds)
        self.terminal.do(devices.note_overdue, self.served)
        self.tell()

    def order(self, *, is_out: bool, skips: bool = False) -> None:
        """Let the operator say that the device is out of order, or in order; the terminal hears."""
        word = Word(device=self.device, is_out_of_order=is_out, reason="the headset")
        self.house.books.do(lambda books: bookings.tell_of_device(books, word, "op", skips=skips))
        self.hear()

    def hear(self) -> None:
        """Let the terminal hear what the operator wants, through its listener."""
        for told in self.house.books.heard():
            if isinstance(told, DevicesDesired):
                self.terminal.hear(told, Channel.DESIRED)
        for wanted in self.terminal.wanted:
            self.terminal.do(devices.take_desired, self.served, wanted)
        self.terminal.wanted.clear()
        self.tell()

    def new_code(self) -> str:
        """Let the operator make a cleaners' code, and the terminal know it."""
        code: str = self.house.books.do(known_of.make_cleaner_code, STORE, "op")
        self.house.books.do(known_of.tell_untold)
        self.hear()
        return code

    def problems(self) -> dict[str, str]:
        """Return what somebody must look at now: the kind, by what it is about."""
        rows = self.house.books.rows("problems")
        return {row["subject"]: row["kind"] for row in rows if row["solved_at"] is None}

    def scan_alone(self, token: str) -> None:
        """Hold a ticket to the scanner while the line is down, by a clock that is trusted."""
        self.terminal.do(rights.take_time, self.house.clock.now)
        self.terminal.scan(self.device, token, line_is_up=False)

    def denied(self, token: str) -> DenialReason:
        answer = self.house.scan(self.terminal, self.device, token)
        assert isinstance(answer, Refused)
        return DenialReason(answer.reason)


def task_of(booth: Booth) -> dict[str, Any]:
    """Return the one photo that is waited for, or was not heard of yet."""
    task: dict[str, Any]
    (task,) = [row for row in booth.house.books.rows("photo_tasks") if row["is_open"]]
    return task


def photograph(booth: Booth, link: str = "") -> list[DevicesDesired]:
    """Send the photo of the one task; return what the terminal is told then."""
    task = task_of(booth)
    booth.house.books.said.clear()
    booth.house.books.do(bookings.take_photo, link or task["link"], task["task_id"], JPEG)
    return [told for told in booth.house.books.heard() if isinstance(told, DevicesDesired)]


def hear(booth: Booth, wanted: DevicesDesired) -> None:
    """Let the terminal take in what is wanted, and the controller hear what became of it."""
    booth.terminal.do(devices.take_desired, booth.served, wanted)
    booth.tell()
