"""Goes on with each package of this terminal: the client part, licence information, right, install.

It keeps nothing that a restart would miss: what is next follows from the journal, the disk and what
is needed, each time anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence as List
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from common.errors import StorageIsFull
from common.messages.base import SHORT_TEXT_MAX
from common.messages.modules import (
    PACKAGES_MAX,
    ModulesProgress,
    OfferedPackage,
    PackageKind,
)
from common.rules.modules import (
    WORTH_ANOTHER_TRY,
    Basis,
    Here,
    InstallState,
    OnOffer,
    PackageFacts,
    PackageWish,
    RemovalState,
    Step,
    next_step,
)
from common.topics import Channel
from edge_agent.flows import modules, rights
from edge_agent.flows.modules import Known, PackageSeen
from edge_agent.modules.ports import Disk, Installing, Outcome, Progress
from edge_agent.modules.wanted import ProgramNeeds, Wanted, wanted_here
from edge_agent.ports import Asked, Identity, Installed, Journal, Package

LOOK_SECONDS: Final = 5.0
"""How often is looked without being told to: so long an answer may be under way, too."""

RETRY_SECONDS: Final = 300.0
"""How often licence information is asked for while something is wanted that was not to be had."""

_WAITS_FOR_ANOTHER_OFFER: Final = frozenset({Step.NO_SEAT, Step.REFUSED, Step.FAILED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the sequence looks at.

    Attributes:
        needs: what each program needs that this terminal serves; None: it serves nobody now.
        elsewhere: where modules lie that another party has put here.
        line_is_up: whether anybody can be asked.
        post: sends what may get lost.
        steady_seconds: a clock that cannot be set.
        ask_each_seconds: how often licence information is asked for without a cause.
        look_seconds: how often is looked without being told to.
    """

    needs: Callable[[], List[ProgramNeeds] | None]
    elsewhere: Mapping[str, Path]
    line_is_up: Callable[[], bool]
    post: Callable[[List[Asked]], None]
    steady_seconds: Callable[[], float]
    ask_each_seconds: float = 3_600.0
    look_seconds: float = LOOK_SECONDS


@dataclass(slots=True)
class _Question:
    """What licence information was asked for last, and when; in seconds that only grow."""

    packages: tuple[str, ...] = ()
    heard: int = 0
    asked_at: float = float("-inf")
    offer_before: int = -1


