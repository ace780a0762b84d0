"""Of which stores the subject of a call is: by this the door knows whose business it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloud_controller.ports import Transaction

STORE_OF: Final[Mapping[str, str]] = {
    "store": "store_of_store",
    "device": "store_of_device",
    "terminal": "store_of_terminal",
    "reservation": "store_of_reservation",
    "order": "store_of_order",
    "offering": "store_of_offering",
    "session": "store_of_session",
    "blackout": "store_of_blackout",
    "voucher": "store_of_voucher",
    "call": "store_of_call",
    "helper": "stores_of_helper",
    "operator": "stores_of_operator",
    "token": "stores_of_token",
    "hook": "store_of_hook",
    "problem": "store_of_problem",
}
"""The names in a route's path that say what it is about, and the query for the subject's stores."""


def stores_of(books: Transaction, names: Mapping[str, str]) -> list[frozenset[str]]:
    """Return the stores of each subject that a call's path names; one of none has no store."""
    return [
        frozenset(row["store_id"] for row in getattr(books.accounts, STORE_OF[what])(name=name))
        for what, name in names.items()
        if what in STORE_OF
    ]
