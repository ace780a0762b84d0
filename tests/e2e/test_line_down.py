"""With the line down a terminal redeems what it holds, says so, and tells all when it is back."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from cloud_controller.web.routes import from_iso
from tests.demo import logs
from tests.demo.world import SlotTerms, Terminal, World
from tests.e2e.customer import (
    Use,
    book_at,
    ends_on_time,
    kill,
    offering_of,
    picture_of,
    programs,
    scan,
    settles,
    take_back,
)
from tests.e2e.line import Line
from tests.e2e.worlds import a_world

TERMS: Final = SlotTerms(
    lengths_seconds=(3,), grid_seconds=1, early_seconds=60, warn_before_seconds=(1,)
)
"""A ticket opens when it is bought; a use that begins early goes on until its slot's end."""

AHEAD: Final = timedelta(seconds=6)
"""From the booking to the slot: meanwhile the terminal takes the ticket over, and is cut off."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one terminal, at the end of a line."""
    with a_world(TERMS) as made:
        yield made


@pytest.fixture(scope="module")
def line(world: World) -> Iterator[Line]:
    """Give the line between the store's terminal and its controller."""
    with ExitStack() as stack:
        made = Line(web_port=world.web_port, broker_port=world.broker_port)
        stack.callback(made.close)
        terminal = world.new_terminal()
        world.enrol(terminal, world.new_code(), url=made.url)
        world.start_agent(terminal)
        yield made


@pytest.fixture
def terminal(world: World, line: Line) -> Terminal:
    """Return the store's terminal, idle and in reach."""
    (made,) = world.terminals
    assert line is not None
    offering_of(world, made)
    world.wait_for("it to be idle and in reach", lambda: said_last(made) == "asks")
    world.wait_for("the last program to be gone", lambda: not programs(world, made))
    return made


def test_a_ticket_booked_before_opens_its_program_with_the_line_cut(
    world: World, line: Line, terminal: Terminal
):
    """C4: held before, it opens once, over two deaths of the agent; told when the line is back."""
    ticket = held(world, terminal)
    with line.cut():
        world.wait_for("it to say so", lambda: said_last(terminal) == "alone")
        killed_and_started(world, terminal)
        verdict = scan(world, terminal, picture_of(world, ticket["link"]))
        assert (verdict["opens"], verdict["alone"]) == (True, True)
        (pid,) = world.wait_for("its program", lambda: programs(world, terminal))
        killed_and_started(world, terminal)
        again = scan(world, terminal, picture_of(world, ticket["link"]))
        assert again["reason"] == "already_used"
        assert programs(world, terminal) == [pid]
        bought = book_at(world, offering_of(world, terminal), datetime.now(UTC) + 10 * AHEAD)
        refused = scan(world, terminal, picture_of(world, bought["link"]))
        assert refused["reason"] == "not_on_offline_list"
        use = Use(link=ticket["link"], ends_at=from_iso(ticket["ends_at"]), pid=pid)
        ends_on_time(world, use)
        assert types(world, ticket) == Counter(["reservation.confirmed"])
    world.wait_for("it to say so", lambda: said_last(terminal) == "asks")
    settles(world, use, beside=["right.issued", "session.warned"])
    told = types(world, ticket)
    assert told["session.admitted"] == told["session.running"] == told["session.ended"] == 1
    assert told["right.issued"] == 0
    assert world.books("SELECT 1 FROM problems WHERE kind = 'offline_start_doubted'") == []
    assert scan(world, terminal, picture_of(world, ticket["link"]))["reason"] == "already_used"


def test_a_cancellation_counts_only_when_the_terminal_that_holds_the_ticket_is_back(
    world: World, line: Line, terminal: Terminal
):
    """C4: until then nobody knows if it was used, and the page says that it is being cancelled."""
    ticket = held(world, terminal)
    with line.cut():
        world.wait_for("it to say so", lambda: said_last(terminal) == "alone")
        asked = world.api("POST", f"/api/v1/tickets/{ticket['link']}/cancel")
        assert (asked["state"], asked["is_being_cancelled"]) == ("confirmed", True)
        assert (standing := seen(world, ticket)) == ("confirmed", "issued", True), standing
    gone = partial(is_gone, world, ticket)
    world.wait_for("the cancellation to count", gone)
    assert seen(world, ticket) == ("cancelled", "void", False)
    assert scan(world, terminal, picture_of(world, ticket["link"]))["reason"] == "cancelled"


def test_a_ticket_used_with_the_line_cut_cannot_be_cancelled_meanwhile(
    world: World, line: Line, terminal: Terminal
):
    """C4: the use came first, wherever it was; the customer is told that it was too late."""
    ticket = held(world, terminal)
    with line.cut():
        world.wait_for("it to say so", lambda: said_last(terminal) == "alone")
        assert scan(world, terminal, picture_of(world, ticket["link"]))["alone"]
        world.api("POST", f"/api/v1/tickets/{ticket['link']}/cancel")
        assert seen(world, ticket) == ("confirmed", "issued", True)
    world.wait_for_line(ticket["link"], "cancellation.too_late")
    world.wait_for_line(ticket["link"], "reservation.completed")
    assert seen(world, ticket) == ("completed", "spent", False)
    assert types(world, ticket)["session.running"] == 1


def held(world: World, terminal: Terminal) -> dict[str, Any]:
    """Book a slot that is soon to come, and return its ticket when its terminal has taken it."""
    take_back(terminal)
    ticket = book_at(world, offering_of(world, terminal), datetime.now(UTC) + AHEAD)
    journal = f"file:{terminal.folder / 'agent' / 'journal.db'}?mode=ro"

    def is_held() -> bool:
        with contextlib.closing(sqlite3.connect(journal, uri=True)) as reading:
            found = reading.execute("SELECT 1 FROM held_tickets WHERE ends_at = ?", [ends_at])
            return found.fetchone() is not None

    ends_at = from_iso(ticket["ends_at"])
    world.wait_for("its terminal to hold it", is_held)
    return ticket


def killed_and_started(world: World, terminal: Terminal) -> None:
    """Kill the agent and start it again, still without the line."""
    number = len(list(logs.lines(terminal.log, "line")))
    assert terminal.agent is not None
    kill([terminal.agent.pid], signal.SIGKILL)
    terminal.agent.wait()
    world.start_agent(terminal)
    world.wait_for(
        "it to say how it is",
        lambda: (
            [each["mode"] for each in logs.lines(terminal.log, "line")][number:][-1:] == ["alone"]
        ),
    )


def said_last(terminal: Terminal) -> str | None:
    """Return what a terminal has said last that it can do for a customer."""
    return next((each["mode"] for each in reversed(list(logs.lines(terminal.log, "line")))), None)


def types(world: World, ticket: dict[str, Any]) -> Counter[str]:
    """Return how often each thing stands in a ticket's ledger."""
    return Counter(line["type"] for line in world.story(ticket["link"]))


def seen(world: World, ticket: dict[str, Any]) -> tuple[str, str, bool]:
    """Return what the page says of a ticket: its states, and whether it is being cancelled."""
    told = world.api("GET", f"/api/v1/tickets/{ticket['link']}")
    return told["state"], told["ticket_state"], told["is_being_cancelled"]


def is_gone(world: World, ticket: dict[str, Any]) -> bool:
    """Say whether a reservation has been cancelled for good."""
    return seen(world, ticket)[0] == "cancelled"