class Sequence:
    """One loop finds what is next, another installs; `nudge` it when something has changed."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        around: Surroundings,
        *,
        installing: Installing,
        disk: Disk,
    ) -> None:
        """Take whose packages these are, and what is looked at and spoken to."""
        self._who, self._journal, self._around = who, journal, around
        self._installing, self._disk = installing, disk
        self._question = _Question()
        self._nudged = asyncio.Event()
        self._due: asyncio.Queue[Package] = asyncio.Queue(PACKAGES_MAX)
        self._under_way: set[str] = set()
        self._failed: dict[str, tuple[str, int | None]] = {}
        self._seen: dict[str, PackageSeen] = {}
        self._log = structlog.get_logger("packages")

    def loops(self) -> Mapping[str, Coroutine[Any, Any, None]]:
        """Return what runs beside each other, by name."""
        return {"packages": self.run(), "installing": self.install()}

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            self._nudged.clear()
            try:
                self.look()
            except (StorageIsFull, OSError) as fault:  # it is looked at again
                self._log.warning("packages cannot be looked at", why=str(fault))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._around.look_seconds):
                    await self._nudged.wait()

    async def install(self) -> None:
        """Install what is due, one after the other, for ever."""
        while True:
            package = await self._due.get()
            try:
                self._note_outcome(await self._installing.install(package))
            except (StorageIsFull, OSError) as fault:
                self._log.warning("not installed", package=package.package, why=str(fault))
            finally:
                self._under_way.discard(package.package)
            self.nudge()

    def nudge(self) -> None:
        """Look now: something has changed."""
        self._nudged.set()

    def on_connected(self) -> None:
        """Ask anew what is on offer: it may have changed meanwhile."""
        self._question = _Question()
        self._seen.clear()  # it is told again
        self.nudge()

    def on_progress(self, progress: Progress) -> None:
        """Show how far an install is; of what has come whole nothing is missing any more."""
        is_coming = progress.state in {InstallState.RESERVED, InstallState.DOWNLOADING}
        self._show(
            PackageSeen(
                package=progress.package.package,
                kind=progress.package.kind,
                version=progress.package.version,
                step=progress.state,
                detail=progress.detail[:SHORT_TEXT_MAX],
                done_bytes=progress.done_bytes if is_coming else progress.all_bytes,
                all_bytes=progress.all_bytes,
            )
        )

    def look(self) -> None:
        """Do whatever is next about each package, once."""
        needs = self._around.needs()
        if needs is None:
            return
        known = self._journal.transact(modules.known, self._who)
        here = {each.package: each for each in self._disk.all_current()}
        wanted = wanted_here(needs, known, here.values())
        for name in self._under_way:
            if known.wishes.get(name) == PackageWish.UNINSTALL:
                self._installing.give_up(name)
        self._ask_what_is_on_offer(wanted, known)
        if known.offer is None:
            return
        offered = {each.package: each for each in known.offer.packages}
        clients: dict[str, Step] = {}
        for name in wanted.names():
            needed_by = wanted.modules.get(name, set()) - {name}
            client_is_here = all(
                clients.get(program) in {Step.HERE, Step.NOT_ON_OFFER} for program in needed_by
            )
            facts = self._facts(
                name,
                known,
                offered.get(name),
                here.get(name),
                is_needed=name not in wanted.unneeded,
                client_is_here=client_is_here,
            )
            clients[name] = next_step(facts, known.now)
            self._take(clients[name], name, known, offered.get(name), here.get(name))
        self._journal.transact(modules.forget_steps, wanted.names())
        if self._around.line_is_up():
            self._journal.transact(rights.look_at_seats, self._who)

    def _ask_what_is_on_offer(self, wanted: Wanted, known: Known) -> None:
        """Ask for licence information that is missing, old, or about something else (D2)."""
        packages, question = tuple(wanted.names()[:PACKAGES_MAX]), self._question
        if not packages or not self._around.line_is_up():
            return
        age = self._around.steady_seconds() - question.asked_at
        is_answered = known.offer is not None and known.taken_at != question.offer_before
        is_same = (packages, known.heard) == (question.packages, question.heard)
        if is_same and age < (self._patience() if is_answered else LOOK_SECONDS):
            return
        self._question = _Question(
            packages, known.heard, self._around.steady_seconds(), known.taken_at
        )
        self._journal.transact(modules.ask, packages)

    def _patience(self) -> float:
        """Return how long licence information is good; less, where it had not what is wanted."""
        waits = any(seen.step in _WAITS_FOR_ANOTHER_OFFER for seen in self._seen.values())
        each = self._around.ask_each_seconds
        return min(each, RETRY_SECONDS) if waits else each

    def _facts(
        self,
        name: str,
        known: Known,
        offered: OfferedPackage | None,
        here: Installed | None,
        *,
        is_needed: bool,
        client_is_here: bool,
    ) -> PackageFacts:
        folder = self._around.elsewhere.get(name)
        failed = self._failed.get(name)
        is_of_this = offered is not None and failed is not None and failed[0] == offered.sha256
        return PackageFacts(
            is_module=_kind_of(offered, here) == PackageKind.MODULE,
            offered=None if offered is None else _on_offer(offered),
            here=None if here is None else _here(here),
            lease=None if here is None else known.leases.get((name, here.sha256)),
            asked=known.asks.get(name),
            is_elsewhere=here is None and folder is not None and folder.is_dir(),
            is_unwished=not is_needed or known.wishes.get(name) == PackageWish.UNINSTALL,
            client_is_here=client_is_here,
            has_failed=is_of_this and failed is not None and failed[1] in {None, known.taken_at},
        )

    def _take(
        self,
        step: Step,
        name: str,
        known: Known,
        offered: OfferedPackage | None,
        here: Installed | None,
    ) -> None:
        """Do what is next about a package; what has no answer yet is asked again elsewhere."""
        if step is Step.INSTALL and offered is not None:
            self._have_installed(known, offered)
        elif step is Step.ASK and offered is not None:
            wish = rights.SeatWish(module=name, version=offered.version, sha256=offered.sha256)
            self._journal.transact(rights.want_seat, wish)
        elif step is Step.RENEW and here is not None and not self._is_going(name):
            wish = rights.SeatWish(
                module=name, version=here.version, sha256=here.sha256, renews=True
            )
            self._journal.transact(rights.want_seat, wish)
        elif step is Step.HERE and here is not None and name in known.asks:
            self._journal.transact(modules.note_here, name, here.sha256)
        if name not in self._under_way:
            shown = here or offered
            self._show(
                PackageSeen(
                    package=name,
                    kind=_kind_of(offered, here),
                    version="" if shown is None else shown.version,
                    step=step,
                )
            )

    def _is_going(self, name: str) -> bool:
        """Say whether a package is being taken away by now, so that nobody takes a seat for it."""
        removal = self._journal.transact(rights.removal, name)
        return removal is not None and removal.state in {
            RemovalState.ALLOWED,
            RemovalState.REMOVING,
        }

    def _have_installed(self, known: Known, offered: OfferedPackage) -> None:
        """Hand a package to whoever installs it, with what lets us fetch it."""
        if offered.package in self._under_way or known.told is None:
            return
        document, signature = known.told.document, known.told.signature
        if offered.kind == PackageKind.MODULE:
            receipt = self._journal.transact(modules.receipt, offered.package, offered.sha256)
            if receipt is None:
                return
            document, signature = receipt.document, receipt.signature
        package = Package(
            package=offered.package,
            kind=offered.kind,
            version=offered.version,
            target=offered.target,
            sha256=offered.sha256,
            length=offered.length,
            document=document,
            signature=signature,
        )
        with suppress(asyncio.QueueFull):  # it is looked at again
            self._due.put_nowait(package)
            self._under_way.add(offered.package)

    def _note_outcome(self, outcome: Outcome) -> None:
        """Remember what could not be installed: until the next offer, or as long as it is that."""
        name, sha256 = outcome.package.package, outcome.package.sha256
        here = self._disk.current(name)
        if outcome.is_in_use and here is not None and here.sha256 == sha256:
            self._failed.pop(name, None)
            return
        taken_at = self._journal.transact(modules.known, self._who).taken_at
        is_for_now = outcome.is_in_use or outcome.failure in WORTH_ANOTHER_TRY
        self._failed[name] = (sha256, taken_at if is_for_now else None)

    def _show(self, seen: PackageSeen) -> None:
        """Keep where a package stands, and tell it, where that is new."""
        if self._seen.get(seen.package) == seen:
            return
        self._seen[seen.package] = seen
        with suppress(StorageIsFull):  # it is only shown
            self._journal.transact(modules.note_step, seen)
        if seen.version:
            told = ModulesProgress(
                package=seen.package,
                version=seen.version,
                state=seen.step,
                done_bytes=seen.done_bytes,
                all_bytes=seen.all_bytes,
                detail=seen.detail,
            )
            self._around.post([Asked(channel=Channel.TELEMETRY, message=told)])


def _kind_of(offered: OfferedPackage | None, here: Installed | None) -> str:
    if here is not None:
        return here.kind
    return PackageKind.MODULE if offered is None else offered.kind


def _on_offer(offered: OfferedPackage) -> OnOffer:
    is_known = offered.basis in set(Basis)
    return OnOffer(
        sha256=offered.sha256,
        release_counter=offered.release_counter,
        basis=Basis(offered.basis) if is_known else Basis.INSTALLED,
        has_seats=offered.has_seats,
    )


def _here(here: Installed) -> Here:
    return Here(sha256=here.sha256, release_counter=here.release_counter)
