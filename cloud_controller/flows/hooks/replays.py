"""What was told is looked through, said again, or tried with a word that means nothing."""

from __future__ import annotations

import json
from typing import Final

from cloud_controller.flows.hooks.endpoints import endpoint
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.hooks import HookType

TRIES_MAX: Final = 100
"""Tries that are shown of one delivery: more than there are in its 78 hours."""


def deliveries(books: Transaction, name: str, before: int, most: int) -> list[Row]:
    """Return what was to be told to an endpoint, the latest first, numbers below `before`.

    Raises:
        NotFound: there is none of this name.
    """
    endpoint(books, name)
    return list(books.hooks.deliveries(endpoint_id=name, before=before, most=most))


def delivery(books: Transaction, name: str, number: int) -> Row:
    """Return one event on its way to an endpoint.

    Raises:
        NotFound: there is no such endpoint, or it was not to be told of that.
    """
    endpoint(books, name)
    row = books.hooks.delivery(endpoint_id=name, number=number)
    if row is None:
        raise NotFound(what="delivery")
    return row


def tries(books: Transaction, name: str, number: int) -> list[Row]:
    """Return the tries of a delivery, the latest first."""
    return list(books.hooks.tries(endpoint_id=name, number=number, most=TRIES_MAX))


def replay(books: Transaction, name: str, number: int, actor: str) -> Row:
    """Say an event again, under the same id; said while it waits, it waits on.

    Raises:
        NotFound: there is no such endpoint, or it was not to be told of that.
        NotAllowed: the endpoint is off.
    """
    _must_be_on(endpoint(books, name))
    delivery(books, name, number)
    books.hooks.replay(endpoint_id=name, number=number, at=books.now)
    books.audit(actor, "hook.replayed", name, str(number))
    return delivery(books, name, number)


def replay_since(books: Transaction, name: str, since: int, actor: str) -> int:
    """Say again what since then was given up or dropped; return how many events that are.

    Raises:
        NotFound: there is none of this name.
        NotAllowed: the endpoint is off.
    """
    _must_be_on(endpoint(books, name))
    replayed = books.hooks.replay_since(endpoint_id=name, since=since, at=books.now)
    books.audit(actor, "hook.replayed", name)
    return int(replayed)


def test(books: Transaction, name: str, actor: str) -> Row:
    """Tell an endpoint a word that means nothing, and return it as a delivery.

    Raises:
        NotFound: there is none of this name.
        NotAllowed: the endpoint is off.
    """
    known = endpoint(books, name)
    _must_be_on(known)
    number = books.hooks.add_event(
        event_id=books.names.new("e"),
        store_id=known["store_id"],
        type=HookType.HOOK_TEST,
        about=name,
        body=json.dumps({"hook": name, "state": "test"}),
        at=books.now,
    )
    books.hooks.add_delivery(endpoint_id=name, number=number, about=name, at=books.now)
    books.audit(actor, "hook.tested", name)
    return delivery(books, name, number)


def _must_be_on(row: Row) -> None:
    if row["state"] != "on":
        raise NotAllowed(why="the endpoint is off")
