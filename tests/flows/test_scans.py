"""A scan opens its device or is denied with its reason, and a denial changes nothing (C3, C4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cloud_controller.flows import reservations
from common.messages.rights import (
    Refused,
    Right,
)
from common.rules.tickets import DenialReason
from common.seals import (
    new_signing_key,
    read_token,
    seal_token,
)
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand, asked
from tests.fakes.terminal import TerminalInHand

STRANGER = new_signing_key(bytes([9] * 32))


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


Spoil = Callable[[HouseInHand, str], str]


def given_up(house: HouseInHand, token: str) -> str:
    (row,) = house.books.rows("reservations", "link")
    house.books.do(reservations.cancel, row["link"])
    return token


def too_late(house: HouseInHand, token: str) -> str:
    house.clock.move(SLOT_SECONDS)
    return token


def too_early(house: HouseInHand, token: str) -> str:
    house.clock.move(-3600)
    return token


def lapsed(house: HouseInHand, token: str) -> str:
    house.clock.move(SLOT_SECONDS)
    house.books.do(reservations.lapse)
    return token


def out_of_order(house: HouseInHand, token: str) -> str:
    house.books.connection.execute("UPDATE devices SET is_out_of_order = 1")
    return token


def of_another_store(house: HouseInHand, token: str) -> str:
    house.books.connection.execute("UPDATE stores SET number = 99")
    return token


def forged(_house: HouseInHand, token: str) -> str:
    return seal_token(read_token(token).token, STRANGER)


def superseded(house: HouseInHand, token: str) -> str:
    house.books.connection.execute("UPDATE tickets SET revision = 1")
    return token


def made_up(_house: HouseInHand, token: str) -> str:
    return token[::-1]


def named(part: object) -> str:
    return str(getattr(part, "__name__", part))


DENIALS: tuple[tuple[Spoil, DenialReason], ...] = (
    (given_up, DenialReason.CANCELLED),
    (too_late, DenialReason.EXPIRED),
    (lapsed, DenialReason.EXPIRED),
    (too_early, DenialReason.TOO_EARLY),
    (out_of_order, DenialReason.DEVICE_OUT_OF_ORDER),
    (of_another_store, DenialReason.WRONG_STORE),
    (forged, DenialReason.BAD_SIGNATURE),
    (superseded, DenialReason.REVOKED),
    (made_up, DenialReason.UNKNOWN_TICKET),
)


@pytest.mark.parametrize(("spoil", "reason"), DENIALS, ids=named)
def test_c4_a_denied_scan_is_kept_and_changes_nothing_else(house, terminal, spoil, reason):
    (device, _) = house.devices_of(terminal)
    token = spoil(house, house.book(device))
    before = house.states()
    answer = house.scan(terminal, device, token)
    assert isinstance(answer, Refused)
    assert answer.reason == reason
    assert house.states() == before
    assert not house.books.rows("rights")
    assert not terminal.rows("sessions")
    assert [row["verdict"] for row in house.books.rows("scans")] == [reason]
    assert terminal.shown[-1].reason is reason


def test_a_ticket_opens_only_one_session(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    assert isinstance(house.scan(terminal, device, token), Right)
    for where, reason in ((device, "already_used"), (other, "already_used")):
        answer = house.scan(terminal, where, token)
        assert isinstance(answer, Refused)
        assert answer.reason == reason
    assert house.states()["sessions"] == ["granted"]


def test_a_ticket_in_use_at_another_terminal_is_said_to_be(house, terminal):
    (device, _) = house.devices_of(terminal)
    second = house.confirmed("c")
    token = house.book(device)
    house.scan(terminal, device, token)
    answer = house.scan(second, house.devices_of(second)[0], token)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.IN_USE_ELSEWHERE


def test_a_ticket_for_any_device_moves_its_reservation_to_the_one_it_opens(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book()
    booked = house.books.one("reservations")["device_id"]
    opened = other if booked == device else device
    assert isinstance(house.scan(terminal, opened, token), Right)
    assert house.books.one("reservations")["device_id"] == opened


def test_a_ticket_for_any_device_does_not_open_one_booked_by_another(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book()
    booked = house.books.one("reservations")["device_id"]
    taken = other if booked == device else device
    house.book(taken)
    answer = house.scan(terminal, taken, token)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.RESERVED_FOR_ANOTHER


def test_a_second_customer_waits_while_the_device_is_in_use(house, terminal):
    (device, _) = house.devices_of(terminal)
    later = house.book(device, in_seconds=SLOT_SECONDS)
    house.scan(terminal, device, house.book(device))
    house.clock.move(SLOT_SECONDS - 1)
    answer = house.scan(terminal, device, later)
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.DEVICE_IN_USE


def test_a_scan_while_one_is_being_asked_about_is_told_to_try_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    before = terminal.everything()
    terminal.scan(device, "another code")
    assert terminal.everything() == before
    assert terminal.shown[-1].reason is DenialReason.BUSY_TRY_AGAIN
    assert terminal.ask_again() == [request]


def test_fences_of_a_device_only_grow(house, terminal):
    (device, _) = house.devices_of(terminal)
    fences = []
    for _ in range(3):
        right = house.scan(terminal, device, house.book(device))
        assert isinstance(right, Right)
        fences.append(right.document["fence"])
        house.books.connection.execute("UPDATE sessions SET state = 'ended'")
        house.clock.move(SLOT_SECONDS)
    assert fences == [1, 2, 3]


def test_a_late_right_is_kept_and_does_not_start(house, terminal):
    (device, _) = house.devices_of(terminal)
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    house.clock.move(31)
    terminal.hear(right)
    assert terminal.do(running.to_start) == []
    assert terminal.told_types() == ["session.starting", "session.failed"]


def test_the_deadline_is_counted_from_the_scan_and_not_from_the_answer(house, terminal):
    (device, _) = house.devices_of(terminal)
    asked_at = house.clock.boot_seconds()
    request = asked(house, terminal, house.book(device), device)
    (right,) = house.ask(terminal, request)
    assert isinstance(right, Right)
    assert right.document["granted_seconds"] == SLOT_SECONDS
    house.clock.move(20)
    terminal.hear(right)
    (due,) = terminal.do(running.to_start)
    assert due.deadline_boot_seconds == asked_at + SLOT_SECONDS


def test_a_clock_set_back_gives_no_more_time(house, terminal):
    (device, _) = house.devices_of(terminal)
    asked_at = house.clock.boot_seconds()
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    house.clock.now -= 86_400_000
    house.clock.steady += 10
    terminal.hear(right)
    (due,) = terminal.do(running.to_start)
    assert due.deadline_boot_seconds == asked_at + SLOT_SECONDS


def test_a_right_asked_for_before_a_reboot_starts_nothing_after_it(house, terminal):
    (device, _) = house.devices_of(terminal)
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    terminal.restart(boot_id="boot-2")
    terminal.hear(right)
    assert terminal.do(running.to_start) == []
    assert terminal.told_types() == ["session.starting", "session.failed"]


def test_c3_what_was_read_reaches_the_books_with_its_reader_and_its_time(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    house.clock.move(2)
    house.ask(terminal, request)
    scan = house.books.one("scans")
    assert scan["scan_id"] == request.request["scan"]
    assert scan["terminal_id"] == terminal.who.terminal
    assert scan["received_at"] - scan["read_at"] == 2000


def test_the_first_device_that_is_free_and_ready_takes_the_scan(house, terminal):
    devices = house.devices_of(terminal)
    assert terminal.do(asking.first_ready, devices, "") == devices[0]
    house.announce(terminal, devices[1])
    assert terminal.do(asking.first_ready, devices, "") == devices[1]
    house.announce(terminal, devices[0])
    assert terminal.do(asking.first_ready, devices, "") == devices[0]


def test_what_is_no_ticket_is_turned_away_and_reported_without_asking(house, terminal):
    terminal.do(asking.deny, DenialReason.UNKNOWN_TICKET, "length", "x" * 500)
    assert not terminal.asks()
    assert terminal.shown[-1].reason is DenialReason.UNKNOWN_TICKET
    house.tell_all(terminal)
    assert house.books.one("scans")["verdict"] == "unknown_ticket"
