"""Whether a program starts, and goes on, by the modules that it needs: here, and covered.

Its law: without a seat a program runs only where the module's licence says that it may, and that is
reported; a seat counted by runs follows the run of the program, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine
from common.rules.modules.seats import Basis, OverLimit


class RunState(StrEnum):
    """Where one run of a program stands towards the seat of a module that is counted by runs."""

    WANTED = "wanted"
    ASKED = "asked"
    HELD = "held"
    WITHOUT = "without"
    """There is no seat for it: refused, not answered in time, or its lease is over."""
    OVER = "over"
    """The program does not run any more; what it held is given back."""


class RunEvent(StrEnum):
    """What happens to it."""

    ASK = "ask"
    GRANT = "grant"
    REFUSE = "refuse"
    LAPSE = "lapse"
    END = "end"


RUN: Final = Machine(
    name="run of a module",
    first=RunState.WANTED,
    table={
        (RunState.WANTED, RunEvent.ASK): RunState.ASKED,
        (RunState.WANTED, RunEvent.REFUSE): RunState.WITHOUT,
        (RunState.WANTED, RunEvent.END): RunState.OVER,
        (RunState.ASKED, RunEvent.GRANT): RunState.HELD,
        (RunState.ASKED, RunEvent.REFUSE): RunState.WITHOUT,
        (RunState.ASKED, RunEvent.END): RunState.OVER,
        (RunState.HELD, RunEvent.GRANT): RunState.HELD,
        (RunState.HELD, RunEvent.LAPSE): RunState.WITHOUT,
        (RunState.HELD, RunEvent.END): RunState.OVER,
        (RunState.WITHOUT, RunEvent.GRANT): RunState.HELD,
        (RunState.WITHOUT, RunEvent.END): RunState.OVER,
    },
)


class StartVerdict(StrEnum):
    """What is to be done about a program."""

    GO = "go"
    WAIT = "wait"
    """An answer is still to come."""
    REFUSE = "refuse"


class StartRefusal(StrEnum):
    """Why a program does not start, or does not go on."""

    NOT_HERE = "not_here"
    """A module, or the program's own package, is not installed."""
    NO_SEAT = "no_seat"
    LEASE_OVER = "lease_over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One module that a program needs, as it stands here now.

    Attributes:
        is_here: whether it can be used: installed from us, or here from elsewhere.
        basis: what takes a seat of it; None: no seat of ours is needed, it came from elsewhere.
        over_limit: what its licence says of a run without a seat.
        is_leased: whether this terminal's own seat lasts, None: nobody knows how late it is; of a
            seat for each run it says nothing.
        run: where this run stands; None: it has not been wanted yet.
    """

    module: str
    is_here: bool = True
    basis: Basis | None = None
    over_limit: OverLimit = OverLimit.REFUSE
    is_leased: bool | None = False
    run: RunState | None = None

    @property
    def waits(self) -> bool:
        """Say whether it is not known yet if there is a seat."""
        if self.basis is Basis.CONCURRENT:
            return self.run in {None, RunState.WANTED, RunState.ASKED}
        return self.basis is not None and self.is_leased is None

    @property
    def is_covered(self) -> bool:
        """Say whether no seat is missing."""
        if self.basis is None:
            return True
        if self.basis is Basis.CONCURRENT:
            return self.run is RunState.HELD
        return self.is_leased is True


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """Whether a program may run; `uncovered` are modules that it runs without a seat of."""

    verdict: StartVerdict
    uncovered: tuple[str, ...] = ()
    why: StartRefusal | None = None
    module: str = ""
    """The one that is in the way."""


def may_start(needs: Iterable[Need]) -> Start:
    """Say whether a program with these needs may start now."""
    needs = tuple(needs)
    for need in needs:
        if not need.is_here:
            return _refused(need, StartRefusal.NOT_HERE)
    return may_go_on(needs)


def may_go_on(needs: Iterable[Need]) -> Start:
    """Say whether a program that was started with these needs may run, as far as seats go."""
    needs = tuple(needs)
    lacking = [need for need in needs if not need.waits and not need.is_covered]
    for need in lacking:
        if need.over_limit is OverLimit.REFUSE:
            is_run = need.basis is Basis.CONCURRENT
            return _refused(need, StartRefusal.NO_SEAT if is_run else StartRefusal.LEASE_OVER)
    waits = any(need.waits for need in needs)
    return Start(
        verdict=StartVerdict.WAIT if waits else StartVerdict.GO,
        uncovered=() if waits else tuple(need.module for need in lacking),
    )


def run_subject(module: str, device: str) -> str:
    """Return what a right to a run is about: this module's run on this device.

    >>> run_subject("physics", "d-1")
    'physics.d-1'
    """
    return f"{module}.{device}"


def module_of_run(subject: str) -> str:
    """Return the module of what a right to a run is about; no module's name has a full stop."""
    return subject.partition(".")[0]


def device_of_run(subject: str) -> str:
    """Return the device of what a right to a run is about."""
    return subject.partition(".")[2]


def _refused(need: Need, why: StartRefusal) -> Start:
    return Start(verdict=StartVerdict.REFUSE, why=why, module=need.module)
