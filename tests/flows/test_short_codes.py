"""A short code opens what its ticket opens; guessing is limited, and learns nothing (C3, C4)."""

from __future__ import annotations

from itertools import count

import pytest

from cloud_controller.flows.rights.codes import (
    WRONG_CODES_SECONDS,
    WRONG_OF_STORE_MAX,
    WRONG_OF_TERMINAL_MAX,
)
from common.messages.rights import Refused, ReportScan, Right, TakeScan
from common.messages.sessions import CustomerTold
from common.rules.problems import ProblemKind
from common.rules.tickets import DenialReason, new_short_code, shown_short_code
from edge_agent.flows import rights as asking
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand

ABSENT = (f"{number:0>10}" for number in count(1))
"""Codes that no ticket of these tests has."""


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def a_code(house: HouseInHand, token: str) -> str:
    """Return the short code of a ticket, given one if it has none."""
    code = new_short_code(house.names)
    house.books.connection.execute(
        "UPDATE tickets SET short_code = coalesce(short_code, ?) WHERE token = ?", [code, token]
    )
    (row,) = [row for row in house.books.rows("tickets") if row["token"] == token]
    kept: str = row["short_code"]
    return kept


def reason_of(house: HouseInHand, terminal: TerminalInHand, device: str, code: str) -> str:
    answer = house.scan(terminal, device, code)
    assert isinstance(answer, Refused)
    return answer.reason


def guess(house: HouseInHand, terminal: TerminalInHand, device: str, times: int) -> list[str]:
    return [reason_of(house, terminal, device, next(ABSENT)) for _ in range(times)]


def test_c3_a_short_code_opens_what_its_ticket_opens_and_once(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    code = a_code(house, token)
    assert isinstance(house.scan(terminal, device, shown_short_code(code).lower()), Right)
    assert reason_of(house, terminal, device, code) == DenialReason.ALREADY_USED
    answer = house.scan(terminal, device, token)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.ALREADY_USED


def test_c4_a_short_code_is_denied_for_what_its_ticket_is_denied_for(house, terminal):
    (device, other) = house.devices_of(terminal)
    code = a_code(house, house.book(device, in_seconds=7200))
    assert reason_of(house, terminal, device, code) == DenialReason.TOO_EARLY
    assert reason_of(house, terminal, other, code) == DenialReason.WRONG_DEVICE
    assert not house.books.rows("wrong_codes")


def test_c3_a_code_of_another_store_is_as_unknown_as_one_that_nobody_has(house, terminal):
    (device, _) = house.devices_of(terminal)
    code = a_code(house, house.book(device))
    connection = house.books.connection
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("UPDATE reservations SET store_id = 'elsewhere'")
    assert reason_of(house, terminal, device, code) == DenialReason.UNKNOWN_TICKET
    assert reason_of(house, terminal, device, next(ABSENT)) == DenialReason.UNKNOWN_TICKET
    foreign, absent = house.books.rows("scans")
    assert (foreign["verdict"], foreign["ticket_id"]) == (absent["verdict"], absent["ticket_id"])


def test_c3_after_five_wrong_codes_the_right_one_is_refused_in_the_same_words(house, terminal):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    code = a_code(house, token)
    assert set(guess(house, terminal, device, WRONG_OF_TERMINAL_MAX)) == {
        DenialReason.UNKNOWN_TICKET
    }
    right, wrong = (house.scan(terminal, device, text) for text in (code, next(ABSENT)))
    assert isinstance(right, Refused)
    assert isinstance(wrong, Refused)
    assert right.reason == wrong.reason == DenialReason.BUSY_TRY_AGAIN
    assert (right.opens_at, right.device) == (wrong.opens_at, wrong.device) == (None, None)
    assert [row["ticket_id"] for row in house.books.rows("scans")] == [None] * 7
    (problem,) = house.books.rows("problems")
    assert (problem["kind"], problem["subject"]) == (ProblemKind.CODES_GUESSED, "shinjuku")
    assert problem["times"] == 2
    assert isinstance(house.scan(terminal, device, token), Right), "a ticket itself opens as ever"


def test_c3_what_is_refused_does_not_count_and_after_a_while_a_code_opens_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    code = a_code(house, house.book(device))
    guess(house, terminal, device, WRONG_OF_TERMINAL_MAX + 3)
    assert len(house.books.rows("wrong_codes")) == WRONG_OF_TERMINAL_MAX
    house.clock.move(WRONG_CODES_SECONDS - 1)
    assert reason_of(house, terminal, device, code) == DenialReason.BUSY_TRY_AGAIN
    house.clock.move(1)
    assert isinstance(house.scan(terminal, device, code), Right)


def test_c3_wrong_codes_of_many_terminals_add_up_for_their_store(house, terminal):
    terminals = [terminal, *(house.confirmed(f"t{n}") for n in range(4))]
    code = a_code(house, house.book(house.devices_of(terminal)[0]))
    for each in terminals[1:]:
        guess(house, each, house.devices_of(each)[0], WRONG_OF_TERMINAL_MAX)
    assert len(house.books.rows("wrong_codes")) == WRONG_OF_STORE_MAX
    device = house.devices_of(terminal)[0]
    assert reason_of(house, terminal, device, code) == DenialReason.BUSY_TRY_AGAIN


def test_a_wrong_code_that_is_told_twice_counts_once(house):
    door = house.confirmed("door")
    scan = door.do(asking.report, next(ABSENT))
    assert isinstance(scan, ReportScan)
    for _ in range(3):
        (told,) = house.ask(door, scan)
        assert isinstance(told, CustomerTold)
        assert told.reason == DenialReason.UNKNOWN_TICKET
    assert len(house.books.rows("wrong_codes")) == 1


def test_c3_a_code_at_the_entrance_goes_on_to_its_device_as_the_ticket_itself(house, terminal):
    door = house.confirmed("door")
    token = house.book(house.devices_of(terminal)[0])
    scan = door.do(asking.report, a_code(house, token))
    (take,) = house.ask(door, scan)
    assert isinstance(take, TakeScan)
    assert take.token == token


def test_c4_without_the_line_a_short_code_opens_nothing_even_of_a_ticket_that_is_held(
    house, terminal
):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    code = a_code(house, token)
    terminal.do(asking.take_time, house.clock.now)
    house.hold(terminal)
    assert terminal.rows("held_tickets")
    scan = terminal.a_scan(device, code)
    terminal.do(lambda j: asking.scan(j, terminal.who, scan, line_is_up=False))
    assert terminal.shown[-1].reason is DenialReason.NOT_ON_OFFLINE_LIST
    assert not terminal.rows("sessions")
    scan = terminal.a_scan(device, token)
    terminal.do(lambda j: asking.scan(j, terminal.who, scan, line_is_up=False))
    assert terminal.shown[-1].reason is None
