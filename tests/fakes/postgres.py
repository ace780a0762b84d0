"""A real PostgreSQL server for tests: on a free port, in a folder of its own, started once.

It does not sync its files, since no test here pulls the plug; what is promised of a kill of *our*
process holds all the same, and what a server keeps of its own crash is the server's to prove.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections import deque
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from cloud_controller.storage.postgres import Database, migrate

USER = "rusuban"
PASSWORD = "not-a-secret"  # noqa: S105 - of a server that lives as long as a test run
TEMPLATE = "migrated"
START_SECONDS = 30
KEPT = 16
"""Databases of ten megabytes each."""

MEMORY_BYTES = 1 << 30
_NAMES = count(1)


class Server:
    """A cluster made for this process, which goes when this process does."""

    def __init__(self) -> None:
        self._made: deque[str] = deque()
        self.folder = Path(tempfile.mkdtemp(prefix="rusuban-postgres-", dir=_memory()))
        self._as_somebody = _as_somebody(self.folder)
        secret = self.folder / "password"
        secret.write_text(PASSWORD, "utf-8")
        self._run(
            *(_program("initdb"), "--pgdata", str(self.folder / "data"), "--no-sync"),
            *("--username", USER, "--pwfile", str(secret), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C"),
        )
        self.port = _free_port()
        self.start()
        atexit.register(self.close)

    def start(self) -> None:
        """Start it, or start it again."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "max_connections": 100,
            "max_wal_size": "256MB",
            "autovacuum": "off",
            "deadlock_timeout": "50ms",  # as operations.md advises
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_somebody, _program("postgres"), "-D", str(self.folder / "data"), *words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.do("SELECT 1")
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text("utf-8")
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.02)

    def kill(self) -> None:
        """Let it crash."""
        self._process.send_signal(3)  # SIGQUIT is its own word for it
        self._process.wait()

    def close(self) -> None:
        """End it, and take away everything it had."""
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def do(self, *statements: str) -> None:
        """Run statements about databases, each by itself."""
        do(self.database("postgres"), *statements)

    def database(self, name: str) -> Database:
        """Return how to reach a database of it."""
        url = f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"
        return Database(url=url, password=PASSWORD)

    def empty(self) -> Database:
        """Return a new database with nothing in it."""
        return self._copy("template0")

    def migrated(self) -> Database:
        """Return a new database with the whole schema."""
        self._make_template()
        return self._copy(TEMPLATE)

    def _copy(self, template: str) -> Database:
        """Return a new database; what tests before the last ones had is taken away."""
        name = f"test_{next(_NAMES)}"
        self.do(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        self._made.append(name)
        if len(self._made) > KEPT:
            self.do(f"DROP DATABASE {self._made.popleft()} WITH (FORCE)")
        return self.database(name)

    @cache  # noqa: B019 - a server is made once
    def _make_template(self) -> None:
        self.do(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        migrate(self.database(TEMPLATE))

    def _run(self, *words: str) -> None:
        subprocess.run(
            [*self._as_somebody, *words], cwd=self.folder, check=True, capture_output=True
        )


@cache
def server() -> Server:
    """Return this process's server; the first call starts it."""
    return Server()


def do(database: Database, *statements: str) -> None:
    """Run statements in a database, each by itself, past every port."""
    with psycopg.connect(database.conninfo(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds, past every port."""
    with psycopg.connect(database.conninfo()) as connection:
        return connection.execute(query).fetchall()


def _program(name: str) -> str:
    """Return one of the server's programs, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else (shutil.which(name) or name)


def _as_somebody(folder: Path) -> list[str]:
    """Return what to begin a command with, so that the server is not root and goes when we go."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "QUIT"]
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig", "QUIT"]


def _memory() -> str | None:
    """Return a folder in memory, where a copy of a database takes a tenth of the time, or None."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    if not shared.is_dir() or not os.access(shared, os.W_OK):
        return None
    there = os.statvfs(shared)
    return str(shared) if there.f_bavail * there.f_frsize > MEMORY_BYTES else None


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
