"""A terminal registers an offering, puts it on when it can provide it, takes it off (E1, E2)."""

from __future__ import annotations

import json

from cloud_controller.ports import Received, Transaction
from common.messages.offerings import OfferingOff, OfferingOn, OfferingRegistered
from common.rules.offerings import OFFER, OfferEvent, OfferState


def register(books: Transaction, said: Received) -> None:
    """Keep the explanatory information of an offering and that this device serves it (E1)."""
    message: OfferingRegistered = said.message
    device = books.offerings.device_of_terminal(device_id=message.device, terminal_id=said.terminal)
    if device is None:
        return
    offering = books.offerings.register(
        offering_id=books.names.new("o"),
        store_id=device["store_id"],
        key=message.key,
        title=message.title,
        content=message.content,
        price_cents=message.price_cents,
        currency=message.currency,
        lengths_seconds=json.dumps(message.lengths_seconds),
        grid_seconds=message.grid_seconds,
        turnover_seconds=message.turnover_seconds,
        early_seconds=message.early_seconds,
        lead_seconds=message.lead_seconds,
        horizon_seconds=message.horizon_seconds,
        change_seconds=message.change_seconds,
        cancel_seconds=message.cancel_seconds,
        hold_seconds=message.hold_seconds,
        grace_seconds=message.grace_seconds,
        party_max=message.party_max,
        rotates_code=int(message.rotates_code),
        registered_at=books.now,
    )
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
    if after is not None and after != known["state"]:
        books.offerings.turn(
            device_id=message.device, before=known["state"], state=after, changed_at=books.now
        )
