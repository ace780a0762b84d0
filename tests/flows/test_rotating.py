"""A ticket whose code changes by itself, from the page to the booth (C1)."""

from __future__ import annotations

import pytest

from cloud_controller.flows.reservations import text_to_show
from common.messages.rights import Refused, ReportScan, Right, TakeScan
from common.rules.tickets import DenialReason
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.test_readings import a_booth


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a terminal whose offering's codes change."""
    made = house.confirmed("a", "b")
    house.books.connection.execute("UPDATE offerings SET rotates_code = 1")
    return made


def shown(house: HouseInHand, token: str) -> str:
    text: str = house.books.do(text_to_show, token)
    return text


def test_c1_a_fresh_code_opens_and_a_picture_of_two_minutes_ago_does_not(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    picture = shown(house, token)
    assert len(picture) == 154
    house.clock.move(120)
    for text in (picture, token, token + "0" * 10):
        refused = house.scan(terminal, device, text)
        assert isinstance(refused, Refused)
        assert refused.reason == DenialReason.REVOKED
        said = refused.model_dump(exclude_none=True, exclude_defaults=True)
        assert set(said) <= {"comm_id", "reason"}, "a picture is told nothing of its ticket"
    assert isinstance(house.scan(terminal, device, shown(house, token)), Right)


def test_c1_another_tickets_code_opens_nothing(house, terminal):
    (device, other) = house.devices_of(terminal)
    token, another = house.book(device), house.book(other)
    code = shown(house, another)[len(another) :]
    refused = house.scan(terminal, device, token + code)
    assert isinstance(refused, Refused)
    assert refused.reason == DenialReason.REVOKED


def test_c1_no_short_code_is_a_way_around(house, terminal):
    house.book(house.devices_of(terminal)[0])
    assert house.books.one("tickets")["short_code"] is None


def test_c1_without_the_line_it_is_refused_even_where_it_is_held(house):
    booth = a_booth(house, "a")
    house.books.connection.execute("UPDATE offerings SET rotates_code = 1")
    (device,) = house.devices_of(booth.terminal)
    token = house.book(device)
    house.hold(booth.terminal)
    booth.line_is_up = False
    booth.read(shown(house, token))
    assert booth.last_verdict().reason == DenialReason.NOT_ON_OFFLINE_LIST
    assert booth.begun == 0


def test_c1_an_entrance_passes_the_whole_code_on(house, terminal):
    (device, _) = house.devices_of(terminal)
    text = shown(house, house.book(device))
    reader = house.confirmed("c")
    report = ReportScan(scan="x-9", token=text, read_at=house.clock.now, clock_is_trusted=True)
    (take,) = house.ask(reader, report)
    assert isinstance(take, TakeScan)
    assert take.token == text
    assert isinstance(house.scan(terminal, device, take.token), Right)


def test_c1_where_nothing_rotates_nothing_has_changed(house):
    terminal = house.confirmed("a")
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    assert shown(house, token) == token
    refused = house.scan(terminal, device, token + "0" * 10)
    assert isinstance(refused, Refused)
    assert refused.reason == DenialReason.UNKNOWN_TICKET
    house.clock.move(120)
    assert isinstance(house.scan(terminal, device, token), Right)
