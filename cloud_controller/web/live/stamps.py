"""When a page of one customer is to be read again: its topic's stamp is another than it was.

A stamp says nothing of what has changed, so that nobody learns anything by it: the page is read
again at its own address, by its own link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from cloud_controller.ports import Row, Transaction
from common.rules.accounts import EVERY_STORE

STAMP_DIGITS: Final = 16
"""Hex digits of a stamp: two states of one page never have the same by chance."""

Stamp = Callable[[Transaction, str], Row | None]
"""Returns what a page of this name hangs on, as one row; None: there is no such page."""


def _of_ticket(books: Transaction, link: str) -> Row | None:
    return books.lists.ticket_stands(link=link)


def _of_waiting(books: Transaction, link: str) -> Row | None:
    return books.lists.waiting_stands(link=link)


def _of_helper(books: Transaction, helper: str) -> Row | None:
    return books.help.helper_stands(helper_id=helper, now=books.now)


def _of_help(books: Transaction, link: str) -> Row | None:
    return books.help.ticket_stands(link=link, now=books.now)


def _of_console(books: Transaction, stores: str) -> Row | None:
    """Return what a store's pages hang on; of several at once, what all of them do."""
    return books.console.stands(store_id=stores if is_one(stores) else "")


def is_one(stores: str) -> bool:
    """Say whether a topic is about one store alone."""
    return stores != EVERY_STORE and "," not in stores


KINDS: Final[Mapping[str, Stamp]] = {
    "ticket": _of_ticket,
    "waiting": _of_waiting,
    "helper": _of_helper,
    "help": _of_help,
    "console": _of_console,
}
"""What a topic `kind:name` is looked at by."""


def stamps_of(books: Transaction, topics: Iterable[str]) -> dict[str, str]:
    """Return the stamp of each topic; empty where there is no such page any more."""
    return {topic: stamp_of(books, topic) for topic in topics}


def stamp_of(books: Transaction, topic: str) -> str:
    """Return a topic's stamp, such as that of `ticket:4f02…`; empty: there is no such page."""
    kind, _, name = topic.partition(":")
    row = KINDS[kind](books, name)
    if row is None:
        return ""
    said = repr(tuple(row[column] for column in row.keys()))  # noqa: SIM118 - a row is no mapping
    return hashlib.sha256(said.encode()).hexdigest()[:STAMP_DIGITS]
