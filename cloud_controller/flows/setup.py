"""Versions of what is set up, and how far a store's first hour is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.reservations import read_hours
from common.rules.setup import FirstHour, SetupKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """What a document said from an instant on, and whose word that was.

    Attributes:
        actor: who said it; empty: it was so before versions were kept.
    """

    number: int
    document: Mapping[str, Any]
    at: int
    actor: str
    reason: str


def versions(books: Transaction, kind: SetupKind, subject: str) -> tuple[Version, ...]:
    """Return the versions of a document that are kept, the latest first."""
    return tuple(_version(row) for row in books.setup.versions(kind=kind, subject=subject))


def version(books: Transaction, kind: SetupKind, subject: str, number: int) -> Version:
    """Return one version of a document.

    Raises:
        NotFound: it is not kept, or was never.
    """
    row = books.setup.version(kind=kind, subject=subject, number=number)
    if row is None:
        raise NotFound(what="version")
    return _version(row)


def latest_number(books: Transaction, kind: SetupKind, subject: str) -> int:
    """Return the number of a document's latest version; nought: none is kept."""
    row = books.setup.latest(kind=kind, subject=subject)
    return 0 if row is None else int(row["number"])


def check_latest(books: Transaction, kind: SetupKind, subject: str, seen: int) -> None:
    """Refuse what was written looking at a version that is not the latest any more.

    Raises:
        NotAllowed: somebody else has said something meanwhile.
    """
    if latest_number(books, kind, subject) != seen:
        raise NotAllowed(why="somebody else has changed it since this page was opened")


def is_said_by_the_file(books: Transaction, kind: SetupKind, subject: str) -> bool:
    """Say whether nobody but the settings file has ever said what this is."""
    return not books.setup.has_spoken(kind=kind, subject=subject)


def first_hour_of(books: Transaction, store: str) -> FirstHour:
    """Return what the books say of a store that is being set up; of none, that there is none."""
    row = books.setup.first_hour(store_id=store)
    if row is None:
        return FirstHour()
    says_hours = read_hours(row["hours"]) is not None or bool(
        books.setup.has_spoken(kind=SetupKind.HOURS, subject=store)
    )
    return FirstHour(
        has_store=True,
        says_hours=says_hours,
        enrolled=row["enrolled"],
        confirmed=row["confirmed"],
        devices=row["devices"],
        offerings=row["offerings"],
        is_priced=row["priced"] > 0,
        on_offer=row["on_offer"],
        sold=row["sold"],
    )


def waiting_terminals(books: Transaction, store: str) -> tuple[Row, ...]:
    """Return a store's terminals that nobody has decided on, the oldest first."""
    return tuple(books.setup.waiting_terminals(store_id=store))


def devices(books: Transaction, store: str) -> tuple[Row, ...]:
    """Return a store's devices, each with its terminal and what it serves."""
    return tuple(books.setup.devices(store_id=store))


def offerings(books: Transaction, store: str) -> tuple[Row, ...]:
    """Return what is registered in a store, each with its prices as they are kept."""
    return tuple(books.setup.offerings(store_id=store))


def helpers(books: Transaction, store: str) -> tuple[Row, ...]:
    """Return who helps in a store."""
    return tuple(books.setup.helpers(store_id=store))


def shut_out(books: Transaction, store: str) -> int:
    """Return how many claims were sold for times in which a store is closed now."""
    return int(books.setup.shut_out(store_id=store))


def device(books: Transaction, device_id: str) -> Row:
    """Return a device.

    Raises:
        NotFound: there is no such device.
    """
    return _found(books.setup.device(device_id=device_id), "device")


def offering(books: Transaction, offering_id: str) -> Row:
    """Return an offering with its store, its key and its prices as they are kept.

    Raises:
        NotFound: there is no such offering.
    """
    return _found(books.setup.offering(offering_id=offering_id), "offering")


def _found(row: Row | None, what: str) -> Row:
    if row is None:
        raise NotFound(what=what)
    return row


def _version(row: Row) -> Version:
    return Version(
        number=row["number"],
        document=json.loads(row["document"]),
        at=row["at"],
        actor=row["actor"],
        reason=row["reason"],
    )
