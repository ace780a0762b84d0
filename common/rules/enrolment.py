"""How a terminal proves itself: a ladder that it climbs and never comes down."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

RENEWED_WITH_LEFT: Final = 1 / 3
"""The part of its life that a certificate has left when it is time for the next one."""


class Ladder(IntEnum):
    """How a terminal proves itself and what hides its words; a terminal never steps down."""

    LOOPBACK = 0
    """A password, in the clear, on one machine only."""
    PASSWORD = 1
    """A password over TLS, the controller's certificate pinned."""
    CERTIFICATE = 2
    """A certificate of its own over TLS."""
