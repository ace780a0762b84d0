"""Installs, from the signed lists to what programs get, on a real disk from a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from cloud_controller.ports import Published
from common.rules.modules import InstallFailure, InstallState
from common.system import SystemClock
from edge_agent.flows.modules import installs
from edge_agent.installed import StillRunning, locked
from edge_agent.modules.download import CannotBeHad, Line, Source
from edge_agent.modules.metadata import Trust
from edge_agent.modules.ports import Progress
from tests.fakes.packages_kit import FILES, PackagesInHand
from tests.rim.install_kit import Pc, package_of, why_mixed
from tests.rim.packed import tree

TWO = {**FILES, "bin/physics": b"#!/bin/sh\nexec false\n"}


class Kit(PackagesInHand):
    """Has two releases of the same package."""

    first: Published
    second: Published


class Clock(SystemClock):
    """The real clocks, and how far a test has put them on."""

    def __init__(self) -> None:
        super().__init__()
        self.on_seconds = 0.0

    @override
    def boot_seconds(self) -> float:
        return super().boot_seconds() + self.on_seconds


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """Two releases, published once for all tests here."""
    made = Kit(tmp_path_factory.mktemp("published"))
    made.first, made.second = made.publish(version="1.0"), made.publish(version="2.0", files=TWO)
    return made


async def test_d3_a_package_is_installed_once_however_often_it_is_asked_for(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            told: list[Progress] = []
            installer.telling.on_progress = told.append
            outcome = await installer.install(package_of(kit.first))
            again = await installer.install(package_of(kit.first))
    assert outcome == again
    assert (outcome.state, outcome.is_in_use) == (InstallState.PROBATION, True)
    current = pc.in_use()
    assert outcome.installed == current
    found = tree(Path(current.folder))
    found.pop("manifest.json")
    assert found == FILES
    assert [type_ for type_, _ in pc.said()] == ["module.installed"]
    (_, event) = pc.said()[0]
    assert (event["sha256"], event["digest"]) == (kit.first.sha256, current.digest)
    states = [each.state.value for each in told]
    assert list(dict.fromkeys(states)) == [
        *("reserved", "downloading", "verified", "staged", "activating", "probation")
    ]
    assert told[-1].done_bytes == told[-1].all_bytes == kit.first.length
    assert not list((pc.store.folder / ".parts").iterdir())


async def test_a_newer_release_takes_its_place_and_what_does_not_run_goes_back(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            await installer.install(package_of(kit.first))
            installer.praise("physics")
            await installer.look()
            assert pc.states() == {"1.0": "active"}
            await installer.install(package_of(kit.second))
            assert pc.states() == {"1.0": "superseded", "2.0": "probation"}
            assert pc.in_use().version == "2.0"
            installer.complain("physics", "it does not come up")
            await installer.look()
            rolled_back = await installer.install(package_of(kit.second))
    assert pc.states() == {"1.0": "active", "2.0": "rolled_back"}
    assert rolled_back.failure is InstallFailure.NOT_RUNNING
    assert pc.in_use().version == "1.0"
    assert why_mixed(pc, "physics", {"1.0": FILES}) is None
    assert [type_ for type_, _ in pc.said()][-1] == "module.rolled_back"


@pytest.mark.parametrize("word", ["praise", "complaint"])
async def test_what_is_said_of_one_release_is_no_word_on_the_next(kit, tmp_path: Path, word: str):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            await installer.install(package_of(kit.first))
            installer.praise("physics")
            await installer.look()
            if word == "praise":
                installer.praise("physics")
            else:
                installer.complain("physics", "its device was away")
            await installer.look()
            await installer.install(package_of(kit.second))
            await installer.look()
        assert pc.states() == {"1.0": "superseded", "2.0": "probation"}


async def test_probation_is_over_when_nobody_has_complained_and_all_is_whole(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url, clock=Clock())
        with pc.journal() as journal:
            installer = pc.installer(journal)
            await installer.install(package_of(kit.first))
            await installer.look()
            assert pc.states() == {"1.0": "probation"}
            pc.clock.on_seconds = 601
            await installer.look()
    assert pc.states() == {"1.0": "active"}


async def test_files_that_changed_on_probation_roll_it_back(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url, probation_seconds=0)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            await installer.install(package_of(kit.first))
            await installer.look()
            await installer.install(package_of(kit.second))
            (Path(pc.in_use().folder) / "data/table.bin").write_bytes(b"other")
            await installer.look()
    assert pc.states() == {"1.0": "active", "2.0": "rolled_back"}
    assert pc.installs()["2.0"].failure is InstallFailure.NOT_WHOLE
    assert why_mixed(pc, "physics", {"1.0": FILES}) is None


async def test_an_older_release_is_refused_though_all_trust_was_forgotten(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            await installer.install(package_of(kit.second))
            for file in (tmp_path / "trust").rglob("*.json"):
                file.unlink()
            outcome = await installer.install(package_of(kit.first))
    assert (outcome.state, outcome.failure) == (InstallState.FAILED, InstallFailure.TOO_OLD)
    assert pc.in_use().version == "2.0"
    assert [type_ for type_, _ in pc.said()] == ["module.installed", "module.failed"]


@pytest.mark.parametrize(
    "lie",
    [
        {"sha256": "0" * 64},
        {"length": 1},
        {"length": 0},
        {"target": "modules/physics/9.zip"},
        {"version": "9"},
        {"package": "optics"},
        {"kind": "program"},
    ],
    ids=str,
)
async def test_what_the_controller_names_must_be_what_is_signed(kit, tmp_path: Path, lie):
    """A stolen controller can say what it likes: nothing comes that offline keys did not sign."""
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            outcome = await pc.installer(journal).install(package_of(kit.first, **lie))
    assert outcome.failure is InstallFailure.NOT_SIGNED
    assert not pc.store.all_packages()


async def test_without_the_operators_root_nothing_is_installed(kit, tmp_path: Path):
    async with kit.served() as url:
        for number, root in enumerate((None, b"{}", b"")):
            pc = Pc(tmp_path / str(number), root, url)
            with pc.journal() as journal:
                outcome = await pc.installer(journal).install(package_of(kit.first))
            assert outcome.failure is InstallFailure.NO_ROOT


async def test_a_clock_that_is_behind_makes_no_list_fresh(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        later = {"issued_at": SystemClock().now_ms() + 2 * 86_400_000}
        with pc.journal() as journal:
            outcome = await pc.installer(journal).install(package_of(kit.first, document=later))
    assert outcome.failure is InstallFailure.STALE


async def test_a_release_for_newer_agents_waits_for_one(tmp_path: Path):
    kit = PackagesInHand(tmp_path / "published")
    first = kit.publish(version="1", min_agent="0.1")
    second = kit.publish(version="2", files=TWO, min_agent="9")
    async with kit.served() as url:
        pc = Pc(tmp_path / "pc", kit.root, url)
        with pc.journal() as journal:
            installer = pc.installer(journal)
            assert (await installer.install(package_of(first))).is_in_use
            outcome = await installer.install(package_of(second))
    assert outcome.failure is InstallFailure.NEEDS_NEWER_AGENT


async def test_a_disk_that_takes_nothing_fails_one_install_and_not_the_agent(kit, tmp_path: Path):
    """A file where the folder of packages should be: neither part nor version can be written."""
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        pc.store.folder.write_bytes(b"")
        with pc.journal() as journal:
            outcome = await pc.installer(journal).install(package_of(kit.first))
    assert not outcome.is_in_use


async def test_a_disk_without_room_takes_nothing_and_is_asked_again_later(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url, spare_bytes=1 << 60)
        with pc.journal() as journal:
            outcome = await pc.installer(journal).install(package_of(kit.first))
            assert outcome.failure is InstallFailure.DISK_FULL
            assert not list((pc.store.folder / ".parts").iterdir())
            pc.spare_bytes = 0
            outcome = await pc.installer(journal).install(package_of(kit.first))
    assert outcome.state is InstallState.PROBATION
    assert outcome.failure is None


async def test_whom_nobody_answers_gives_up_within_the_budget(kit, tmp_path: Path):
    pc = Pc(tmp_path, kit.root, "http://127.0.0.1:9", budget_seconds=0.01)
    with pc.journal() as journal:
        outcome = await pc.installer(journal).install(package_of(kit.first))
    assert outcome.failure is InstallFailure.UNREACHABLE


async def test_d8_removing_takes_all_versions_of_ours_but_none_that_runs(kit, tmp_path: Path):
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            installer, removed = pc.installer(journal), []
            installer.removing.tell = lambda _, install: removed.append(install.package.version)
            await installer.install(package_of(kit.first))
            await installer.install(package_of(kit.second))
            with locked(pc.store.folder, "physics"), pytest.raises(StillRunning):
                await installer.remove("physics", "2.0")
            assert await installer.remove("physics", "9") is None
            outcome = await installer.remove("physics", "2.0")
            assert await installer.remove("physics", "2.0") is None
    assert outcome is not None
    assert outcome.state is InstallState.REMOVED
    assert removed == ["2.0"]
    assert pc.states()["2.0"] == "removed"
    assert pc.store.current("physics") is None
    assert not tree(pc.store.folder)


@pytest.mark.parametrize("damage", [b"", b"!"])
async def test_an_archive_that_the_disk_has_not_kept_is_fetched_again(kit, tmp_path: Path, damage):
    """It is read once more as it lies there, before anything of it is unpacked."""
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        part = pc.store.part(kit.first.sha256)

        def damaged(progress: Progress) -> None:
            if progress.state is InstallState.VERIFIED and damages:
                part.write_bytes(damages.pop() + part.read_bytes()[1:])

        damages = [damage]
        with pc.journal() as journal:
            installer = pc.installer(journal)
            installer.telling.on_progress = damaged
            outcome = await installer.install(package_of(kit.first))
    assert outcome.is_in_use
    assert not damages
    assert why_mixed(pc, "physics", {"1.0": FILES}) is None


async def test_what_cannot_be_cleared_up_holds_up_no_install(kit, tmp_path: Path):
    """A folder left over that cannot be emptied, and an install that was interrupted."""
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        (pc.store.folder / "modules/physics").mkdir(parents=True)
        (pc.store.folder / "modules/physics/.trash-1.0-0").symlink_to(tmp_path)
        with pc.journal() as journal:
            journal.transact(installs.reserve, package_of(kit.first))
            installer, is_in_use = pc.installer(journal), asyncio.Event()
            installer.telling.on_progress = lambda progress: (
                is_in_use.set() if progress.state is InstallState.PROBATION else None
            )
            running = asyncio.ensure_future(installer.run())
            async with asyncio.timeout(20):
                await is_in_use.wait()
            running.cancel()
            await asyncio.wait({running})
    assert why_mixed(pc, "physics", {"1.0": FILES}) is None
    assert (tmp_path / "root.json").exists(), "no link is followed"


async def test_what_is_not_wanted_any_more_is_fetched_no_longer(kit, tmp_path: Path):
    """Nobody answers; a removal neither waits for that nor holds up another package."""
    pc = Pc(tmp_path, kit.root, "http://127.0.0.1:9", budget_seconds=10_000)
    with pc.journal() as journal:
        installer, is_fetching = pc.installer(journal), asyncio.Event()
        installer.telling.on_progress = lambda progress: (
            is_fetching.set() if progress.state is InstallState.DOWNLOADING else None
        )
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            going = group.create_task(installer.install(package_of(kit.first)), name="install")
            await is_fetching.wait()
            assert await installer.remove("physics", "1.0") is None
        assert going.result().failure is InstallFailure.NOT_WANTED


async def test_whoever_waits_no_longer_leaves_nothing_running(kit, tmp_path: Path):
    """Cut off in the middle of a download, the next installer goes on with it."""
    async with kit.served() as url:
        pc = Pc(tmp_path, kit.root, url)
        with pc.journal() as journal:
            going = asyncio.ensure_future(pc.installer(journal).install(package_of(kit.first)))
            await asyncio.sleep(0)
            going.cancel()
            with pytest.raises(asyncio.CancelledError):
                await going
            await pc.installer(journal).look()
    assert pc.states() == {"1.0": "probation"}


def test_signed_lists_are_looked_at_only_with_a_trusted_root(kit, tmp_path: Path):
    trust = Trust(tmp_path / "trust", tmp_path / "nowhere.json")
    source = Source(url="http://127.0.0.1:9")
    with pytest.raises(CannotBeHad) as fault:
        trust.find(package_of(kit.first), source, 0, Line())
    assert fault.value.failure is InstallFailure.NO_ROOT
