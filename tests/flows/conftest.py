"""What every test of a flow gets: a store's controller in hand, over a fresh copy of real books."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.rules.registration import Policy
from tests.fakes import postgres
from tests.fakes.books import fresh_copy, new_books
from tests.fakes.controllers import OWNED, BranchInHand, ControllerInHand
from tests.fakes.house import HouseInHand
from tests.fakes.keeper import KeeperInHand
from tests.fakes.store import ClockInHand
from tests.fakes.terminal import TerminalInHand

MakeHouse = Callable[..., HouseInHand]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with the whole schema and nothing in it."""
    file = tmp_path_factory.mktemp("migrated") / "books.sqlite"
    file.write_bytes(new_books())
    return file


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is about a house on every engine that its file, or who runs it, names."""
    asked = os.environ.get("RUSUBAN_ENGINES", "").split()
    engines: list[str] = asked or getattr(metafunc.module, "ENGINES", [])
    if engines and "make_house" in metafunc.fixturenames:
        metafunc.parametrize("engine", engines)


@pytest.fixture
def engine() -> str:
    """Return the engine of a house's books."""
    return "sqlite"


@pytest.fixture
def make_house(migrated: Path, tmp_path: Path, engine: str) -> Iterator[MakeHouse]:
    """Return what makes houses; each has a folder and books of its own."""
    made: list[HouseInHand] = []

    def make(policy: Policy = Policy.AUTOMATIC) -> HouseInHand:
        folder = tmp_path / f"house-{len(made)}"
        folder.mkdir()
        is_file = engine == "sqlite"
        where = fresh_copy(migrated, folder) if is_file else postgres.server().migrated()
        made.append(HouseInHand(folder, where, policy=policy))
        return made[-1]

    yield make
    for house in made:
        house.books.close()


@pytest.fixture
def house(make_house: MakeHouse) -> HouseInHand:
    """Return a house whose store confirms every specification by itself."""
    return make_house()


@pytest.fixture
def root(tmp_path: Path, migrated: Path) -> Iterator[ControllerInHand]:
    """Return a root that owns ten seats."""
    made = ControllerInHand(tmp_path / "root", migrated, ClockInHand())
    made.own(OWNED)
    yield made
    made.books.close()


@pytest.fixture
def branch(tmp_path: Path, migrated: Path, root: ControllerInHand) -> Iterator[BranchInHand]:
    """Return a branch that the root has let in, and that has nothing yet."""
    made = BranchInHand(tmp_path / "osaka", migrated, root)
    yield made
    made.books.close()


@pytest.fixture
def other_branch(tmp_path: Path, migrated: Path, root: ControllerInHand) -> Iterator[BranchInHand]:
    made = BranchInHand(tmp_path / "nara", migrated, root, "nara")
    yield made
    made.books.close()


@pytest.fixture
def two_booths(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


@pytest.fixture
def keeper(
    house: HouseInHand, two_booths: TerminalInHand, migrated: Path, tmp_path: Path
) -> Iterator[KeeperInHand]:
    """Return who keeps the house's reservations elsewhere, told of its store and its devices."""
    assert house.devices_of(two_booths)
    made = KeeperInHand(tmp_path / "keeper", migrated, house)
    made.tell_stores()
    yield made
    made.books.close()
