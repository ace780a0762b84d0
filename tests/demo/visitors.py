"""After the story: tell what a person does with the running store, until he leaves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from rich.table import Table
from rich.text import Text
from typer.testing import CliRunner

from cloud_controller.main import command_line
from cloud_controller.web.routes import from_iso
from common.rules.tickets import DenialReason
from tests.demo.story import ZONE
from tests.demo.telling import in_all_languages
from tests.demo.timeline import Step, Timeline, clock
from tests.demo.world import DidNotHappen, Terminal, World, expect

LOOK_SECONDS: Final = 0.1
"""Between two looks at logs and sessions: a person notices no delay, the machine no work."""

END: Final = "    Ctrl-C ends everything and leaves nothing behind."

_QUIET, _EXACTLY = "bright_black", "#3f93a8"
_TURNS = {"running_at": "runs", "ended_at": "has ended"}


class Visitors:
    """What has been told of each terminal and session, so that each line is told once."""

    def __init__(self, world: World, timeline: Timeline) -> None:
        self._world, self._timeline = world, timeline
        self._told: set[tuple[str, str]] = set()
        self._verdicts = {each.name: len(world.verdicts(each)) for each in world.terminals}
        self._told.update(key for key, _ in self._turns())

    def follow(self) -> NoReturn:
        """Tell what happens, for ever.

        Raises:
            DidNotHappen: the controller is gone.
        """
        while True:
            steps = [*self._new_verdicts(), *self._new_turns()]
            self._timeline.tell(*steps)
            time.sleep(LOOK_SECONDS)
            if self._world.controller is not None and self._world.controller.poll() is not None:
                message = "the controller has ended by itself"
                raise DidNotHappen(message)

    def _new_verdicts(self) -> Iterator[Step]:
        for terminal in self._world.terminals:
            verdicts = self._world.verdicts(terminal)
            for verdict in verdicts[self._verdicts[terminal.name] :]:
                yield _verdict_step(terminal, verdict)
            self._verdicts[terminal.name] = len(verdicts)

    def _new_turns(self) -> Iterator[Step]:
        for key, step in self._turns():
            if key not in self._told:
                self._told.add(key)
                yield step

    def _turns(self) -> Iterator[tuple[tuple[str, str], Step]]:
        """Return what has become of each session, the steps that are true by now."""
        for session in self._world.operator("GET", "/api/v1/sessions")["sessions"]:
            for turn, what in _TURNS.items():
                if session[turn] is not None:
                    at, name = from_iso(session[turn]), session["session"]
                    note = _note_of(session, turn)
                    step = Step(at=at, who="program", what=what, note=note, facts=session)
                    yield (name, turn), step


def invitation(world: World) -> Table:
    """Return how a person books and scans for himself."""
    one, two = (str(terminal.tickets) for terminal in world.terminals)
    screens = [world.wait_for_log(each.log, "screen")["address"] for each in world.terminals]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=2, justify="right", style=_QUIET)
    table.add_column(no_wrap=True)
    for number, words, exactly in (
        ("1", "Open the store, choose 1 minute, take the first time of seat 1:", world.url),
        ("2", "Save the ticket's picture into the folder that booth 1's scanner watches:", one),
        (
            *("", "or, where its page is /t/LINK:"),
            f"curl -o {one}/mine.png \\\n     {world.url}/api/v1/tickets/LINK/qr.png",
        ),
        ("3", "See here what comes of it, and on the booth's screen:", screens[0]),
        ("", "Booth 2's scanner watches, and its screen is:", f"{two}\n     {screens[1]}"),
        (
            "",
            "The API:",
            f"{world.url}/api/v1/openapi.json",
        ),
    ):
        table.add_row(number, words)
        if exactly:
            table.add_row("", Text(exactly, style=f"bold {_EXACTLY}"))
    return table


def way_into_the_console(world: World) -> str:
    """Return how a person becomes the owner, by the link that `cloud-controller init` prints.

    Raises:
        DidNotHappen: the command has failed.
    """
    settings = ["init", "--settings", str(world.folder / "controller.toml")]
    said = CliRunner().invoke(command_line, settings)
    expect(said.exit_code, 0, f"end of init: {said.output}")
    words = "Be the owner: this link opens the console, once, for whoever chooses a password:"
    return f" 4  {words}\n    {said.stdout.strip()}"


def _verdict_step(terminal: Terminal, verdict: Mapping[str, Any]) -> Step:
    at = from_iso(verdict["timestamp"])
    if verdict["opens"]:
        return Step(at=at, who=terminal.name, what="welcomes the customer")
    reason = DenialReason(verdict["reason"])
    facts = {"reason": reason.value, **in_all_languages(verdict)}
    what = "opens nothing"
    return Step(at=at, who=terminal.name, what=what, note=reason.value, facts=facts)


def _note_of(session: Mapping[str, Any], turn: str) -> str:
    if turn == "running_at":
        return f"until {clock(from_iso(session['deadline_at']), ZONE)[:8]}"
    return f"{session['end_reason']}, {session['delivered_seconds']} s delivered"
