"""Proof of service: heartbeats and their gaps, interruptions, warnings that a page has shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from common.messages.rights import Right
from common.messages.sessions import SessionAlive, SessionEnded
from common.rules.sessions import SESSION_HEARTBEAT_SECONDS, EndReason
from common.topics import Channel
from edge_agent.flows import sessions as running
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

MINUTE = SESSION_HEARTBEAT_SECONDS


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with one device on offer."""
    return house.confirmed("vr")


@pytest.fixture
def use(house: HouseInHand, terminal: TerminalInHand) -> Use:
    """Return a session that runs, as its runner measures it."""
    return begun(house, terminal)


@dataclass
class Use:
    """A session and what its runner measures; the wire is in the test's hand."""

    house: HouseInHand
    terminal: TerminalInHand
    session: str
    granted: float
    delivered: float = 0.0
    lost: float = 0.0
    is_over: bool = False
    is_left: bool = False

    @property
    def remaining(self) -> float:
        return max(0.0, self.granted - self.delivered - self.lost)

    def see(self, state: str = "running", **facts: Any) -> None:
        """Let the agent see what the runner has measured."""
        self.terminal.do(running.note_seen, self._program(state, **facts))

    def beat(self) -> None:
        self.terminal.do(running.note_alive, self._program("running"))

    def play(self, seconds: float) -> None:
        seconds = min(seconds, self.remaining)
        self.house.clock.move(seconds)
        self.delivered = round(self.delivered + seconds, 3)

    def lose(self, seconds: float) -> None:
        """Let the program be gone for a while."""
        seconds = min(seconds, self.remaining)
        self.house.clock.move(seconds)
        self.lost = round(self.lost + seconds, 3)
        self.see()

    def end(self, reason: EndReason) -> None:
        if reason is EndReason.TIME_UP:
            self.play(self.remaining)
        self.is_over, self.is_left = True, reason is EndReason.CUSTOMER_ENDED
        self.see("ended", end_reason=reason, ended_at=self.house.clock.now)

    def _program(self, state: str, **facts: Any) -> Any:
        figures = {
            "delivered_seconds": self.delivered,
            "remaining_seconds": self.remaining,
            "lost_seconds": self.lost,
            "started_at": self.house.clock.now,
        }
        return a_program(self.session, state, **{**figures, **facts})


def begun(house: HouseInHand, terminal: TerminalInHand) -> Use:
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    made = Use(house, terminal, right.document["session"], right.document["granted_seconds"])
    made.see()
    house.tell_all(terminal)
    return made


def lines(house: HouseInHand, kind: str) -> list[dict[str, Any]]:
    return [json.loads(row["body"]) for row in house.books.rows("ledger") if row["type"] == kind]


def beats(terminal: TerminalInHand) -> list[SessionAlive]:
    told = [body for _, kind, body in terminal.tells() if kind == SessionAlive.type]
    return [SessionAlive.model_validate_json(body) for body in told]


def test_each_minute_of_a_session_is_told_and_kept_in_one_row(house, terminal, use):
    first_at = house.clock.now + 60_000
    for _ in range(3):
        use.play(MINUTE)
        use.beat()
        house.tell_all(terminal)
    (row,) = house.books.rows("heartbeats")
    assert (row["number"], row["first_at"], row["last_at"]) == (3, first_at, first_at + 120_000)
    assert row["delivered_seconds"] == pytest.approx(180.0)
    assert lines(house, "session.alive") == lines(house, "session.unwatched") == []
    use.end(EndReason.TIME_UP)
    house.tell_all(terminal)
    (ended,) = lines(house, "session.ended")
    assert (ended["heartbeats"], ended["last_heartbeat_at"]) == (3, row["last_at"])


def test_weeks_without_the_line_leave_one_heartbeat_of_a_session(house, terminal, use):
    for _ in range(25):
        use.play(MINUTE)
        use.beat()
    (waiting,) = beats(terminal)
    assert (waiting.number, waiting.delivered_seconds) == (25, 1500.0)
    house.tell_all(terminal)
    assert house.books.one("heartbeats")["number"] == 25
    assert lines(house, "session.unwatched") == [], "they were made: only the line was down"
    assert terminal.tells() == []


