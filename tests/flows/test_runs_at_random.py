"""Whatever is lost, repeated and killed, no more programs run than there are seats (D11)."""

from __future__ import annotations

from random import Random

import pytest

from cloud_controller.flows import rights
from common.messages.base import Message
from common.rules.modules import StartVerdict
from common.rules.sessions import EndReason, SessionState
from edge_agent.flows import sessions
from edge_agent.flows.rights.runs import ANSWER_WITHIN_SECONDS
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import a_program
from tests.flows.module_kit import PHYSICS, used
from tests.flows.starts_kit import LEASE_SECONDS, Booth, licensed

BOOTHS = 5
SEATS = 2
STEPS = 400
LOST = 0.3
"""The share of messages that get lost, each way."""

PAUSE_SECONDS_MAX = 40
"""The longest that nobody looks: less than the tolerance of a lease's end."""


class Story:
    """Some booths that share seats, and what is true of them, by the programs that really run."""

    def __init__(self, house: HouseInHand, seed: int) -> None:
        licensed(house, seats=SEATS)
        self.house, self.chance = house, Random(seed)
        self.booths = [Booth(house, f"booth-{number}") for number in range(BOOTHS)]
        for booth in self.booths:
            booth.disk.put(PHYSICS)
            booth.hear_the_offer()
        self.starting: dict[Booth, sessions.ToStart] = {}
        self.running: dict[Booth, sessions.ToStart] = {}
        self.sessions = 0
        self.runs = 0

    def step(self) -> None:
        """Do one thing at random, and look whether the law holds."""
        booth = self.chance.choice(self.booths)
        happens = self.chance.choice(
            [self.go_on] * 12
            + [self.end] * 3
            + [self.kill, self.crash, self.cut, self.cut, self.wait]
        )
        happens(booth)
        self.carry(booth, LOST)
        assert len(self.running) <= SEATS
        assert used(self.house) <= SEATS

    def go_on(self, booth: Booth) -> None:
        """Begin a session, or its program, where its seat is held by now."""
        if booth in self.running:
            return
        due = self.starting.get(booth) or self.begin(booth)
        verdict = booth.starts.judge(due).verdict
        if verdict is StartVerdict.GO:
            self.running[booth] = self.starting.pop(booth)
            self.runs += 1
            booth.seen(due, SessionState.RUNNING)
        elif verdict is StartVerdict.REFUSE:
            booth.terminal.do(sessions.note_refused, due.session, EndReason.START_TIMEOUT)
            del self.starting[booth]

    def begin(self, booth: Booth) -> sessions.ToStart:
        self.sessions += 1
        name, (device,) = f"s-{self.sessions}", booth.devices
        journal, clock = booth.terminal.journal, self.house.clock
        journal.transact(
            lambda opened: opened.rows.add_session(
                session=name,
                device=device,
                program="game",
                fence=self.sessions,
                ticket="",
                admission="right",
                right_document="{}",
                granted_seconds=1e6,
                extends_itself=0,
                start_by_boot_seconds=clock.boot_seconds() + 1e6,
                deadline_boot_seconds=clock.boot_seconds() + 1e6,
                boot_id=opened.boot_id,
                state=SessionState.STARTING,
                made_at=clock.now,
            )
        )
        due = sessions.ToStart(
            session=name,
            device=device,
            program="game",
            fence=self.sessions,
            deadline_boot_seconds=1e6,
        )
        self.starting[booth] = due
        return due

    def end(self, booth: Booth) -> None:
        """Have a program end, and its agent hear of it."""
        if due := self.running.pop(booth, None):
            booth.end(due)

    def cut(self, booth: Booth) -> None:
        """Cut a booth's line, or mend it."""
        booth.line_is_up = not booth.line_is_up

    def kill(self, booth: Booth) -> None:
        """Kill an agent, perhaps just when its program has ended: the runner tells it again."""
        ended = self.running.pop(booth, None) if self.chance.random() < LOST else None
        booth.kill()
        if ended is not None:
            booth.end(ended)

    def crash(self, booth: Booth) -> None:
        """Have the power fail: what ran is gone, and its runner says so after the next start."""
        self.starting.pop(booth, None)
        ended = self.running.pop(booth, None)
        booth.kill(boot_id=f"boot-{self.chance.random()}")
        for row in booth.terminal.rows("sessions"):
            if row["state"] == SessionState.STARTING:
                booth.terminal.do(sessions.note_refused, row["session"], EndReason.START_TIMEOUT)
        if ended is not None:
            booth.end(ended)

    def wait(self, _booth: Booth) -> None:
        """Let time pass, now and then a whole lease of it; whoever is here looks meanwhile."""
        seconds = self.chance.choice([3.0, 15.0, LEASE_SECONDS * 1.3])
        while seconds > 0:
            pause = min(seconds, PAUSE_SECONDS_MAX)
            self.house.clock.move(pause)
            seconds -= pause
            for booth in self.booths:
                booth.starts.look()
                self.stop_what_is_to_stop(booth)
                self.carry(booth, LOST)
            self.house.books.do(rights.free_leases)

    def stop_what_is_to_stop(self, booth: Booth) -> None:
        for told in booth.terminal.do(sessions.to_stop):
            self.running.pop(booth, None)
            ended = a_program(told.session, "ended", started_at=1, end_reason=told.reason)
            booth.terminal.do(sessions.note_seen, ended)

    def carry(self, booth: Booth, lost: float) -> None:
        """Carry what is owed, and what is told, as far as it gets."""
        booth.terminal.asked.clear()
        if not booth.line_is_up:
            return
        for message in booth.terminal.ask_again():
            for answer in self.ask(booth, message, lost):
                booth.terminal.hear(answer)
        if self.chance.random() >= 2 * lost:
            self.house.tell_all(booth.terminal)
        self.house.books.heard()

    def ask(self, booth: Booth, message: Message, lost: float) -> list[Message]:
        if self.chance.random() < lost:
            return []
        answers = self.house.ask(booth.terminal, message)
        if self.chance.random() < lost:  # it comes twice, and the first answer is lost
            answers = self.house.ask(booth.terminal, message)
        return [] if self.chance.random() < lost else answers


@pytest.mark.parametrize("story", range(3))
def test_d11_no_more_programs_run_than_there_are_seats_whatever_is_lost_or_killed(
    house: HouseInHand, seed: int, story: int
):
    told = Story(house, seed + story)
    for _ in range(STEPS):
        told.step()
    assert told.runs > SEATS, "it proves something"
    for booth in told.booths:
        booth.line_is_up = True
        told.end(booth)
        for due in [told.starting.pop(booth, None)]:
            if due is not None:
                booth.terminal.do(sessions.note_refused, due.session, EndReason.START_TIMEOUT)
    for _ in range(6):
        house.clock.move(ANSWER_WITHIN_SECONDS)
        for booth in told.booths:
            booth.starts.look()
            told.carry(booth, lost=0.0)
    assert used(house) == 0, "each seat is back, and no lease had to end for that"
