"""The words between agent and runner: requests, answers, events, and what each is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from common.rules.sessions import EndReason, SessionState


class Refusal(StrEnum):
    """Why the runner does not do what it is asked: a closed list."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_PROGRAM = "unknown_program"
    UNKNOWN_COMMAND = "unknown_command"
    UNKNOWN_SESSION = "unknown_session"
    DEVICE_IN_USE = "device_in_use"
    LATE_FENCE = "late_fence"
    TOO_LATE = "too_late"
    """The deadline has passed by the runner's own clock, however early it was asked."""
    CANNOT_START = "cannot_start"
    """The program could not be started: its file is missing, or not to be executed or trusted."""
    BROKEN = "broken"
    """The program has failed too often on this device, and nobody has mended it since."""
    NOT_JOURNALLED = "not_journalled"
    """The disk takes nothing, and nothing is done that was not written first."""
    TOO_MANY_KEPT = "too_many_kept"
    """The agent has not yet told the runner to forget the sessions it knows the end of."""
    TOO_MANY_RUN = "too_many_run"
    """More commands are under way than a terminal has use for."""
    STILL_LIVE = "still_live"
    """Only what has ended can be forgotten."""
    ALREADY_ENDED = "already_ended"
    """What ends or has ended is not extended."""


class EventKind(StrEnum):
    """What the runner says unasked."""

    RUNNING = "running"
    WARNED = "warned"
    RESTARTED = "restarted"
    """It had failed, and runs again; what was lost is not charged."""
    BROKEN = "broken"
    """It has failed once too often, and is started no more on this device until it is mended."""
    ENDED = "ended"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    COMMAND_DONE = "command_done"
    WIPE = "wipe"


@dataclass(frozen=True, kw_only=True)
class ProgramRecord:
    """One session as the runner knows it when asked; `*_at` are milliseconds since 1970 UTC."""

    session: str
    device: str
    program: str
    state: SessionState
    end_reason: EndReason | None
    granted_seconds: float
    remaining_seconds: float
    delivered_seconds: float
    started_at: int | None
    ended_at: int | None
    restarts: int = 0
    """How often the program has failed in this session and was started again."""
    lost_seconds: float = 0.0
    """For how long it was down; `delivered_seconds` is without them."""
    is_broken: bool = False
    """Whether this program on this device has used up its budget, and was not mended since."""
    waits: bool = False
    """It was interrupted by the PC's end, and waits to go on."""
    was_interrupted: bool = False
    """It waits, or it has gone on and its program is there again."""
    ready_by: str = ""
    """By which check of its catalogue it is known to run; empty: it is there, and no more."""

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> ProgramRecord:
        """Return the record of these JSON facts."""
        reason = facts["end_reason"]
        typed = {"state": SessionState(facts["state"]), "end_reason": reason and EndReason(reason)}
        return cls(**{**facts, **typed})


@dataclass(frozen=True, kw_only=True)
class RunnerEvent:
    """Something that happened to a session; `seconds_left` is told with a warning only."""

    kind: EventKind
    record: ProgramRecord
    seconds_left: int | None = None


@dataclass(frozen=True, kw_only=True)
class CommandRecord:
    """One run of a command as the runner knows it.

    `exit_code` is None while it runs, and when it could not be started, took too long, was killed
    or was cut off: then nothing is known of what it has done.
    """

    run: str
    command: str
    is_done: bool
    exit_code: int | None

    @property
    def has_worked(self) -> bool:
        """Return whether it has ended and says that it did what it is for."""
        return self.is_done and self.exit_code == 0


@dataclass(frozen=True, kw_only=True)
class CommandDone:
    """A command has ended, and all that it started with it."""

    record: CommandRecord


@dataclass(frozen=True, kw_only=True)
class WipeRecord:
    """One wipe of a program's folders as the runner knows it.

    `entries` are those taken away so far; `fault` is what was in the way, empty: nothing.
    """

    run: str
    program: str
    entries: int
    is_done: bool
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class WipeTold:
    """How far a wipe has come, or that it is over."""

    record: WipeRecord


Told: TypeAlias = RunnerEvent | CommandDone | WipeTold
"""All that the runner says unasked."""


@dataclass(frozen=True, kw_only=True)
class StartProgram:
    """Start this program for this session, to end at this instant; asked twice, it runs once."""

    session: str
    device: str
    program: str
    deadline_boot_seconds: float
    fence: int


@dataclass(frozen=True, kw_only=True)
class StopProgram:
    """End this session now."""

    session: str
    reason: EndReason


@dataclass(frozen=True, kw_only=True)
class ExtendProgram:
    """Let this session end at this instant; asked twice, it ends no later."""

    session: str
    deadline_boot_seconds: float


@dataclass(frozen=True, kw_only=True)
class ResumeProgram:
    """Go on with this session, which waits; to this instant or less; asked twice, it does once."""

    session: str
    deadline_boot_seconds: float


@dataclass(frozen=True, kw_only=True)
class ListPrograms:
    """Tell the sessions that are kept, by their id, from the one after `after` on."""

    after: str


@dataclass(frozen=True, kw_only=True)
class ForgetProgram:
    """The agent has journalled this end: the record may go."""

    session: str


@dataclass(frozen=True, kw_only=True)
class RunCommand:
    """Run this command of the catalogue; asked twice with one `run`, it runs once."""

    run: str
    command: str


@dataclass(frozen=True, kw_only=True)
class MendProgram:
    """Take this program on this device for whole again; asked twice, no harm."""

    device: str
    program: str


@dataclass(frozen=True, kw_only=True)
class WipeFolders:
    """Empty the folders of this program; asked twice with one `run`, it is told how it stands."""

    run: str
    program: str


Request: TypeAlias = (
    StartProgram
    | StopProgram
    | ExtendProgram
    | ResumeProgram
    | ListPrograms
    | ForgetProgram
    | RunCommand
    | MendProgram
    | WipeFolders
)


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request and the number its answer will carry."""

    number: int
    request: Request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of a request: refused for a reason, or done, with what it is about."""

    number: int | None
    refusal: Refusal | None = None
    records: tuple[ProgramRecord, ...] = ()
    there_are_more: bool = False
    command: CommandRecord | None = None
    wipe: WipeRecord | None = None
