"""Wipes by a real runner: asked for by a program's name, done once, told how far and why not."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from common.rules.sessions import EndReason
from edge_agent.runner.catalogue import CatalogueIsWrong, read_catalogue
from edge_agent.runner.wire import EventKind, Refusal, WipeRecord
from tests.rim.runner_kit import Terminal, a_start, terminal_in


def profile_in(folder: Path, *, files: int = 3) -> Path:
    """Return the folder that the program `messy` keeps its users' traces in."""
    profile = folder / "home" / "profile"
    profile.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (profile / f"trace-{number}").write_text("somebody was here")
    return profile


async def wipe(terminal: Terminal, run: str, program: str = "messy") -> WipeRecord:
    """Have folders emptied and return what became of it."""
    begun = await terminal.link.wipe(run, program)
    assert isinstance(begun, WipeRecord), begun
    return await terminal.wipe_done(run)


async def test_folders_are_emptied_once_and_whoever_asks_again_is_told_so(tmp_path: Path):
    profile = profile_in(tmp_path)
    async with terminal_in(tmp_path) as terminal:
        done = await wipe(terminal, "u-1")
        assert (done.entries, done.fault, list(profile.iterdir())) == (3, "", [])
        profile_in(tmp_path)
        assert await terminal.link.wipe("u-1", "messy") == done
        assert len(list(profile.iterdir())) == 3, "what was asked before is not done again"
        assert await terminal.link.wipe("u-1", "game") is Refusal.BAD_REQUEST


async def test_a_program_without_folders_has_nothing_to_be_emptied(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        assert (await wipe(terminal, "u-1", "game")).entries == 0
        assert await terminal.link.wipe("u-2", "nobody") is Refusal.UNKNOWN_PROGRAM


async def test_what_was_in_the_way_is_told(tmp_path: Path):
    profile = profile_in(tmp_path)
    moved = profile.rename(tmp_path / "elsewhere")
    profile.symlink_to(moved)
    async with terminal_in(tmp_path) as terminal:
        assert "Not a directory" in (await wipe(terminal, "u-1")).fault
    assert len(list(moved.iterdir())) == 3


async def test_nothing_of_a_program_that_runs_is_emptied_under_it(tmp_path: Path):
    """Also not by the name of another program that shares a folder with it."""
    profile = profile_in(tmp_path)
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.start(a_start("s-1", program="messy"))
        for program in ("messy", "neighbour"):
            assert await terminal.link.wipe(f"u-{program}", program) is Refusal.STILL_LIVE
        assert len(list(profile.iterdir())) == 3
        await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
        await terminal.event(EventKind.ENDED, "s-1")
        assert (await wipe(terminal, "u-messy")).entries == 3


async def test_a_wipe_makes_way_for_a_program_that_is_started_and_goes_on_after_it(tmp_path: Path):
    """An operator has opened the device before it was over."""
    profile = profile_in(tmp_path, files=30_000)
    async with terminal_in(tmp_path) as terminal:
        assert isinstance(await terminal.link.wipe("u-1", "messy"), WipeRecord)
        await terminal.link.start(a_start("s-1", program="messy"))
        await asyncio.sleep(0.1)
        left = len(list(profile.iterdir()))
        await asyncio.sleep(0.3)
        assert len(list(profile.iterdir())) == left > 0
        await terminal.link.stop("s-1", EndReason.STAFF_ENDED)
        done = await terminal.wipe_done("u-1")
        assert (done.fault, list(profile.iterdir())) == ("", [])


async def test_the_runners_own_files_are_never_inside_of_what_is_emptied(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        assert await terminal.link.wipe("u-1", "reckless") is Refusal.BAD_REQUEST


async def test_a_wipe_that_was_cut_off_is_begun_again_by_the_next_runner(tmp_path: Path):
    profile = profile_in(tmp_path, files=2_000)
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.wipe("u-1", "messy")
        await terminal.kill_runner()
        await terminal.start_runner()
        done = await wipe(terminal, "u-1")
        assert (done.fault, list(profile.iterdir())) == ("", [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('wipe = ["/games"]', "2 deep at least"),
        ('wipe = ["/"]', "2 deep at least"),
        ('wipe = ["games/me"]', "absolute"),
        ('wipe = ["/games/me/../you"]', "absolute"),
        ('wipe = "/games/me"', "a list"),
        ('wipe = ["/games/me\\u0000"]', "a list"),
        ("wipe = [7]", "a list"),
        ('reset = "nobody"', "names no command"),
        ('reset = "rm -rf"', "names no command"),
    ],
)
def test_a_catalogue_that_would_empty_or_run_anything_else_is_refused(
    tmp_path: Path, line: str, why: str
):
    file = tmp_path / "catalogue.toml"
    file.write_text(f'[programs.game]\nargv = ["/bin/true"]\n{line}\n')
    with pytest.raises(CatalogueIsWrong, match=why):
        read_catalogue(file)


def test_a_catalogue_says_what_a_program_resets_and_empties(tmp_path: Path):
    file = tmp_path / "catalogue.toml"
    file.write_text(
        '[programs.game]\nargv = ["/bin/true"]\nreset = "clean"\nwipe = ["/games/kiosk"]\n'
        '[commands.clean]\nargv = ["/bin/true"]\n'
    )
    program = read_catalogue(file).programs["game"]
    assert (program.reset, [os.fspath(each) for each in program.wipe]) == (
        "clean",
        ["/games/kiosk"],
    )
