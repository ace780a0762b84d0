"""Installs, rolls back and removes as the agent does, and is killed at the moment it is told.

A line of JSON on its input is one life: a child does what it says and, at that moment, kills itself
as a power cut would. A moment is each file that is opened for writing, renamed or removed, each
folder made or taken away, each connection, and both sides of each commit of the journal.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, cast

from typing_extensions import override

from edge_agent.flows import rights
from edge_agent.flows.rights import Removal
from edge_agent.journal import SqliteJournal
from edge_agent.modules.disk import keep_names
from edge_agent.modules.installer import Installer
from edge_agent.modules.store import Store
from edge_agent.modules.uninstaller import Sight, Uninstaller
from edge_agent.ports import Installed, Package
from tests.rim.install_kit import Pc

UNINSTALLS = "uninstalls"
TELLS_FIRST = "tells first"

CHANGES = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod"),
    *("os.symlink", "os.link", "socket.connect"),
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Moments:
    """Counts moments, and kills at one of them; 0: at none."""

    def __init__(self, deadly: int) -> None:
        self.count = 0
        self._deadly = deadly
        self._lock = threading.Lock()

    def one(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._deadly:
                os.kill(os.getpid(), signal.SIGKILL)

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Take an audit event of Python's: it comes before the thing is done."""
        if event in CHANGES or (event == "open" and int(args[2] or 0) & WRITES):
            self.one()


class Watched:
    """A journal of which each commit is a moment before and one after."""

    def __init__(self, journal: SqliteJournal, moments: Moments) -> None:
        self._journal, self._moments = journal, moments

    def transact(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        self._moments.one()
        result = self._journal.transact(function, *args, **kwargs)
        self._moments.one()
        return result


class WritesOver(Store):
    """A broken variant: says in place what is current, instead of beside it."""

    @override
    def activate(self, installed: Installed) -> None:
        said = self._home(installed) / "current.json"
        before = json.loads(said.read_bytes()) if said.exists() else None
        with said.open("w") as file:
            self.half_way()
            keys = ("package", "kind", "version", "sha256", "digest", "release_counter")
            now = {key: getattr(installed, key) for key in keys}
            json.dump({**now, "previous": before}, file)

    def half_way(self) -> None:
        """Be seen in between."""
        keep_names(self.folder)
        os.mkdir(self.folder / "seen")  # noqa: PTH102 - a moment between two writes
        os.rmdir(self.folder / "seen")  # noqa: PTH106 - the same


async def _live(life: dict[str, Any], pc: Pc, moments: Moments) -> None:
    with pc.journal() as journal:
        watched = Watched(journal, moments)
        installer = pc.installer(watched)
        if life["variant"] in {UNINSTALLS, TELLS_FIRST}:
            await _uninstall(life, pc, watched, installer)
            return
        match life["does"]:
            case "install":
                await installer.install(Package(**life["package"]))
            case "complain":
                installer.complain(life["package"]["package"], "it does not run")
                await installer.look()
            case "remove":
                await installer.remove(life["package"]["package"], life["package"]["version"])
            case _:
                pc.store.clear_up(pc.clock.now_ms() / 1000)
                await installer.look()


async def _uninstall(life: dict[str, Any], pc: Pc, watched: Any, installer: Installer) -> None:
    """Go on with a removal that is allowed, as an agent does from its start."""
    if life["does"] == "go on":
        pc.store.clear_up(pc.clock.now_ms() / 1000)
        await installer.look()
    sight = Sight(
        programs=list,
        elsewhere={},
        line_is_up=lambda: False,
        post=lambda _: None,
        steady_seconds=lambda: 0.0,
    )
    made = TellsFirst if life["variant"] == TELLS_FIRST else Uninstaller
    await made(cast("Any", None), watched, pc.store, installer, sight).look()


class TellsFirst(Uninstaller):
    """A broken variant: tells that a module has gone, and then takes it away."""

    @override
    async def _remove(self, removal: Removal) -> None:
        self._journal.transact(rights.note_gone, removal.package)
        await self._installer.remove(removal.package, removal.version)


def _child(life: dict[str, Any]) -> None:
    moments = Moments(life["moment"])
    pc = Pc(Path(life["folder"]), None, life["url"])
    pc.root = (pc.folder / "root.json").read_bytes()
    if life["variant"] == "writes over":
        pc.store = WritesOver(pc.store.folder)
    sys.addaudithook(moments.hear)
    asyncio.run(_live(life, pc, moments))
    sys.stdout.write(f"{moments.count}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _child(json.loads(line))
            except BaseException as fault:  # noqa: BLE001 - told to whoever waits, then over
                sys.stdout.write(f"broke: {fault!r}\n")
                sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            sys.stdout.write("killed\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
