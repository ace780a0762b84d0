"""Use it now: whoever stands in the store takes a device that is free from this moment on."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cloud_controller.flows.reservations.slots import Wish, fit
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken, Transaction
from common.ids import OfferingId
from common.rules.reservations import Range


@dataclass(frozen=True, kw_only=True, slots=True)
class NowFree:
    """A length in which an offering can be had from now on."""

    length_seconds: int
    ends_at: int


def wish_now(
    books: Transaction,
    offering: OfferingId,
    length_seconds: int,
    *,
    device: str | None = None,
    party_size: int = 1,
) -> Wish:
    """Return the wish of whoever begins at once, from this second on."""
    starts_at = books.now // 1000 * 1000
    slot = Range(starts_at=starts_at, ends_at=starts_at + length_seconds * 1000)
    return Wish(offering=offering, slot=slot, device=device, party_size=party_size, is_now=True)


def free_now(books: Transaction, offering: OfferingId) -> list[NowFree]:
    """Return the lengths in which something of an offering can be used from now on.

    Raises:
        NotFound: there is no such offering.
    """
    row = books.offerings.terms(offering_id=offering)
    if row is None:
        raise NotFound(what="offering")
    found = []
    for length_seconds in sorted(json.loads(row["lengths_seconds"])):
        wish = wish_now(books, offering, length_seconds)
        try:
            fit(books, wish)
        except (SlotIsTaken, NotAllowed, NotFound):
            break
        found.append(NowFree(length_seconds=length_seconds, ends_at=wish.slot.ends_at))
    return found
