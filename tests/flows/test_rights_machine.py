"""Two booths and their controller under anything at once: drawn, and shrunk to what matters."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from cloud_controller import bookings
from cloud_controller.ports import NotAllowed, SlotIsTaken
from cloud_controller.storage.sqlite import migrate
from common.rules.problems import ProblemKind
from common.rules.registration import Policy
from common.rules.rights import ClientState
from common.rules.sessions import START_AGAIN_SECONDS, START_TRIES
from edge_agent.flows import rights
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.wire import Booth, WireInHand
from tests.prove.crash_disk import queries_bound_when_used

EXAMPLES: Final = 100
STEPS: Final = 40
TICKETS_MAX: Final = 4
BEFORE_SECONDS: Final = 100
"""How long before a slot each story begins: its ticket opens already."""

LETTERS_MAX: Final = 30
"""Letters under way at a time; past them the oldest are lost."""

HONEST: Final = frozenset({ProblemKind.OFFLINE_START_DOUBTED, ProblemKind.IDENTITY_COPIED})
"""What must never be said of terminals of which nobody has made a copy."""

BOOTHS = st.sampled_from([0, 1])
PLACES = st.integers(0, LETTERS_MAX)


class Furnished:
    """A house with two booths, made once and begun again from its files for each example."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rusuban-"))
        self._begun = self._folder / "begun"
        made = self._folder / "books.sqlite"
        migrate(made)
        self.house = HouseInHand(self._folder, made, policy=Policy.AUTOMATIC)
        self.house.clock.is_kept = True
        grid = SLOT_SECONDS * 1000
        self.house.clock.move((-self.house.clock.now % grid) / 1000 - BEFORE_SECONDS)
        self.terminals = [self.house.confirmed(key) for key in ("a", "b")]
        self._devices = [self.house.devices_of(terminal)[0] for terminal in self.terminals]
        self._files = [made, *(terminal._file for terminal in self.terminals)]
        self._clocks = (self.house.clock.now, self.house.clock.steady)
        self._names = self.house.names._counts.copy()
        self.close()

    def begin(self) -> WireInHand:
        """Return the wire of a house as it was when it was made."""
        shutil.rmtree(self._begun, ignore_errors=True)
        self._begun.mkdir()
        files = [
            Path(shutil.copy(file, self._begun / f"{number}.sqlite"))
            for number, file in enumerate(self._files)
        ]
        self.house.clock.now, self.house.clock.steady = self._clocks
        self.house.names._counts = self._names.copy()
        booths = []
        for terminal, device, file in zip(self.terminals, self._devices, files[1:], strict=True):
            terminal._file, terminal.boot_id = file, "boot-1"
            terminal.asked.clear()
            terminal.open()
            booths.append(Booth(terminal, device))
        wire = WireInHand(self.house, *booths)
        wire.restart_controller(files[0])
        return wire

    def close(self) -> None:
        self.house.books.close()
        for terminal in self.terminals:
            terminal.journal.close()

    def remove(self) -> None:
        shutil.rmtree(self._folder)


