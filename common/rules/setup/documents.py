"""Of what versions are kept, and how many."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

VERSIONS_MAX: Final = 100
"""Versions of one document: years of changes; the audit knows of older ones that they were."""

REASON_MAX: Final = 200
"""Characters of why something was changed: a sentence."""


class SetupKind(StrEnum):
    """What a document says; its subject is an id, by which it is found again."""

    STORE = "store"
    """A store's name, directions and policy, by its id."""
    HOURS = "hours"
    """When a store is open, by its id."""
    OFFERING = "offering"
    """What an offering is and its terms, by its id, and whose words these are."""
    PRICES = "prices"
    """What an offering costs by time, and the tax within, by the offering's id."""
    PROGRAM = "program"
    """What a program asks of a PC, and what is sold of it, by its name."""
    DEVICE = "device"
    """Where a device stands, by its id."""
    HELPER = "helper"
    """Who helps, and where, by his id."""
