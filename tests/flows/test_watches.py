"""What no message tells of becomes a problem, is one once, and is over by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_controller.flows import problems, watches
from common.messages.rights import Right
from common.rules.presence import Presence
from common.rules.problems import (
    AWAY_SECONDS,
    CLOCK_CALM_SECONDS,
    NOTED_SECONDS,
    START_LATE_SECONDS,
    ProblemKind,
    seats_are_low,
    seats_are_plenty,
)
from common.rules.reservations import OpeningHours
from common.rules.sessions import EndReason
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS, STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

NEVER_OPEN = OpeningHours().model_dump_json()


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("a")


def look(house: HouseInHand, *, after: float = 0.0) -> list[tuple[str, bool]]:
    """Look after what is due twice; return each problem, and whether it is open."""
    house.clock.move(after)
    house.books.do(watches.look_after)
    house.books.do(watches.look_after)
    return [(row["kind"], row["solved_at"] is None) for row in house.books.rows("problems")]


def granted(house: HouseInHand, terminal: TerminalInHand) -> str:
    (device,) = house.devices_of(terminal)
    answer = house.scan(terminal, device, house.book(device))
    assert isinstance(answer, Right)
    return str(answer.document["session"])


def seen(
    house: HouseInHand, terminal: TerminalInHand, session: str, state: str, **how: Any
) -> None:
    terminal.do(running.note_seen, a_program(session, state, **how))
    house.tell_all(terminal)


def run(house: HouseInHand, terminal: TerminalInHand, seconds: float, **ended: Any) -> str:
    """Have a customer use the device for so long."""
    session = granted(house, terminal)
    seen(house, terminal, session, "running", started_at=house.clock.now)
    house.clock.move(seconds)
    ended = {"delivered_seconds": seconds, "ended_at": house.clock.now, **ended}
    seen(house, terminal, session, "ended", **ended)
    return session


def test_a_late_start_is_a_problem_until_it_runs(house, terminal):
    session = granted(house, terminal)
    assert look(house, after=START_LATE_SECONDS) == []
    assert look(house, after=1) == [(ProblemKind.START_LATE, True)]
    row = house.books.one("problems")
    assert (row["subject"], row["times"], row["store_id"]) == (session, 1, STORE)
    seen(house, terminal, session, "running", started_at=house.clock.now)
    assert look(house, after=60) == [(ProblemKind.START_LATE, False)]


def test_a_program_that_fails_in_use_is_a_problem_until_it_has_served_somebody(house, terminal):
    run(house, terminal, 600.0, end_reason=EndReason.PROGRAM_FAILED)
    found = dict(look(house))
    assert found[ProblemKind.PROGRAM_FAILED]
    house.clock.move(2 * SLOT_SECONDS - 600)
    run(house, terminal, 600.0, end_reason=EndReason.CUSTOMER_ENDED)
    assert not dict(look(house))[ProblemKind.PROGRAM_FAILED]


def test_what_was_paid_back_is_noted_once_and_read_in_a_week(house, terminal):
    run(house, terminal, 600.0, end_reason=EndReason.PROGRAM_FAILED)
    assert dict(look(house))[ProblemKind.COMPENSATION_MADE]
    row = next(each for each in house.books.rows("problems") if each["kind"] == "compensation_made")
    evidence = json.loads(row["evidence"])
    assert (evidence["currency"], evidence["cents"] > 0) == ("JPY", True)
    house.books.do(problems.solve_problem, row["problem_id"], "Aiko", "read")
    assert not dict(look(house, after=60))[ProblemKind.COMPENSATION_MADE]
    kinds = [row["kind"] for row in house.books.rows("problems")]
    assert kinds.count(ProblemKind.COMPENSATION_MADE) == 1
    settled = house.books.rows("problems")[kinds.index(ProblemKind.COMPENSATION_MADE)]
    assert (settled["settled_by"], settled["settled_why"]) == ("Aiko", "read")


def test_a_note_that_nobody_closes_is_read_in_a_week(house, terminal):
    run(house, terminal, 600.0, end_reason=EndReason.PROGRAM_FAILED)
    assert dict(look(house))[ProblemKind.COMPENSATION_MADE]
    assert not dict(look(house, after=NOTED_SECONDS + 1))[ProblemKind.COMPENSATION_MADE]


def gone(house: HouseInHand, terminal: TerminalInHand, presence: Presence = Presence.GONE) -> None:
    def note(books):
        books.registration.change_presence(
            terminal_id=terminal.who.terminal, presence=presence, now=books.now
        )

    house.books.do(note)


def test_a_terminal_that_is_away_while_its_store_is_open_is_a_problem_until_it_is_back(
    house, terminal
):
    gone(house, terminal)
    assert look(house, after=AWAY_SECONDS) == []
    assert look(house, after=1) == [(ProblemKind.TERMINAL_OFFLINE, True)]
    gone(house, terminal, Presence.HERE)
    assert look(house) == [(ProblemKind.TERMINAL_OFFLINE, False)]


def test_nobody_is_called_to_a_terminal_that_is_away_while_its_store_is_closed(house, terminal):
    house.books.connection.execute("UPDATE stores SET hours = ?", (NEVER_OPEN,))
    gone(house, terminal)
    assert look(house, after=AWAY_SECONDS + 1) == []


def test_a_ticket_refused_for_the_clock_is_a_problem_until_the_line_is_back(house, terminal):
    house.books.connection.execute(
        "INSERT INTO scans (scan_id, terminal_id, reader_id, verdict, told, read_at, received_at)"
        " VALUES ('s', ?, ?, 'clock_untrusted', '', ?, ?)",
        (terminal.who.terminal, terminal.who.terminal, house.clock.now, house.clock.now),
    )
    assert look(house, after=1) == [(ProblemKind.CLOCK_UNTRUSTED, True)]
    gone(house, terminal)
    assert look(house, after=CLOCK_CALM_SECONDS + 1)[0] == (ProblemKind.CLOCK_UNTRUSTED, True)
    gone(house, terminal, Presence.HERE)
    assert (ProblemKind.CLOCK_UNTRUSTED, False) in look(house)


def test_seats_that_run_out_are_a_problem_until_there_are_plenty(house):
    def own(used: int) -> None:
        house.books.connection.execute("DELETE FROM seat_pools")
        house.books.connection.execute(
            "INSERT INTO seat_pools (module, owned, used) VALUES ('physics', 10, ?)", (used,)
        )

    own(8)
    assert look(house) == []
    own(9)
    assert look(house) == [(ProblemKind.LICENCE_LOW, True)]
    own(8)
    assert look(house) == [(ProblemKind.LICENCE_LOW, True)]
    own(7)
    assert look(house) == [(ProblemKind.LICENCE_LOW, False)]


@pytest.mark.parametrize("owned", range(40))
def test_seats_are_never_low_and_plenty_at_once(owned: int):
    for used in range(owned + 1):
        assert not (seats_are_low(owned, used) and seats_are_plenty(owned, used))
