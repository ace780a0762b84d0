"""Installs packages: one at a time, each state stored before it is acted upon, until one is in use.

Killed at any instant, it goes on where it was: what programs get is the old version or the new one,
whole. What the signed lists do not hold never comes so far, whoever offers it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from common.errors import StorageIsFull
from common.messages.modules import Release
from common.rules.modules import IN_USE, UNDER_WAY, InstallEvent, InstallFailure, InstallState
from edge_agent.flows.modules import installs
from edge_agent.flows.modules.installs import Install
from edge_agent.installed import NotWhole, StillRunning
from edge_agent.modules.checks import archive_of, bounds_of, is_whole, refuse_newer, refuse_older
from edge_agent.modules.disk import is_full
from edge_agent.modules.download import CannotBeHad, Source
from edge_agent.modules.fetching import Fetching, FetchTerms, threaded
from edge_agent.modules.part import Archive, Part
from edge_agent.modules.ports import Chance, Clocks, Outcome
from edge_agent.modules.removing import Removing
from edge_agent.modules.store import Store
from edge_agent.modules.telling import Telling
from edge_agent.modules.unpack import ArchiveIsUnfit
from edge_agent.ports import Journal, Package

LOOK_SECONDS: Final = 60.0
"""How often what is on probation, or still to be removed, is looked at without being told to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallTerms:
    """How much room and how much time an install has."""

    root: Path | None
    trust_folder: Path
    spare_bytes: int = 536_870_912
    probation_seconds: float = 600.0
    fetch: FetchTerms = field(default_factory=FetchTerms)