def test_a_heartbeat_that_changes_while_it_is_under_way_blocks_nothing(house, terminal, use):
    use.play(MINUTE)
    use.beat()
    (under_way,) = terminal.tells()
    house.tell(terminal, *under_way)
    use.play(MINUTE)
    use.beat()
    (instead,) = terminal.tells()
    assert instead[0] == under_way[0], "the same place in the order of events"
    use.end(EndReason.STAFF_ENDED)
    house.tell_all(terminal)
    assert house.books.one("heartbeats")["number"] == 1, "it was told once, and is not taken twice"
    assert len(lines(house, "session.ended")) == 1


def test_heartbeats_that_were_left_out_are_a_gap_and_no_money(house, terminal, use):
    use.play(MINUTE)
    use.beat()
    house.tell_all(terminal)
    since_at = house.clock.now
    use.play(4 * MINUTE)
    use.beat()
    house.tell_all(terminal)
    assert lines(house, "session.unwatched") == [{"missed": 3, "since_at": since_at}]
    use.end(EndReason.TIME_UP)
    house.tell_all(terminal)
    assert house.books.rows("compensations") == []


@pytest.mark.parametrize("number", [1, 2, 7, 2**62])
def test_a_heartbeat_of_another_terminal_s_session_counts_for_nothing(house, use, number):
    second = house.confirmed("tv")
    said = SessionAlive(
        session=use.session, at=1, number=number, delivered_seconds=1.0, remaining_seconds=1.0
    )
    house.take(second, said, Channel.EVENTS, 1)
    assert house.books.rows("heartbeats") == []


def test_an_older_heartbeat_never_takes_the_place_of_a_newer_one(house, terminal, use):
    use.play(MINUTE)
    use.beat()
    use.beat()
    house.tell_all(terminal)
    old = SessionAlive(
        session=use.session, at=1, number=1, delivered_seconds=0.0, remaining_seconds=0.0
    )
    house.take(terminal, old, Channel.EVENTS, 9)
    assert house.books.one("heartbeats")["number"] == 2


def test_a_warning_is_told_as_shown_once_its_page_has_shown_it(house, terminal, use):
    terminal.do(running.note_warning_shown, use.session, 300.0)
    assert terminal.tells() == [], "nothing has been told yet that it could have shown"
    terminal.do(running.note_warned, use.session, 300.0)
    terminal.do(running.note_warning_shown, use.session, 60.0)
    for _ in range(3):
        terminal.do(running.note_warning_shown, use.session, 300.0)
    assert terminal.told_types() == ["session.warned", "session.warning_shown"]
    house.tell_all(terminal)
    assert lines(house, "session.warning_shown") == [{"seconds_left": 300.0}]


def test_what_the_runner_has_lost_sight_of_counts_up_to_its_last_heartbeat(house, terminal, use):
    use.lose(20.0)
    use.play(10 * MINUTE)
    use.beat()
    house.tell_all(terminal)
    terminal.do(running.note_missing, use.session)
    ((_, _, body),) = terminal.tells()
    ended = SessionEnded.model_validate_json(body)
    assert (ended.delivered_seconds, ended.lost_seconds) == (600.0, 20.0)
    assert ended.reason == EndReason.UNKNOWN


@pytest.mark.parametrize("check", ["window", ""])
def test_a_start_is_told_with_the_check_that_has_verified_it(house, terminal, check):
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    session = right.document["session"]
    terminal.do(running.note_seen, a_program(session, "running", ready_by=check))
    house.tell_all(terminal)
    (ran,) = lines(house, "session.running")
    assert ran.get("verified_by", "") == check


def test_an_interruption_is_told_once_and_with_all_that_was_lost(house, terminal, use):
    use.lose(2.5)
    use.see()
    use.lose(3.0)
    use.end(EndReason.CUSTOMER_ENDED)
    house.tell_all(terminal)
    assert lines(house, "session.interrupted") == [{"lost_seconds": 2.5}, {"lost_seconds": 5.5}]
    row = house.books.one("compensations")
    assert (row["seconds"], row["cents"]) == (pytest.approx(5.5), 5)
