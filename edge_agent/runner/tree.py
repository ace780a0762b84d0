"""Who belongs to a session: its first process, all it started, and what carries its mark."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

MARK_RUNNER: Final = "RUSUBAN_RUNNER"
"""The environment variable that names the runner (by its state folder) to all a program starts."""

MARK_SESSION: Final = "RUSUBAN_SESSION"
"""The environment variable that names the session to all a program starts."""

STAT_BYTES_MAX: Final = 4096
"""Bytes of a process's line in /proc: about fifty numbers and a name of at most 64 bytes."""

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

NAME_LENGTH_MAX: Final = 15
"""Characters of a process's name that the kernel keeps."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One process for certain: a pid is used again, a pid and its start are not.

    The start is in ticks since boot: psutil's `create_time` moves when the wall clock is set.
    """

    pid: int
    born_ticks: int

    @property
    def born_boot_seconds(self) -> float:
        """Return when it was started, in seconds since boot: proc(5) counts suspend in it."""
        return self.born_ticks / _TICKS_A_SECOND


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One process at the instant of looking."""

    identity: Identity
    parent_pid: int
    group_pid: int
    """The pid that made its session with setsid: a program's first process did."""
    is_dead: bool
    """Whether only its exit code is left, which its parent has yet to take."""


def look() -> dict[int, Seen]:
    """Return every process there is, by pid."""
    return {pid: seen for pid in psutil.pids() if (seen := look_at(pid))}


def look_at(pid: int) -> Seen | None:
    """Return the process with this pid, or None."""
    try:
        stat = _read_stat(pid)
    except OSError:
        return None
    # Counted from behind the name, which may hold anything, brackets and blanks too: see proc(5).
    state, parent, _, group, *others = stat[stat.rindex(b")") + 2 :].split()
    threads, born = int(others[13]), int(others[15])
    return Seen(
        identity=Identity(pid=pid, born_ticks=born),
        parent_pid=int(parent),
        group_pid=int(group),
        is_dead=state in {b"Z", b"X"} and threads <= 1,
    )


def is_alive(identity: Identity) -> bool:
    """Return whether this very process still runs."""
    seen = look_at(identity.pid)
    return seen is not None and seen.identity == identity and not seen.is_dead


def marks(runner: str, session: str) -> dict[str, str]:
    """Return the environment that all processes of a session inherit."""
    return {MARK_RUNNER: runner, MARK_SESSION: session}


def marked(seen: Iterable[Seen], runner: str) -> dict[Identity, str]:
    """Return the living processes that carry this runner's mark, and the session each names."""
    sessions = ((process.identity, _session_of(process, runner)) for process in seen)
    return {identity: session for identity, session in sessions if session}


def family(seen: Mapping[int, Seen], members: Collection[Identity]) -> set[Identity]:
    """Return these processes and all their descendants, the living ones."""
    children: dict[int, list[Seen]] = {}
    for process in seen.values():
        children.setdefault(process.parent_pid, []).append(process)
    found = set(members)
    unvisited = [identity.pid for identity in members]
    while unvisited:
        for child in children.get(unvisited.pop(), ()):
            if child.identity not in found:
                found.add(child.identity)
                unvisited.append(child.identity.pid)
    return {identity for identity in found if not seen[identity.pid].is_dead}


def name_of(identity: Identity) -> str:
    """Return the name of a process as the kernel keeps it; empty when it is gone."""
    try:
        return Path(f"/proc/{identity.pid}/comm").read_text("utf-8", "replace").rstrip("\n")
    except OSError:
        return ""


def listens_on(identity: Identity, port: int) -> bool:
    """Return whether a process takes TCP connections on a port of this PC."""
    try:
        connections = psutil.Process(identity.pid).net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return False
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        for one in connections
    )


def open_pidfd(identity: Identity) -> int | None:
    """Return a file descriptor that stands for this very process, or None when it is gone."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return None
    seen = look_at(identity.pid)
    if seen is not None and seen.identity == identity:
        return descriptor
    os.close(descriptor)
    return None


def send(identity: Identity, number: signal.Signals) -> None:
    """Send a signal to this very process; one that is gone, or is another user's, is let be."""
    descriptor = open_pidfd(identity)
    if descriptor is None:
        return
    try:
        signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return
    finally:
        os.close(descriptor)


def _read_stat(pid: int) -> bytes:
    """Return the line of this process; all are read at each end, and a Path takes twice as long."""
    descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    try:
        return os.read(descriptor, STAT_BYTES_MAX)
    finally:
        os.close(descriptor)


def _session_of(process: Seen, runner: str) -> str | None:
    if process.is_dead:
        return None
    try:
        environment = psutil.Process(process.identity.pid).environ()
    except (psutil.Error, OSError):
        return None
    return environment.get(MARK_SESSION) if environment.get(MARK_RUNNER) == runner else None
