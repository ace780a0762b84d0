"""A store whose time another controller sells: two real controllers, a database each."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from tests.demo.world import SCRIPTS, DidNotHappen, SlotTerms, World, _started

KEEPER: Final = "keeper"

LONG: Final = SlotTerms(lengths_seconds=(15,), grid_seconds=1, warn_before_seconds=(1,))
"""A use in which somebody can die and come back."""


@dataclass(kw_only=True)
class World2(World):
    """A world whose reservations are kept by a second controller: customers call that one."""

    keeper_port: int = 0
    peers_port: int = 0
    keeper: subprocess.Popen[bytes] | None = None
    store_url: str = ""

    @override
    def _controller_settings(self) -> str:
        apart = 'roles = ["management", "service"]\n'
        kept = f'reservation = {{ bundle = "{self.folder / "keeper.json"}" }}\n'
        return apart + kept + super()._controller_settings()

    @property
    def keeper_folder(self) -> Path:
        return self.folder / KEEPER

    def open_keeper(self) -> None:
        """Start the keeper for the first time, and let the store's controller in."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.peers_port = free.getsockname()[1]
        self._write_keeper()
        bundle = str(self.folder / "keeper.json")
        self.ask_keeper("peers", "add", "tokyo", "--out", bundle)
        self.start_keeper()

    def start_keeper(self) -> None:
        """Start the keeper, and have customers call it from now on."""
        self._write_keeper()
        log = self.folder / "keeper.log"
        since = log.stat().st_size if log.exists() else 0
        keeper = self.keeper = self._serve(self.folder / "keeper.toml", log, "")
        line = self.wait_for("the keeper to start", lambda: _started(keeper, log, since=since))
        self.url = line["pages"]
        self.keeper_port = int(self.url.rsplit(":", 1)[1])
        self.wait_for("the keeper to be ready", self._is_ready)

    @override
    def start_controller(self) -> None:
        """Start the store's controller; customers go on calling the keeper."""
        keeper = self.url
        super().start_controller()
        self.store_url, self.url = self.url, keeper

    @override
    def operator(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API of the store's controller as its operator."""
        with self.at_the_store():
            return super().operator(method, path, body)

    @contextlib.contextmanager
    def at_the_store(self) -> Iterator[None]:
        """Call the store's controller instead of the keeper."""
        keeper, self.url = self.url, self.store_url
        try:
            yield
        finally:
            self.url = keeper

    def kill_keeper(self) -> None:
        assert self.keeper is not None
        os.kill(self.keeper.pid, signal.SIGKILL)
        self.keeper.wait()

    def stop_keeper(self) -> None:
        """Have the keeper hang: it takes what is said and answers nothing."""
        assert self.keeper is not None
        os.kill(self.keeper.pid, signal.SIGSTOP)

    def go_on_keeper(self) -> None:
        """Let it go on where it stood."""
        assert self.keeper is not None
        os.kill(self.keeper.pid, signal.SIGCONT)

    def kill_controller(self) -> None:
        assert self.controller is not None
        os.kill(self.controller.pid, signal.SIGKILL)
        self.controller.wait()

    def ask_keeper(self, *words: str) -> str:
        """Return what a command beside the keeper prints."""
        command = [str(SCRIPTS / "cloud-controller"), *words]
        settings = ["--settings", str(self.folder / "keeper.toml")]
        done = subprocess.run([*command, *settings], check=True, capture_output=True, text=True)
        return done.stdout

    def kept(self, query: str) -> list[sqlite3.Row]:
        """Return rows of the keeper's database."""
        file = f"file:{self.keeper_folder / 'books.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(file, uri=True)) as books:
            books.row_factory = sqlite3.Row
            return list(books.execute(query))

    @override
    def end(self) -> None:
        """End the keeper too."""
        if self.keeper is not None and self.keeper.poll() is None:
            self.keeper.kill()
            self.keeper.wait()
        super().end()

    def _write_keeper(self) -> None:
        (self.folder / "keeper.toml").write_text(
            f'state_folder = "{self.keeper_folder}"\n'
            'roles = ["reservation", "web"]\n'
            f"web = {{ port = {self.keeper_port} }}\nbroker = {{ ladder = 0 }}\n"
            f"peers = {{ port = {self.peers_port} }}\n"
        )


@contextlib.contextmanager
def two_apart(terms: SlotTerms) -> Iterator[World2]:
    """Give a keeper and a store's controller with a terminal, and take them away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rusuban-"))
    world = World2(folder=folder, terms=terms)
    try:
        world.open_keeper()
        world.start_controller()
        with world.at_the_store():
            world.add_terminal()
        yield world
    except DidNotHappen as fault:
        fault.add_note(world.ends_of_logs())
        raise
    finally:
        world.end()
        shutil.rmtree(folder, ignore_errors=True)
