"""Stands where the runner stands, with none of it: an echo, and a start after one bare commit."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from edge_agent.runner import records
from edge_agent.runner.records import Session

BOOT_ID = "0" * 36


def main(folder: Path, program: list[str]) -> None:
    """Answer one peer until it goes."""
    connection = opened(folder / "raw.sqlite")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "raw-runner.sock"))
        listening.listen(1)
        print("listening", flush=True)
        peer, _ = listening.accept()
    with peer, peer.makefile("rwb") as lines:
        for number, line in enumerate(lines):
            lines.write(start(connection, number, program) if line == b"start\n" else line)
            lines.flush()


def opened(file: Path) -> sqlite3.Connection:
    """Return a database set up as the runner's records are."""
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    for step in records.STEPS:
        connection.executescript(step)
    return connection


def start(connection: sqlite3.Connection, number: int, program: list[str]) -> bytes:
    """Commit what a runner writes, then start; return milliseconds and the instant of the start."""
    session = Session(
        session=f"s-{number:020}",
        device=f"d-{number:020}",
        program="signal",
        fence=number + 1,
        granted_seconds=3600.0,
        remaining_seconds=3600.0,
        boot_id=BOOT_ID,
        deadline_boot_seconds=3600.0,
    )
    began = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(records._INSERT, vars(session))
    connection.execute(records._RAISE_FENCE, {"device": session.device, "fence": session.fence})
    connection.execute("COMMIT")
    committed = (time.perf_counter() - began) * 1000
    spawned_at = time.monotonic_ns()
    child = subprocess.Popen(program, stdin=subprocess.DEVNULL, start_new_session=True)
    child.wait()
    return f"{committed} {spawned_at}\n".encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
