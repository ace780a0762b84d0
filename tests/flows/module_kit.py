"""Packages in a test's books: published without an archive, and asked for as a terminal does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cloud_controller.flows.rights import pools
from common.ids import CommId
from common.messages.rights import Announce, Complete, Refused, Request, Right
from common.seals import digest_of
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand

PHYSICS = "physics"
SEATS = 2


def digest_in(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def publish(house: HouseInHand, package: str, version: str = "1.0", **facts: Any) -> str:
    """Have a package in the books as its publishing leaves it; return its archive's digest."""
    kind, basis = facts.get("kind", "module"), facts.get("basis", "installed")
    requires, counter = json.dumps(facts.get("requires", [])), facts.get("counter", 1)
    sha256 = digest_in(f"{package} {version}")
    target = f"{kind}s/{package}/{version}.zip"
    with house.books.connection as connection:
        connection.execute(
            "INSERT INTO packages (package, kind, title, basis, published_at) "
            "VALUES (?, ?, ?, ?, 1) ON CONFLICT DO NOTHING",
            (package, kind, package, basis),
        )
        connection.execute(
            "INSERT INTO package_versions (package, version, release_counter, target, sha256, "
            "length, requires, published_at) VALUES (?, ?, ?, ?, ?, 1000, ?, 1)",
            (package, version, counter, target, sha256, requires),
        )
    return sha256


def withdraw(house: HouseInHand, package: str, version: str) -> None:
    with house.books.connection as connection:
        connection.execute(
            "UPDATE package_versions SET withdrawn_at = 2 WHERE package = ? AND version = ?",
            (package, version),
        )


def own(house: HouseInHand, module: str = PHYSICS, seats: int = SEATS) -> None:
    house.books.do(pools.own_seats, module, seats, "tests")


def ask(
    house: HouseInHand, terminal: TerminalInHand, seq: int, request: dict[str, Any]
) -> Right | Refused:
    """Go through one whole exchange about a module; return what it was answered."""
    who, kind = terminal.who, f"module:{request['module']}"
    nonce = f"{seq:032x}"
    comm_id = str(CommId(party=who.terminal, epoch=who.epoch, kind=kind, seq=seq, nonce=nonce))
    house.ask(terminal, Announce(comm_id=comm_id))
    said = Request(comm_id=comm_id, request=request, digest=digest_of(request))
    (answer,) = house.ask(terminal, said)
    assert isinstance(answer, Right | Refused)
    house.ask(terminal, Complete(comm_id=comm_id, digest=answer.digest()))
    return answer


def used(house: HouseInHand, module: str = PHYSICS) -> int:
    rows = house.books.rows("seat_pools")
    return next(int(row["used"]) for row in rows if row["module"] == module)


def logged(house: HouseInHand, kind: str) -> list[dict[str, Any]]:
    return [row for row in house.books.rows("module_events") if row["kind"] == kind]
