"""Licence information: which packages a terminal may have, and whether a seat is left (D2).

Its law: some or none is said of seats, never how many: a number would be old before it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from cloud_controller.flows.modules.wishes import tell_wishes
from cloud_controller.ports import Received, Row, Transaction
from common.messages.modules import (
    PACKAGES_MAX,
    ModulesAsk,
    ModulesOffer,
    ModulesOffered,
    OfferedPackage,
    PackageKind,
)
from common.rules.modules import Basis
from common.topics import Channel

OFFER_SECONDS: Final = 86_400
"""How long a program on an offer may be fetched by it: longer than any download, shorter than a
terminal may be silent and keep what it was told."""


OFFER_BYTES_MAX: Final = 47_104
"""Bytes of all the packages on one offer, so that it is a message, and with its signature, in
base64, one header of 65,536 bytes by which it is shown; a hundred usual ones have fewer.
What has no room is as if it were not to be had: no PC needs so much."""


def offer(books: Transaction, said: Received) -> None:
    """Answer which of the packages asked for, and of those they require, are to be had (D1, D2)."""
    asked: ModulesAsk = said.message
    document = ModulesOffer(
        kind=ModulesOffer.type,
        terminal=said.terminal,
        epoch=said.epoch,
        issued_at=books.now,
        ends_at=books.now + OFFER_SECONDS * 1000,
        packages=tuple(_that_fit(books, said.terminal, asked.packages)),
    ).model_dump(mode="json")
    seal = books.keys.seal_document(document)
    told = ModulesOffered(document=document, signature=seal)
    books.say(said.terminal, Channel.REPLIES, told, corr=said.corr)
    tell_wishes(books, said.terminal, asked.heard)


def _that_fit(
    books: Transaction, terminal: str, packages: Iterable[str]
) -> Iterator[OfferedPackage]:
    """Yield what is to be had of these and of all that they require, as far as it has room."""
    room = OFFER_BYTES_MAX
    for row in _with_required(books, packages):
        offered = _offered(books, terminal, row)
        room -= len(offered.model_dump_json())
        if room >= 0:
            yield offered


def _with_required(books: Transaction, packages: Iterable[str]) -> list[Row]:
    """Return what is on offer of these and of all that they require, each once."""
    found: dict[str, Row] = {}
    wanted = list(packages)
    while wanted and len(found) < PACKAGES_MAX:
        package = wanted.pop(0)
        row = None if package in found else books.modules.on_offer(package=package)
        if row is not None:
            found[package] = row
            wanted.extend(json.loads(row["requires"]))
    return [found[package] for package in sorted(found)]


def _offered(books: Transaction, terminal: str, row: Row) -> OfferedPackage:
    takes_none = row["basis"] == Basis.CONCURRENT
    return OfferedPackage(
        package=row["package"],
        kind=row["kind"],
        version=row["version"],
        release_counter=row["release_counter"],
        target=row["target"],
        sha256=row["sha256"],
        length=row["length"],
        basis=row["basis"],
        over_limit=row["over_limit"],
        requires=tuple(json.loads(row["requires"])),
        has_seats=row["kind"] != PackageKind.MODULE
        or _has_seat(books, terminal, row["package"], is_free=takes_none),
    )


def _has_seat(books: Transaction, terminal: str, module: str, *, is_free: bool) -> bool:
    """Say whether this terminal could have the module now: a seat is left, or is its own."""
    row = books.modules.seats_for(terminal_id=terminal, module=module, kind=f"module:{module}")
    if row is None or row["is_doubted"]:
        return False
    return is_free or row["used"] < row["owned"] or bool(row["has_own"])
