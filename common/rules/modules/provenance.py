"""May a module go from a PC: only what came from one of us, and is still what came (D7-D9).

Its law: "not from here" is a finding, never a guess. Where a log of ours may hold a line that we do
not have, nothing is decided, and what is not decided stays on the PC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CLOCKS_APART_MS: Final = 60_000
"""By how much the clocks of two controllers may differ, in milliseconds: as between a controller
and a terminal whose lease is over."""


class UninstallRefusal(StrEnum):
    """Why a module may not be removed; whatever the reason, it stays where it is."""

    NOT_FROM_HERE = "not_from_here"
    """None of our controllers ever issued it to this terminal: it belongs to somebody else (D9)."""
    REPLACED = "replaced"
    """It came from us, but what lies there now is nothing that we ever published."""
    UNDECIDED = "undecided"
    """Nobody knows yet: a controller is not heard. It is to be asked again."""
    MALFORMED = "malformed"


class OnDisk(StrEnum):
    """What lies on the PC, by its digest."""

    OURS = "ours"
    """A version of it that was published or installed by us, here or anywhere."""
    ANOTHER = "another"
    UNKNOWN = "unknown"
    """We know the digest of no such version, and cannot tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What is known of a module on one PC.

    Attributes:
        is_logged: a log of ours says that it was issued to this terminal.
        has_receipt: the terminal shows the receipt of that, signed by one of our controllers.
        on_disk: what lies there.
        asked_at: when this was asked first, in UTC milliseconds.
        known_up_to: every line that any controller of ours wrote before this instant is here, by
            its clock; nought: that is not known.
        now: in UTC milliseconds.
    """

    is_logged: bool
    has_receipt: bool
    on_disk: OnDisk
    asked_at: int
    known_up_to: int
    now: int

    @property
    def is_all_known(self) -> bool:
        """Say whether a line that is not here was never written.

        Whoever had it issued had the line written before he asked, so it is enough that all is
        known up to then; for those who write by clocks of their own, up to a little later. Where
        we alone write, all is known up to now.
        """
        return self.known_up_to >= min(self.asked_at + CLOCKS_APART_MS, self.now)


def judge(found: Provenance) -> UninstallRefusal | None:
    """Return why a module may not be removed, or None: it may (D8, D9)."""
    if found.is_logged or found.has_receipt:
        return _OF_OURS[found.on_disk]
    return UninstallRefusal.NOT_FROM_HERE if found.is_all_known else UninstallRefusal.UNDECIDED


_OF_OURS: Final = {
    OnDisk.OURS: None,
    OnDisk.ANOTHER: UninstallRefusal.REPLACED,
    OnDisk.UNKNOWN: UninstallRefusal.UNDECIDED,
}
