"""After a power cut: the same ticket goes on where it was, no other does, and it is told once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from cloud_controller.flows import sessions as heard
from common.messages.rights import Request, Right
from common.messages.sessions import SessionResumed, StopSession
from common.rules.sessions import EndReason, InterruptionState, Notice
from edge_agent.flows import rights, sessions
from edge_agent.ports import NoticeShown, Verdict
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

HALF_SECONDS = SLOT_SECONDS / 2


@dataclass(frozen=True, kw_only=True)
class Use:
    """A session that ran when the power went, and the ticket that opened it."""

    house: HouseInHand
    terminal: TerminalInHand
    device: str
    token: str
    session: str

    def sees(self, state: str = "running", **seen: Any) -> None:
        """Take in what the runner says."""
        told = {"was_interrupted": True, "started_at": self.house.clock.now, **seen}
        self.terminal.do(sessions.note_seen, a_program(self.session, state, **told))

    def scan(self, token: str | None = None, *, line_is_up: bool = True) -> bool:
        """Hold a ticket to the device's scanner; say whether something is to be started."""
        read = self.terminal.a_scan(self.device, token or self.token)
        ask = partial(rights.scan, line_is_up=line_is_up)
        return bool(self.terminal.do(ask, self.terminal.who, read))

    def to_resume(self) -> list[sessions.ToResume]:
        """Return what the runner is to go on with."""
        due: list[sessions.ToResume] = self.terminal.do(sessions.to_resume)
        return due

    @property
    def interruption(self) -> str:
        """What the journal knows of it."""
        (row,) = (row for row in self.terminal.rows("sessions") if row["session"] == self.session)
        return str(row["interruption"])


@pytest.fixture
def use(house: HouseInHand) -> Use:
    """Return a session in whose middle the power went, and that the runner says to be waiting."""
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    house.clock.is_kept = True
    right = house.scan(terminal, device, token)
    assert isinstance(right, Right)
    made = Use(
        house=house,
        terminal=terminal,
        device=device,
        token=token,
        session=str(right.document["session"]),
    )
    made.sees(was_interrupted=False, remaining_seconds=SLOT_SECONDS)
    house.tell_all(terminal)
    house.clock.move(HALF_SECONDS)
    terminal.restart(boot_id="boot-2")
    made.sees(waits=True, remaining_seconds=HALF_SECONDS, delivered_seconds=HALF_SECONDS)
    return made


def test_a_customer_is_told_once_that_he_can_go_on(use: Use):
    use.sees(waits=True, remaining_seconds=HALF_SECONDS)
    notices = [shown for shown in use.terminal.shown if isinstance(shown, NoticeShown)]
    assert notices == [NoticeShown(device=use.device, notice=Notice.SCAN_TO_GO_ON)]
    assert use.to_resume() == []


@pytest.mark.parametrize("line_is_up", [True, False])
def test_the_same_ticket_goes_on_and_nobody_is_asked(use: Use, *, line_is_up: bool):
    use.terminal.asks()
    assert use.scan(line_is_up=line_is_up)
    assert use.terminal.asks() == []
    verdict = use.terminal.shown[-1]
    assert isinstance(verdict, Verdict)
    assert verdict.reason is None
    (due,) = use.to_resume()
    left = due.deadline_boot_seconds - use.house.clock.boot_seconds()
    assert left == pytest.approx(HALF_SECONDS, abs=1)
    assert use.scan(line_is_up=line_is_up), "held up again, it goes on all the same"


def test_where_no_clock_is_trusted_the_runner_alone_says_how_long(use: Use):
    use.house.clock.is_kept = False
    assert use.scan()
    (due,) = use.to_resume()
    left = due.deadline_boot_seconds - use.house.clock.boot_seconds()
    assert left == pytest.approx(SLOT_SECONDS, abs=1)


def test_another_ticket_goes_its_usual_way(use: Use):
    use.house.announce(use.terminal, use.device)
    assert not use.scan(use.house.book(use.device, in_seconds=SLOT_SECONDS))
    assert use.to_resume() == []
    assert any(isinstance(asked, Request) for asked in use.terminal.asks())


def test_a_ticket_that_somebody_made_up_goes_on_with_nothing(use: Use):
    forged = use.token[:-1] + ("0" if use.token[-1] != "0" else "1")
    assert not use.scan(forged)
    assert use.to_resume() == []


def test_a_ticket_whose_slot_is_over_goes_on_with_nothing(use: Use):
    use.house.clock.move(HALF_SECONDS)
    assert not use.scan(line_is_up=False)
    assert use.to_resume() == []


def test_that_it_goes_on_is_told_once_and_its_end_is_no_later(use: Use):
    """C6: the ledger knows of the break, and what was not delivered is paid back at the end."""
    use.scan()
    for _ in range(2):
        use.sees(remaining_seconds=HALF_SECONDS - 90, delivered_seconds=HALF_SECONDS)
    assert use.interruption == InterruptionState.RESUMED
    assert use.terminal.told_types().count(SessionResumed.type) == 1
    before = use.house.books.one("sessions")["deadline_at"]
    use.house.tell_all(use.terminal)
    (line,) = (row for row in use.house.books.rows("ledger") if row["type"] == SessionResumed.type)
    assert line["session_id"] == use.session
    after = use.house.books.one("sessions")["deadline_at"]
    assert after == pytest.approx(before - 90_000, abs=1_000)
    use.house.clock.move(HALF_SECONDS - 90)
    delivered_seconds = SLOT_SECONDS - 90.0
    use.sees("ended", end_reason=EndReason.TIME_UP, delivered_seconds=delivered_seconds)
    use.house.tell_all(use.terminal)
    assert use.house.books.one("compensations")["seconds"] == pytest.approx(90, abs=1)


def test_an_end_after_a_power_cut_pays_back_what_was_not_delivered(use: Use):
    use.sees("ended", end_reason=EndReason.POWER_LOSS, delivered_seconds=HALF_SECONDS)
    use.house.tell_all(use.terminal)
    session = use.house.books.one("sessions")
    assert (session["state"], session["end_reason"]) == ("ended", "power_loss")
    assert use.house.books.one("compensations")["seconds"] == pytest.approx(HALF_SECONDS, abs=1)


def test_what_goes_on_though_it_was_believed_over_is_told_to_stop(use: Use):
    """Promise 4: where no clock could be trusted, the controller holds the slot's end (C5)."""
    use.house.clock.move(HALF_SECONDS + 10)
    use.house.books.do(heard.presume_stopped)
    use.scan()
    use.sees(remaining_seconds=HALF_SECONDS, delivered_seconds=HALF_SECONDS)
    said = use.house.tell_all(use.terminal)
    assert [message.session for message in said if isinstance(message, StopSession)] == [
        use.session
    ]


def test_a_start_after_a_restart_that_lost_the_word_is_asked_for_again(use: Use):
    """Journal, then act: the scan is kept, and whoever comes back goes on from there."""
    use.scan()
    use.terminal.restart()
    assert [due.session for due in use.to_resume()] == [use.session]
