"""A runner with a cgroup of its own: whatever a program does, its processes stay in one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.rules.sessions import EndReason
from edge_agent.runner.groups import PREFIX, delegated
from edge_agent.runner.tree import look_at
from edge_agent.runner.wire import EventKind
from tests.rim.runner_kit import a_start, parts_in, terminal_in
from tests.waiting import until


@pytest.fixture
def group() -> Iterator[Path]:
    """Return a cgroup for the runner alone, as the service manager delegates one."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    places = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    folder = Path(*places[:1]) / f"rusuban-test-{uuid.uuid4().hex}"
    try:
        if not places:
            pytest.skip("no cgroup2 is mounted on this PC")
        folder.mkdir()
        if not (folder / "cgroup.kill").exists():
            folder.rmdir()
            pytest.skip("this kernel's cgroups cannot be killed")
    except OSError as fault:
        pytest.skip(f"no cgroup can be made here: {fault.strerror}")
    yield folder
    for left in folder.glob(f"{PREFIX}*"):
        (left / "cgroup.kill").write_text("1")
        left.rmdir()
    folder.rmdir()


async def test_a_family_is_ended_whole_also_by_a_runner_that_did_not_start_it(
    tmp_path: Path, group: Path
):
    """Also the stray, which has no mark, no parent and no environment left."""
    async with terminal_in(tmp_path, group=group) as terminal:
        await terminal.link.start(a_start(program="stubborn"))
        await until(lambda: len(parts_in(tmp_path)) == 4)
        (theirs,) = _groups_in(group)
        inside = {int(pid) for pid in (theirs / "cgroup.procs").read_text().split()}
        assert inside == set(parts_in(tmp_path))
        await terminal.kill_runner()
        await terminal.start_runner()
        await terminal.link.extend("s-1", terminal.clock.boot_seconds() + 0.5)
        ended = await terminal.event(EventKind.ENDED, "s-1")
        assert ended.record.end_reason is EndReason.TIME_UP
        assert not any(map(_lives, parts_in(tmp_path)))
        assert not theirs.exists(), "an empty group is taken away"
        await terminal.kill_runner()


async def test_a_group_without_a_session_is_ended_by_the_next_runner(tmp_path: Path, group: Path):
    async with terminal_in(tmp_path, group=group) as terminal:
        await terminal.link.start(a_start(program="stubborn"))
        await until(lambda: len(parts_in(tmp_path)) == 4)
        await terminal.kill_runner()
        for file in terminal.settings.state_folder.iterdir():
            file.unlink()
        await terminal.start_runner()
        await until(lambda: not any(map(_lives, parts_in(tmp_path))))
        await terminal.kill_runner()


async def test_a_runner_beside_another_leaves_its_groups_alone(tmp_path: Path, group: Path):
    async with terminal_in(tmp_path / "one", group=group) as one:
        await one.link.start(a_start(program="stubborn"))
        await until(lambda: len(parts_in(tmp_path / "one")) == 4)
        async with terminal_in(tmp_path / "two", group=group) as two:
            assert await two.link.list() == ()
            assert all(map(_lives, parts_in(tmp_path / "one")))
        await one.link.extend("s-1", one.clock.boot_seconds() + 0.3)
        ended = await one.event(EventKind.ENDED, "s-1")
        assert ended.record.end_reason is EndReason.TIME_UP


def _groups_in(group: Path) -> list[Path]:
    return list(group.glob(f"{PREFIX}*"))


def _lives(pid: int) -> bool:
    """Return whether a process runs; what is left of one for an init that does not care is not."""
    seen = look_at(pid)
    return seen is not None and not seen.is_dead


def test_no_group_is_made_where_none_is_ours(tmp_path: Path):
    own, mounts = tmp_path / "cgroup", tmp_path / "mountinfo"
    home = tmp_path / "home"
    home.mkdir()
    own.write_text("12:pids:/x\n0::/\n")
    mounts.write_text(f"30 25 0:26 / {home} rw - cgroup2 cgroup2 rw\n")
    assert delegated("runner", own, mounts) is None, "the root of all has no cgroup.kill"
    own.write_text("12:pids:/x\n")
    assert delegated("runner", own, mounts) is None, "no cgroup2 at all"
    assert delegated("runner", tmp_path / "missing", mounts) is None
