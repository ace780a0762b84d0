"""Terminals are told which of the controller's keys are live: at once, or with their hello."""

from __future__ import annotations

from cloud_controller.ports import Transaction
from common.ids import TerminalId
from common.messages.registration import KeysTold
from common.topics import Channel


def tell_keys(books: Transaction) -> int:
    """Tell every terminal in service which keys are live; return the revision of that."""
    for row in list(books.sessions.in_service()):
        say_keys(books, TerminalId(row["terminal_id"]))
    return books.keys.revision


def say_keys(books: Transaction, terminal: TerminalId) -> None:
    """Tell a terminal which keys are live, as the keys themselves have signed it."""
    said = books.keys.said()
    if said is not None:
        signatures = {str(key_id): raw for key_id, raw in said.signatures.items()}
        told = KeysTold(document=said.document, signatures=signatures)
        books.say(terminal, Channel.DESIRED, told)
