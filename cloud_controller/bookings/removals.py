"""A module that is off a terminal: a line of its log, and its seat, in one transaction."""

from __future__ import annotations

from cloud_controller.flows import modules, rights
from cloud_controller.ports import Received, Transaction


def note_uninstalled(books: Transaction, said: Received) -> None:
    """Note that a module is off a terminal; where a permission of ours was used, a seat is free."""
    modules.note_uninstalled(books, said)
    rights.note_uninstalled(books, said)
