"""What an operator says of an offering: his words stand before its terminal's, until given back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.flows.offerings.telling import OFFERINGS_MAX, Teller, is_full, keep
from cloud_controller.ports import NotAllowed, NotFound, Row, SetupChange, Transaction
from common.messages.offerings import OfferingSaid
from common.rules.setup import SetupKind

_FROM_JSON: Final = ("texts", "pictures", "lengths_seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """An offering of a store, whose words it has, and the devices that serve it."""

    offering: str
    key: str
    teller: Teller
    said: OfferingSaid
    devices: tuple[Row, ...]


def say(
    books: Transaction, store: str, key: str, said: OfferingSaid, actor: str, reason: str = ""
) -> Registered:
    """Have an offering be what an operator says, whatever its terminals say of it.

    Devices serve it as soon as their terminals name its key; until then it is on no page.

    Raises:
        NotFound: there is no such store, or it is another controller's.
        NotAllowed: a picture is not kept here, or the store has too many offerings.
    """
    _check_store(books, store)
    for named in said.pictures:
        if not books.offerings.has_picture(sha256=named.sha256):
            raise NotAllowed(why=f"there is no picture {named.sha256}: send it first")
    before = _maybe_one(books, store, key)
    if before is None and is_full(books, store):
        raise NotAllowed(why=f"a store has at most {OFFERINGS_MAX} offerings")
    keep(books, store, key, said, Teller.OPERATOR)
    books.audit(actor, "offering.say", f"{store}/{key}", reason)
    after = _one(books, store, key)
    _keep_version(books, before, after, actor, reason)
    return after


def hand_back(books: Transaction, store: str, key: str, actor: str) -> Registered:
    """Let an offering's terminals say again what it is, from the next time that they register it.

    Raises:
        NotFound: there is no such store or offering, or its words are its terminals'.
    """
    _check_store(books, store)
    before = _maybe_one(books, store, key)
    if not books.offerings.hand_back(store_id=store, key=key):
        raise NotFound(what="offering that an operator has said")
    books.audit(actor, "offering.hand_back", f"{store}/{key}")
    after = _one(books, store, key)
    _keep_version(books, before, after, actor)
    return after


def registered(books: Transaction, store: str) -> tuple[Registered, ...]:
    """Return all that is registered in a store, by key, whether it is on or not.

    Raises:
        NotFound: there is no such store, or it is another controller's.
    """
    _check_store(books, store)
    serving = list(books.offerings.serving(store_id=store))
    return tuple(
        _registered(row, [each for each in serving if each["offering_id"] == row["offering_id"]])
        for row in books.offerings.said(store_id=store)
    )


def offering_document(found: Registered) -> dict[str, Any]:
    """Return what an offering is, and whose words these are, as its versions say it."""
    return {"told_by": found.teller.value, **found.said.model_dump(mode="json")}


def _keep_version(
    books: Transaction, before: Registered | None, after: Registered, actor: str, reason: str = ""
) -> None:
    change = SetupChange(
        kind=SetupKind.OFFERING,
        subject=after.offering,
        before=None if before is None else offering_document(before),
        after=offering_document(after),
    )
    books.keep_version(change, actor, reason)


def _maybe_one(books: Transaction, store: str, key: str) -> Registered | None:
    return next((each for each in registered(books, store) if each.key == key), None)


def _one(books: Transaction, store: str, key: str) -> Registered:
    found = _maybe_one(books, store, key)
    assert found is not None, "it was kept just now"
    return found


def _registered(row: Row, devices: list[Row]) -> Registered:
    fields = {name: row[name] for name in OfferingSaid.model_fields}
    told = {name: json.loads(row[name]) for name in _FROM_JSON}
    flag = {"rotates_code": bool(row["rotates_code"])}
    return Registered(
        offering=row["offering_id"],
        key=row["key"],
        teller=Teller(row["told_by"]),
        said=OfferingSaid.model_validate({**fields, **told, **flag}),
        devices=tuple(devices),
    )


def _check_store(books: Transaction, store: str) -> None:
    if not books.offerings.own_store(store_id=store):
        raise NotFound(what="store")
