"""A terminal registers an offering, puts it on when it can provide it, takes it off (E1, E2)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final

from cloud_controller.ports import Received, Transaction
from common.messages.offerings import OfferingOff, OfferingOn, OfferingRegistered, OfferingSaid
from common.rules.offerings import OFFER, OfferEvent, OfferState

OFFERINGS_MAX: Final = 500
"""Offerings of one store: as many as another controller may be told of."""


class Teller(StrEnum):
    """Whose words an offering's are."""

    TERMINAL = "terminal"
    OPERATOR = "operator"


def register(books: Transaction, said: Received) -> None:
    """Keep the explanatory information of an offering and that this device serves it (E1).

    Where an operator has said what it is, his words stand. One more than a store may have is not
    kept, and its device stays with what it served.
    """
    message: OfferingRegistered = said.message
    device = books.offerings.device_of_terminal(device_id=message.device, terminal_id=said.terminal)
    if device is None:
        return
    known = books.offerings.known(store_id=device["store_id"], key=message.key)
    if known is None and is_full(books, device["store_id"]):
        return
    if known is not None and known["told_by"] == Teller.OPERATOR:
        offering = known["offering_id"]
    else:
        offering = keep(books, device["store_id"], message.key, message, Teller.TERMINAL)
    books.offerings.offer_device(
        device_id=message.device, offering_id=offering, changed_at=books.now
    )


def turn_on(books: Transaction, said: Received) -> None:
    """Put the device's part of the offering on the page (E2)."""
    _turn(books, said, said.message, OfferEvent.TURN_ON)


def turn_off(books: Transaction, said: Received) -> None:
    """Take the device's part of the offering off the page."""
    _turn(books, said, said.message, OfferEvent.TURN_OFF)


def _turn(
    books: Transaction, said: Received, message: OfferingOn | OfferingOff, event: OfferEvent
) -> None:
    known = books.offerings.offered(
        device_id=message.device, key=message.key, terminal_id=said.terminal
    )
    if known is None:
        return
    after = OFFER.step(OfferState(known["state"]), event)
    reason = message.reason if isinstance(message, OfferingOff) else ""
    if after is not None and (after, reason) != (known["state"], known["reason"]):
        books.offerings.turn(
            device_id=message.device,
            before=known["state"],
            state=after,
            reason=reason,
            changed_at=books.now,
        )


def is_full(books: Transaction, store: str) -> bool:
    """Say whether a store has as many offerings as it may."""
    return bool(books.offerings.count_offerings(store_id=store) >= OFFERINGS_MAX)


def keep(books: Transaction, store: str, key: str, told: OfferingSaid, teller: Teller) -> str:
    """Keep what an offering is, and its terms; return its id."""
    said = told.model_dump(mode="json", include={"texts", "pictures"})
    offering: str = books.offerings.register(
        offering_id=books.names.new("o"),
        store_id=store,
        key=key,
        title=told.title,
        content=told.content,
        texts=json.dumps(said["texts"]),
        pictures=json.dumps(said["pictures"]),
        told_by=teller,
        price_cents=told.price_cents,
        currency=told.currency,
        lengths_seconds=json.dumps(told.lengths_seconds),
        grid_seconds=told.grid_seconds,
        turnover_seconds=told.turnover_seconds,
        early_seconds=told.early_seconds,
        **told.terms,
        registered_at=books.now,
    )
    return offering
