"""A copied or set-back journal is found at its next exchange; an honest one is never accused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cloud_controller.flows import registration, rights
from common.messages.base import Message
from common.messages.rights import Troubled
from common.messages.service import ServiceRequest
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.rules.rights import ClientState
from common.topics import Channel
from edge_agent.flows import rights as asking
from tests.fakes.house import HouseInHand, a_specification, asked
from tests.fakes.terminal import TerminalInHand
from tests.prove.crash_disk import queries_bound_when_used

Reached = Callable[[HouseInHand, TerminalInHand, str], None]


@pytest.fixture(autouse=True)
def quick_starts() -> Iterator[None]:
    """Let both sides start quickly: here they do so hundreds of times."""
    with queries_bound_when_used():
        yield


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("vr")


def idle(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    house.scan(terminal, device, house.book(device))


def announcing(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    house.book(device)
    terminal.do(asking.prepare, terminal.who, device)


def announced(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    house.book(device)
    house.announce(terminal, device)


def requesting(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    asked(house, terminal, house.book(device), device)


def completing(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    terminal.hear(right)


def aborting(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    requesting(house, terminal, device)
    terminal.do(asking.drop, terminal.who, device)


REACHED: dict[str, Reached] = {
    each.__name__: each for each in (idle, announcing, announced, requesting, completing, aborting)
}


def copied(house: HouseInHand, terminal: TerminalInHand) -> TerminalInHand:
    """Return a PC that was made from a copy of this one's disk."""
    folder = house.folder / "copy"
    folder.mkdir()
    with sqlite3.connect(folder / "journal.sqlite") as disk:
        terminal.journal._connection.backup(disk)
    disk.close()
    names, clock = house.names, house.clock
    return TerminalInHand(folder, clock=clock, names=names, answer=terminal.who)


def set_back(terminal: TerminalInHand, file: Path) -> None:
    """Put an old journal in the place of a terminal's own."""
    terminal.journal.close()
    terminal.asked.clear()
    terminal._file = file
    terminal.open()


def state_of(terminal: TerminalInHand) -> str:
    (row,) = terminal.rows("exchanges")
    return str(row["state"])


def go_on(house: HouseInHand, terminal: TerminalInHand, device: str) -> None:
    """Let a PC finish what is open, and have one more exchange if it can."""
    (row,) = house.books.rows("tickets", "token")
    house.carry(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    house.carry(terminal)
    if state_of(terminal) == ClientState.ANNOUNCED:
        terminal.scan(device, row["token"])
        house.carry(terminal)


def problems(house: HouseInHand) -> list[tuple[str, int]]:
    return [(row["kind"], row["times"]) for row in house.books.rows("problems")]


@pytest.mark.parametrize("goes_first", ["the original", "the copy"])
@pytest.mark.parametrize("reached", REACHED)
def test_two_copies_are_found_at_the_next_exchange_and_both_stop(
    house, terminal, reached, goes_first
):
    (device,) = house.devices_of(terminal)
    REACHED[reached](house, terminal, device)
    both = [terminal, copied(house, terminal)]
    first, second = both if goes_first == "the original" else reversed(both)
    go_on(house, first, device)
    assert house.books.rows("quarantines") == []
    go_on(house, second, device)
    assert state_of(second) == ClientState.QUARANTINED
    assert second.quarantined
    assert problems(house) == [(ProblemKind.IDENTITY_COPIED, 1)]
    issued = house.books.rows("rights")
    go_on(house, first, device)
    go_on(house, second, device)
    assert state_of(first) == state_of(second) == ClientState.QUARANTINED
    assert house.books.rows("rights") == issued
    assert problems(house) == [(ProblemKind.IDENTITY_COPIED, 1)]
    assert len(house.books.rows("quarantines")) == 1


@pytest.mark.parametrize("reached", REACHED)
def test_a_journal_set_back_is_found_at_its_next_exchange(house, terminal, reached):
    (device,) = house.devices_of(terminal)
    REACHED[reached](house, terminal, device)
    old = copied(house, terminal)
    old.journal.close()
    for _ in range(2):
        go_on(house, terminal, device)
    set_back(terminal, old._file)
    go_on(house, terminal, device)
    assert state_of(terminal) == ClientState.QUARANTINED
    assert problems(house) == [(ProblemKind.IDENTITY_COPIED, 1)]


@pytest.mark.parametrize("reached", REACHED)
def test_what_was_shut_out_serves_again_when_it_is_enrolled_anew(house, terminal, reached):
    (device,) = house.devices_of(terminal)
    REACHED[reached](house, terminal, device)
    other = copied(house, terminal)
    for each in (terminal, other):
        go_on(house, each, device)
    house.books.do(registration.shut_out_quarantined)
    house.books.said.clear()
    assert standing_of(house) == Standing.SUSPENDED
    again = enrolled_again(house, terminal)
    assert standing_of(house) == Standing.CONFIRMED
    house.scan(again, device, house.books.rows("tickets", "token")[0]["token"])
    assert state_of(again) == ClientState.IDLE
    assert house.books.rows("exchanges")[-1]["epoch"] == again.who.epoch
    for each in (terminal, other):
        assert answers(house, each, device) == []
    assert standing_of(house) == Standing.CONFIRMED


def test_an_earlier_copy_is_fenced_and_does_not_accuse_the_one_enrolled_anew(house, terminal):
    (device,) = house.devices_of(terminal)
    announced(house, terminal, device)
    enrolled_again(house, terminal)
    terminal.scan(device, house.books.rows("tickets", "token")[0]["token"])
    (request,) = terminal.asks()
    house.books.do(rights.take, house.received(terminal, request))
    (told,) = house.books.heard()
    assert told == Troubled(comm_id=request.comm_id, trouble="fenced")
    terminal.hear(told)
    assert state_of(terminal) == ClientState.QUARANTINED
    assert house.books.rows("quarantines") == []


@pytest.mark.parametrize("reached", REACHED)
def test_an_honest_terminal_is_not_accused_whatever_it_has_said_comes_again(
    house, terminal, reached
):
    (device,) = house.devices_of(terminal)
    said: list[Message] = []
    REACHED[reached](house, terminal, device)
    for _ in range(3):
        said += terminal.ask_again()
        go_on(house, terminal, device)
        for message in said:
            for answer in house.ask(terminal, message):
                terminal.hear(answer)
        terminal.restart()
    assert state_of(terminal) in {ClientState.IDLE, ClientState.ANNOUNCED}
    assert house.books.rows("quarantines") == []
    assert problems(house) == []


def standing_of(house: HouseInHand) -> str:
    return str(house.books.one("terminals")["standing"])


def enrolled_again(house: HouseInHand, terminal: TerminalInHand) -> TerminalInHand:
    """Enrol a terminal anew, and walk it into service."""
    again = house.enrol(again=terminal.who.terminal)
    specification = a_specification("vr")
    again.is_now(specification)
    for told in house.take(again, specification, Channel.SPECIFICATION):
        again.hear(told, Channel.REGISTRATION)
    (profile,) = house.ask(again, ServiceRequest(gate_digest=specification.gate_digest))
    again.hear(profile)
    return again


def answers(house: HouseInHand, terminal: TerminalInHand, device: str) -> list[Message]:
    """Return what a terminal is answered to all that it can still say."""
    terminal.do(asking.prepare, terminal.who, device)
    return [answer for message in terminal.ask_again() for answer in house.ask(terminal, message)]
