"""A program that comes as a package, with the modules it needs: what is started, from where."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import pytest

from common.rules.sessions import EndReason
from edge_agent.inventory.programs import FileDigests, programs_found
from edge_agent.modules import Store
from edge_agent.modules.unpack import Bounds
from edge_agent.runner.catalogue import CatalogueIsWrong, read_catalogue
from edge_agent.runner.packages import PackageCannotBeUsed, Packages
from edge_agent.runner.wire import EventKind, ProgramRecord, Refusal
from tests.rim.packed import archive, package_in
from tests.rim.runner_kit import Terminal, a_start, terminal_in
from tests.waiting import until

CATALOGUE = """
[programs.kart]
package = "kart"
modules = ["physics", "optics"]
argv = ["{package}/bin/kart", "{package}", "FOLDER/seen"]
"""

KART = b"""#!/bin/sh
echo "$1 $RUSUBAN_PACKAGE $RUSUBAN_MODULE_PHYSICS $RUSUBAN_MODULE_OPTICS" > "$2.new"
mv "$2.new" "$2"
exec sleep 3600
"""


def installed(
    folder: Path, package: str, version: str, files: dict[str, bytes], kind: str = "program"
) -> Path:
    """Install a version of a package as the agent does; return where its files are."""
    content = archive(files, executable=tuple(files))
    file = folder / f"{package}.zip"
    file.write_bytes(content)
    fetched = package_in(content, package, version, kind)
    store = Store(folder / "packages")
    made = store.stage(fetched, 1, file, Bounds(files=9, unpacked_bytes=9_999))
    store.activate(made)
    return Path(made.folder)


def all_installed(folder: Path) -> tuple[Path, Path]:
    """Install the program and one of its modules; the other was here already."""
    kart = installed(folder, "kart", "1.0", {"bin/kart": KART})
    physics = installed(folder, "physics", "2.3", {"physics.dat": b"9.81"}, kind="module")
    (folder / "optics").mkdir(exist_ok=True)
    return kart, physics


def may_be_taken_away(folder: Path) -> bool:
    """Say whether nobody holds a version: what tidies up takes this lock before it does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def catalogue_in(folder: Path) -> str:
    return CATALOGUE.replace("FOLDER", str(folder))


async def refused(terminal: Terminal, session: str, fence: int) -> bool:
    answer = await terminal.link.start(a_start(session, program="kart", fence=fence))
    return answer is Refusal.CANNOT_START


async def test_a_program_is_started_from_its_package_and_told_where_its_modules_are(
    tmp_path: Path,
):
    kart, physics = all_installed(tmp_path)
    async with terminal_in(tmp_path, catalogue_in(tmp_path)) as terminal:
        assert isinstance(await terminal.link.start(a_start(program="kart")), ProgramRecord)
        await until((tmp_path / "seen").exists)
        said = (tmp_path / "seen").read_text().split()
        assert said == [str(kart), str(kart), str(physics), str(tmp_path / "optics")]
        assert not may_be_taken_away(kart)
        assert not may_be_taken_away(physics)
        await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
        await terminal.event(EventKind.ENDED, "s-1")
        assert may_be_taken_away(kart)
        assert may_be_taken_away(physics)


async def test_what_a_program_runs_from_stays_when_its_runner_is_killed(tmp_path: Path):
    kart, physics = all_installed(tmp_path)
    async with terminal_in(tmp_path, catalogue_in(tmp_path)) as terminal:
        await terminal.link.start(a_start(program="kart"))
        await until((tmp_path / "seen").exists)
        await terminal.kill_runner(signal.SIGKILL)
        assert len(terminal.programs()) == 1
        assert not may_be_taken_away(kart)
        assert not may_be_taken_away(physics)
        await terminal.start_runner()
        assert not may_be_taken_away(kart)


async def test_a_program_does_not_start_without_its_modules(tmp_path: Path):
    kart, physics = all_installed(tmp_path)
    (tmp_path / "optics").rmdir()
    async with terminal_in(tmp_path, catalogue_in(tmp_path)) as terminal:
        assert await refused(terminal, "s-1", 1)
        (tmp_path / "optics").mkdir()
        (physics.parent / "current.json").unlink()
        assert await refused(terminal, "s-2", 2)
        (kart.parent / "current.json").write_text('{"version": "../..", "sha256": ""}')
        assert await refused(terminal, "s-3", 3)
        assert terminal.programs() == []
        assert may_be_taken_away(kart), "what was not started holds nothing"


