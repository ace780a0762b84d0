"""What is published, in the books of both engines: a picture of the signed lists, and no more."""

from __future__ import annotations

import json
from typing import Any

from cloud_controller.flows import modules
from cloud_controller.ports import Published
from common.messages.modules import PackageKind, Release
from common.rules.problems import ProblemKind
from tests.fakes.house import HouseInHand

ENGINES = ["sqlite", "postgres"]


def listed(version: str, counter: int, **terms: Any) -> Published:
    release = Release(
        **{
            "package": "physics",
            "kind": PackageKind.MODULE,
            "version": version,
            "release_counter": counter,
            "chunks": ("0" * 64,),
            "unpacked_bytes": 1,
            "files": 1,
            **terms,
        }
    )
    return Published(release=release, target=release.target, sha256=f"{counter:064}", length=100)


def shown(house: HouseInHand) -> dict[str, tuple[int, bool]]:
    """Return each version of what there ever was, with its number and whether it is offered."""
    rows = house.books.do(modules.versions)
    return {row["version"]: (row["release_counter"], row["withdrawn_at"] is None) for row in rows}


def offered(house: HouseInHand, package: str = "physics") -> Any:
    return house.books.do(lambda books: books.modules.on_offer(package=package))


def test_the_books_say_what_the_lists_say_however_often_they_are_told(make_house):
    house = make_house()
    lists = [listed("2.0", 2, basis="concurrent", royalty_cents=5), listed("1.0", 1)]
    for _ in range(2):
        house.books.do(modules.project, lists)
    assert shown(house) == {"2.0": (2, True), "1.0": (1, True)}
    assert (offered(house)["version"], offered(house)["basis"]) == ("2.0", "concurrent")
    house.books.do(modules.project, lists[1:])
    assert shown(house) == {"2.0": (2, False), "1.0": (1, True)}
    assert (offered(house)["version"], offered(house)["basis"]) == ("1.0", "installed")
    house.books.do(modules.project, [])
    assert offered(house) is None
    again = [listed("1.0", 1), listed("3.0", 7, kind=PackageKind.MODULE)]
    house.books.do(modules.project, again)
    assert shown(house) == {"3.0": (7, True), "2.0": (2, False), "1.0": (1, True)}
    part = listed("1.0", 1, package="racer", kind=PackageKind.PROGRAM, requires=("physics",))
    house.books.do(modules.project, [*again, part])
    assert json.loads(offered(house, "racer")["requires"]) == ["physics"]


def test_lists_that_run_out_are_one_problem_until_they_are_signed(make_house):
    house = make_house()
    for whys in (["the list modules runs out in 3 days"], ["the list modules has run out"]):
        house.books.do(modules.note_lists, whys)
    (problem,) = house.books.rows("problems")
    assert (problem["kind"], problem["solved_at"]) == (ProblemKind.PACKAGES_STALE, None)
    assert json.loads(problem["evidence"]) == {"whys": ["the list modules has run out"]}
    house.books.do(modules.note_lists, [])
    (problem,) = house.books.rows("problems")
    assert problem["solved_at"] is not None
