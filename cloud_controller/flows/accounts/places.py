"""Of which stores the subject of a call is: by this the door knows whose business it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from cloud_controller.ports import Row, Transaction

STORE_OF: Final[Mapping[str, Callable[[Transaction, str], Iterable[Row]]]] = {
    "store": lambda books, name: books.accounts.store_of_store(name=name),
    "device": lambda books, name: books.accounts.store_of_device(name=name),
    "terminal": lambda books, name: books.accounts.store_of_terminal(name=name),
    "reservation": lambda books, name: books.accounts.store_of_reservation(name=name),
    "order": lambda books, name: books.accounts.store_of_order(name=name),
    "offering": lambda books, name: books.accounts.store_of_offering(name=name),
    "session": lambda books, name: books.accounts.store_of_session(name=name),
    "blackout": lambda books, name: books.accounts.store_of_blackout(name=name),
    "voucher": lambda books, name: books.accounts.store_of_voucher(name=name),
    "call": lambda books, name: books.accounts.store_of_call(name=name),
    "helper": lambda books, name: books.accounts.stores_of_helper(name=name),
    "operator": lambda books, name: books.accounts.stores_of_operator(name=name),
    "token": lambda books, name: books.accounts.stores_of_token(name=name),
    "hook": lambda books, name: books.accounts.store_of_hook(name=name),
    "problem": lambda books, name: books.accounts.store_of_problem(name=name),
}
"""The names in a route's path that say what it is about, and the query for the subject's stores."""


def stores_of(books: Transaction, names: Mapping[str, str]) -> list[frozenset[str]]:
    """Return the stores of each subject that a call's path names; one of none has no store."""
    return [
        frozenset(row["store_id"] for row in STORE_OF[what](books, name))
        for what, name in names.items()
        if what in STORE_OF
    ]
