"""A world that begins with made books: what a migration does is tried elsewhere, and takes time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from tests.demo.world import SlotTerms, World, a_world as a_world_from_nothing
from tests.fakes.books import new_books


@dataclass(kw_only=True)
class BegunWorld(World):
    """A world whose controller finds its books made, and empty."""

    @override
    def start_controller(self) -> None:
        books = self.folder / "controller" / "books.sqlite"
        if not books.exists():
            books.parent.mkdir(mode=0o700, exist_ok=True)
            books.write_bytes(new_books())
        super().start_controller()


@contextmanager
def a_world(terms: SlotTerms | None = None, **having: Any) -> Iterator[World]:
    """Give such a world with its controller running, and take all of it away afterwards."""
    with a_world_from_nothing(terms, kind=BegunWorld, **having) as world:
        yield world
