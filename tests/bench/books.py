"""Books for a bench: in a folder that is prepared once and copied fresh for each run."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cloud_controller.keys import FileKeys
from cloud_controller.storage.books import SqliteBooks
from common.system import SystemNames
from tests.fakes.store import ClockInHand

FILE = "books.sqlite"
KEYS = "keys"


def books_in(folder: Path) -> SqliteBooks:
    """Return the books of a folder, not opened yet, with a clock that stands where tickets open."""
    names = SystemNames()
    return SqliteBooks(
        folder / FILE,
        clock=ClockInHand(),
        names=names,
        keys=FileKeys(folder / KEYS, names),
        on_said=lambda _: None,
    )


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """Give a copy of a prepared folder, and take it away after."""
    with tempfile.TemporaryDirectory(prefix="rusuban-bench-") as name:
        copy = Path(name) / "books"
        shutil.copytree(folder, copy)
        yield copy
