"""Whether programs start by the modules that they need, and what is due while they run.

It keeps nothing that a restart would miss: who waits, who holds a seat and who runs without one is
in the journal, and is looked at again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.messages.modules import PackageKind
from common.rules.modules import (
    Start,
    StartRefusal,
    StartVerdict,
    may_go_on,
    may_start,
)
from common.rules.sessions import SessionState
from edge_agent.flows import modules, rights, sessions
from edge_agent.flows.modules import ModuleHere
from edge_agent.modules.ports import Disk
from edge_agent.ports import Identity, Journal, ProgramSeen, Transaction

LOOK_SECONDS: Final = 5.0
"""How often runs are looked at without being told to: a lease lasts hours."""

HERE_SECONDS: Final = 60.0
"""How often is looked which modules are here: a use is told once a day."""

JUDGED_MAX: Final = 256
"""Sessions whose start is remembered to be taken in; forgotten, that does no harm."""

GO: Final = Start(verdict=StartVerdict.GO)


class Needs(Protocol):
    """What one program needs: its own package, where it has one, and modules."""

    @property
    def package(self) -> str | None:
        """The package that it comes as."""

    @property
    def modules(self) -> Sequence[str]:
        """The modules that it needs."""


class Tries(Protocol):
    """Who is to know whether what was installed lately works: the installer."""

    def praise(self, package: str) -> None:
        """Take in that a program which needs it runs."""
        ...

    def complain(self, package: str, why: str) -> None:
        """Take in that a program which needs it does not come up."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A device of ours and the program that it starts."""

    device: str
    program: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What starts look at and speak to.

    Attributes:
        needs: what each program of the catalogue needs; one without an entry needs nothing.
        elsewhere: where modules lie that another party has put here.
        served: the devices on which customers are served now.
        line_is_up: whether anybody can be asked.
        offer_anew: has a device put on offer, or taken off, as it is now.
        steady_seconds: a clock that cannot be set.
        look_seconds: how often is looked without being told to.
    """

    needs: Callable[[str], Needs | None]
    elsewhere: Mapping[str, Path]
    served: Callable[[], Sequence[Served]]
    line_is_up: Callable[[], bool]
    offer_anew: Callable[[str], None]
    steady_seconds: Callable[[], float]
    look_seconds: float = LOOK_SECONDS


class Starts:
    """One loop; `nudge` it when something was installed, or a right has come."""

    def __init__(
        self, who: Identity, journal: Journal, around: Around, *, disk: Disk, tries: Tries
    ) -> None:
        """Take whose programs these are, and what is looked at and spoken to."""
        self._who, self._journal, self._around = who, journal, around
        self._disk, self._tries = disk, tries
        self._nudged = asyncio.Event()
        self._looked_here_at = float("-inf")
        self._is_idle = False
        self._requires: Mapping[str, Sequence[str]] | None = None
        self._judged: set[str] = set()
        self.on_ended: Callable[[], None] = _nobody
        self._log = structlog.get_logger("starts")

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            self._nudged.clear()
            with suppress(StorageIsFull):  # it is looked at again
                self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._around.look_seconds):
                    await self._nudged.wait()

    def nudge(self) -> None:
        """Look now: something has changed."""
        self._nudged.set()

    def on_installed(self) -> None:
        """Look now, also which modules are here, and what is required by what is on offer."""
        self._requires = None
        self._looked_here_at = float("-inf")
        self._nudged.set()

    def judge(self, due: sessions.ToStart) -> Start:
        """Say whether a session's program may start now; what it lacks is asked for."""
        needs = self._around.needs(due.program)
        if needs is None:
            return GO
        if needs.package is not None and self._disk.current(needs.package) is None:
            why = StartRefusal.NOT_HERE
            return Start(verdict=StartVerdict.REFUSE, why=why, module=needs.package)
        wanted = self._wanted(needs)
        start = self._journal.transact(self._judge, due.session, due.device, wanted)
        if start.verdict is StartVerdict.REFUSE:
            self._log.warning(
                "a program is not started",
                session=due.session,
                program=due.program,
                module=start.module,
                why=start.why,
            )
        return start

    def may_resume(self, session: str) -> bool:
        """Say whether a session that was interrupted may go on: its seats are known to last."""
        for each in self._journal.transact(sessions.running_programs):
            needs = self._around.needs(each.program) if each.session == session else None
            if needs is not None:
                return self._go_on(each.session, each.device, needs).verdict is StartVerdict.GO
        return True

    def note_seen(self, seen: ProgramSeen) -> None:
        """Take in what became of a start: whoever installed what it runs from wants to know."""
        if seen.session in self._judged or seen.state is SessionState.STARTING:
            return
        program = self._journal.transact(sessions.program_of, seen.session)
        needs = None if program is None else self._around.needs(program)
        if len(self._judged) >= JUDGED_MAX:
            self._judged.clear()
        self._judged.add(seen.session)
        if needs is not None:
            self._tell_installer(needs, seen.state, f"{program} did not start")
            if seen.state is SessionState.RUNNING:
                self._journal.transact(modules.tell_uses, self._here(self._modules_of(needs)))

    def _tell_installer(self, needs: Needs, state: SessionState, why: str) -> None:
        for package in (*filter(None, [needs.package]), *self._modules_of(needs)):
            is_ours = self._disk.current(package) is not None
            if is_ours and state is SessionState.RUNNING:
                self._tries.praise(package)
            elif is_ours and state is SessionState.FAILED:
                self._tries.complain(package, why)

    def look(self) -> None:
        """Do all that is due, once; where no program needs anything, that is next to nothing."""
        served = self._around.served()
        is_idle = all(self._around.needs(each.program) is None for each in served)
        if not (is_idle and self._is_idle):
            self._look_at_runs(served)
        self._is_idle = is_idle
        if self._around.steady_seconds() - self._looked_here_at >= HERE_SECONDS:
            self._looked_here_at = self._around.steady_seconds()
            if here := self._all_here():
                self._journal.transact(modules.tell_uses, here)

    def _look_at_runs(self, served: Sequence[Served]) -> None:
        line_is_up = self._around.line_is_up()
        self._journal.transact(rights.look_at_runs, self._who, line_is_up=line_is_up)
        for each in self._journal.transact(sessions.running_programs):
            needs = self._around.needs(each.program)
            if needs is not None:
                self._see_to(each.session, each.device, needs)
        for one in served:
            self._see_whether_ready(one)

    def _see_to(self, session: str, device: str, needs: Needs) -> None:
        """End what runs without a seat, or report it, as the licence says."""
        start = self._go_on(session, device, needs)
        if start.verdict is StartVerdict.WAIT and self._around.line_is_up():
            # enrolled anew, or by a licence that counts runs since: nobody has asked for this one
            self._journal.transact(self._want_runs, session, device, self._wanted(needs))
        elif start.verdict is StartVerdict.REFUSE:
            if self._journal.transact(sessions.end_without_seat, session):
                self._log.warning(
                    "a program is ended", session=session, module=start.module, why=start.why
                )
                self.on_ended()
        elif start.uncovered:
            self._journal.transact(rights.report_uncovered, session, device, start.uncovered)

    def _see_whether_ready(self, served: Served) -> None:
        """Keep a device shut whose program lacks something; one that does not is prepared."""
        needs = self._around.needs(served.program)
        lacks = "" if needs is None else self._lacks(needs)
        if self._journal.transact(rights.note_lacking, served.device, lacks):
            self._log.info("modules of a device", device=served.device, lacks=lacks)
            self._around.offer_anew(served.device)
        if needs is not None and not lacks and self._around.line_is_up():
            names = self._modules_of(needs)
            ours = [each for each in names if self._disk.current(each) is not None]
            self._journal.transact(rights.prepare_runs, self._who, served.device, ours)

    def _lacks(self, needs: Needs) -> str:
        """Return the first of what a program needs that is not here; empty: it is all here."""
        if needs.package is not None and self._disk.current(needs.package) is None:
            return needs.package
        return next((each.module for each in self._wanted(needs) if not each.is_here), "")

    def _go_on(self, session: str, device: str, needs: Needs) -> Start:
        wanted = self._wanted(needs)
        return may_go_on(self._journal.transact(rights.needs_of, session, device, wanted))

    def _want_runs(
        self,
        journal: Transaction,
        session: str,
        device: str,
        wanted: Sequence[rights.ModuleWanted],
    ) -> None:
        needs = rights.needs_of(journal, session, device, wanted)
        rights.want_runs(journal, self._who, session, device, needs)

    def _judge(
        self,
        journal: Transaction,
        session: str,
        device: str,
        wanted: Sequence[rights.ModuleWanted],
    ) -> Start:
        """Decide, and report in the same transaction what it is to run without."""
        needs = rights.needs_of(journal, session, device, wanted)
        start = may_start(needs)
        if start.verdict is StartVerdict.WAIT:
            rights.want_runs(journal, self._who, session, device, needs)
            rights.look_at_runs(journal, self._who, line_is_up=self._around.line_is_up())
            start = may_start(rights.needs_of(journal, session, device, wanted))
        if start.verdict is StartVerdict.GO:
            rights.report_uncovered(journal, session, device, start.uncovered)
        return start

    def _wanted(self, needs: Needs) -> list[rights.ModuleWanted]:
        return [self._standing(module) for module in self._modules_of(needs)]

    def _modules_of(self, needs: Needs) -> Sequence[str]:
        """Return what a program needs by its catalogue, its profile and its package."""
        if self._requires is None:
            self._requires = self._journal.transact(modules.required_by)
        found = dict.fromkeys(needs.modules)
        todo = [*needs.modules, *filter(None, [needs.package])]
        while todo:
            new = [each for each in self._requires.get(todo.pop(), ()) if each not in found]
            found |= dict.fromkeys(new)
            todo += new
        return list(found)

    def _standing(self, module: str) -> rights.ModuleWanted:
        if self._disk.current(module) is not None:
            return rights.ModuleWanted(module=module, is_here=True, is_ours=True)
        is_here = self._is_elsewhere(module)
        return rights.ModuleWanted(module=module, is_here=is_here, is_ours=not is_here)

    def _is_elsewhere(self, module: str) -> bool:
        folder = self._around.elsewhere.get(module)
        return folder is not None and folder.is_dir()

    def _all_here(self) -> list[ModuleHere]:
        ours = [
            each.package for each in self._disk.all_current() if each.kind == PackageKind.MODULE
        ]
        return self._here([*ours, *self._around.elsewhere])

    def _here(self, names: Sequence[str]) -> list[ModuleHere]:
        """Return these modules as far as they can be used here, each once; ours goes first."""
        here = {}
        for module in names:
            found = self._disk.current(module)
            if found is not None:
                here[module] = ModuleHere(module=module, version=found.version, digest=found.digest)
            elif self._is_elsewhere(module):
                here[module] = ModuleHere(module=module, source="elsewhere")
        return list(here.values())


def _nobody() -> None:
    """Is told, and does nothing."""
