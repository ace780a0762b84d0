"""The entrance itself: a reading goes to its device, to whoever hosts it, or nowhere (C3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from common.messages.rights import Refused, ReportScan, Request, Right, TakeScan
from common.messages.service import ServiceProfile
from common.messages.sessions import CustomerTold
from common.rules.devices import is_cleaner_code
from common.rules.presence import LineMode
from common.rules.sessions import Notice, SessionState
from common.rules.tickets import DenialReason
from edge_agent.display import Display
from edge_agent.entrance import REPORTED_SECONDS, Entrance, Surroundings
from edge_agent.flows import rights, service
from edge_agent.flows.rights.door import ANSWER_WITHIN_SECONDS
from edge_agent.ports import NoticeShown, Shown, Verdict
from edge_agent.scanners.counting import Counts
from edge_agent.scanners.reading import Reading
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand


class Screen(Display):
    """A display that remembers what it has told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Shown] = []
        self.modes: list[LineMode] = []

    @override
    def show(self, shown: Shown) -> None:
        self.told.append(shown)
        super().show(shown)

    @override
    def show_mode(self, mode: LineMode) -> None:
        if mode is not self.mode:
            self.modes.append(mode)
        super().show_mode(mode)


@dataclass
class Booth:
    """A terminal with an entrance: its journal is real, its line is in the test's hand."""

    house: HouseInHand
    terminal: TerminalInHand
    profile: ServiceProfile | None
    line_is_up: bool = True
    begun: int = 0
    codes: list[str] = field(default_factory=list)
    reports: list[ReportScan] = field(default_factory=list)
    screen: Screen = field(default_factory=Screen)

    def __post_init__(self) -> None:
        around = Surroundings(
            profile=lambda: self.profile,
            line_is_up=lambda: self.line_is_up,
            report=self.reports.append,
            take_code=self._take_code,
            on_begun=self._note_begun,
            names=self.house.names,
            clock=self.house.clock,
        )
        who, journal = self.terminal.who, self.terminal.journal
        self.entrance = Entrance(who, journal, (), self.screen, around)
        journal.on_shown = self.entrance.show

    def read(self, text: str) -> None:
        self.entrance.read(Reading(text=text, decoder="test", milliseconds=0.0))

    def last_verdict(self) -> Verdict:
        shown = self.screen.told[-1]
        assert isinstance(shown, Verdict)
        return shown

    def last_notice(self) -> NoticeShown:
        shown = self.screen.told[-1]
        assert isinstance(shown, NoticeShown)
        return shown

    def _take_code(self, text: str) -> bool:
        """Take what is built like a cleaner's code, as a terminal does that waits for one."""
        if is_cleaner_code(text):
            self.codes.append(text)
        return is_cleaner_code(text)

    def _note_begun(self) -> None:
        self.begun += 1


def a_booth(house: HouseInHand, *keys: str, devices: Sequence[str] | None = None) -> Booth:
    """Return a confirmed terminal with these devices; `devices` are those that it serves."""
    terminal = house.confirmed(*keys)
    terminal.do(rights.take_time, house.clock.now)
    profile = terminal.do(service.profile)
    if devices is not None:
        kept = tuple(each for each in profile.devices if each.key in devices)
        profile = profile.model_copy(update={"devices": kept})
    return Booth(house, terminal, profile)


@pytest.fixture
def booth(house: HouseInHand) -> Booth:
    """Return a booth with two devices, its exchanges ready."""
    made = a_booth(house, "a", "b")
    for device in house.devices_of(made.terminal):
        house.announce(made.terminal, device)
    return made


def test_c3_a_ticket_is_asked_about_for_the_device_it_names(house, booth):
    (_, device) = house.devices_of(booth.terminal)
    booth.read(house.book(device))
    (request,) = booth.terminal.asks()
    assert isinstance(request, Request)
    assert request.request["device"] == device


