"""Takes off this PC what is to go and may: a program's package at once, a module by our leave.

Killed at any instant, it goes on where it was. What is not permitted, or needed by another program
here, stays, and it is said why (D7-D9).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from common.errors import StorageIsFull
from common.messages.base import SHORT_TEXT_MAX
from common.messages.modules import ModulesProgress, PackageKind, Release
from common.rules.modules import (
    IN_USE,
    Kept,
    Needing,
    RemovalState,
    UninstallRefusal,
    needed_by,
    needed_with,
    pause_seconds,
)
from common.topics import Channel
from edge_agent.flows import rights
from edge_agent.flows.modules import installs
from edge_agent.flows.modules.installs import Install
from edge_agent.flows.rights import Copy, Removal, Wished
from edge_agent.installed import StillRunning
from edge_agent.modules.fetching import threaded
from edge_agent.modules.installer import Installer
from edge_agent.modules.reading import digest_on_disk
from edge_agent.modules.store import Store
from edge_agent.ports import Asked, Identity, Installed, Journal, Transaction

LOOK_SECONDS: Final = 2.0
"""How often is looked without being told to: a program that ran from it may have ended."""

UNKNOWN_VERSION: Final = "unknown"
"""The version of what somebody else has put here: it has none that we know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What it looks at.

    Attributes:
        programs: every program here and what it needs; None: that is not known now.
        elsewhere: where modules lie that another party has put here.
        line_is_up: whether anybody can be asked.
        post: sends what may get lost.
        steady_seconds: a clock that cannot be set.
        look_seconds: how often is looked without being told to.
    """

    programs: Callable[[], Sequence[Needing] | None]
    elsewhere: Mapping[str, Path]
    line_is_up: Callable[[], bool]
    post: Callable[[Sequence[Asked]], None]
    steady_seconds: Callable[[], float]
    look_seconds: float = LOOK_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What the journal says at once."""

    words: Mapping[str, Wished]
    removals: Sequence[Removal]
    requires: Mapping[str, Sequence[str]]

    @property
    def going(self) -> frozenset[str]:
        """Return the packages that are wished away."""
        return frozenset(name for name, word in self.words.items() if word.is_to_go)

    def is_to_go(self, removal: Removal) -> bool:
        """Say whether it is still wanted off, by itself or with its program."""
        word = self.words.get(removal.package)
        return word.is_to_go if word is not None else removal.cause in self.going


@dataclass(slots=True)
class _Pause:
    """How often a module's question was left open, and until when it waits to be asked again."""

    times_open: int = 0
    ends_at: float = 0.0
    is_named: bool = False


