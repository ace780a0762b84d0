"""Folders are emptied, on a real file system, and nothing outside of them is ever touched (C6)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from edge_agent.runner.wipe import AGAIN_MAX, DEPTH_MAX, Wiped, WipeStops, wipe


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Return a program's folder with somebody's traces in it, beside what is nobody's business."""
    folder = tmp_path / "home" / "profile"
    (folder / "cache" / "deep").mkdir(parents=True)
    (folder / "cache" / "deep" / "cookies").write_text("secret")
    (folder / "save.dat").write_text("level 7")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_text("keep me")
    return folder


@pytest.fixture
def precious(profile: Path) -> Path:
    """Return the file outside."""
    return profile.parents[1] / "outside" / "precious"


def wiped(*folders: Path, before: Callable[[str], object] | None = None) -> int:
    """Empty folders and return how many entries were taken away."""
    found = Wiped()
    wipe([PurePosixPath(folder) for folder in folders], found, before)
    return found.entries


def why_not(*folders: Path, before: Callable[[str], object] | None = None) -> str:
    with pytest.raises(WipeStops) as caught:
        wiped(*folders, before=before)
    return str(caught.value)


def test_all_that_is_inside_is_gone_and_the_folder_stays_as_it_was(profile: Path):
    profile.chmod(0o750)
    before = profile.stat()
    assert wiped(profile) == 4
    assert list(profile.iterdir()) == []
    after = profile.stat()
    assert (after.st_ino, after.st_mode, after.st_uid) == (
        before.st_ino,
        before.st_mode,
        before.st_uid,
    )
    assert wiped(profile) == 0


def test_a_folder_that_is_not_there_is_empty(profile: Path):
    assert wiped(profile / "never", profile) == 4


def test_links_are_taken_away_and_what_they_lead_to_stays(profile: Path, precious: Path):
    (profile / "to-folder").symlink_to(precious.parent)
    (profile / "to-file").symlink_to(precious)
    (profile / "cache" / "to-root").symlink_to("/")
    (profile / "to-itself").symlink_to(profile)
    (profile / "dangling").symlink_to("/nowhere")
    os.link(precious, profile / "hard")
    wiped(profile)
    assert list(profile.iterdir()) == []
    assert precious.read_text() == "keep me"


@pytest.mark.parametrize("part", ["profile", "home"])
def test_a_folder_that_is_reached_by_a_link_is_not_emptied(profile: Path, part: str):
    real = profile if part == "profile" else profile.parent
    moved = real.rename(real.with_name("moved"))
    real.symlink_to(moved)
    assert "Not a directory" in why_not(profile)
    assert list(moved.rglob("cookies"))


def test_pipes_sockets_and_odd_names_are_taken_away_unopened(profile: Path):
    os.mkfifo(profile / "pipe")
    for name in ("-rf", "a\nb", " ", "..."):
        (profile / name).write_text("")
    (profile / os.fsdecode(b"\xff\xfe")).write_text("")
    wiped(profile)
    assert list(profile.iterdir()) == []


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(profile: Path, precious: Path):
    """Attack: it is swapped between the look at it and the step into it."""
    deep = profile / "cache" / "deep"
    swapped: list[str] = []

    def swap(name: str) -> None:
        if name == "deep" and not swapped:
            shutil.rmtree(deep)
            deep.symlink_to(precious.parent)
            swapped.append(name)

    wiped(profile, before=swap)
    assert swapped
    assert list(profile.iterdir()) == []
    assert precious.read_text() == "keep me"


def test_a_swap_at_every_moment_loses_nothing_outside(profile: Path, precious: Path):
    """Attack: two processes, one that wipes and one that swaps folder and link all the time."""
    game = profile / "game"
    script = (
        "import os, sys\n"
        "game, outside = sys.argv[1:]\n"
        "for turn in range(500):\n"
        "    try:\n"
        "        os.mkdir(game) if turn % 2 else os.symlink(outside, game)\n"
        "    except OSError: pass\n"
        "    try:\n"
        "        os.rmdir(game) if turn % 2 else os.unlink(game)\n"
        "    except OSError: pass\n"
    )
    argv = [sys.executable, "-c", script, str(game), str(precious.parent)]
    with subprocess.Popen(argv) as swapping:
        while swapping.poll() is None:
            try:
                wiped(profile)
            except WipeStops:
                continue
    assert precious.read_text() == "keep me"
    wiped(profile)
    assert list(profile.iterdir()) == []


def test_what_is_written_all_the_time_is_said_and_not_fought_for_ever(profile: Path):
    written = []

    def write(_name: str) -> None:
        written.append(_name)
        (profile / f"more-{len(written)}").write_text("")

    assert "still writes" in why_not(profile, before=write)
    assert len(written) < 3 * 2**AGAIN_MAX


def test_what_was_mounted_inside_is_not_entered(profile: Path, precious: Path):
    """Attack: a bind mount has the same device number as the folder around it."""
    (profile / "bound").mkdir()
    script = (
        f"mount --bind {precious.parent} {profile}/bound && "
        f"{sys.executable} -c '"
        "from pathlib import PurePosixPath\n"
        "from edge_agent.runner.wipe import Wiped, wipe\n"
        f'wipe([PurePosixPath("{profile}")], Wiped())\''
    )
    done = subprocess.run(
        ["/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare failed" in done.stderr:
        pytest.skip("this kernel gives nobody a mount of his own")
    assert "is mounted" in done.stderr, done.stderr
    assert precious.read_text() == "keep me"


def test_there_is_an_end_to_how_much_and_how_deep(profile: Path):
    found = Wiped(entries_max=3)
    with pytest.raises(WipeStops, match="more than 3 entries"):
        wipe([PurePosixPath(profile)], found)
    assert found.entries == 3
    deep = profile
    for _ in range(DEPTH_MAX):
        deep = deep / "d"
        deep.mkdir()
    assert "deeper than" in why_not(profile)
    shutil.rmtree(profile / "d")
    wiped(profile)


def test_it_stops_before_the_next_entry_when_it_is_told_to(profile: Path):
    found = Wiped()
    with pytest.raises(WipeStops, match="took too long"):
        wipe([PurePosixPath(profile)], found, lambda _: found.stop("it took too long"))
    assert found.entries == 1


def test_what_is_there_and_not_a_folder_is_said(profile: Path):
    assert "Not a directory" in why_not(profile / "save.dat")
