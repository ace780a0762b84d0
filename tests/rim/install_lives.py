"""Lives of an installing agent: each is done or killed, and the next goes on from there."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_agent.ports import Package
from tests.fakes.packages_kit import FILES, PackagesInHand
from tests.rim.install_kit import Pc, package_of, why_mixed

HOUSE = Path(__file__).parents[2]
TWO = {**FILES, "bin/physics": b"#!/bin/sh\nexec false\n", "more": b"new " * 2_000}
VERSIONS = {"1.0": FILES, "2.0": TWO}
LIFE_SECONDS = 60.0

ENDS = {
    "install": {"1.0": "superseded", "2.0": "probation"},
    "complain": {"1.0": "active", "2.0": "rolled_back"},
    "remove": {"1.0": "removed", "2.0": "removed"},
}
"""What each is to lead to in the end, wherever it was killed."""


class Broke(Exception):
    """A life ended by a fault of its own."""


@dataclass
class Lives:
    """The process that lives them, and PCs as they are before.

    Attributes:
        before: for what is done, the folder of a PC that is ready for it.
    """

    process: asyncio.subprocess.Process
    url: str
    package: Package
    before: dict[str, Path]
    folder: Path

    async def live(self, pc: Path, does: str, moment: int = 0, variant: str = "") -> int | None:
        """Return how many moments a life had; None: it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        life = {
            "folder": str(pc),
            "url": self.url,
            "does": does,
            "package": asdict(self.package),
            "moment": moment,
            "variant": variant,
        }
        self.process.stdin.write(f"{json.dumps(life)}\n".encode())
        async with asyncio.timeout(LIFE_SECONDS):
            while True:  # what the log says comes between
                line = (await self.process.stdout.readline()).decode().strip()
                if line == "killed":
                    return None
                if line.isdigit():
                    return int(line)
                if not line or line.startswith("broke"):
                    raise Broke(line or "the process is gone")

    async def moments(self, does: str) -> int:
        """Return how many moments it has when nobody is killed."""
        count = await self.live(self._fresh(does), does)
        assert count is not None
        return count

    async def why_broken(self, does: str, moments: list[int], variant: str = "") -> str | None:
        """Be killed at each of these moments in turn, then go on to the end; say what is wrong.

        The first is one of what is done, those after it are of going on with it.
        """
        folder = self._fresh(does)
        for number, moment in enumerate(moments):
            await self.live(folder, does if number == 0 else "go on", moment, variant)
            if (why := self._why_mixed(folder, does)) is not None:
                return f"killed at {moments[: number + 1]} of {does}: {why}"
        await self.live(folder, "go on", 0, variant)
        why = self._why_mixed(folder, does) or await self._why_not_ended(folder, does, variant)
        shutil.rmtree(folder)
        return None if why is None else f"after {moments} of {does}: {why}"

    def _why_mixed(self, folder: Path, does: str) -> str | None:
        pc = Pc(folder, None, self.url)
        if does != "remove" and pc.store.current("physics") is None:
            return "programs get nothing"
        return why_mixed(pc, "physics", VERSIONS)

    async def _why_not_ended(self, folder: Path, does: str, variant: str) -> str | None:
        """Ask for it once more, as whoever wants it does, and look what has come of it."""
        await self.live(folder, does, 0, variant)
        pc = Pc(folder, None, self.url)
        if (states := pc.states()) != ENDS[does]:
            return f"it ends as {states}"
        home = pc.store.folder / "modules/physics"
        left = [each.name for each in home.iterdir() if each.name.startswith(".")]
        return f"{left} are left" if left else None

    def _fresh(self, does: str) -> Path:
        folder = self.folder / "pc"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.before[does], folder, symlinks=True)
        return folder


@asynccontextmanager
async def living(folder: Path) -> AsyncIterator[Lives]:
    """Have one package in two versions, and a PC that is ready for each thing that can be done."""
    kit = PackagesInHand(folder / "published")
    first, second = kit.publish(version="1.0"), kit.publish(version="2.0", files=TWO)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.programs.installing"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=HOUSE,
    )
    try:
        async with kit.served() as url:
            one, two = folder / "one", folder / "two"
            pc = Pc(one, kit.root, url)
            with pc.journal() as journal:
                installer = pc.installer(journal)
                await installer.install(package_of(first))
                installer.praise("physics")
                await installer.look()
            shutil.copytree(one, two, symlinks=True)
            pc = Pc(two, kit.root, url)
            with pc.journal() as journal:
                await pc.installer(journal).install(package_of(second))
            before = {"install": one, "complain": two, "remove": two}
            yield Lives(process, url, package_of(second), before, folder)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
