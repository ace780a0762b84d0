"""One line of the log of modules: what has become of which module at which client (D4, D5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

FACTS_LENGTH_MAX: Final = 4_000
"""Characters that the facts of one line take at most, as they are written: a page of them."""


class ModuleEventKind(StrEnum):
    """What can have become of a module at a client; the log is only ever added to."""

    ISSUED = "issued"
    """A seat was taken for it, and it may be fetched: logged before anything is sent."""
    INSTALLED = "installed"
    USED = "used"
    """The client has it, from wherever, and says that it uses this system (D5)."""
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    UNINSTALL_ASKED = "uninstall_asked"
    UNINSTALL_ALLOWED = "uninstall_allowed"
    UNINSTALL_DENIED = "uninstall_denied"
    UNINSTALL_UNDECIDED = "uninstall_undecided"
    UNINSTALLED = "uninstalled"
    RUN_OVER_LIMIT = "run_over_limit"
    """It ran without a seat, as its licence allows, and is to be paid for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleEvent:
    """One line, before it has its number.

    Attributes:
        client: the terminal it is about.
        version: of the module, where it is known.
        digest: the SHA-256 of what is meant, in hex: of the package, or of what lies on the disk.
        right: the right that it belongs to, by its communication identification; empty: none.
        at: when, in UTC milliseconds, by whoever reports it; None: now.
        facts: what else is known.
    """

    kind: ModuleEventKind
    module: str
    client: str
    version: str = ""
    digest: str = ""
    right: str = ""
    at: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