def test_c3_a_short_code_is_asked_about_at_a_device_that_is_free(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    booth.read("0123-45678 g\r\n")
    (request,) = booth.terminal.asks()
    assert isinstance(request, Request)
    assert (request.request["token"], request.request["device"]) == ("012345678G", device)


def test_while_nobody_is_served_a_scan_says_so(house, booth):
    token = house.book(house.devices_of(booth.terminal)[0])
    booth.profile = None
    booth.read(token)
    assert booth.last_verdict().reason is DenialReason.NOT_REGISTERED
    assert not booth.terminal.asks()


def test_a_ticket_that_was_moved_to_another_device_here_is_taken_there_by_itself(house, booth):
    (device, other) = house.devices_of(booth.terminal)
    token = house.book(device)
    house.books.connection.execute("UPDATE reservations SET device_id = ?", [other])
    booth.read(token)
    (request,) = booth.terminal.asks()
    (refused,) = house.ask(booth.terminal, request)
    assert isinstance(refused, Refused)
    booth.terminal.hear(refused)
    again = [each for each in booth.terminal.asks() if isinstance(each, Request)]
    assert [each.request["device"] for each in again] == [other]
    assert not booth.screen.told, "the customer has nothing to do about it"
    (right,) = house.ask(booth.terminal, again[0])
    assert isinstance(right, Right)


class OneScanner:
    """A scanner that gives one reading, and counts how often it was told of a verdict."""

    name = "one"

    def __init__(self, text: str) -> None:
        self.counts = Counts()
        self.settled_count = 0
        self._text = text

    def settled(self) -> None:
        self.settled_count += 1

    async def watch(self) -> None:
        """Do nothing: its reading is there."""

    async def readings(self) -> AsyncIterator[Reading]:
        yield Reading(text=self._text, decoder="test", milliseconds=0.0)


def test_a_scanner_takes_no_other_code_until_its_scan_has_its_verdict(house, booth):
    (device, other) = house.devices_of(booth.terminal)
    scanner = OneScanner(house.book(device))
    house.books.connection.execute("UPDATE reservations SET device_id = ?", [other])
    asyncio.run(booth.entrance._read_from(scanner))
    (request,) = booth.terminal.asks()
    (refused,) = house.ask(booth.terminal, request)
    booth.terminal.hear(refused)
    again = [each for each in booth.terminal.asks() if isinstance(each, Request)]
    assert scanner.settled_count == 0, "it is asked again at the device that the ticket is for now"
    (right, *_) = house.ask(booth.terminal, again[0])
    booth.terminal.hear(right)
    assert booth.last_verdict().reason is None
    assert scanner.settled_count == 1


def test_a_scanner_may_go_on_at_once_after_what_is_no_ticket(booth):
    scanner = OneScanner("what a poster says")
    asyncio.run(booth.entrance._read_from(scanner))
    assert scanner.settled_count == 1


def test_without_the_line_a_held_ticket_begins_a_session_and_says_by_whom(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    token = house.book(device)
    house.hold(booth.terminal)
    booth.line_is_up = False
    booth.read(token)
    verdict = booth.last_verdict()
    assert (verdict.reason, verdict.is_alone, booth.begun) == (None, True, 1)


def test_a_scan_without_an_answer_is_decided_alone_in_three_seconds(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    token = house.book(device)
    house.hold(booth.terminal)
    booth.read(token)
    booth.entrance.look_again()
    assert not booth.screen.told
    house.clock.move(ANSWER_WITHIN_SECONDS)
    booth.entrance.look_again()
    assert (booth.last_verdict().reason, booth.begun) == (None, 1)


def test_whoever_waits_when_the_gate_closes_is_told_and_a_late_right_starts_nothing(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    booth.read(house.book(device))
    (request,) = booth.terminal.asks()
    booth.terminal.do(rights.stop_serving, booth.terminal.who, device)
    assert booth.last_verdict().reason is DenialReason.NOT_REGISTERED
    (right, *_) = house.ask(booth.terminal, request)
    assert isinstance(right, Right)
    booth.terminal.hear(right)
    assert [each["state"] for each in booth.terminal.rows("sessions")] == [SessionState.FAILED]
    assert len(booth.screen.told) == 1, "told once"


def test_a_device_for_which_nobody_waits_is_left_ready_when_the_gate_closes(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    booth.terminal.do(rights.stop_serving, booth.terminal.who, device)
    assert not booth.screen.told
    booth.read(house.book(device))
    assert [type(each) for each in booth.terminal.asks()] == [Request]


def test_a_reader_without_devices_passes_on_what_it_reads_until_it_hears(house):
    host = a_booth(house, "a")
    token = house.book(house.devices_of(host.terminal)[0])
    door = a_booth(house, "door", devices=())
    door.read(token)
    (report,) = door.reports
    assert report.token == token
    assert door.entrance.waits()
    door.entrance.look_again()
    assert door.reports == [report, report]
    told = CustomerTold(command="n", notice=Notice.OPENED, scan=report.scan, to="Booth a")
    door.entrance.note_told(told)
    assert (door.last_notice().notice, door.last_notice().told.to) == (Notice.OPENED, "Booth a")
    assert not door.entrance.waits()
    door.entrance.note_told(told)
    assert len(door.screen.told) == 1, "told twice, shown once"


def test_a_reader_that_hears_nothing_sends_the_customer_to_the_booth(house):
    token = house.book(house.devices_of(a_booth(house, "a").terminal)[0])
    door = a_booth(house, "door", devices=())
    door.read(token)
    house.clock.move(REPORTED_SECONDS)
    door.entrance.look_again()
    assert door.last_notice().notice is Notice.SHOW_IT_THERE
    assert not door.entrance.waits()
    door.line_is_up = False
    door.read(token)
    assert len(door.reports) == 1, "nobody is asked who cannot hear"
    assert door.last_notice().notice is Notice.SHOW_IT_THERE


def test_a_scan_taken_over_from_a_reader_is_asked_about_once(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    take = TakeScan(
        command="x-9",
        scan="x-9",
        device=device,
        token=house.book(device),
        reader="t-9",
        accept_by=house.clock.now + 1,
    )
    for _ in range(3):
        booth.entrance.take_scan(take)
    (request,) = booth.terminal.asks()
    assert isinstance(request, Request)
    assert (request.request["scan"], request.request["reader"]) == ("x-9", "t-9")
    booth.entrance.take_scan(take.model_copy(update={"scan": "x-8", "device": "d-99"}))
    assert not booth.terminal.asks(), "a device that is not ours"


def test_a_scan_that_has_waited_at_the_broker_starts_nothing(house, booth):
    (device, _) = house.devices_of(booth.terminal)
    take = TakeScan(
        command="x-9",
        scan="x-9",
        device=device,
        token=house.book(device),
        reader="t-9",
        accept_by=house.clock.now,
    )
    booth.entrance.take_scan(take)
    assert not booth.terminal.asks()


def test_the_line_s_mode_is_said_when_it_changes_and_only_then(booth):
    for line_is_up in (True, True, False, False, True):
        booth.line_is_up = line_is_up
        booth.entrance.show_mode()
    assert booth.screen.modes == [LineMode.ASKS, LineMode.ALONE, LineMode.ASKS]


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_can_be_told(booth, notice):
    booth.screen.show(NoticeShown(device=None, notice=notice))
    booth.screen.show(NoticeShown(device=None, notice=notice, reason=DenialReason.EXPIRED))


def test_a_cleaners_code_that_is_typed_at_a_scanner_is_no_ticket(house):
    booth = a_booth(house, "a", "b")
    booth.read(" 123456\n")
    assert booth.codes == ["123456"]
    assert booth.screen.told == []
    assert "scan.denied" not in booth.terminal.told_types()
