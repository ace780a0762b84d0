"""`./dev prove rights_rows`: ten thousand exchanges leave as many protocol rows as ten.

What is sold, used and entered in the ledger is business data, and grows with the business.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from cloud_controller.flows.rights import pools
from cloud_controller.storage.sqlite import migrate
from common.messages.rights import ModuleRequest
from common.rules.registration import Policy
from common.rules.rights import ClientState
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS
from edge_agent.flows import sessions
from edge_agent.flows.rights import exchange
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.wire import Booth, WireInHand
from tests.prove.counts import Counts

NAME: Final = "rights_rows"

SECONDS: Final = 900.0
"""As long as it may take unless somebody says otherwise."""

FEW: Final = 10
MANY: Final = 10_000
MANY_OF_A_VARIANT: Final = 60

BOOKS: Final = "exchanges own_exchanges quarantines held_tickets inbox inbox_marks outbox"
OF_A_SESSION: Final = "compensation_made"
"""The kind of problem that tells of a session, and of no exchange."""

JOURNAL: Final = "exchanges held_rights held_tickets outbox desired"
"""The tables of the protocol, on either side."""

MODULE: Final = "module:m"

KEEPING_WHAT_IS_CLOSED: Final = """
    CREATE TRIGGER kept_for_ever AFTER UPDATE ON exchanges WHEN new.mark_seq > old.mark_seq
    BEGIN INSERT INTO exchanges (party, epoch, kind, mark_seq)
        VALUES (new.party, new.epoch, new.kind || '/' || new.mark_seq, new.mark_seq); END"""
"""The broken variant: a row for each exchange that is over."""


async def prove(seconds: float, seed: int) -> Counts:
    """Have exchanges of every kind, up to ten thousand, and compare what is left of them."""
    until = time.monotonic() + seconds
    with a_store() as store:
        few = store.rows_after(FEW)
        done = store.exchanges()
        for wanted in track(
            range(FEW, MANY, 100), "exchanges, in hundreds", console=Console(stderr=True)
        ):
            if time.monotonic() < until:
                done = store.have(wanted + 100)
        many = store.rows_after(done)
    rows = (sum(many.values()), sum(few.values()))
    return Counts(
        name=NAME,
        seed=seed,
        states=rows[0],
        schedules=1,
        executions=done,
        violations=list(grown(few, many)),
        variants=["closed records are kept"],
        caught=["closed records are kept"] * variant_is_caught(),
        told=[
            f"{done:,} exchanges leave {rows[0]} protocol rows, {FEW} left {rows[1]}",
            "no dice, so that the seed changes nothing",
        ],
    )


class Store:
    """A booth that is used, slot after slot, and all that its agent and controller have to say."""

    def __init__(self, house: HouseInHand) -> None:
        house.clock.is_kept = True
        terminal = house.confirmed("vr")
        house.books.do(pools.own_seats, MODULE[7:], 1, "tests")
        self.house = house
        self.booth = Booth(terminal, house.devices_of(terminal)[0])
        self.wire = WireInHand(house, self.booth)
        self.booth.prepare()
        self._flow()

    def exchanges(self) -> int:
        """Return how many exchanges are over."""
        return sum(row["done_seq"] for row in self.booth.terminal.rows("exchanges"))

    def have(self, wanted: int) -> int:
        """Go on until so many exchanges are over; return how many are."""
        while (done := self.exchanges()) < wanted:
            self._have_a_slot()
        return done

    def rows_after(self, wanted: int) -> Mapping[str, int]:
        """Return how many rows each table of the protocol has after so many exchanges."""
        self.have(wanted)
        books = {f"books.{table}": len(self.house.books.rows(table)) for table in BOOKS.split()}
        problems = self.house.books.rows("problems")
        books["books.problems"] = sum(row["kind"] != OF_A_SESSION for row in problems)
        rows = self.booth.terminal.rows
        return books | {f"journal.{table}": len(rows(table)) for table in JOURNAL.split()}

    def _have_a_slot(self) -> None:
        """Sell a slot, hold its ticket, use it, renew a module's seat; then the slot is over."""
        house, booth = self.house, self.booth
        token = house.book(booth.device)
        (row,) = house.books.connection.execute("SELECT max(starts_at) FROM reservations")
        house.clock.move((row[0] - house.clock.now) / 1000)
        self.wire.do_timers()
        self._flow()
        booth.terminal.scan(booth.device, token)
        self._flow()
        for session in booth.reconcile():
            booth.end(session)
        self._have_a_seat()
        house.clock.move(SLOT_SECONDS + CLOCK_TOLERANCE_SECONDS + 1)
        self.wire.do_timers()
        self._flow()
        self.wire.do_timers()
        self._flow()
        booth.programs.clear()
        booth.terminal.do(sessions.forget_old, house.clock.now)

    def _have_a_seat(self) -> None:
        terminal = self.booth.terminal
        terminal.do(exchange.begin, terminal.who, MODULE)
        self._flow()
        request = ModuleRequest(module=MODULE[7:]).model_dump(mode="json")
        terminal.do(exchange.freeze, terminal.who, MODULE, request)
        self._flow()
        states = {row["kind"]: row["state"] for row in terminal.rows("exchanges")}
        assert states[MODULE] == ClientState.IDLE, "a seat was renewed"

    def _flow(self) -> None:
        self.wire.gather()
        while self.wire.letters:
            self.wire.hand_over(0)


@contextmanager
def a_store() -> Iterator[Store]:
    """Furnish a store in files of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "books.sqlite"
        migrate(file)
        house = HouseInHand(Path(folder), file, policy=Policy.AUTOMATIC)
        try:
            yield Store(house)
        finally:
            house.books.close()


def grown(few: Mapping[str, int], many: Mapping[str, int]) -> Iterator[str]:
    """Yield what has more rows after many exchanges than after few."""
    for table, rows in many.items():
        if rows > few[table]:
            yield f"{table} has {rows} rows, and had {few[table]}"


def variant_is_caught() -> bool:
    """Say whether records that are kept for ever are noticed."""
    with a_store() as store:
        store.house.books.connection.execute(KEEPING_WHAT_IS_CLOSED)
        few = store.rows_after(FEW)
        return bool(list(grown(few, store.rows_after(MANY_OF_A_VARIANT))))
