"""What time it is for a terminal that cannot ask.

The controller's word, carried on since boot; else a wall clock that a time server keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BELIEVED_SECONDS: Final = 7 * 86_400
"""How long the clock since boot carries the controller's word on: quartz is off by 20 s then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What the controller last said that the time was, and when in which boot it was heard.

    `floor_at` is the latest time that was trusted since: it cannot be earlier any more.
    """

    server_at: int
    boot_seconds: float
    boot_id: str
    floor_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnClocks:
    """A terminal's own clocks: the wall's may be set by anybody, the one since boot by nobody.

    `is_synchronised`: the kernel says that a time server keeps the wall clock.
    """

    wall_at: int
    boot_seconds: float
    boot_id: str
    is_synchronised: bool


def trusted_now(own: OwnClocks, heard: Heard | None) -> int | None:
    """Return the time in milliseconds, or None where no clock of ours can be trusted.

    In the boot in which the controller said it, its word is carried on. Else the wall clock counts
    if a time server keeps it, and if it is not before what was trusted already.
    """
    if heard is not None and heard.boot_id == own.boot_id:
        since_seconds = own.boot_seconds - heard.boot_seconds
        if 0 <= since_seconds <= BELIEVED_SECONDS:
            return heard.server_at + int(since_seconds * 1000)
    if own.is_synchronised and (heard is None or own.wall_at >= heard.floor_at):
        return own.wall_at
    return None


def believed(at: int, *, earliest: int, latest: int) -> int:
    """Return when something happened by a clock that anybody may have set, in milliseconds.

    Its word counts where it can be true; else it was when it can have been at the latest.
    """
    return at if earliest <= at <= latest else latest
