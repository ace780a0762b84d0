"""A program's package and a licensed module: published, installed, counted, matched, taken off."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from typer.testing import CliRunner

from cloud_controller.main import command_line
from cloud_controller.web.routes import from_iso
from tests.demo.settings import PROGRAM
from tests.demo.telling import Line, Teller, step_of
from tests.demo.terminal import Terminal
from tests.demo.timeline import Step
from tests.demo.world import COLUMNS, expect

PROGRAM_PACKAGE: Final = "racer"
MODULE: Final = "physics"
ELSEWHERE: Final = "sound"
"""A module that lies on the PC before we come: another party's, also in the end."""

SEATS: Final = 2

MODULE_BYTES: Final = 3 * 1024 * 1024
"""Of the module: some chunks, so that there is something to fetch."""

HERS: Final = "sound.bin"
"""What lies in the other party's."""

NUMBERS: Final = ("via this", "obtained", "issued")
"""How the lines of the match begin in a report."""


class Packages:
    """How packages come onto a terminal and leave it, each step checked against books and disk."""

    def __init__(self, teller: Teller) -> None:
        self._world, self._now = teller.world, teller.now
        self._tell, self._waiting = teller.timeline.tell, teller.timeline.waiting

    def publish(self) -> None:
        """Make keys that the controller never has, and publish a program's package and a module."""
        made_at = self._now()
        stick = self._world.folder / "stick"
        self._say("modules", "init-keys", "--to", str(stick))
        published_at = self._now()
        requires = f'requires = ["{MODULE}", "{ELSEWHERE}"]'
        script = b'#!/bin/sh\nexec "$@"\n'
        self._publish(PROGRAM_PACKAGE, "program", {"bin/racer": script}, requires)
        table = bytes(range(256)) * (MODULE_BYTES // 256)
        self._publish(MODULE, "module", {"table.bin": table}, 'basis = "installed"')
        owned_at = self._now()
        self._say("seats", "own", MODULE, str(SEATS))
        self._tell(
            Step(at=made_at, who="operator", what="makes the keys that sign packages, on a stick"),
            Step(
                at=published_at,
                who="operator",
                what="publishes a program's package and a module",
                note=f"{PROGRAM_PACKAGE}, {MODULE}",
            ),
            Step(
                at=owned_at,
                who="operator",
                what="says what the licence allows",
                note=f"{SEATS} seats",
            ),
        )

    def furnish(self, terminal: Terminal) -> None:
        """Have a terminal's program come from its package, and need our module and another."""
        python = Path(sys.executable).absolute()
        argv = ["{package}/bin/racer", str(python), "-S", str(PROGRAM)]
        (terminal.folder / "catalogue.toml").write_text(
            f"""
[programs.racer]
argv = {json.dumps(argv)}
package = "{PROGRAM_PACKAGE}"
modules = ["{MODULE}", "{ELSEWHERE}"]
environment = {{ RUSUBAN_WORLD = "{self._world.folder}" }}
""",
            "utf-8",
        )
        (self._lies_elsewhere(terminal) / HERS).write_bytes(b"another party's")
        (root,) = (self._world.folder / "controller" / "packages" / "metadata").glob("1.root.json")
        with terminal.settings.open("a", encoding="utf-8") as settings:
            settings.write(f"""
[modules]
root = "{root}"
ask_each_seconds = 1

[[modules.elsewhere]]
module = "{ELSEWHERE}"
folder = "{self._lies_elsewhere(terminal)}"
""")

    def tell_install(self, terminal: Terminal) -> None:
        """Tell how packages came onto a terminal: the program's own first, a seat before a byte."""
        wait = self._world.wait_for_log
        with self._waiting("packages are fetched"):
            program = wait(terminal.log, "installed", package=PROGRAM_PACKAGE)
            module = wait(terminal.log, "installed", package=MODULE)
            (issued,) = self._world.wait_for("the issue", lambda: self._events("issued"))
            (counted,) = self._world.wait_for("the count", lambda: self._events("installed"))
        expect(counted["client"], issued["client"], f"client that has {MODULE}")
        instants = [from_iso(program["timestamp"]), issued["at"], counted["at"]]
        expect(instants, sorted(instants), "order of the program's part, the seat and the module")
        expect(self._seats(), (SEATS, 1), "seats owned and used")
        seats = f"{SEATS - 1} of {SEATS} are left"
        self._tell(
            step_of(program, terminal.name, "installs its program's own part", PROGRAM_PACKAGE),
            Step(at=issued["at"], who="controller", what="takes a seat, and logs it", note=seats),
            step_of(module, terminal.name, "fetches the module and installs it", MODULE),
        )

    def match(self) -> None:
        """Tell who uses which module, from wherever, and what that makes of the licence."""
        with self._waiting("the use is told"):
            used = self._world.wait_for("both to be told of", self._used)
        expect(sorted(used), [MODULE, ELSEWHERE], "modules that are used")
        sources = {name: json.loads(used[name]["facts"])["source"] for name in sorted(used)}
        expect(sources, {MODULE: "ours", ELSEWHERE: "elsewhere"}, "where they are from")
        at = self._now()
        told = self._say("modules", "report", MODULE).splitlines()
        lines = tuple(line.strip() for line in told if line.strip().startswith(NUMBERS))
        expect([line.split()[-1] for line in lines], ["1", "1", "0", "0"], "numbers of the match")
        what = "looks:  cloud-controller modules report"
        facts = {"told": list(lines), "sources": sources}
        lines += tuple(f"uses {name:<15}{source:>10}" for name, source in sources.items())
        self._tell(Step(at=at, who="operator", what=what, lines=lines, facts=facts))

    def take_off(self, terminal: Terminal) -> None:
        """Want the program off a terminal: its module goes with it, another party's stays."""
        name = self._world.wait_for_log(terminal.log, "started")["terminal"]
        at = self._now()
        self._world.operator(
            "POST", f"/api/v1/terminals/{name}/modules/{PROGRAM_PACKAGE}/uninstall"
        )
        with self._waiting("it is asked for and taken off"):
            (gone,) = self._world.wait_for("the uninstall", lambda: self._events("uninstalled"))
            denied = self._world.wait_for("the no", lambda: self._events("uninstall_denied"))
        allowed = self._events("uninstall_allowed")
        expect([each["module"] for each in allowed], [MODULE], "modules that may go")
        expect({each["module"] for each in denied}, {ELSEWHERE}, "modules that may not")
        expect(self._seats(), (SEATS, 0), "seats owned and used")
        ours = terminal.folder / "agent" / "modules" / MODULE
        left = [*ours.rglob("table.bin"), *self._lies_elsewhere(terminal).iterdir()]
        expect([each.name for each in left], [HERS], "what is left of both modules")
        self._tell(
            Step(at=at, who="operator", what=f"wants the program off {terminal.name}"),
            Step(
                at=allowed[0]["at"],
                who="controller",
                what="finds the module in its log: it may go",
                note=MODULE,
            ),
            Step(
                at=denied[0]["at"],
                who="controller",
                what="finds no line of this one: it stays",
                note=ELSEWHERE,
            ),
            Step(at=gone["at"], who=terminal.name, what="takes ours off", note=MODULE),
            Step(
                at=self._now(),
                who="controller",
                what="has the seat free again",
                note=f"{SEATS} of {SEATS}",
            ),
        )

    def _events(self, kind: str) -> list[Line]:
        query = "SELECT * FROM module_events WHERE kind = ? ORDER BY lseq"
        return [dict(row) for row in self._world.books(query, kind)]

    def _used(self) -> dict[str, Line] | None:
        """Return the first use of each module, once there are two."""
        used = {each["module"]: each for each in reversed(self._events("used"))}
        return used if len(used) > 1 else None

    def _seats(self) -> tuple[int, int]:
        (row,) = self._world.books("SELECT owned, used FROM seat_pools WHERE module = ?", MODULE)
        return row["owned"], row["used"]

    def _lies_elsewhere(self, terminal: Terminal) -> Path:
        folder = terminal.folder / "opt" / ELSEWHERE
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _say(self, *words: str) -> str:
        """Return what a command of the controller prints, beside the one that serves."""
        settings = ["--settings", str(self._world.folder / "controller.toml")]
        said = CliRunner(env={"COLUMNS": str(COLUMNS)}).invoke(command_line, [*words, *settings])
        expect(said.exit_code, 0, f"end of {' '.join(words)}: {said.output}")
        return said.stdout

    def _publish(self, package: str, kind: str, files: dict[str, bytes], more: str) -> None:
        source = self._world.folder / f"{package}-1.0"
        for name, content in files.items():
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o755 if name.startswith("bin/") else 0o644)
        description = self._world.folder / f"{package}-1.0.toml"
        description.write_text(
            f'package = "{package}"\nkind = "{kind}"\nversion = "1.0"\n'
            f'folder = "{source.name}"\ntitle = "{package}"\n{more}\n',
            "utf-8",
        )
        stick = str(self._world.folder / "stick")
        self._say("modules", "publish", str(description), "--keys", stick)


def _is_number_of(line: str) -> bool:
    return line.split(maxsplit=1)[0] in NUMBERS
