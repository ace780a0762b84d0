"""How a package comes onto a PC: each state is stored before what it says is done (D1, D3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

TRIES_MAX: Final = 28
"""How often one install is begun or taken up again; after that it fails instead of going round."""

FIRST_WAIT_SECONDS: Final = 1.0
"""The first wait after a cut is a random part of this; each further one may be twice as long."""

LONGEST_WAIT_SECONDS: Final = 900.0
"""No wait is longer: a line that is back is used within a quarter of an hour."""


class InstallState(StrEnum):
    """Where one version of a package stands on one PC."""

    RESERVED = "reserved"
    """It may be installed: a right or an offer names it."""
    DOWNLOADING = "downloading"
    VERIFIED = "verified"
    """The whole archive is here, and it is the one that the offline keys have signed."""
    STAGED = "staged"
    """Unpacked beside what is in use, durably, under its final name."""
    ACTIVATING = "activating"
    PROBATION = "probation"
    """It is what programs get, and whatever was before it is kept to go back to."""
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    """A newer version is what programs get; this one is still here."""
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    REMOVING = "removing"
    REMOVED = "removed"


class InstallEvent(StrEnum):
    """What has happened to it."""

    FETCH = "fetch"
    VERIFY = "verify"
    STAGE = "stage"
    ACTIVATE = "activate"
    TRY = "try"
    PASS = "pass"  # noqa: S105 - it has passed its probation
    SUPERSEDE = "supersede"
    RESTORE = "restore"
    ROLL_BACK = "roll_back"
    FAIL = "fail"
    REMOVE = "remove"
    CLEAR = "clear"
    AGAIN = "again"
    LOSE = "lose"
    """Somebody has taken it away: it is fetched anew."""


_S, _E = InstallState, InstallEvent

INSTALL: Final = Machine[InstallState, InstallEvent](
    name="install",
    first=_S.RESERVED,
    table={
        (_S.RESERVED, _E.FETCH): _S.DOWNLOADING,
        (_S.DOWNLOADING, _E.VERIFY): _S.VERIFIED,
        (_S.VERIFIED, _E.STAGE): _S.STAGED,
        (_S.VERIFIED, _E.FETCH): _S.DOWNLOADING,
        (_S.STAGED, _E.ACTIVATE): _S.ACTIVATING,
        (_S.ACTIVATING, _E.TRY): _S.PROBATION,
        (_S.PROBATION, _E.PASS): _S.ACTIVE,
        (_S.PROBATION, _E.ROLL_BACK): _S.ROLLED_BACK,
        (_S.PROBATION, _E.SUPERSEDE): _S.SUPERSEDED,
        (_S.ACTIVE, _E.SUPERSEDE): _S.SUPERSEDED,
        (_S.SUPERSEDED, _E.RESTORE): _S.ACTIVE,
        (_S.RESERVED, _E.FAIL): _S.FAILED,
        (_S.DOWNLOADING, _E.FAIL): _S.FAILED,
        (_S.VERIFIED, _E.FAIL): _S.FAILED,
        (_S.STAGED, _E.FAIL): _S.FAILED,
        (_S.ACTIVATING, _E.FAIL): _S.FAILED,
        (_S.PROBATION, _E.REMOVE): _S.REMOVING,
        (_S.ACTIVE, _E.REMOVE): _S.REMOVING,
        (_S.SUPERSEDED, _E.REMOVE): _S.REMOVING,
        (_S.ROLLED_BACK, _E.REMOVE): _S.REMOVING,
        (_S.FAILED, _E.REMOVE): _S.REMOVING,
        (_S.REMOVING, _E.CLEAR): _S.REMOVED,
        (_S.PROBATION, _E.LOSE): _S.RESERVED,
        (_S.ACTIVE, _E.LOSE): _S.RESERVED,
        (_S.FAILED, _E.AGAIN): _S.RESERVED,
        (_S.ROLLED_BACK, _E.AGAIN): _S.RESERVED,
        (_S.REMOVED, _E.AGAIN): _S.RESERVED,
    },
)

UNDER_WAY: Final = frozenset(
    {_S.RESERVED, _S.DOWNLOADING, _S.VERIFIED, _S.STAGED, _S.ACTIVATING, _S.REMOVING}
)
"""States that are not left where they are: whoever finds one at its start goes on with it."""

IN_USE: Final = frozenset({_S.PROBATION, _S.ACTIVE})
"""States of what programs get; one version of a package at a time."""


class InstallFailure(StrEnum):
    """Why a package was not installed; closed, and told to the controller."""

    NO_ROOT = "no_root"
    """The operator has put no `root.json` on this PC, or none that can be used."""
    NOT_SIGNED = "not_signed"
    """What is signed by the offline keys does not hold this package as the right names it."""
    STALE = "stale"
    """The signed lists are older than they may be, or than those seen before."""
    TOO_OLD = "too_old"
    """A later release was installed here before."""
    NEEDS_NEWER_AGENT = "needs_newer_agent"
    NO_RIGHT = "no_right"
    """The server does not let us have it by the right that we show."""
    GONE = "gone"
    """The server does not have it."""
    DAMAGED = "damaged"
    """What came was twice not what is signed."""
    UNREACHABLE = "unreachable"
    """It did not come within the time and the attempts that there are for it."""
    DISK_FULL = "disk_full"
    DISK_FAULT = "disk_fault"
    UNFIT = "unfit"
    """The archive holds what may not be unpacked: a link, a path that leads out, too much."""
    TOO_MANY_TRIES = "too_many_tries"
    NOT_WHOLE = "not_whole"
    """What lies on the disk is not what was installed."""
    NOT_WANTED = "not_wanted"
    """It was to be removed while it was being fetched."""
    NOT_RUNNING = "not_running"
    """On probation, a program that needs it did not come up."""


WORTH_ANOTHER_TRY: Final = frozenset(
    {
        InstallFailure.STALE,
        InstallFailure.UNREACHABLE,
        InstallFailure.DISK_FULL,
        InstallFailure.NO_RIGHT,
        InstallFailure.NO_ROOT,
        InstallFailure.GONE,
        InstallFailure.NEEDS_NEWER_AGENT,
        InstallFailure.NOT_WANTED,
    }
)
"""What may be otherwise later without another release: time, a line, a disk, another right."""


def wait_seconds(cuts: int, fraction: float) -> float:
    """Return how long to wait after so many cuts in a row, from 1 on; `fraction` is chance's."""
    longest = min(FIRST_WAIT_SECONDS * 2.0 ** min(cuts - 1, 20), LONGEST_WAIT_SECONDS)
    return longest * (0.5 + fraction / 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionKept:
    """One version of a package that lies on the disk, as the search for what can go sees it."""

    name: str
    """Of its folder."""
    made_at: int
    is_current: bool = False
    is_previous: bool = False
    is_locked: bool = False
    """A program runs from it."""


def what_can_go(kept: Iterable[VersionKept]) -> Sequence[VersionKept]:
    """Return what may be removed, the oldest first: never current, previous, locked."""
    free = [each for each in kept if not (each.is_current or each.is_previous or each.is_locked)]
    return sorted(free, key=lambda each: (each.made_at, each.name))