def test_a_file_that_is_not_as_it_was_installed_is_not_started(tmp_path: Path):
    kart, _ = all_installed(tmp_path)
    (tmp_path / "catalogue").write_text(catalogue_in(tmp_path))
    program = read_catalogue(tmp_path / "catalogue").programs["kart"]
    packages = Packages(tmp_path / "packages", {"optics": tmp_path / "optics"})
    packages.prepare(program).let_go()
    (kart / "bin/kart").write_bytes(KART + b"#")
    with pytest.raises(PackageCannotBeUsed, match="not as it was installed"):
        packages.prepare(program)
    (kart / "bin/kart").write_bytes(KART)
    (kart / "bin").chmod(0o777)
    with pytest.raises(PackageCannotBeUsed, match="can be changed by others"):
        packages.prepare(program)
    (kart / "bin").chmod(0o755)
    (kart / "manifest.json").write_text("{}")
    with pytest.raises(PackageCannotBeUsed, match="none of its files"):
        packages.prepare(program)
    assert may_be_taken_away(kart)


def test_a_new_version_is_what_the_next_start_gets(tmp_path: Path):
    old, _ = all_installed(tmp_path)
    (tmp_path / "catalogue").write_text(catalogue_in(tmp_path))
    program = read_catalogue(tmp_path / "catalogue").programs["kart"]
    packages = Packages(tmp_path / "packages", {"optics": tmp_path / "optics"})
    running = packages.prepare(program)
    new = installed(tmp_path, "kart", "1.1", {"bin/kart": KART + b"#"})
    started = packages.prepare(program)
    assert started.argv[0] == str(new / "bin/kart")
    assert not may_be_taken_away(old)
    running.let_go()
    assert may_be_taken_away(old)
    started.let_go()


def test_ours_goes_before_a_module_that_was_here_already(tmp_path: Path):
    _, physics = all_installed(tmp_path)
    (tmp_path / "catalogue").write_text(catalogue_in(tmp_path))
    program = read_catalogue(tmp_path / "catalogue").programs["kart"]
    elsewhere = {"optics": tmp_path / "optics", "physics": tmp_path / "optics"}
    prepared = Packages(tmp_path / "packages", elsewhere).prepare(program)
    assert prepared.environment["RUSUBAN_MODULE_PHYSICS"] == str(physics)
    prepared.let_go()


@pytest.mark.parametrize(
    "wrong",
    [
        'argv = ["{package}/bin/kart"]',
        'package = "Kart"\nargv = ["{package}/bin/kart"]',
        'package = "kart"\nargv = ["{package}/../bin/kart"]',
        'package = "kart"\nargv = ["bin/kart"]',
        'argv = ["/bin/true"]\nmodules = "physics"',
        'argv = ["/bin/true"]\nmodules = ["physics", "physics"]',
        'argv = ["/bin/true"]\nmodules = ["../physics"]',
        'argv = ["/bin/true"]\nmodules = [1]',
        'argv = ["/bin/true"]\nenvironment = { RUSUBAN_MODULE_PHYSICS = "/tmp" }',
    ],
)
def test_a_catalogue_names_packages_and_modules_plainly_or_is_not_used(tmp_path: Path, wrong: str):
    (tmp_path / "catalogue").write_text(f"[programs.kart]\n{wrong}\n")
    with pytest.raises(CatalogueIsWrong):
        read_catalogue(tmp_path / "catalogue")


def test_d1_a_program_that_comes_as_a_package_counts_as_there_before_it_is_fetched(tmp_path: Path):
    (tmp_path / "catalogue").write_text(catalogue_in(tmp_path) + 'version = "1.0"\n')
    programs = read_catalogue(tmp_path / "catalogue").programs
    (found,) = programs_found(programs, tmp_path, FileDigests())
    assert (found.program, found.version, found.digest) == ("kart", "1.0", None)
