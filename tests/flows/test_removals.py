"""What is to go from a PC goes if it may, and whatever else is there stays (D7-D9)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloud_controller.flows import modules
from common.messages.modules import ModuleUsed
from common.rules.modules import Needing, PackageWish, needed_by
from common.topics import Channel
from tests.flows.module_kit import PHYSICS, logged, used
from tests.flows.removal_kit import PackagedPc
from tests.flows.test_uninstalls import another_controller
from tests.rim.packed import GOOD, tree


@pytest.fixture
def pc(house, tmp_path: Path) -> PackagedPc:
    return PackagedPc(house, tmp_path)


async def test_d8_what_came_from_us_goes_and_its_seat_is_back(house, pc):
    place = pc.have()
    assert used(house) == 1
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("removed", "")
    assert not place.exists()
    assert pc.store.current(PHYSICS) is None
    assert used(house) == 0
    (line,) = logged(house, "uninstalled")
    assert (line["client"], line["module"], line["version"]) == (
        pc.terminal.who.terminal,
        PHYSICS,
        "1.0",
    )


async def test_d7_an_operators_wish_reaches_the_disk_and_each_word_counts_once(house, pc):
    pc.have()
    who = pc.terminal.who.terminal
    house.books.do(modules.wish, who, PHYSICS, PackageWish.UNINSTALL, "tests")
    for told in house.books.heard():
        pc.terminal.hear(told, Channel.DESIRED)
    await pc.look()
    assert pc.came_of() == ("removed", "")
    pc.have()
    await pc.look()
    assert pc.store.current(PHYSICS) is not None
    house.books.do(modules.wish, who, PHYSICS, PackageWish.UNINSTALL, "tests")
    for told in house.books.heard():
        pc.terminal.hear(told, Channel.DESIRED)
    await pc.look()
    assert pc.store.current(PHYSICS) is None


async def test_d9_a_copy_from_elsewhere_stays_whole_and_we_are_told_no(house, pc, tmp_path):
    folder = tmp_path / "their physics"
    folder.mkdir()
    (folder / "table").write_bytes(b"theirs")
    pc.elsewhere[PHYSICS] = folder
    used_here = ModuleUsed(module=PHYSICS, version="1.0", source="elsewhere", day=1, at=1)
    pc.terminal.journal.transact(lambda journal: journal.say(used_here))
    house.tell_all(pc.terminal)
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("kept", "not_from_here")
    assert tree(folder) == {"table": b"theirs"}
    assert len(logged(house, "uninstall_denied")) == 1


async def test_d9_whatever_a_copy_from_elsewhere_is_made_of_nothing_else_waits_for_it(
    house, pc, tmp_path
):
    pc.have("sound")
    folder = tmp_path / "their physics"
    folder.mkdir()
    (folder / "lib.so.1").write_bytes(b"theirs")
    (folder / "lib.so").symlink_to("lib.so.1")
    os.mkfifo(folder / "wakes it")
    (folder / os.fsdecode("物理".encode("shift_jis"))).write_bytes(b"theirs")
    pc.elsewhere[PHYSICS] = folder
    pc.elsewhere["maps"] = tmp_path / "never put here"
    used_here = ModuleUsed(module=PHYSICS, version="1.0", source="elsewhere", day=1, at=1)
    pc.terminal.journal.transact(lambda journal: journal.say(used_here))
    house.tell_all(pc.terminal)
    for name in ("maps", PHYSICS, "sound"):
        pc.wish_away(name)
    await pc.look()
    assert pc.came_of("maps") == ("kept", "not_here")
    assert pc.came_of() == ("kept", "not_from_here")
    assert pc.came_of("sound") == ("removed", "")


async def test_d8_a_folder_that_cannot_be_read_holds_up_no_other(pc):
    manifest = pc.have() / "manifest.json"
    pc.have("sound")
    manifest.unlink()
    manifest.mkdir()
    pc.wish_away()
    pc.wish_away("sound")
    await pc.look()
    assert pc.came_of() == ("wanted", "")
    assert pc.came_of("sound") == ("removed", "")


async def test_d9_what_somebody_has_put_in_the_place_of_ours_stays(house, pc):
    place = pc.have()
    (place / "bin/run").write_bytes(b"another party's")
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("kept", "replaced")
    assert (place / "bin/run").read_bytes() == b"another party's"
    assert used(house) == 1


async def test_d8_what_others_have_put_among_our_files_stays(house, pc):
    place = pc.have()
    (place / "data/theirs").write_bytes(b"theirs")
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("removed", "")
    assert not place.exists()
    (left,) = place.parent.iterdir()
    assert tree(left) == {
        "data/theirs": b"theirs",
        "manifest.json": (left / "manifest.json").read_bytes(),
    }
    assert used(house) == 0


async def test_d8_a_link_in_the_place_of_our_folder_leads_to_nothing_that_is_removed(pc, tmp_path):
    place = pc.have()
    theirs = tmp_path / "theirs"
    (place / "bin").rename(theirs)
    (place / "bin").symlink_to(theirs)
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("kept", "replaced")
    pc.store.remove(pc.store.current(PHYSICS))
    assert tree(theirs) == {"run": GOOD["bin/run"]}


async def test_d7_what_another_program_here_needs_stays_and_it_is_said_for_whom(house, pc):
    pc.have()
    pc.programs = [Needing(name="racer", package=None, needs=(PHYSICS,))]
    pc.wish_away()
    await pc.look()
    assert pc.came_of() == ("kept", "needed")
    assert pc.store.current(PHYSICS) is not None
    (said,) = pc.shown()
    assert (said["package"], said["state"], said["detail"]) == (PHYSICS, "kept", "needed: racer")
    assert logged(house, "uninstall_asked") == []
    assert used(house) == 1


async def test_d7_a_programs_package_goes_with_its_modules_but_for_those_others_need(house, pc):
    pc.have("sound")
    pc.have()
    pc.have("racer", kind="program", requires=(PHYSICS, "sound"))
    pc.programs = [
        Needing(name="racer", package="racer", needs=("by-catalogue",)),
        Needing(name="radio", package=None, needs=("sound",)),
    ]
    pc.wish_away("racer")
    await pc.look()
    assert pc.store.current("racer") is None
    assert pc.came_of(PHYSICS) == ("removed", "")
    assert pc.came_of("sound") == ("kept", "needed")
    assert pc.came_of("by-catalogue") == ("kept", "not_here")
    assert pc.store.current("sound") is not None
    assert [line["module"] for line in logged(house, "uninstalled")] == [PHYSICS]


async def test_d7_undecided_is_no_and_is_asked_again_after_a_pause_that_grows(house, pc):
    pc.elsewhere["theirs"] = pc.folder
    seen = ModuleUsed(module="theirs", version="1.0", source="elsewhere", day=1, at=1)
    pc.terminal.journal.transact(lambda journal: journal.say(seen))
    house.tell_all(pc.terminal)
    another_controller(house, complete_at=0)
    pc.wish_away("theirs")
    await pc.look()
    assert pc.came_of("theirs") == ("wanted", "undecided")
    asked = len(house.books.rows("exchanges"))
    await pc.look()
    assert pc.came_of("theirs") == ("wanted", "undecided")
    another_controller(house, complete_at=house.clock.now + 3_600_000)
    house.clock.move(120)
    await pc.look()
    assert pc.came_of("theirs") == ("wanted", "undecided")
    pc.seconds += 60
    await pc.look()
    assert pc.came_of("theirs") == ("kept", "not_from_here")
    assert asked == len(house.books.rows("exchanges"))


async def test_d7_what_a_program_runs_from_goes_when_it_has_ended(pc):
    place = pc.have()
    pc.wish_away()
    with pc.store.lock(PHYSICS):
        await pc.look()
        assert pc.came_of() == ("removing", "")
        assert place.exists()
    await pc.look()
    assert pc.came_of() == ("removed", "")
    assert not place.exists()


async def test_d7_without_the_line_nothing_goes_and_a_word_taken_back_counts(house, pc):
    pc.have()
    pc.wish_away()
    pc.line_is_up = False
    await pc.look()
    assert pc.came_of() == ("wanted", "")
    who = pc.terminal.who.terminal
    house.books.do(modules.wish, who, PHYSICS, PackageWish.INSTALL, "tests")
    for told in house.books.heard():
        pc.terminal.hear(told, Channel.DESIRED)
    pc.line_is_up = True
    await pc.look()
    assert pc.came_of() == ("kept", "wanted_again")
    assert pc.store.current(PHYSICS) is not None


def test_d7_a_module_is_needed_by_what_needs_it_through_another():
    requires = {"racer": ("physics",), "physics": ("maths",), "loop": ("loop",)}
    programs = [Needing(name="Racer", package="racer"), Needing(name="Loop", package="loop")]
    assert needed_by("maths", programs, requires, ()) == ("Racer",)
    assert needed_by("maths", programs, requires, {"racer"}) == ()
