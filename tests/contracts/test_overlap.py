"""No two live claims to a device overlap: refused by the database itself, against a model (C2)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from cloud_controller.ports import SlotIsTaken
from cloud_controller.storage import postgres, sqlite
from cloud_controller.storage.postgres import in_percents
from tests.fakes.postgres import server

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


class Claims:
    """The table of claims on one engine, whose foreign keys are not looked at."""

    def __init__(self, connection: Any, as_fault: Callable[[Exception], Exception]) -> None:
        self._connection = connection
        self._as_fault = as_fault
        self._is_sqlite = isinstance(connection, sqlite3.Connection)

    def insert(self, name: str, claim: Claim) -> Exception | None:
        return self._change(
            "INSERT INTO reservations (reservation_id, store_id, offering_id, device_id, starts_at,"
            " ends_at, blocked_until, state, price_cents, currency, link, made_at, changed_at)"
            " VALUES (:name, 's', 'o', :device, :starts_at, :ends_at, :blocked_until, :state, 0,"
            " 'JPY', :name, 0, 0)",
            {"name": name, **asdict(claim)},
        )

    def update(self, name: str, claim: Claim) -> Exception | None:
        return self._change(
            "UPDATE reservations SET device_id = :device, starts_at = :starts_at,"
            " ends_at = :ends_at, blocked_until = :blocked_until, state = :state"
            " WHERE reservation_id = :name",
            {"name": name, **asdict(claim)},
        )

    def set_one(self, column: str, value: object, name: str) -> Exception | None:
        query = f"UPDATE reservations SET {column} = :value WHERE reservation_id = :name"  # noqa: S608 - a column named by a test
        return self._change(query, {"value": value, "name": name})

    def all(self) -> dict[str, Claim]:
        rows = self._connection.execute(
            "SELECT reservation_id, device_id, starts_at, ends_at, blocked_until, state"
            " FROM reservations"
        )
        return {name: Claim(*rest) for name, *rest in map(tuple, rows)}

    def _change(self, sql: str, values: dict[str, object]) -> Exception | None:
        """Return in the words of the ports why the database refused, or None: it did not."""
        try:
            self._connection.execute(sql if self._is_sqlite else in_percents(sql), values)
        except (sqlite3.IntegrityError, psycopg.IntegrityError) as fault:
            return self._as_fault(fault)
        return None


@pytest.fixture(params=["sqlite", "postgres"])
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Claims]:
    if request.param == "sqlite":
        file = tmp_path / "books.sqlite"
        sqlite.migrate(file)
        with closing(sqlite.open_database(file)) as connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            yield Claims(connection, sqlite.as_fault_of_ours)
        return
    database = server().migrated()
    with psycopg.connect(database.conninfo(), autocommit=True) as opened:
        opened.execute("SET session_replication_role = replica")
        yield Claims(opened, postgres.as_fault_of_ours)


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


def test_promise_1_the_database_refuses_exactly_what_a_model_refuses(claims: Claims, seed: int):
    dice = Random(seed)
    model: dict[str, Claim] = {}
    refused = 0
    for number in range(ATTEMPTS):
        is_new = not model or dice.random() < 0.5
        name = f"r-{number}" if is_new else dice.choice(list(model))
        claim = some_claim(dice) if is_new else changed(model[name], dice)
        others = (each for known, each in model.items() if known != name)
        clashes = any(claim.clashes_with(each) for each in others)
        refusal = (claims.insert if is_new else claims.update)(name, claim)
        assert isinstance(refusal, SlotIsTaken) is clashes, f"{claim}: {refusal!r}"
        if refusal is None:
            model[name] = claim
        refused += clashes
    assert ATTEMPTS / 10 < refused < ATTEMPTS * 9 / 10
    assert claims.all() == model


@pytest.mark.parametrize("column", ["device_id", "starts_at", "ends_at", "blocked_until", "state"])
def test_no_single_column_slips_past_the_database(claims: Claims, column: str):
    claims.insert("r-1", Claim("d-1", 10, 20, 25, "confirmed"))
    beside = {
        "device_id": (Claim("d-2", 10, 20, 20, "confirmed"), "d-1"),
        "starts_at": (Claim("d-1", 25, 30, 30, "confirmed"), 24),
        "ends_at": (Claim("d-1", 5, 10, 10, "confirmed"), 11),
        "blocked_until": (Claim("d-1", 5, 9, 10, "confirmed"), 11),
        "state": (Claim("d-1", 10, 20, 20, "cancelled"), "confirmed"),
    }
    claim, value = beside[column]
    claims.insert("r-2", claim)
    assert claims.set_one(column, value, "r-2") is not None
    assert claims.all()["r-2"] == claim


def test_claims_that_touch_do_not_overlap(claims: Claims):
    assert claims.insert("r-1", Claim("d-1", 10, 20, 25, "confirmed")) is None
    assert claims.insert("r-2", Claim("d-1", 25, 30, 30, "confirmed")) is None
    assert claims.insert("r-3", Claim("d-1", 5, 10, 10, "confirmed")) is None
