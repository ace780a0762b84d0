"""A ticket read where no device is: its device's terminal asks, both screens say it (C3, C4)."""

from __future__ import annotations

import pytest

from common.messages.rights import ReportScan, Request, Right, TakeScan, Troubled
from common.messages.sessions import CustomerTold
from common.rules.rights import Trouble
from common.rules.sessions import Notice
from common.rules.tickets import DenialReason
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand


@pytest.fixture
def host(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("a")


@pytest.fixture
def reader(house: HouseInHand, host: TerminalInHand) -> TerminalInHand:
    """Return the terminal at the entrance, which comes after the one that hosts the device."""
    made = house.confirmed("door")
    assert made.who.terminal != host.who.terminal
    return made


def report(reader: TerminalInHand, token: str) -> ReportScan:
    made = reader.do(asking.report, token)
    assert isinstance(made, ReportScan)
    return made


def passed_on(house: HouseInHand, host: TerminalInHand, take: TakeScan) -> list[object]:
    """Let the host take a scan over; return all that the controller says about it."""
    (device,) = house.devices_of(host)
    assert take.device == device
    house.announce(host, device)
    host.scan(device, take.token, name=take.scan, reader=take.reader)
    (request,) = host.asks()
    assert isinstance(request, Request)
    return list(house.ask(host, request))


def test_c3_a_scan_at_the_entrance_opens_the_device_and_both_are_told(house, host, reader):
    scan = report(reader, house.book(house.devices_of(host)[0]))
    (take,) = house.ask(reader, scan)
    assert isinstance(take, TakeScan)
    told, right = passed_on(house, host, take)
    assert isinstance(told, CustomerTold)
    assert (told.scan, told.notice, told.to) == (scan.scan, Notice.OPENED, "Booth a")
    assert isinstance(right, Right)
    host.hear(right)
    assert host.shown[-1].reason is None
    assert len(host.do(running.to_start)) == 1
    kept = house.books.one("scans")
    assert (kept["scan_id"], kept["reader_id"]) == (scan.scan, reader.who.terminal)
    assert kept["terminal_id"] == host.who.terminal


def test_a_scan_that_is_reported_again_is_answered_again_and_opens_nothing_more(
    house, host, reader
):
    scan = report(reader, house.book(house.devices_of(host)[0]))
    (take,) = house.ask(reader, scan)
    passed_on(house, host, take)
    (told,) = house.ask(reader, scan)
    assert isinstance(told, CustomerTold)
    assert (told.scan, told.notice) == (scan.scan, Notice.OPENED)
    assert len(house.books.rows("sessions")) == 1


def test_a_code_that_is_no_ticket_of_ours_goes_no_further(house, host, reader):
    token = house.book(house.devices_of(host)[0])
    forged = token[:-1] + ("0" if token[-1] != "0" else "G")
    (told,) = house.ask(reader, report(reader, forged))
    assert isinstance(told, CustomerTold)
    assert told.notice == Notice.DENIED
    assert told.reason in {DenialReason.BAD_SIGNATURE, DenialReason.UNKNOWN_TICKET}
    assert house.books.one("scans")["verdict"] == told.reason


def test_a_ticket_that_comes_too_early_is_told_so_at_the_entrance(house, host, reader):
    token = house.book(house.devices_of(host)[0], in_seconds=3 * 1800)
    (told,) = house.ask(reader, report(reader, token))
    assert (told.reason, told.opens_at is not None) == (DenialReason.TOO_EARLY, True)


def test_where_the_host_cannot_be_asked_the_customer_is_sent_there(house, host, reader):
    token = house.book(house.devices_of(host)[0])
    house.books.connection.execute(
        "UPDATE terminals SET presence = 'gone' WHERE terminal_id = ?", [host.who.terminal]
    )
    (told,) = house.ask(reader, report(reader, token))
    assert (told.notice, told.to) == (Notice.SHOW_IT_THERE, "Booth a")


def test_a_reader_shows_what_it_is_told(reader):
    told = CustomerTold(command="n-1", notice=Notice.OPENED, scan="x-1", to="Booth a")
    reader.hear(told, Channel.COMMANDS, "n-1")
    assert (reader.shown[-1].notice, reader.shown[-1].told.to) == (Notice.OPENED, "Booth a")


def test_nobody_hears_of_the_scans_of_another_reader(house, host, reader):
    scan = report(reader, house.book(house.devices_of(host)[0]))
    (take,) = house.ask(reader, scan)
    passed_on(house, host, take)
    assert house.ask(host, scan) == []


def test_whoever_stands_before_a_terminal_that_is_found_copied_is_told(house, host):
    """Its request is answered by nobody any more; the customer must not wait for that."""
    (device,) = house.devices_of(host)
    house.announce(host, device)
    host.scan(device, house.book(device))
    (request,) = host.asks()
    assert isinstance(request, Request)
    host.hear(Troubled(comm_id=request.comm_id, trouble=Trouble.FORKED))
    host.hear(Troubled(comm_id=request.comm_id, trouble=Trouble.FORKED))
    assert [each.reason for each in host.shown] == [DenialReason.NOT_REGISTERED]
