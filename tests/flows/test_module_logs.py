"""The log of modules between controllers: everybody has every line once, whatever was lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows import modules
from cloud_controller.flows.modules import LogSaid
from cloud_controller.flows.modules.said import LINES_MAX, ORIGINS_MAX, SaidHead, SaidLine
from cloud_controller.flows.rights import peers
from cloud_controller.ports import NotAllowed, NotFound
from common.rules.modules import LogHead, LogLine, ModuleEvent, following, lagging
from tests.fakes.controllers import PHYSICS
from tests.fakes.store import ClockInHand
from tests.flows.log_kit import ISSUED, USED, Log, settle

Make = Callable[[str], Log]


@pytest.fixture
def make(tmp_path: Path, migrated: Path) -> Iterator[Make]:
    """Return what makes controllers that share a clock and nothing else."""
    clock, made = ClockInHand(), list[Log]()

    def make_one(name: str) -> Log:
        made.append(Log(tmp_path, migrated, clock, name))
        return made[-1]

    yield make_one
    for log in made:
        log.controller.books.close()


@pytest.fixture
def star(make: Make) -> tuple[Log, Log, Log]:
    """Return a root and two branches that call it and nobody else, started and acquainted."""
    root, osaka, nara = make("root"), make("osaka"), make("nara")
    osaka.mirrors(root)
    nara.mirrors(root)
    for log in (root, osaka, nara):
        log.start()
    settle((osaka, nara))
    return root, osaka, nara


def test_d4_a_client_that_comes_again_moves_only_its_last_instant(make: Make):
    log = make("root")
    log.write(ISSUED, "t-1")
    first = log.controller.clock.now
    log.write(ISSUED, "t-2")
    log.write(ISSUED, "t-1")
    log.write(ISSUED, "t-1", module="chemistry")
    last = first + 2_000
    assert log.downloads() == {"t-1": (first, last, 2), "t-2": (first + 1_000, first + 1_000, 1)}
    assert log.do(modules.downloads_count, PHYSICS) == 2
    assert [row["client"] for row in log.do(modules.downloads, PHYSICS, "t-1", 9)] == ["t-2"]
    assert log.do(modules.modules_logged) == ["chemistry", PHYSICS]


def test_d5_the_user_log_has_whoever_uses_it_wherever_it_is_from(make: Make):
    log = make("root")
    log.write(ISSUED, "t-1")
    for client in ("t-2", "t-1", "t-2"):
        log.write(USED, client)
    at = log.controller.clock.now
    (mine, theirs) = log.do(modules.users, PHYSICS, "", 9)
    assert (mine["client"], mine["reports"], theirs["client"]) == ("t-1", 1, "t-2")
    assert (theirs["first_used_at"], theirs["last_used_at"]) == (at - 2_000, at)
    assert log.do(modules.users_count, PHYSICS) == 2
    assert log.do(modules.is_in_download_log, PHYSICS, "t-1")
    assert not log.do(modules.is_in_download_log, PHYSICS, "t-2")


def test_d10_in_a_star_the_root_says_on_what_each_branch_has_said(star: tuple[Log, Log, Log]):
    root, osaka, nara = star
    for number, log in enumerate(star * 2):
        log.write(ISSUED, f"t-{number}")
    settle((osaka, nara))
    assert len(root.lines()) == 6
    assert root.lines() == osaka.lines() == nara.lines()
    assert root.downloads() == osaka.downloads() == nara.downloads()
    assert nara.do(modules.is_in_download_log, PHYSICS, "t-1"), "which Osaka has issued"


def test_d10_in_a_mesh_every_order_and_every_loss_ends_in_the_same_log(make: Make, seed: int):
    dice = random.Random(seed)
    ring = [make(f"m{number}") for number in range(3)]
    for log, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        log.mirrors(other)
    for log in ring:
        log.start()
    for number in range(40):
        log = dice.choice(ring)
        log.write(dice.choice((ISSUED, USED)), f"t-{number % 7}")
        caller = dice.choice(ring)
        caller.call(*caller.calls, is_answer_lost=dice.random() < 0.4)
        if dice.random() < 0.1:
            caller.controller.kill()
            caller.start()
    settle(ring, 4)
    first, *others = ring
    assert len(first.lines()) == 40
    assert all(other.lines() == first.lines() for other in others)
    assert all(log.controller.problems() == [] for log in ring)


def test_more_lines_than_are_said_at_once_follow_in_further_calls(star: tuple[Log, Log, Log]):
    _, osaka, nara = star
    many = LINES_MAX + 30

    def log_many(books):
        for number in range(many):
            books.log_module(ModuleEvent(kind=ISSUED, module=PHYSICS, client=f"t-{number}"))

    osaka.do(log_many)
    osaka.controller.clock.move(60)
    settle((osaka, nara), 1)
    assert len(nara.lines()) == LINES_MAX
    assert nara.known_up_to() < osaka.controller.clock.now - 30_000, "it lacks some, and knows it"
    settle((osaka, nara), 2)
    assert len(nara.lines()) == many
    assert nara.known_up_to() > osaka.controller.clock.now - 30_000


def test_d9_d10_up_to_when_all_is_known_is_carried_along(star: tuple[Log, Log, Log]):
    root, osaka, nara = star
    clock = root.controller.clock
    assert nara.known_up_to() == clock.now
    clock.move(100)
    nara.call(root)
    assert nara.known_up_to() == clock.now - 100_000, "Osaka has said nothing since"
    assert osaka.known_up_to() == clock.now - 100_000
    osaka.call(root)
    nara.call(root)
    assert nara.known_up_to() == clock.now
    clock.move(-40)
    osaka.call(root)
    nara.call(root)
    assert nara.known_up_to() == clock.now, "its own clock went back, and it knows no better"


def test_d9_d10_nothing_is_known_before_each_controller_has_spoken(make: Make):
    root, osaka = make("root"), make("osaka")
    assert root.known_up_to() == root.controller.clock.now, "it is alone"
    osaka.mirrors(root)
    root.start()
    osaka.start()
    assert (root.known_up_to(), osaka.known_up_to()) == (0, 0)
    settle([osaka])
    assert osaka.known_up_to() == root.controller.clock.now
    root.do(peers.add_peer, "nara", "0" * 64, "tests")
    root.controller.clock.move(30)
    osaka.call(root)
    assert root.known_up_to() == 0, "Nara may have issued anything"
    assert osaka.known_up_to() == root.controller.clock.now - 30_000, "and Osaka hears no more"
    root.do(peers.revoke_peer, "nara", "tests", "")
    osaka.call(root)
    assert osaka.known_up_to() == root.controller.clock.now


def test_d10_an_operator_answers_for_a_controller_that_is_gone(star: tuple[Log, Log, Log]):
    root, osaka, nara = star
    osaka.write(ISSUED, "t-1")
    settle((osaka, nara))
    root.controller.clock.move(1_000)
    root.do(peers.revoke_peer, "osaka", "tests", "burnt")
    nara.call(root)
    assert nara.known_up_to() < root.controller.clock.now
    root.do(modules.answer_for, osaka.own_origin(), "tests", "burnt")
    nara.call(root)
    assert nara.known_up_to() == root.known_up_to() == root.controller.clock.now
    with pytest.raises(NotFound):
        root.do(modules.answer_for, "o-nobody", "tests", "")


def test_d10_nobody_waits_for_the_word_of_a_controller_that_is_let_in_no_more(make: Make):
    root, osaka = make("root"), make("osaka")
    osaka.mirrors(root)
    root.start()
    root.write(ISSUED, "t-1")
    assert root.known_up_to() == 0
    root.do(peers.revoke_peer, "osaka", "tests", "")
    assert root.known_up_to() == root.controller.clock.now
    before = root.own_origin()
    root.start()
    root.write(ISSUED, "t-2")
    assert root.own_origin() == before


def test_d10_a_controller_that_starts_goes_on_with_its_log_when_all_have_spoken(
    star: tuple[Log, Log, Log],
):
    root, osaka, nara = star
    before = root.own_origin(), osaka.own_origin()
    for log in (root, osaka):
        log.controller.kill()
        log.start()
    assert (osaka.known_up_to(), root.known_up_to()) == (0, 0)
    settle((osaka, nara))
    for log in (root, osaka):
        log.write(ISSUED, "t-1")
    assert (root.own_origin(), osaka.own_origin()) == before
    assert osaka.known_up_to() > 0


def test_d10_a_controller_that_must_write_before_that_begins_a_new_origin(
    star: tuple[Log, Log, Log],
):
    _, osaka, nara = star
    osaka.write(ISSUED, "t-1")
    before = osaka.own_origin()
    osaka.start()
    osaka.write(ISSUED, "t-2")
    osaka.write(ISSUED, "t-3")
    assert osaka.own_origin() != before
    settle((osaka, nara))
    assert nara.clients() == {"t-1", "t-2", "t-3"}
    assert nara.known_up_to() == osaka.known_up_to() == osaka.controller.clock.now


@pytest.mark.parametrize("writes_first", [True, False], ids=["writes first", "hears first"])
def test_d10_a_controller_set_back_to_an_old_backup_gets_its_own_lines_back(
    star: tuple[Log, Log, Log],
    tmp_path: Path,
    writes_first: bool,  # noqa: FBT001 - a parameter of the test
):
    root, osaka, nara = star
    osaka.write(ISSUED, "t-1")
    settle((osaka, nara))
    backup = osaka.controller.back_up(tmp_path / "backup")
    for number in range(2, 6):
        osaka.write(ISSUED, f"t-{number}")
    settle((osaka, nara))
    before = osaka.own_origin()
    osaka.controller.put_back(backup)
    osaka.start()
    assert osaka.clients() == {"t-1"}
    if writes_first:
        osaka.write(ISSUED, "t-9")
    osaka.call(root)
    osaka.call(root)
    osaka.write(ISSUED, "t-10")
    settle((osaka, nara))
    assert osaka.own_origin() != before
    expected = {"t-1", "t-2", "t-3", "t-4", "t-5", "t-10"} | ({"t-9"} if writes_first else set())
    assert osaka.clients() == root.clients() == nara.clients() == expected
    assert osaka.lines() == nara.lines()
    assert nara.known_up_to() == osaka.known_up_to() == osaka.controller.clock.now
    assert osaka.controller.problems() == ([] if writes_first else ["module_log_set_back"])
    assert root.controller.problems() == []


def test_d10_a_root_set_back_gets_its_own_lines_back_from_its_branches(
    star: tuple[Log, Log, Log], tmp_path: Path
):
    root, osaka, nara = star
    backup = root.controller.back_up(tmp_path / "backup")
    root.write(ISSUED, "t-1")
    osaka.call(root)
    root.write(ISSUED, "t-2")
    nara.call(root)
    root.controller.put_back(backup)
    root.start()
    osaka.call(root)
    root.write(ISSUED, "t-3")
    settle((osaka, nara))
    assert root.clients() == osaka.clients() == nara.clients() == {"t-1", "t-2", "t-3"}
    assert root.known_up_to() == nara.known_up_to() == root.controller.clock.now


def test_d10_two_databases_that_write_one_log_are_found_and_neither_is_believed(
    star: tuple[Log, Log, Log], tmp_path: Path
):
    root, osaka, nara = star
    backup = osaka.controller.back_up(tmp_path / "backup")
    osaka.write(ISSUED, "t-1")
    settle((osaka, nara))
    osaka.controller.put_back(backup)
    assert osaka.controller.do(lambda books: books.provenance.own())["is_doubted"] == 0
    osaka.write(ISSUED, "t-2")
    osaka.write(ISSUED, "t-3")
    forked = osaka.own_origin()
    root.controller.clock.move(500)
    settle((osaka, nara))
    assert osaka.controller.problems() == ["module_log_forked"]
    assert root.clients() == nara.clients() == {"t-1"}
    assert nara.known_up_to() < root.controller.clock.now - 400_000
    osaka.write(ISSUED, "t-4")
    settle((osaka, nara))
    assert nara.clients() == {"t-1", "t-4"}, "what it writes from now on is its own"
    for log in (osaka, root):
        log.do(modules.answer_for, forked, "tests", "the copy is stopped")
    settle((osaka, nara))
    assert osaka.controller.problems() == root.controller.problems() == []
    assert nara.known_up_to() == osaka.known_up_to() == root.controller.clock.now
    osaka.start()
    settle((osaka, nara))
    assert osaka.known_up_to() == root.controller.clock.now


def test_d10_whatever_a_mirror_says_no_line_is_taken_twice_or_after_a_gap(make: Make):
    log = make("root")
    line: dict[str, Any] = {"origin": "o-far", "kind": "dreamt", "module": PHYSICS, "client": "t-1"}
    more: dict[str, Any] = {"version": "", "digest": "", "right": "", "at": 5, "facts": "{}"}

    def told(last: int, *numbers: int) -> None:
        lines = tuple(SaidLine(**line, **more, lseq=number) for number in numbers)
        tail = LogLine(**line, **more, lseq=last).tail()
        head = SaidHead(last=last, tail=tail, complete_at=7)
        log.do(modules.take_log, "far", LogSaid(heads={"o-far": head}, lines=lines))

    told(3, 3, 2)
    assert log.lines() == []
    told(3, 2, 1, 2, 1)
    told(3, 1, 2)
    assert [number for _, number, _, _ in log.lines()] == [1, 2]
    assert log.known_up_to() == 0
    told(3, 3)
    assert log.known_up_to() == 7
    told(2)
    assert len(log.lines()) == 3
    assert log.controller.problems() == []


def test_d10_a_line_that_a_mirror_adds_to_our_log_is_none_that_we_go_on_with(
    star: tuple[Log, Log, Log],
):
    root, osaka, _ = star
    root.write(ISSUED, "t-1")
    before = root.own_origin()
    said = root.do(modules.say_log, LogSaid(heads={}))
    ours = next(line for line in said.lines if line.origin == before)
    forged = ours.model_copy(update={"lseq": ours.lseq + 1, "client": "t-never"})
    heads = {before: said.heads[before]}
    root.do(modules.take_log, osaka.name, LogSaid(heads=heads, lines=(forged,)))
    root.write(ISSUED, "t-2")
    assert root.own_origin() != before
    assert root.controller.problems() == ["module_log_set_back"]


def test_d10_no_more_logs_are_known_than_there_can_be(make: Make):
    log = make("root")
    heads = {f"o-{number}": SaidHead(last=0) for number in range(ORIGINS_MAX)}
    log.do(modules.take_log, "far", LogSaid(heads=heads))
    with pytest.raises(NotAllowed):
        log.do(modules.take_log, "far", LogSaid(heads={"o-new": SaidHead(last=0)}))


def test_what_follows_what_is_decided_without_a_database():
    heads = {"a": LogHead(last=3), "b": LogHead(last=1), "c": LogHead(last=0)}
    theirs = {"a": LogHead(last=1), "b": LogHead(last=2)}
    assert list(lagging(heads, theirs)) == [("a", 1)]
    assert list(lagging(theirs, heads)) == [("b", 1)]
    assert following(4, []) == []
