"""How a package goes from a PC: asked for, permitted where it is licensed, and then taken away.

Its law: what another program on this PC needs stays, whoever wants it gone; so does what nobody has
permitted to go (D7-D9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

FIRST_PAUSE_SECONDS: Final = 60.0
"""How long is waited before what was undecided is asked again: as long as clocks may differ."""

LONGEST_PAUSE_SECONDS: Final = 3_600.0
"""Each pause is twice the one before, up to this: a controller that is away is away for long."""


class RemovalState(StrEnum):
    """Where the removal of one package from one PC stands."""

    WANTED = "wanted"
    ASKED = "asked"
    """The controller is asked whether the module may go."""
    ALLOWED = "allowed"
    REMOVING = "removing"
    REMOVED = "removed"
    KEPT = "kept"
    """It stays, and it is known why."""


class RemovalEvent(StrEnum):
    """What happens to it."""

    ASK = "ask"
    ALLOW = "allow"
    DEFER = "defer"
    KEEP = "keep"
    BEGIN = "begin"
    CLEAR = "clear"
    WANT = "want"


_S, _E = RemovalState, RemovalEvent

REMOVAL: Final = Machine[RemovalState, RemovalEvent](
    name="removal",
    first=_S.WANTED,
    table={
        (_S.WANTED, _E.ASK): _S.ASKED,
        (_S.WANTED, _E.BEGIN): _S.REMOVING,
        (_S.WANTED, _E.KEEP): _S.KEPT,
        (_S.ASKED, _E.ALLOW): _S.ALLOWED,
        (_S.ASKED, _E.DEFER): _S.WANTED,
        (_S.ASKED, _E.KEEP): _S.KEPT,
        (_S.ALLOWED, _E.BEGIN): _S.REMOVING,
        (_S.ALLOWED, _E.KEEP): _S.KEPT,
        (_S.REMOVING, _E.CLEAR): _S.REMOVED,
        (_S.KEPT, _E.WANT): _S.WANTED,
        (_S.REMOVED, _E.WANT): _S.WANTED,
    },
)


class Kept(StrEnum):
    """Why a package stays, besides what the controller says."""

    NEEDED = "needed"
    """Another program on this PC needs it."""
    NOT_HERE = "not_here"
    ELSEWHERE = "elsewhere"
    """It was not put here by us, so that it is not for us to take it away."""
    WANTED_AGAIN = "wanted_again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Needing:
    """A program on this PC, or a package that is installed here, and what it needs."""

    name: str
    package: str | None
    needs: tuple[str, ...] = ()


def needed_by(
    module: str,
    programs: Iterable[Needing],
    requires: Mapping[str, Collection[str]],
    going: Collection[str],
) -> tuple[str, ...]:
    """Return the programs here that need a module, by themselves or by what they need.

    `requires` says what each installed package needs. Programs whose own package is `going` do not
    count: with it they are gone as well.
    """
    found = []
    for program in programs:
        if program.package is not None and program.package in going:
            continue
        own = () if program.package is None else (program.package,)
        if module in _closure((*program.needs, *own), requires):
            found.append(program.name)
    return tuple(sorted(found))


def needed_with(
    package: str, programs: Iterable[Needing], requires: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """Return the modules that a program's package needs, by itself or by its programs here."""
    own = [name for program in programs if program.package == package for name in program.needs]
    return frozenset(_closure((package, *own), requires) - {package})


def pause_seconds(times: int) -> float:
    """Return how long is waited after so many undecided answers, from 1 on.

    >>> pause_seconds(1), pause_seconds(2), pause_seconds(99)
    (60.0, 120.0, 3600.0)
    """
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(times - 1, 20), LONGEST_PAUSE_SECONDS)


def _closure(names: Iterable[str], requires: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(requires.get(name, ()))
    return found
