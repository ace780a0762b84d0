"""Stores: made known once, then told when they are open, how they are found, what may start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import Actor, NotFound, Row, Transaction
from common.ids import StoreId
from common.messages.service import Requirements
from common.rules.registration import Policy
from common.rules.reservations import OpeningHours, hours_text

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


def keep_hours(
    books: Transaction, store: StoreId, hours: OpeningHours | None, actor: str, reason: str
) -> Row:
    """Open a store at these hours from now on, None is always; return the store.

    What was sold before stays sold: whoever calls this has somebody look at it.

    Raises:
        NotFound: there is no such store.
    """
    text = hours_text(hours)
    changed = books.registration.keep_hours(store_id=store, hours=text)
    known = _known(books, store)
    if changed:
        said = f"{reason}: {text or 'always open'}" if reason else text or "always open"
        books.audit(actor, "store.hours", store, said[:AUDITED_MAX])
    return known


def keep_directions(books: Transaction, store: StoreId, directions: str, actor: str) -> Row:
    """Tell customers from now on how they find a store; return the store.

    Raises:
        NotFound: there is no such store.
    """
    changed = books.registration.keep_directions(store_id=store, directions=directions)
    known = _known(books, store)
    if changed:
        books.audit(actor, "store.directions", store, directions)
    return known


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
