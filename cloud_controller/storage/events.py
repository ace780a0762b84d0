"""What webhooks are told is written with what makes it true; without any of them, nothing is."""

from __future__ import annotations

import json
from typing import Final

from cloud_controller.ports import Transaction
from common.rules.hooks import BODY_BYTES_MAX, Happened, is_wanted

PREFIX: Final = "e"
"""Of an event's id, which is the same at every try and for every endpoint."""


def tell(books: Transaction, happened: Happened, store: str | None = None) -> None:
    """Write an event, and for each endpoint that wants it that it is to be told."""
    endpoints = list(books.hooks.listening())
    if not endpoints:
        return
    store = store or _store_of(books, happened)
    told = [
        each["endpoint_id"]
        for each in endpoints
        if each["store_id"] in (None, store) and is_wanted(happened.type, each["types"].split())
    ]
    if told:
        tell_these(books, told, happened, store)


def tell_these(
    books: Transaction, endpoints: list[str], happened: Happened, store: str | None
) -> int:
    """Write an event for these endpoints, whatever they want to hear; return its number."""
    facts = {"store": store} if store else {}
    kind, _, state = happened.type.partition(".")
    about = {kind: happened.about, "state": state}
    body = json.dumps({**facts, **happened.facts, **about}, sort_keys=True)
    assert len(body) <= BODY_BYTES_MAX, "an event names things, and is short"
    number: int = books.hooks.add_event(
        event_id=books.names.new(PREFIX),
        store_id=store,
        type=happened.type,
        about=happened.about,
        body=body,
        at=books.now,
    )
    for endpoint in endpoints:
        books.hooks.add_delivery(
            endpoint_id=endpoint, number=number, about=happened.about, at=books.now
        )
    return number


def _store_of(books: Transaction, happened: Happened) -> str | None:
    facts = happened.facts
    found: str | None = books.hooks.store_of(
        reservation_id=facts.get("reservation"),
        terminal_id=facts.get("terminal"),
        device_id=facts.get("device"),
    )
    return found
