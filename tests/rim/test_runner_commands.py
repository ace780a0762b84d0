"""Commands of the catalogue: each run happens once, is told how it ended, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

from edge_agent.runner.beside import RunnerBeside
from edge_agent.runner.wire import CommandRecord, Refusal
from tests.rim.runner_kit import Terminal, is_there, parts_in, terminal_in
from tests.waiting import until


async def test_a_command_is_answered_at_once_and_its_end_is_told(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        begun = await terminal.link.run_command("r-1", "fails")
        assert begun == CommandRecord(run="r-1", command="fails", is_done=False, exit_code=None)
        done = await terminal.command_done("r-1")
        assert (done.is_done, done.exit_code, done.has_worked) == (True, 3, False)
        assert await terminal.link.run_command("r-1", "fails") == done


async def test_a_run_happens_once_however_often_it_is_asked_for(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        for _ in range(3):
            await terminal.link.run_command("r-1", "count")
        assert (await terminal.command_done("r-1")).has_worked
        await terminal.link.run_command("r-1", "count")
        assert await terminal.link.run_command("r-1", "fails") is Refusal.BAD_REQUEST
        assert _count(terminal) == 1
        await terminal.link.run_command("r-2", "count")
        await terminal.command_done("r-2")
        assert _count(terminal) == 2


async def test_a_command_that_takes_too_long_is_ended_whole(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.run_command("r-1", "hangs")
        await until(lambda: len(parts_in(tmp_path)) == 4)
        assert (await terminal.command_done("r-1")).exit_code is None
        assert not any(map(is_there, parts_in(tmp_path)))


async def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.run_command("r-1", "leaves")
        assert (await terminal.command_done("r-1")).exit_code == 0
        assert terminal.programs() == []


async def test_only_commands_of_the_catalogue_are_run(tmp_path: Path):
    async with terminal_in(tmp_path) as terminal:
        assert await terminal.link.run_command("r-1", "game") is Refusal.UNKNOWN_COMMAND
        assert await terminal.link.run_command("r-1", "/bin/true") is Refusal.UNKNOWN_COMMAND
        missing = await RunnerBeside(terminal.link).run_command("r-2", "missing")
        assert missing is not None
        assert (missing.is_done, missing.exit_code) == (True, None)


async def test_a_command_that_a_dead_runner_left_half_done_has_failed_and_leaves_nothing(
    tmp_path: Path,
):
    async with terminal_in(tmp_path) as terminal:
        await terminal.link.run_command("r-1", "hangs")
        await until(lambda: len(parts_in(tmp_path)) == 4)
        await terminal.kill_runner()
        await terminal.start_runner()
        again = await terminal.link.run_command("r-1", "hangs")
        assert isinstance(again, CommandRecord)
        assert (again.is_done, again.exit_code) == (True, None)
        await until(lambda: not terminal.programs())


def _count(terminal: Terminal) -> int:
    return (terminal.folder / "count").read_text().count("once")
