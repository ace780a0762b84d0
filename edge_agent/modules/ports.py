"""What the parts that look after packages need of each other, and of the world, in their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from common.rules.modules import IN_USE, InstallFailure, InstallState
from edge_agent.ports import Installed, Package


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Where an install stands, and why it is not in use where it is not."""

    package: Package
    state: InstallState
    installed: Installed | None = None
    failure: InstallFailure | None = None
    detail: str = ""

    @property
    def is_in_use(self) -> bool:
        """Say whether it is what programs get."""
        return self.state in IN_USE


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an install is; told each hundredth of its bytes, and each five seconds."""

    package: Package
    state: InstallState
    done_bytes: int
    all_bytes: int
    detail: str = ""


class Installing(Protocol):
    """Who installs: `edge_agent.modules.installer.Installer`."""

    async def install(self, package: Package) -> Outcome:
        """Install, or say that it is installed: the same package and digest never twice.

        It comes back when the version is on probation or in use, or will not be. What failed is
        begun anew when it is asked again; what was rolled back is not.
        """
        ...

    def give_up(self, package: str) -> None:
        """Fetch a package no longer: it is not wanted any more."""
        ...

    async def remove(self, package: str, version: str) -> Outcome | None:
        """Remove a version, and with the current one all others; None: it is not here.

        Raises:
            StillRunning: a program runs from it; nothing has changed.
        """
        ...

    def complain(self, package: str, why: str) -> None:
        """Take in that a program which needs it does not come up: on probation it goes back."""
        ...

    def praise(self, package: str) -> None:
        """Take in that a program which needs it runs: its probation is over."""
        ...


class Disk(Protocol):
    """What lies on this PC: `edge_agent.modules.store.Store`."""

    def current(self, package: str) -> Installed | None:
        """Return the version of a package that programs get, or None."""
        ...

    def all_current(self) -> Sequence[Installed]:
        """Return the current version of every package that is here."""
        ...


class Chance(Protocol):
    """Where chance comes from."""

    def fraction(self) -> float:
        """Return a random number from 0 up to 1."""
        ...


class Steady(Protocol):
    """A clock that only ever grows."""

    def steady_seconds(self) -> float:
        """Return seconds that only ever grow."""
        ...


class Clocks(Steady, Protocol):
    """All the clocks an install looks at."""

    def now_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970 UTC."""
        ...

    def boot_seconds(self) -> float:
        """Return seconds since boot; it cannot be set."""
        ...