class Rights(RuleBasedStateMachine):
    """What customers, programs, lines, kills and chance do, in any order."""

    furnished: Furnished

    def __init__(self) -> None:
        super().__init__()
        self.wire = self.furnished.begin()
        self.house = self.wire.house
        self.booths = list(self.wire.booths.values())
        self.tokens: list[str] = []
        self.ran: dict[str, str] = {}
        self.boots = 1
        self.wire_is_slow = False
        for at in self.booths:
            at.prepare()
        self._go_on()
        self.book(None, 0)

    # --- Customers

    @precondition(lambda self: len(self.tokens) < TICKETS_MAX)
    @rule(booth=st.sampled_from([0, 1, None]), slot=st.sampled_from([0, 0, 1]))
    def buy(self, booth: int | None, slot: int) -> None:
        self.book(booth, slot)

    def book(self, booth: int | None, slot: int) -> None:
        device = None if booth is None else self.booths[booth].device
        with suppress(SlotIsTaken, NotAllowed):
            self.tokens.append(self.house.book(device, in_seconds=slot * SLOT_SECONDS))
            self.wire.do_timers()
        self._go_on()

    @precondition(lambda self: self.tokens)
    @rule(elsewhere=st.sampled_from([False, False, False, True]), ticket=PLACES)
    def show(self, *, elsewhere: bool, ticket: int) -> None:
        token = self.tokens[ticket % len(self.tokens)]
        query = "SELECT device_id FROM reservations JOIN tickets USING (reservation_id)"
        (row,) = self.house.books.connection.execute(f"{query} WHERE token = ?", [token])
        is_at = row["device_id"] == self.booths[0].device
        at = self.booths[is_at is elsewhere]
        at.terminal.scan(at.device, token, line_is_up=at.line_is_up)
        self._go_on()

    @precondition(lambda self: self.tokens)
    @rule(ticket=PLACES)
    def give_up(self, ticket: int) -> None:
        links = [row["link"] for row in self.house.books.rows("reservations")]
        with suppress(NotAllowed):
            self.house.books.do(bookings.give_up, links[ticket % len(links)])
        self._go_on()

    # --- The wire

    @rule()
    def change_the_pace(self) -> None:
        """From now on letters wait until they are carried, or wait no more."""
        self.wire_is_slow = not self.wire_is_slow
        self._go_on()

    @precondition(lambda self: self.wire.reachable())
    @rule(place=PLACES, keep=st.booleans())
    def carry_one(self, place: int, *, keep: bool) -> None:
        reachable = self.wire.reachable()
        self.wire.hand_over(reachable[place % len(reachable)], keep=keep)

    @precondition(lambda self: self.wire.letters)
    @rule(place=PLACES)
    def lose(self, place: int) -> None:
        self.wire.letters.pop(place % len(self.wire.letters))

    @rule(booth=BOOTHS)
    def change_the_line(self, booth: int) -> None:
        at = self.booths[booth]
        at.line_is_up = not at.line_is_up
        if at.line_is_up:
            self.wire.say_again(at)
        self._go_on()

    # --- Programs, time and kills

    @rule(booth=BOOTHS)
    def look_at_timers(self, booth: int) -> None:
        """Let an agent do what is due: announce, decide alone what has had no answer, repeat."""
        at = self.booths[booth]
        at.prepare()
        for late in at.terminal.do(rights.late_requests):
            scan = at.terminal.a_scan(at.device, late.token, name=late.scan)
            at.terminal.do(rights.give_up, at.terminal.who, scan)
        self.wire.gather()
        self.wire.say_again(at)
        self._go_on()

    @rule(booth=BOOTHS, happens=st.sampled_from(["starts", "ends", "fails"]))
    def look_at_programs(self, booth: int, happens: str) -> None:
        at = self.booths[booth]
        if happens == "fails":
            for _ in range(START_TRIES):
                at.refuse_all()
                self.house.clock.move(START_AGAIN_SECONDS)
        if happens == "ends":
            for session in at.running():
                at.end(session)
        for session in at.reconcile():
            self._has_begun(at, session)
        self._go_on()

    @rule(seconds=st.sampled_from([1, 1, 4, 4, 35, 300, SLOT_SECONDS]))
    def wait(self, seconds: int) -> None:
        self.house.clock.move(seconds)
        for at in self.booths:
            for session in at.reconcile():
                self._has_begun(at, session)
        self.wire.do_timers()
        self._go_on()

    @rule(whom=st.sampled_from(["controller", "agent", "PC"]), booth=BOOTHS)
    def kill(self, whom: str, booth: int) -> None:
        self.boots += 1
        if whom == "controller":
            self.wire.restart_controller()
        else:
            self.booths[booth].restart(f"boot-{self.boots}" if whom == "PC" else None)
        self._go_on()

    # --- What must hold at every moment

    @invariant()
    def the_wire_has_its_limit(self) -> None:
        del self.wire.letters[:-LETTERS_MAX]

    @invariant()
    def no_flow_breaks(self) -> None:
        assert self.house.listener.dropped["failed"] == 0
        for at in self.booths:
            assert at.terminal.listener.dropped["failed"] == 0

    @invariant()
    def nobody_honest_is_accused(self) -> None:
        assert self.house.books.rows("quarantines") == []
        kinds = {row["kind"] for row in self.house.books.rows("problems")}
        assert not kinds & HONEST, self.house.books.rows("problems")

    @invariant()
    def a_ticket_that_only_one_may_redeem_is_held_by_that_one(self) -> None:
        query = "SELECT ticket_id, terminal_id FROM held_tickets WHERE state <> 'released'"
        by_the_books = dict(map(tuple, self.house.books.connection.execute(query)))
        query = (
            "SELECT ticket FROM held_tickets WHERE NOT is_released AND ends_at > ?"
            " AND ticket NOT IN (SELECT ticket FROM sessions WHERE state <> 'failed')"
        )
        for at in self.booths:
            journal = at.terminal.journal._connection
            for (ticket,) in journal.execute(query, [self.house.clock.now]):
                assert by_the_books.get(ticket) == at.name, f"{at.name} may redeem {ticket} too"

    @override
    def teardown(self) -> None:
        """Let all come to rest, and compare the two truths."""
        for at in self.booths:
            at.line_is_up = True
        assert self.wire.settle(), "it does not come to rest"
        self.no_flow_breaks()
        self.nobody_honest_is_accused()
        for at in self.booths:
            self._agrees(at)
        assert self.house.books.rows("inbox") == []
        self.furnished.close()

    def _go_on(self) -> None:
        """Take what was said; unless the wire is slow, hand over all of it."""
        self.wire.gather()
        while not self.wire_is_slow and (reachable := self.wire.reachable()):
            self.wire.hand_over(reachable[0])

    def _has_begun(self, at: Booth, session: str) -> None:
        """Note that a program has begun to run for a ticket, which happens once to each."""
        query = "SELECT ticket FROM sessions WHERE session = ?"
        (row,) = at.terminal.journal._connection.execute(query, [session])
        assert row["ticket"] not in self.ran, f"{row['ticket']} is used twice"
        self.ran[row["ticket"]] = session

    def _agrees(self, at: Booth) -> None:
        assert not at.terminal.tells()
        there = {
            row["kind"]: (row["mark_seq"], row["mark_nonce"], row["seq"], row["nonce"])
            for row in self.house.books.rows("exchanges")
            if row["party"] == at.name
        }
        for row in at.terminal.rows("exchanges"):
            is_open = row["state"] == ClientState.ANNOUNCED
            assert is_open or row["state"] == ClientState.IDLE
            here = (row["seq"], row["nonce"]) if is_open else (0, "")
            assert there[row["kind"]] == (row["done_seq"], row["done_nonce"], *here)
        states = {row["session_id"]: row for row in self.house.books.rows("sessions")}
        for row in at.terminal.rows("sessions"):
            told = states[row["session"]]
            assert told["state"] == row["state"] or told["is_presumed"], (told, row)


def test_b11_whatever_happens_no_ticket_is_used_twice_and_both_sides_agree():
    with ExitStack() as stack:
        stack.enter_context(queries_bound_when_used())
        Rights.furnished = Furnished()
        stack.callback(Rights.furnished.remove)
        chosen = settings(max_examples=EXAMPLES, stateful_step_count=STEPS)
        run_state_machine_as_test(Rights, settings=chosen)
