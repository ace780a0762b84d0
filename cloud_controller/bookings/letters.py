"""Writing to whoever has placed an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_controller.flows import letters, reservations
from cloud_controller.ports import Transaction
from common.rules.letters import LetterKind


def write(
    books: Transaction,
    kind: LetterKind,
    order: str | None,
    reservation: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write to whoever has placed an order, if he said where.

    What was claimed before there were orders has none, and nobody to be written to.
    """
    if order is None:
        return
    known = reservations.order_by_id(books, order)
    letters.queue(
        books,
        kind,
        to=known["mail"],
        language=known["language"],
        facts=facts,
        order=order,
        reservation=reservation,
    )
