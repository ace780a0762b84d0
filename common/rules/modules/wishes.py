"""What is wished of a package at a terminal, in words that both sides know."""

from __future__ import annotations

from enum import StrEnum


class PackageWish(StrEnum):
    """What an operator wants of a package at a terminal."""

    INSTALL = "install"
    UNINSTALL = "uninstall"
    """It goes if it came from one of us, and nothing else there needs it (D7)."""