class Installer:
    """See `ports.Installing`; `run` goes on with what a restart has interrupted."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        source: Callable[[Package], Source],
        terms: InstallTerms,
        *,
        clock: Clocks,
        names: Chance,
    ) -> None:
        """Take what it works with; `source` says how our controller is called for a package."""
        self.telling = Telling(clock)
        self._journal, self._store, self._source, self._terms = journal, store, source, terms
        self._clock, self._names = clock, names
        self.removing = Removing(journal, store)
        self._disk = asyncio.Lock()
        self._packages: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._fetching: dict[str, Fetching] = {}
        self._nudged: list[asyncio.Event] = []
        self._praised: set[str] = set()
        self._complaints: dict[str, str] = {}
        self._on_probation_since: dict[str, float] = {}
        self._log = structlog.get_logger("packages")

    async def install(self, package: Package, *, again: bool = False) -> Outcome:
        """Have a package in use, or say why not; see `Installing`.

        Raises:
            StorageIsFull: the journal takes nothing; say it again later.
        """
        async with self._packages[package.package]:
            known = self._journal.transact(installs.reserve, package, again=again)
            if known.state in IN_USE and not self._is_what_programs_get(package):
                known = self._journal.transact(installs.step, package, InstallEvent.LOSE)
            if known.state in UNDER_WAY:
                known = await self._drive(known)
        return self._outcome(known)

    def give_up(self, package: str) -> None:
        """Fetch a package no longer: it is not wanted any more."""
        if (fetching := self._fetching.get(package)) is not None:
            fetching.give_up()

    async def remove(self, package: str, version: str) -> Outcome | None:
        """Remove a version, and with the current one all others; see `Installing`.

        What of the package is being fetched is given up.

        Raises:
            StillRunning: a program runs from it; nothing has changed.
            StorageIsFull: the journal takes nothing; say it again later.
        """
        self.give_up(package)
        async with self._packages[package], self._disk:
            here = self._journal.transact(installs.installs_of, package)
            asked = [each for each in here if each.package.version == version]
            mine = [each for each in asked if self._store.find(each.package) is not None]
            if not mine:
                return None
            current = self._store.current(package)
            if current is not None and current.version == version:
                others = [each for each in here if each.package.version != version]
                await self.removing.tidy(others)
            return self._outcome(await self.removing.remove(mine[0]))

    def praise(self, package: str) -> None:
        """Take in that a program which needs it runs."""
        self._praised.add(package)
        self._nudge()

    def complain(self, package: str, why: str) -> None:
        """Take in that a program which needs it does not come up."""
        self._complaints.setdefault(package, why)
        self._nudge()

    async def run(self) -> None:
        """Go on with what was interrupted, and end probations, for ever."""
        async with self._disk:  # what is being unpacked by now is none of what was left
            clear_up = partial(self._store.clear_up, self._clock.now_ms() / 1000)
            try:
                await threaded("packages", clear_up)
            except OSError as fault:
                self._log.warning("packages cannot be cleared up", why=fault.strerror)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._again(self._go_on), name="interrupted installs")
            group.create_task(self._again(self._judge_all), name="probations")

    async def _again(self, look: Callable[[], Awaitable[None]]) -> None:
        """Look each minute, or as soon as something is known; a download holds up no probation."""
        each = min(LOOK_SECONDS, self._terms.probation_seconds or 1.0)
        nudged = asyncio.Event()
        self._nudged.append(nudged)
        while True:
            nudged.clear()
            try:
                await look()
            except (StorageIsFull, OSError) as fault:
                self._log.warning("packages cannot be looked at", why=str(fault))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(each):
                    await nudged.wait()

    def _nudge(self) -> None:
        for nudged in self._nudged:
            nudged.set()

    async def look(self) -> None:
        """Judge what is on probation, and go on with what is under way, once."""
        await self._judge_all()
        await self._go_on()

    async def _go_on(self) -> None:
        for known in self._journal.transact(installs.all_installs):
            if known.state in UNDER_WAY:
                async with self._packages[known.package.package]:
                    known = self._journal.transact(installs.found, known.package)  # noqa: PLW2901 - as it is by now
                    if known.state in UNDER_WAY:
                        await self._drive(known)

    async def _judge_all(self) -> None:
        for known in self._journal.transact(installs.all_installs):
            if known.state is InstallState.PROBATION:
                async with self._disk:
                    await self._judge(self._journal.transact(installs.found, known.package))

    # --- one install, from where it is to where it ends -------------------------------------------

    async def _drive(self, known: Install) -> Install:
        """Go on until it is in use, or will not be."""
        known = self._journal.transact(installs.begin, known.package)
        try:
            while known.state in UNDER_WAY:
                self.telling.tell(known.package, known.state, 0)
                if known.state is InstallState.DOWNLOADING:  # others need not wait for a line
                    known = await self._fetch(known.package)
                else:
                    async with self._disk:
                        known = await self._next(known)
        except CannotBeHad as fault:
            known = self._failed(known, fault.failure, str(fault.facts["why"]))
        except ArchiveIsUnfit as fault:
            known = self._failed(known, InstallFailure.UNFIT, str(fault.facts["why"]))
        except NotWhole as fault:
            known = self._failed(known, InstallFailure.NOT_WHOLE, str(fault.facts["why"]))
        except StillRunning:
            known = self._journal.transact(installs.found, known.package)
        except OSError as fault:
            why = InstallFailure.DISK_FULL if is_full(fault) else InstallFailure.DISK_FAULT
            known = self._failed(known, why, fault.strerror or str(fault))
        self.telling.tell(known.package, known.state, known.package.length, _why(known))
        return known

    def _is_what_programs_get(self, package: Package) -> bool:
        """Say whether the disk holds what the journal says; others may have tidied it by hand."""
        current = self._store.current(package.package)
        return current is not None and current.sha256 == package.sha256

    async def _next(self, known: Install) -> Install:
        """Do what its state says is to be done, and take the step."""
        package = known.package
        match known.state:
            case InstallState.RESERVED:
                return self._journal.transact(installs.step, package, InstallEvent.FETCH)
            case InstallState.VERIFIED:
                return await self._stage(known)
            case InstallState.STAGED:
                if self._store.find(package) is None:
                    raise NotWhole(
                        package=package.package, version=package.version, why="it is not there"
                    )
                return self._journal.transact(installs.step, package, InstallEvent.ACTIVATE)
            case InstallState.ACTIVATING:
                return await self._activate(package)
            case _:
                return await self.removing.remove(known)

    async def _fetch(self, package: Package) -> Install:
        """Find what is signed of it, bring it here, and note both."""
        from edge_agent.modules.metadata import Trust  # noqa: PLC0415 - its library only where one installs

        part = self._store.part(package.sha256)
        fetching = Fetching(
            self._source(package),
            part,
            self._terms.fetch,
            clock=self._clock,
            names=self._names,
            told=self.telling.from_thread(package, InstallState.DOWNLOADING),
        )
        self._fetching[package.package] = fetching
        try:
            trust = Trust(self._terms.trust_folder, self._terms.root)
            signed = await fetching.find(trust, package, self._signed_now(package))
            refuse_older(signed.release, self._highest_release(package))
            refuse_newer(signed.release)
            await self._make_room(signed.release, signed.archive)
            await fetching.fetch(lambda file: Part(file, signed.archive))
        finally:
            del self._fetching[package.package]
        return self._journal.transact(
            installs.keep_verified,
            package,
            signed.release.release_counter,
            signed.release.model_dump_json(),
        )

    async def _stage(self, known: Install) -> Install:
        """Unpack it; an archive that is not there whole any more is fetched again."""
        package, release = known.package, Release.model_validate_json(known.signed)
        file = self._store.part(package.sha256)
        if self._store.find(package) is None:
            look = partial(is_whole, file, archive_of(package, release))
            if not await threaded("package check", look):
                return self._fetch_again(known)
            counter, bounds = known.release_counter, bounds_of(release)
            stage = partial(self._store.stage, package, counter, file, bounds)
            await threaded("unpack", stage)
        return self._journal.transact(installs.step, package, InstallEvent.STAGE)

    def _fetch_again(self, known: Install) -> Install:
        """Go back for what the disk has not kept; that counts as another try."""
        known = self._journal.transact(installs.begin, known.package)
        if known.state is not InstallState.VERIFIED:
            return known
        return self._journal.transact(installs.step, known.package, InstallEvent.FETCH)

    async def _activate(self, package: Package) -> Install:
        """Make it what programs get, and begin its probation."""
        installed = self._store.find(package)
        if installed is None:
            raise NotWhole(package=package.package, version=package.version, why="it is not there")
        await threaded("package", partial(self._store.activate, installed))
        self._store.part(package.sha256).unlink(missing_ok=True)
        self._praised.discard(package.package)  # what was said till now is of the one before it
        self._complaints.pop(package.package, None)
        self._on_probation_since[package.sha256] = self._clock.boot_seconds()
        known = self._journal.transact(installs.put_in_use, package, installed.digest)
        self._log.info("installed", package=package.package, version=package.version)
        self._nudge()
        return known

    def _failed(self, known: Install, why: InstallFailure, detail: str) -> Install:
        """Note that it is not installed; what programs get is what they got before.

        Where the disk does not even take that, or does not let it be removed, it stays under way.
        """
        package = known.package
        known = self._journal.transact(installs.found, package)
        self._log.warning("not installed", package=package.package, why=why.value, detail=detail)
        try:
            installed = self._store.find(package)
            if known.state is InstallState.ACTIVATING and installed is not None:
                self._store.go_back(installed)
            if why in {InstallFailure.UNFIT, InstallFailure.NOT_SIGNED, InstallFailure.DAMAGED}:
                self._store.part(package.sha256).unlink(missing_ok=True)
        except OSError as fault:
            self._log.error("the disk takes nothing", why=fault.strerror)
            return known
        if known.state is InstallState.REMOVING:
            return known
        return self._journal.transact(installs.fail, package, why, detail)

    # --- what comes after it is in use ------------------------------------------------------------

    async def _judge(self, known: Install) -> None:
        """Pass what a program runs with or nobody complains of; roll back what does not run."""
        package, name = known.package, known.package.package
        if known.state is not InstallState.PROBATION:
            return
        since = self._on_probation_since.setdefault(package.sha256, self._clock.boot_seconds())
        is_over = self._clock.boot_seconds() - since >= self._terms.probation_seconds
        complaint, is_praised = self._complaints.pop(name, None), name in self._praised
        self._praised.discard(name)
        if complaint is not None:
            await self._roll_back(package, InstallFailure.NOT_RUNNING, complaint)
        elif is_over or is_praised:
            await self._end_probation(package)

    async def _end_probation(self, package: Package) -> None:
        installed = self._store.find(package)
        try:
            if installed is None:
                raise NotWhole(  # noqa: TRY301 - the same as when a file is missing
                    package=package.package, version=package.version, why="it is not there"
                )
            await threaded("package check", partial(self._store.check, installed))
        except NotWhole as fault:
            await self._roll_back(package, InstallFailure.NOT_WHOLE, str(fault.facts["why"]))
            return
        self._journal.transact(installs.step, package, InstallEvent.PASS)
        await self.removing.tidy_up(package.package)

    async def _roll_back(self, package: Package, why: InstallFailure, detail: str) -> None:
        """Have programs get what they got before; then note it, so that a cut does it again."""
        installed = self._store.find(package)
        if installed is not None:
            before = await threaded("package", partial(self._store.go_back, installed))
        else:
            before = self._store.current(package.package)
        digest = before.sha256 if before is not None else None
        self._journal.transact(installs.roll_back, package, digest, why, detail)
        self._log.warning("rolled back", package=package.package, why=why.value, detail=detail)

    # --- what it goes by --------------------------------------------------------------------------

    def _signed_now(self, package: Package) -> int:
        """Return the time that lists are judged by: never before what our controller has signed."""
        issued_at = package.document.get("issued_at")
        return max(self._clock.now_ms(), issued_at if isinstance(issued_at, int) else 0)

    def _highest_release(self, package: Package) -> int:
        """Return the highest release that was in use here, whichever of the two remembers it."""
        known = self._journal.transact(installs.highest_release, package.package)
        current = self._store.current(package.package)
        return max(known, current.release_counter if current is not None else 0)

    async def _make_room(self, release: Release, archive: Archive) -> None:
        """Have room for archive and files, if need be by removing what nobody goes back to."""
        part = self._store.part(archive.sha256)
        here = part.stat().st_size if part.exists() else 0
        needed = archive.length - here + release.unpacked_bytes + self._terms.spare_bytes
        async with self._disk:
            await self.removing.make_room(needed)

    def _outcome(self, known: Install) -> Outcome:
        is_here = known.state in IN_USE
        return Outcome(
            package=known.package,
            state=known.state,
            installed=self._store.find(known.package) if is_here else None,
            failure=known.failure,
            detail=known.detail,
        )


def _why(known: Install) -> str:
    """Return why it is not installed, the closed word first; empty where it is."""
    return ": ".join(filter(None, (known.failure, known.detail)))
