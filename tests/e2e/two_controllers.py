"""A root and its branch as real processes, each on a database of its own, to be killed at will."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from cloud_controller.commands.beside import once
from cloud_controller.settings import ControllerSettings
from common.rules.modules import ModuleEvent, ModuleEventKind

T = TypeVar("T")

ROOT, OSAKA = "root", "osaka"
PHYSICS: Final = "physics"
SCRIPT: Final = Path(sys.executable).parent / "cloud-controller"

WAIT_SECONDS_MAX: Final = 40.0
"""How long anything may take on a machine that is busy with other tests."""


@dataclass(kw_only=True)
class TwoControllers:
    """Both of them; leave it, and neither runs."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def settings(self, name: str, more: str) -> None:
        (self.folder / f"{name}.toml").write_text(
            f'state_folder = "{self.folder / name}"\n'
            f"web = {{ port = 0 }}\nbroker = {{ port = 0, ladder = 0 }}\n{more}\n"
        )

    def start(self, *names: str) -> None:
        """Start controllers, and return when they serve."""
        began = {name: len(self.log(name)) for name in names}
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                command = [str(SCRIPT), "serve", "--settings", f"{name}.toml"]
                self.running[name] = subprocess.Popen(command, cwd=self.folder, stderr=log)
        for name in names:
            self.wait_for(f"{name} to serve", partial(self._serves, name, began[name]))

    def _serves(self, name: str, since: int) -> bool:
        return '"started"' in self.log(name)[since:]

    def log(self, name: str) -> str:
        file = self.folder / f"{name}.log"
        return file.read_text() if file.exists() else ""

    def kill(self, *names: str) -> None:
        """Kill them as a power cut does, all at once."""
        for name in names:
            os.kill(self.running[name].pid, signal.SIGKILL)
        for name in names:
            self.running.pop(name).wait()

    def say(self, *words: str, of: str) -> str:
        """Say a command of an operator beside a controller; return what it prints."""
        done = subprocess.run(
            [SCRIPT, *words, "--settings", f"{of}.toml"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def rows(self, name: str, query: str) -> list[Mapping[str, Any]]:
        with closing(sqlite3.connect(f"file:{self.books(name)}?mode=ro", uri=True)) as seen:
            seen.row_factory = sqlite3.Row
            return [dict(row) for row in seen.execute(query)]

    def books(self, name: str) -> Path:
        return self.folder / name / "books.db"

    def state(self) -> str:
        """Return where the branch's exchange is."""
        rows = self.rows(OSAKA, "SELECT state FROM own_exchanges")
        return str(rows[0]["state"]) if rows else "idle"

    def counts(self) -> tuple[int, int]:
        """Return the seats that the branch owns, and those that the root has given it."""
        owned = self.rows(OSAKA, "SELECT owned FROM seat_pools")
        (given,) = self.rows(ROOT, "SELECT used FROM seat_pools")
        return (owned[0]["owned"] if owned else 0), given["used"]

    def issue(self, client: str, *, of: str) -> None:
        """Write a line of a controller's log of modules, beside it."""
        event = ModuleEvent(kind=ModuleEventKind.ISSUED, module=PHYSICS, client=client)
        settings = ControllerSettings.load(self.folder / f"{of}.toml")
        once(settings, lambda books: books.log_module(event))

    def clients(self, name: str) -> set[str]:
        """Return who got a module, by what a controller knows."""
        return {row["client"] for row in self.rows(name, "SELECT client FROM download_log")}

    def back_up(self, name: str) -> Path:
        """Write a backup of a controller's database."""
        backup = self.folder / f"{name}.backup"
        with (
            closing(sqlite3.connect(self.books(name))) as here,
            closing(sqlite3.connect(backup)) as there,
        ):
            here.backup(there)
        return backup

    def put_back(self, name: str, backup: Path) -> None:
        """Put a backup back in the place of the database of a controller that does not run."""
        for beside in ("-wal", "-shm"):
            self.books(name).with_name(f"books.db{beside}").unlink(missing_ok=True)
        shutil.copy(backup, self.books(name))

    def settle(self) -> None:
        self.wait_for("the exchange to end", lambda: self.state() == "idle")

    @staticmethod
    def wait_for(what: str, look: Callable[[], T], pause_seconds: float = 0.02) -> T:
        """Return what is found once there is something."""
        until = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < until:
            if found := look():
                return found
            time.sleep(pause_seconds)
        message = f"{what} did not happen in {WAIT_SECONDS_MAX} s"
        raise AssertionError(message)


@contextmanager
def two_controllers(folder: Path, owned: int) -> Iterator[TwoControllers]:
    """Start a root that owns seats and a branch that it lets in; kill both at the end."""
    two = TwoControllers(folder=folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    two.settings(ROOT, f"peers = {{ port = {port} }}")
    bundle = folder / "osaka.json"
    two.settings(OSAKA, f'upstream = {{ bundle = "{bundle}" }}')
    two.say("seats", "own", PHYSICS, str(owned), of=ROOT)
    two.say("peers", "add", OSAKA, "--out", str(bundle), of=ROOT)
    assert json.loads(bundle.read_text())["url"] == f"https://127.0.0.1:{port}"
    try:
        two.start(ROOT, OSAKA)
        yield two
    finally:
        two.kill(*two.running)
