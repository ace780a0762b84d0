"""One look at this PC, beside plain Python that reads the same files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from common.messages.specification import DeviceFound, Specification
from edge_agent.inventory import FileDigests, look
from edge_agent.runner.catalogue import Program
from tests.bench.figures import Measured, compared, limited, quantile

PROGRAMS = 5
PROGRAM_BYTES = 4_194_304
"""Of each program's file: a first look reads all of them for their digests."""

MS_MAX = 1_000.0

REPETITIONS = 5
LOOKS = 40
"""Of a repetition; what they read is in memory, as it is at every look but a PC's first."""

FIRST, FIRST_FLOOR = "a first look", "its files read and digested"
AGAIN, AGAIN_FLOOR = "a look again", "its files read"

BOOTH = DeviceFound(key="booth", title="Booth", program="program-0")

Deed = Callable[[], object]


@dataclass(kw_only=True)
class Touched:
    """What one look opened and which folders it listed, each as often as it did."""

    files: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)

    def note(self, event: str, facts: tuple[Any, ...]) -> None:
        """Take what Python tells of everything that is opened."""
        if event == "open" and not isinstance(facts[0], int):
            self.files.append(Path(os.fsdecode(facts[0])))
        elif event == "os.scandir":
            self.folders.append(Path(os.fsdecode(facts[0])))


async def measure() -> Measured:
    """Time two looks, one that knows no file yet and one that has looked before, and their floors.

    Between two looks of a running agent the digests of programs are kept.
    """
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        programs = Path(name)
        first = partial(look, [BOOTH], _programs_in(programs))
        again = partial(first, digests=FileDigests())
        with ProcessPoolExecutor(1, get_context("spawn")) as elsewhere:
            touched, touched_again = elsewhere.map(_touched_by, (first, again))
        deeds: Mapping[str, Deed] = {
            FIRST: first,
            FIRST_FLOOR: partial(_read, touched, programs),
            AGAIN: again,
            AGAIN_FLOOR: partial(_read, touched_again, programs),
        }
        taken = [_taken(deeds) for _ in range(REPETITIONS)]
    half = {name: [quantile(each[name], 0.5) for each in taken] for name in deeds}
    return Measured(
        figures=(
            limited("specification", half[FIRST], "ms", MS_MAX),
            limited("specification_longest", [max(each[FIRST]) for each in taken], "ms", MS_MAX),
            compared("specification_first", half[FIRST], "ms", half[FIRST_FLOOR], FIRST_FLOOR),
            compared("specification_again", half[AGAIN], "ms", half[AGAIN_FLOOR], AGAIN_FLOOR),
        ),
        parts={"files opened": len(touched.files), "folders listed": len(touched.folders)},
    )


def _programs_in(folder: Path) -> Mapping[str, Program]:
    """Plant programs in a folder and return their catalogue."""
    catalogue = {}
    for number in range(PROGRAMS):
        file = folder / f"program-{number}"
        file.write_bytes(bytes([number]) * PROGRAM_BYTES)
        file.chmod(0o755)
        catalogue[file.name] = Program(argv=(str(file),), environment={}, version="1.4.2")
    return catalogue


def _touched_by(looking: Callable[[], Specification]) -> Touched:
    """Return what a second look touches; asked in another process, which is listened to for good.

    The first one imports what it needs, and keeps what may be kept.
    """
    looking()
    touched = Touched()
    sys.addaudithook(touched.note)
    looking()
    return Touched(files=touched.files.copy(), folders=touched.folders.copy())


def _taken(deeds: Mapping[str, Deed]) -> Mapping[str, list[float]]:
    """Return the milliseconds of each deed, done in turns."""
    taken: dict[str, list[float]] = {name: [] for name in deeds}
    for _ in range(LOOKS):
        for name, deed in deeds.items():
            began = time.perf_counter()
            deed()
            taken[name].append((time.perf_counter() - began) * 1000)
    return taken


def _read(touched: Touched, programs: Path) -> None:
    """List the folders and read the files, of those of programs the SHA-256 as well."""
    for folder in touched.folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            sorted(entry.name for entry in entries)
    for file in touched.files:
        with contextlib.suppress(OSError), file.open("rb") as opened:
            content = opened.read()
            if file.parent == programs:
                hashlib.sha256(content).digest()