class Uninstaller:
    """One loop; `nudge` it when a wish or an answer has come."""

    def __init__(
        self, who: Identity, journal: Journal, store: Store, installer: Installer, around: Sight
    ) -> None:
        """Take whose packages these are, where they lie, and who takes them away."""
        self._who, self._journal, self._store = who, journal, store
        self._installer, self._around = installer, around
        self._pauses: dict[str, _Pause] = {}
        self._nudged = asyncio.Event()
        self._log = structlog.get_logger("packages")
        installer.removing.tell = _note_removed

    def nudge(self) -> None:
        """Look now: something has changed."""
        self._nudged.set()

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            self._nudged.clear()
            try:
                await self.look()
            except (StorageIsFull, OSError) as fault:
                self._log.warning("packages cannot be removed", why=str(fault))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._around.look_seconds):
                    await self._nudged.wait()

    async def look(self) -> None:
        """Go on with whatever is to go, programs first, as far as it comes now."""
        self._journal.transact(self._want)
        for removal in self._journal.transact(rights.removals):
            known = self._journal.transact(_known)
            try:
                await self._go_on(removal.package, known)
            except OSError as fault:  # what one folder does is no reason to leave the others
                package, why = removal.package, fault.strerror or str(fault)
                self._log.warning("not removed", package=package, why=why)

    def _want(self, journal: Transaction) -> None:
        """Begin with each word that is new."""
        begun = {each.package: each for each in rights.removals(journal)}
        for word in rights.wished(journal):
            before = begun.get(word.package)
            if word.is_to_go and (before is None or before.number < word.number):
                here = self._store.current(word.package)
                kind = PackageKind.MODULE if here is None else here.kind
                rights.want_removal(journal, word.package, kind, number=word.number)

    async def _go_on(self, package: str, known: _Known) -> None:
        """Take each step that can be taken about one package now."""
        before = None
        while True:
            removal = self._journal.transact(rights.removal, package)
            if removal is None or removal.state is before:
                return
            before = removal.state
            if removal.state in {RemovalState.WANTED, RemovalState.ALLOWED}:
                await self._judge(removal, known)
            elif removal.state is RemovalState.REMOVING:
                await self._remove(removal)
            self._say_if_settled(package, before)

    async def _judge(self, removal: Removal, known: _Known) -> None:
        """Leave it where it is, with a reason; or have it permitted, and then begin."""
        here = self._store.current(removal.package)
        kept, detail = self._why_kept(removal, known, here)
        if kept is not None:
            self._journal.transact(rights.keep_package, removal.package, kept, detail)
        elif removal.kind != PackageKind.MODULE:
            self._journal.transact(self._begin_program, removal.package, known)
        elif self._has_to_wait(removal.package, known):
            return
        elif removal.state is RemovalState.WANTED:
            await self._ask(removal, here)
        elif here is None:
            self._journal.transact(rights.keep_package, removal.package, Kept.ELSEWHERE)
        elif await self._digest(Path(here.folder)) != removal.digest:
            replaced = UninstallRefusal.REPLACED
            self._journal.transact(rights.keep_package, removal.package, replaced)
        else:
            self._journal.transact(rights.begin_removal, removal.package)

    def _why_kept(
        self, removal: Removal, known: _Known, here: Installed | None
    ) -> tuple[Kept | None, str]:
        if not known.is_to_go(removal):
            return Kept.WANTED_AGAIN, ""
        folder = self._around.elsewhere.get(removal.package)
        if here is None and (folder is None or not folder.is_dir()):
            return Kept.NOT_HERE, ""
        programs = self._around.programs()
        if removal.kind != PackageKind.MODULE or programs is None:
            return None, ""
        needing = needed_by(removal.package, programs, known.requires, known.going)
        return (Kept.NEEDED, ", ".join(needing)) if needing else (None, "")

    def _has_to_wait(self, module: str, known: _Known) -> bool:
        """Say whether it is not known who needs a module, or its program is to go before it."""
        programs = self._around.programs()
        if programs is None:
            return True
        gone = [name for name in known.going if self._store.current(name) is None]
        return bool(needed_by(module, programs, known.requires, gone))

    def _begin_program(self, journal: Transaction, package: str, known: _Known) -> None:
        """Begin with a program's package, once it is known which modules go with it."""
        here, programs = self._store.current(package), self._around.programs()
        if here is not None and programs is not None:
            copy = Copy(version=here.version, sha256=here.sha256, digest=here.digest)
            rights.name_copy(journal, package, copy)
            rights.note_needs(journal, package, needed_with(package, programs, known.requires))
            rights.begin_removal(journal, package)

    async def _ask(self, removal: Removal, here: Installed | None) -> None:
        """Ask our controller about the very copy that lies here; what it left open, later again."""
        pause = self._pauses.setdefault(removal.package, _Pause())
        now = self._around.steady_seconds()
        if pause.times_open != removal.times_open:
            is_open = removal.times_open > 0
            pause.ends_at = now + pause_seconds(removal.times_open) if is_open else now
            pause.times_open, pause.is_named = removal.times_open, False
        if now < pause.ends_at or not self._around.line_is_up():
            return
        if not pause.is_named or not removal.digest:
            place = self._around.elsewhere[removal.package] if here is None else Path(here.folder)
            copy = Copy(
                version=UNKNOWN_VERSION if here is None else here.version,
                sha256="" if here is None else here.sha256,
                digest=await self._digest(place),
            )
            self._journal.transact(rights.name_copy, removal.package, copy)
            pause.is_named = True
        self._journal.transact(rights.ask_for, self._who, removal.package)

    async def _remove(self, removal: Removal) -> None:
        """Take it away, if no program runs from it; whoever takes it away has it told."""
        package = removal.package
        try:
            await self._installer.remove(package, removal.version)
            here = self._store.current(package)
            if here is not None and here.sha256 == removal.sha256:
                # the journal does not know it, and the store does
                await threaded("package", partial(self._store.remove, here))
        except StillRunning:
            return
        self._journal.transact(rights.note_gone, package)

    async def _digest(self, place: Path) -> str:
        return await threaded("package check", partial(digest_on_disk, place))

    def _say_if_settled(self, package: str, before: RemovalState) -> None:
        """Show what became of it, once it is settled."""
        removal = self._journal.transact(rights.removal, package)
        settled = {RemovalState.KEPT, RemovalState.REMOVED}
        if removal is None or removal.state not in settled - {before}:
            return
        why = ": ".join(filter(None, (removal.reason, removal.detail)))
        self._log.info("removal", package=package, came_of_it=removal.state.value, why=why)
        told = ModulesProgress(
            package=package,
            version=removal.version or UNKNOWN_VERSION,
            state=removal.state,
            detail=why[:SHORT_TEXT_MAX],
        )
        self._around.post([Asked(channel=Channel.TELEMETRY, message=told)])


def _known(journal: Transaction) -> _Known:
    in_use = [each for each in installs.all_installs(journal) if each.state in IN_USE]
    return _Known(
        words={word.package: word for word in rights.wished(journal)},
        removals=rights.removals(journal),
        requires={each.package.package: _requires(each) for each in in_use},
    )


def _requires(install: Install) -> Sequence[str]:
    return Release.model_validate_json(install.signed).requires if install.signed else ()


def _note_removed(journal: Transaction, install: Install) -> None:
    """Note, in the transaction in which a version is gone, that what was to go has gone."""
    removal = rights.removal(journal, install.package.package)
    if removal is not None and removal.sha256 == install.package.sha256:
        rights.note_gone(journal, install.package.package)
