"""Takes versions of packages away: noted before, taken in one rename, noted again."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from common.messages.modules import PackageKind
from common.rules.modules import UNDER_WAY, InstallEvent, InstallFailure, InstallState
from edge_agent.flows.modules import installs
from edge_agent.flows.modules.installs import Install, Tell
from edge_agent.installed import StillRunning
from edge_agent.modules.disk import free_bytes
from edge_agent.modules.download import CannotBeHad
from edge_agent.modules.fetching import threaded
from edge_agent.modules.store import Store, alone_with
from edge_agent.ports import Journal


class Removing:
    """Removes what is asked for, and what nobody can go back to; nobody else works beside it."""

    def __init__(self, journal: Journal, store: Store) -> None:
        """Take where each version stands, and where it lies."""
        self.tell: Tell = _nobody
        """Called in the transaction in which a version that was to be removed is gone."""

        self._journal, self._store = journal, store

    async def remove(self, known: Install, *, is_asked: bool = True) -> Install:
        """Note that it is going, take it away, note that it is gone.

        Raises:
            StillRunning: a program runs from it; nothing has changed.
        """
        package, installed = known.package, self._store.find(known.package)
        tell = self.tell if is_asked else _nobody
        if installed is None:
            return self._journal.transact(installs.clear, package, tell)
        with alone_with(installed):
            if known.state is not InstallState.REMOVING:
                self._journal.transact(installs.step, package, InstallEvent.REMOVE)
            await threaded("package", partial(self._store.take_away, installed))
        return self._journal.transact(installs.clear, package, tell)

    async def make_room(self, needed: int) -> None:
        """Have so many bytes free, if need be without what nobody can go back to.

        Raises:
            CannotBeHad: there is no room for them.
        """
        if free_bytes(self._store.folder) < needed:
            for _, name in self._store.all_packages():
                await self.tidy_up(name)
        if (free := free_bytes(self._store.folder)) < needed:
            raise CannotBeHad(InstallFailure.DISK_FULL, f"{needed} bytes needed, {free} free")

    async def tidy_up(self, package: str) -> None:
        """Remove versions of a package that nobody runs from and nobody can go back to."""
        known = self._journal.transact(installs.installs_of, package)
        free = [each for kind in PackageKind for each in self._store.what_can_go(kind, package)]
        digests = {each.sha256 for each in free}
        await self.tidy([each for each in known if each.package.sha256 in digests])

    async def tidy(self, old: Sequence[Install]) -> None:
        """Remove these versions, but for those that are under way or that a program runs from."""
        for known in old:
            is_here = self._store.find(known.package) is not None
            if is_here and known.state not in UNDER_WAY:
                with contextlib.suppress(StillRunning):
                    await self.remove(known, is_asked=False)


def _nobody(*_: object) -> None:
    """Hear and do nothing, until somebody listens."""
