"""Stores: made known once, then told when they are open, how they are found, what may start."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import Actor, NotAllowed, NotFound, Row, SetupChange, Transaction
from common.ids import StoreId
from common.messages.service import Requirements
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours, hours_text
from common.rules.setup import SetupKind

AUDITED_MAX: Final = 2_000
"""Characters of hours that stand in the audit: a week and its next exceptions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewStore:
    """A store to be made known.

    Attributes:
        rules: what its policy goes by where that is `rules`.
        hours: when it is open; None is always.
        directions: how customers find it, in their words.
        number: what its tickets name it by; None is the next one.
    """

    store: StoreId
    title: str
    time_zone: str
    policy: Policy = Policy.MANUAL
    rules: Requirements | None = None
    hours: OpeningHours | None = None
    directions: str = ""
    number: int | None = None


def add_store(books: Transaction, new: NewStore, actor: str = Actor.SETTINGS) -> None:
    """Make a store known; one that is known keeps what it has."""
    is_new = books.registration.add_store(
        store_id=new.store,
        number=new.number or books.registration.highest_store_number() + 1,
        title=new.title,
        time_zone=new.time_zone,
        policy=new.policy,
        rules=(new.rules or Requirements()).model_dump_json(),
        made_at=books.now,
    )
    if is_new:
        books.registration.keep_hours(store_id=new.store, hours=hours_text(new.hours))
        books.registration.keep_directions(store_id=new.store, directions=new.directions)
        books.audit(actor, "store.added", new.store, new.title)
        known = _known(books, new.store)
        _keep_version(books, new.store, None, known, actor)
        if new.hours is not None:  # where nobody says when, nobody has said always
            said = hours_document(known["hours"])
            hours = SetupChange(kind=SetupKind.HOURS, subject=new.store, after=said)
            books.keep_version(hours, actor)


def keep_hours(
    books: Transaction, store: StoreId, hours: OpeningHours | None, actor: str, reason: str
) -> Row:
    """Open a store at these hours from now on, None is always; return the store.

    What was sold before stays sold: whoever calls this has somebody look at it.

    Raises:
        NotFound: there is no such store.
    """
    text = hours_text(hours)
    before = _known(books, store)["hours"]
    changed = books.registration.keep_hours(store_id=store, hours=text)
    known = _known(books, store)
    if changed or hours is None:  # that it is always open may be somebody's word, or nobody's
        change = SetupChange(
            kind=SetupKind.HOURS,
            subject=store,
            before=hours_document(before),
            after=hours_document(text),
        )
        books.keep_version(change, actor, reason)
    if changed:
        said = f"{reason}: {text or 'always open'}" if reason else text or "always open"
        books.audit(actor, "store.hours", store, said[:AUDITED_MAX])
    return known


def keep_directions(books: Transaction, store: StoreId, directions: str, actor: str) -> Row:
    """Tell customers from now on how they find a store; return the store.

    Raises:
        NotFound: there is no such store.
    """
    before = _known(books, store)
    changed = books.registration.keep_directions(store_id=store, directions=directions)
    known = _known(books, store)
    if changed:
        books.audit(actor, "store.directions", store, directions)
        _keep_version(books, store, before, known, actor)
    return known


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreSaid:
    """What a store is from now on, but for its hours."""

    title: str
    time_zone: str
    directions: str
    policy: Policy
    rules: Requirements


def keep_store(
    books: Transaction, store: StoreId, said: StoreSaid, actor: str, reason: str = ""
) -> Row:
    """Have a store be what is said; return it.

    Raises:
        NotFound: there is no such store.
        NotAllowed: it would be in another zone, and it has terminals or reservations already.
    """
    before = _known(books, store)
    if said.time_zone != before["time_zone"] and books.setup.has_terminals(store_id=store):
        raise NotAllowed(why="a store that has terminals or reservations keeps its time zone")
    changed = books.registration.keep_store(
        store_id=store,
        title=said.title,
        time_zone=said.time_zone,
        directions=said.directions,
        policy=said.policy,
        rules=said.rules.model_dump_json(),
    )
    known = _known(books, store)
    if changed:
        books.audit(actor, "store.kept", store, reason or said.title)
        _keep_version(books, store, before, known, actor, reason)
    return known


def store(books: Transaction, store_id: StoreId) -> Row:
    """Return a store.

    Raises:
        NotFound: there is no such store.
    """
    return _known(books, store_id)


def store_document(row: Row) -> dict[str, Any]:
    """Return what a store is, but for its hours, as its versions say it."""
    said = {name: row[name] for name in ("title", "time_zone", "directions", "policy")}
    return {**said, "rules": json.loads(row["rules"])}


def hours_document(text: str) -> dict[str, Any]:
    """Return when a store is open as its versions say it, from the hours as they are kept."""
    return {"hours": json.loads(text) if text else None}


def _keep_version(
    books: Transaction, store: str, before: Row | None, after: Row, actor: str, reason: str = ""
) -> None:
    change = SetupChange(
        kind=SetupKind.STORE,
        subject=store,
        before=None if before is None else store_document(before),
        after=store_document(after),
    )
    books.keep_version(change, actor, reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineStarts:
    """The operator's word on starts without the line by a ticket's good signature alone."""

    store: StoreId
    is_on: bool
    reason: str


def allow_offline_starts(books: Transaction, wish: OfflineStarts, actor: str) -> Row:
    """Let terminals of a store start what they do not hold, or not; return the store.

    Raises:
        NotFound: there is no such store.
    """
    changed = books.registration.allow_offline_starts(store_id=wish.store, is_on=int(wish.is_on))
    known = _known(books, wish.store)
    if changed:
        said = f"{'on' if wish.is_on else 'off'}: {wish.reason}"
        books.audit(actor, "store.offline_starts", wish.store, said)
    return known


def _known(books: Transaction, store: StoreId) -> Row:
    known = books.registration.store(store_id=store)
    if known is None:
        raise NotFound(what="store")
    return known
