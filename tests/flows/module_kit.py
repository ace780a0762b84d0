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
    kind, sha256 = facts.get("kind", "module"), digest_in(f"{package} {version}")
    terms = {
        "package": package,
        "kind": kind,
        "title": package,
        "vendor": "",
        "spdx": "",
        "basis": facts.get("basis", "installed"),
        "over_limit": "refuse",
        "royalty_basis": "downloads_matched",
        "royalty_cents": 0,
        "currency": "JPY",
        "published_at": 1,
    }
    release = {
        "package": package,
        "version": version,
        "release_counter": facts.get("counter", 1),
        "target": f"{kind}s/{package}/{version}.zip",
        "sha256": sha256,
        "length": 1000,
        "digest": facts.get("digest", ""),
        "requires": json.dumps(facts.get("requires", [])),
        "published_at": 1,
    }
    house.books.do(lambda books: books.modules.keep_package(**terms))
    house.books.do(lambda books: books.modules.keep_version(**release))
    return sha256


def withdraw(house: HouseInHand, package: str, version: str) -> None:
    house.books.do(
        lambda books: books.modules.withdraw_version(
            package=package, version=version, withdrawn_at=2
        )
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
