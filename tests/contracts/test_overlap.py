"""No two live claims to a device overlap: refused by the database itself, against a model (C2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from random import Random

import pytest

from cloud_controller.ports import SlotIsTaken
from cloud_controller.storage.sqlite import as_fault_of_ours, migrate, open_database

ATTEMPTS = 4_000
LIVE = ("held", "confirmed", "in_use")
STATES = (*LIVE, "completed", "cancelled", "expired", "no_show")
DEVICES = ("d-1", "d-2", "d-3")
HOURS = 40


@dataclass(frozen=True)
class Claim:
    """What counts of a reservation: where it blocks, from when to when, and whether it lives."""

    device: str
    starts_at: int
    ends_at: int
    blocked_until: int
    state: str

    def clashes_with(self, other: Claim) -> bool:
        both_live = self.state in LIVE and other.state in LIVE
        apart = self.blocked_until <= other.starts_at or other.blocked_until <= self.starts_at
        return both_live and self.device == other.device and not apart


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return a database with the schema, whose foreign keys are not looked at."""
    file = tmp_path / "books.sqlite"
    migrate(file)
    opened = open_database(file)
    opened.execute("PRAGMA foreign_keys=OFF")
    opened.execute("PRAGMA synchronous=OFF")
    yield opened
    opened.close()


def some_claim(dice: Random) -> Claim:
    starts_at = dice.randrange(HOURS * 4)
    ends_at = starts_at + dice.randrange(1, 9)
    blocked_until = ends_at + dice.choice((0, 0, 1, 3))
    state = dice.choice(LIVE if dice.random() < 0.7 else STATES)
    return Claim(dice.choice(DEVICES), starts_at, ends_at, blocked_until, state)


def changed(claim: Claim, dice: Random) -> Claim:
    """Return a claim after one change: of its range, its device, its state, or of everything."""
    other = some_claim(dice)
    moved = replace(
        claim, starts_at=other.starts_at, ends_at=other.ends_at, blocked_until=other.blocked_until
    )
    turned = replace(claim, state=dice.choice(STATES))
    return dice.choice((moved, replace(claim, device=other.device), turned, other))


def insert(connection: sqlite3.Connection, name: str, claim: Claim) -> None:
    connection.execute(
        "INSERT INTO reservations (reservation_id, store_id, offering_id, device_id, starts_at,"
        " ends_at, blocked_until, state, price_cents, currency, link, made_at, changed_at)"
        " VALUES (?, 's', 'o', ?, ?, ?, ?, ?, 0, 'JPY', ?, 0, 0)",
        (name, *astuple(claim), name),
    )


def update(connection: sqlite3.Connection, name: str, claim: Claim) -> None:
    connection.execute(
        "UPDATE reservations SET device_id = ?, starts_at = ?, ends_at = ?, blocked_until = ?,"
        " state = ? WHERE reservation_id = ?",
        (*astuple(claim), name),
    )


def test_promise_1_the_database_refuses_exactly_what_a_model_refuses(connection, seed: int):
    dice = Random(seed)
    model: dict[str, Claim] = {}
    refused = 0
    for number in range(ATTEMPTS):
        is_new = not model or dice.random() < 0.5
        name = f"r-{number}" if is_new else dice.choice(list(model))
        claim = some_claim(dice) if is_new else changed(model[name], dice)
        others = (each for known, each in model.items() if known != name)
        clashes = any(claim.clashes_with(each) for each in others)
        try:
            (insert if is_new else update)(connection, name, claim)
        except sqlite3.IntegrityError as fault:
            refusal: Exception | None = as_fault_of_ours(fault)
        else:
            refusal, model[name] = None, claim
        assert isinstance(refusal, SlotIsTaken) is clashes, f"{claim}: {refusal!r}"
        refused += clashes
    assert ATTEMPTS / 10 < refused < ATTEMPTS * 9 / 10
    rows = connection.execute(
        "SELECT reservation_id, device_id, starts_at, ends_at, blocked_until, state"
        " FROM reservations"
    )
    assert {name: Claim(*rest) for name, *rest in map(tuple, rows)} == model


@pytest.mark.parametrize("column", ["device_id", "starts_at", "ends_at", "blocked_until", "state"])
def test_no_single_column_slips_past_the_database(connection: sqlite3.Connection, column: str):
    insert(connection, "r-1", Claim("d-1", 10, 20, 25, "confirmed"))
    beside = {
        "device_id": (Claim("d-2", 10, 20, 20, "confirmed"), "d-1"),
        "starts_at": (Claim("d-1", 25, 30, 30, "confirmed"), 24),
        "ends_at": (Claim("d-1", 5, 10, 10, "confirmed"), 11),
        "blocked_until": (Claim("d-1", 5, 9, 10, "confirmed"), 11),
        "state": (Claim("d-1", 10, 20, 20, "cancelled"), "confirmed"),
    }
    claim, value = beside[column]
    insert(connection, "r-2", claim)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(
            f"UPDATE reservations SET {column} = ? WHERE reservation_id = 'r-2'",  # noqa: S608 - a column of the list above
            (value,),
        )


def test_claims_that_touch_do_not_overlap(connection: sqlite3.Connection):
    insert(connection, "r-1", Claim("d-1", 10, 20, 25, "confirmed"))
    insert(connection, "r-2", Claim("d-1", 25, 30, 30, "confirmed"))
    insert(connection, "r-3", Claim("d-1", 5, 10, 10, "confirmed"))
