"""The runner's records: written before it is done; what has ended never changes again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from common.errors import CannotStart
from common.rules.sessions import LIVE, EndReason, SessionState
from edge_agent.runner.wire import CommandRecord, ProgramRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_NAME: Final = "runner.sqlite"
"""The file in the state folder."""

_SESSIONS: Final = """
CREATE TABLE sessions (
    session               TEXT PRIMARY KEY,
    device                TEXT NOT NULL,
    program               TEXT NOT NULL,
    fence                 INTEGER NOT NULL,
    state                 TEXT NOT NULL
                          CHECK (state IN ('starting', 'running', 'ending', 'ended', 'failed')),
    end_reason            TEXT,
    granted_seconds       REAL NOT NULL,
    remaining_seconds     REAL NOT NULL,
    delivered_seconds     REAL NOT NULL,
    boot_id               TEXT NOT NULL,
    deadline_boot_seconds REAL NOT NULL,
    running_boot_seconds  REAL,
    pid                   INTEGER,
    born_ticks            INTEGER,
    started_at            INTEGER,
    ended_at              INTEGER,
    CHECK (state NOT IN ('ended', 'failed') OR (end_reason IS NOT NULL AND ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_live_session_a_device ON sessions (device)
    WHERE state IN ('starting', 'running', 'ending');
CREATE TABLE fences (device TEXT PRIMARY KEY, highest INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE departures (boot_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""

_RUNS: Final = """
CREATE TABLE runs (
    run       TEXT PRIMARY KEY,
    command   TEXT NOT NULL,
    begun_at  INTEGER NOT NULL,
    is_done   INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER
) STRICT, WITHOUT ROWID;
"""

_RESTARTS: Final = """
ALTER TABLE sessions ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN lost_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN down_boot_seconds REAL;
CREATE TABLE broken (
    device    TEXT NOT NULL,
    program   TEXT NOT NULL,
    broken_at INTEGER NOT NULL,
    PRIMARY KEY (device, program)
) STRICT, WITHOUT ROWID;
"""

_RESUMES: Final = """
ALTER TABLE sessions ADD COLUMN checkpoint_at INTEGER;
ALTER TABLE sessions ADD COLUMN cut_reason TEXT;
ALTER TABLE sessions ADD COLUMN resume_by_boot_seconds REAL;
"""

STEPS: Final = (_SESSIONS, _RUNS, _RESTARTS, _RESUMES)
"""How the file is made and brought forward: each step leads from the version of its number."""

SCHEMA_VERSION: Final = len(STEPS)
"""What `user_version` says of a file this program made."""

RUNS_KEPT_MAX: Final = 1000
"""Runs of commands remembered: those of some days; nobody asks for one a day later."""

_FORGET_OLDEST: Final = """
DELETE FROM runs WHERE is_done = 1 AND run NOT IN (
    SELECT run FROM runs ORDER BY begun_at DESC LIMIT :kept
)
"""

_RAISE_FENCE: Final = """
INSERT INTO fences (device, highest) VALUES (:device, :fence)
ON CONFLICT (device) DO UPDATE SET highest = max(highest, excluded.highest)
"""


class RecordsCannotBeUsed(CannotStart):
    """The runner's records in {file} cannot be used: {why}."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One row: a session, its deadline on this boot's clock, and the process that carries it."""

    session: str
    device: str
    program: str
    fence: int
    state: SessionState = SessionState.STARTING
    end_reason: EndReason | None = None
    granted_seconds: float
    remaining_seconds: float
    delivered_seconds: float = 0.0
    boot_id: str
    deadline_boot_seconds: float
    running_boot_seconds: float | None = None
    pid: int | None = None
    born_ticks: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    restarts: int = 0
    """How often its program was started again."""
    lost_seconds: float = 0.0
    """For how long its program was down, and is counted neither as delivered nor as left over."""
    down_boot_seconds: float | None = None
    """Up to where the present time of being down is counted; None: it is up, or not yet."""
    checkpoint_at: int | None = None
    """When its seconds were last counted, if the wall clock could be trusted then."""
    cut_reason: EndReason | None = None
    """By what it was interrupted; it may go on once."""
    resume_by_boot_seconds: float | None = None
    """Until when it waits to go on; None: it does not wait."""

    @property
    def is_live(self) -> bool:
        """Return whether it still holds its device."""
        return self.state in LIVE

    @property
    def is_leaving(self) -> bool:
        """Return whether its end has begun; from then on its figures stand still."""
        return self.end_reason is not None

    @property
    def waits(self) -> bool:
        """Return whether it is interrupted and nobody has come yet to go on with it."""
        return self.resume_by_boot_seconds is not None and not self.is_leaving

    def counted(self, boot_seconds: float) -> Self:
        """Return it with its seconds counted up to this instant, never past the deadline."""
        if self.is_leaving:
            return self
        until = min(boot_seconds, self.deadline_boot_seconds)
        if self.waits:
            return replace(self, remaining_seconds=self.deadline_boot_seconds - until)
        began = until if self.running_boot_seconds is None else self.running_boot_seconds
        down = until if self.down_boot_seconds is None else self.down_boot_seconds
        lost_seconds = self.lost_seconds + max(0.0, until - down)
        return replace(
            self,
            remaining_seconds=self.deadline_boot_seconds - until,
            delivered_seconds=max(0.0, until - began - lost_seconds),
            lost_seconds=lost_seconds,
            down_boot_seconds=None if self.down_boot_seconds is None else max(down, until),
        )

    def record(self, *, is_broken: bool = False, ready_by: str = "") -> ProgramRecord:
        """Return what the agent is told of it; seconds to the millisecond."""
        return ProgramRecord(
            session=self.session,
            device=self.device,
            program=self.program,
            state=self.state,
            end_reason=self.end_reason,
            granted_seconds=round(self.granted_seconds, 3),
            remaining_seconds=round(self.remaining_seconds, 3),
            delivered_seconds=round(self.delivered_seconds, 3),
            started_at=self.started_at,
            ended_at=self.ended_at,
            restarts=self.restarts,
            lost_seconds=round(self.lost_seconds, 3),
            is_broken=is_broken,
            waits=self.waits,
            was_interrupted=self.cut_reason is not None and self.down_boot_seconds is None,
            ready_by=ready_by,
        )


_COLUMNS: Final = tuple(field.name for field in fields(Session))
_INSERT: Final = f"INSERT INTO sessions ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)})"  # noqa: S608 - our own column names
_UPDATE: Final = (
    f"UPDATE sessions SET {', '.join(f'{name} = :{name}' for name in _COLUMNS)}"  # noqa: S608 - our own column names
    " WHERE session = :session AND state NOT IN ('ended', 'failed')"
)


class Records:
    """The SQLite file; every call is one transaction, on the disk when it returns."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or make it, and hold it alone.

        Raises:
            RecordsCannotBeUsed: it is damaged, locked, too new, or not to be written.
        """
        self._file = folder / FILE_NAME
        with self._faults():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file.touch(mode=0o600)
            self._sql = sqlite3.connect(self._file, timeout=0, isolation_level=None)
        try:
            with self._faults():
                self._prepare()
        except RecordsCannotBeUsed:
            self._sql.close()
            raise

    def close(self) -> None:
        """Let the file go."""
        self._sql.close()

    def all(self) -> list[Session]:
        """Return every session that is not forgotten."""
        with self._faults():
            rows = self._sql.execute(f"SELECT {', '.join(_COLUMNS)} FROM sessions").fetchall()  # noqa: S608 - our own column names
        return [_session(row) for row in rows]

    def highest_fence(self, device: str) -> int:
        """Return the highest fence a start on this device was accepted with; 0 before the first."""
        with self._faults():
            row = self._sql.execute("SELECT highest FROM fences WHERE device = ?", (device,))
            found = row.fetchone()
        return int(found[0]) if found else 0

    def add(self, session: Session) -> None:
        """Write a new session and raise its device's fence."""
        with self._transaction():
            self._sql.execute(_INSERT, vars(session))
            self._sql.execute(_RAISE_FENCE, {"device": session.device, "fence": session.fence})

    def save(self, sessions: Iterable[Session]) -> None:
        """Write what became of these sessions; what has ended stays as it is."""
        with self._transaction():
            self._sql.executemany(_UPDATE, [vars(session) for session in sessions])

    def begin_again(self, session: Session) -> None:
        """Write a session anew that never came up: of all that has ended, that alone changes."""
        with self._transaction():
            self._sql.execute(
                "DELETE FROM sessions WHERE session = ? AND pid IS NULL"
                " AND state IN ('starting', 'failed')",
                (session.session,),
            )
            self._sql.execute(_INSERT, vars(session))

    def remove(self, session: str) -> None:
        """Forget a session that has ended."""
        with self._transaction():
            self._sql.execute(
                "DELETE FROM sessions WHERE session = ? AND state IN ('ended', 'failed')",
                (session,),
            )

    def run(self, run: str) -> CommandRecord | None:
        """Return how the run of this id stands, if there is one."""
        found = self._runs("run = ?", run)
        return found[0] if found else None

    def unfinished_runs(self) -> list[CommandRecord]:
        """Return every run whose end is not written."""
        return self._runs("is_done = ?", 0)

    def add_run(self, begun: CommandRecord, *, at: int) -> None:
        """Write that a command is to be run, and forget what nobody will ask for again."""
        with self._transaction():
            self._sql.execute(
                "INSERT INTO runs (run, command, begun_at) VALUES (?, ?, ?)",
                (begun.run, begun.command, at),
            )
            self._sql.execute(_FORGET_OLDEST, {"kept": RUNS_KEPT_MAX})

    def end_run(self, done: CommandRecord) -> None:
        """Write how a run has ended."""
        with self._transaction():
            self._sql.execute(
                "UPDATE runs SET is_done = 1, exit_code = ? WHERE run = ? AND is_done = 0",
                (done.exit_code, done.run),
            )

    def broken(self) -> set[tuple[str, str]]:
        """Return each device and program of it that is broken."""
        with self._faults():
            rows = self._sql.execute("SELECT device, program FROM broken").fetchall()
        return {(device, program) for device, program in rows}

    def add_broken(self, device: str, program: str, *, at: int) -> None:
        """Write that a program on a device is broken, for every runner to come."""
        with self._transaction():
            self._sql.execute(
                "INSERT OR IGNORE INTO broken (device, program, broken_at) VALUES (?, ?, ?)",
                (device, program, at),
            )

    def mend(self, device: str, program: str) -> None:
        """Write that it is broken no more."""
        with self._transaction():
            self._sql.execute(
                "DELETE FROM broken WHERE device = ? AND program = ?", (device, program)
            )

    def arrive(self) -> str | None:
        """Return the boot in which the runner last left on request, and note that it is back."""
        with self._transaction():
            row = self._sql.execute("SELECT boot_id FROM departures").fetchone()
            self._sql.execute("DELETE FROM departures")
        return str(row[0]) if row else None

    def leave(self, boot_id: str) -> None:
        """Note that the runner leaves on request: not a power cut."""
        with self._transaction():
            self._sql.execute("INSERT OR REPLACE INTO departures (boot_id) VALUES (?)", (boot_id,))

    def _runs(self, condition: str, value: str | int) -> list[CommandRecord]:
        statement = f"SELECT run, command, is_done, exit_code FROM runs WHERE {condition}"  # noqa: S608 - our own words
        with self._faults():
            rows = self._sql.execute(statement, (value,)).fetchall()
        return [
            CommandRecord(run=run, command=command, is_done=bool(is_done), exit_code=exit_code)
            for run, command, is_done, exit_code in rows
        ]

    def _prepare(self) -> None:
        self._sql.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = FULL")
        version = int(self._sql.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise RecordsCannotBeUsed(file=self._file, why="a newer version of Rusuban wrote them")
        health = self._sql.execute("PRAGMA quick_check(1)").fetchone()[0]
        if health != "ok":
            raise RecordsCannotBeUsed(file=self._file, why=health)
        with self._transaction():
            for step in STEPS[version:]:
                self._make(step)
            self._sql.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _make(self, step: str) -> None:
        for statement in filter(str.strip, step.split(";")):
            self._sql.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._faults():
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._sql.execute("COMMIT")
            finally:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise  # a rule was broken, not the disk: that is a bug
        except (sqlite3.Error, OSError) as fault:
            raise RecordsCannotBeUsed(file=self._file, why=fault) from None


def _session(row: tuple[object, ...]) -> Session:
    facts = dict(zip(_COLUMNS, row, strict=True))
    reason, cut = facts["end_reason"], facts["cut_reason"]
    typed = {
        "state": SessionState(str(facts["state"])),
        "end_reason": EndReason(str(reason)) if reason else None,
        "cut_reason": EndReason(str(cut)) if cut else None,
    }
    return Session(**{**facts, **typed})  # type: ignore[arg-type] # the columns are STRICT
