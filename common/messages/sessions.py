"""What is said about sessions: commands down, events up, and the desired document."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from common.messages.base import Count, Instant, Message, Name, Particulars, Seconds, ShortText

REVOKED_MAX: Final = 500
"""Revocations told to a terminal at once: 32 of the 64 KiB that a message has."""


class SessionAdmitted(Message):
    """The terminal has begun a session by itself, with the line down; `admission` says by what."""

    type: ClassVar[str] = "session.admitted"
    session: Name
    scan: Name
    ticket: Name
    device: Name
    program: Name
    granted_seconds: Seconds
    at: Instant
    admission: Literal["held", "signature"]


class SessionStarting(Message):
    """The terminal holds the right and begins to start the program."""

    type: ClassVar[str] = "session.starting"
    session: Name
    at: Instant


class SessionRunning(Message):
    """The program verifiably runs; `verified_by` is the ready check that said so, if one did."""

    type: ClassVar[str] = "session.running"
    session: Name
    at: Instant
    remaining_seconds: Seconds
    verified_by: ShortText = ""


class SessionAlive(Message):
    """What the runner has measured so far; `number` counts those of a session, told or not.

    `lost_seconds` are those in which nothing of it ran, such as those of a restart.
    """

    type: ClassVar[str] = "session.alive"
    session: Name
    at: Instant
    number: Count
    delivered_seconds: Seconds
    remaining_seconds: Seconds
    lost_seconds: Seconds = 0.0


class SessionInterrupted(Message):
    """The program went and is back; `lost_seconds` are all that were lost so far."""

    type: ClassVar[str] = "session.interrupted"
    session: Name
    at: Instant
    lost_seconds: Seconds


class SessionWarned(Message):
    """It was given to the customer's screen how little is left."""

    type: ClassVar[str] = "session.warned"
    session: Name
    at: Instant
    seconds_left: Seconds


class SessionExtended(Message):
    """The runner lets the program run for longer: by so many seconds in all, until this instant."""

    type: ClassVar[str] = "session.extended"
    session: Name
    at: Instant
    extended_seconds: Seconds
    remaining_seconds: Seconds


class WarningShown(Message):
    """The page before the customer says that it has shown this warning."""

    type: ClassVar[str] = "session.warning_shown"
    session: Name
    at: Instant
    seconds_left: Seconds


class SessionResumed(Message):
    """The session goes on after its PC was without power, or was restarted.

    `remaining_seconds` are left of it, and `delivered_seconds` it has run in all.
    """

    type: ClassVar[str] = "session.resumed"
    session: Name
    at: Instant
    remaining_seconds: Seconds
    delivered_seconds: Seconds


class SessionEnding(Message):
    """The program is being ended."""

    type: ClassVar[str] = "session.ending"
    session: Name
    at: Instant


class SessionEnded(Message):
    """The program is verifiably gone; `delivered_seconds` is how long it ran.

    `remaining_seconds` were still to come; `lost_seconds` were lost on the way.
    """

    type: ClassVar[str] = "session.ended"
    session: Name
    at: Instant
    reason: ShortText
    delivered_seconds: Seconds
    remaining_seconds: Seconds | None = None
    lost_seconds: Seconds = 0.0


class SessionFailed(Message):
    """The program never came to run."""

    type: ClassVar[str] = "session.failed"
    session: Name
    at: Instant
    reason: ShortText


class ScanDenied(Message):
    """A reader turned a code away by itself: it was no ticket, or nobody could be asked."""

    type: ClassVar[str] = "scan.denied"
    scan: Name
    at: Instant
    reason: ShortText
    why: ShortText = ""
    beginning: ShortText = ""


class CustomerTold(Particulars):
    """Tell the customer at this terminal what to do; `scan` is the one it is about, if it is one.

    `notice` is a `common.rules.sessions.Notice`; `reason` is why a scan was denied.
    """

    type: ClassVar[str] = "customer.told"
    command: Name
    notice: ShortText
    device: Name | None = None
    scan: Name | None = None
    reason: ShortText | None = None


class StopSession(Message):
    """End this session (C5)."""

    type: ClassVar[str] = "session.stop"
    command: Name
    session: Name
    reason: ShortText
    accept_by: Instant


class CommandTold(Message):
    """How far the terminal has got with a command."""

    type: ClassVar[str] = "command.state"
    command: Name
    state: ShortText
    at: Instant
    detail: ShortText = ""


class DesiredSession(Message):
    """One session as the controller wants it: `run` or `stop`.

    `extended_seconds` is by how much it was extended in all: a terminal that has less asks for the
    right to that, since a word alone moves no deadline. `extends_itself`: its customer has agreed.
    `reason` is why it is to stop, empty where its time is up: it says what is owed for the rest.
    """

    type: ClassVar[str] = "desired.session"
    session: Name
    device: Name
    wanted: ShortText
    reason: ShortText = ""
    extended_seconds: Seconds = 0.0
    extends_itself: bool = False


class RevokedTicket(Message):
    """A ticket of the store that is dead up to this revision; at `dies_at` it is over anyway."""

    type: ClassVar[str] = "desired.revoked_ticket"
    ticket: Name
    revision: Count
    dies_at: Instant


class Desired(Message):
    """The whole of what the controller wants of a terminal; higher revisions replace lower.

    `revoked` are those of its store that die first; of tickets that end after `revoked_until` there
    may be more, and None says that there are not.
    """

    type: ClassVar[str] = "sessions.desired"
    revision: Count
    sessions: tuple[DesiredSession, ...] = ()
    revoked: Annotated[tuple[RevokedTicket, ...], Field(max_length=REVOKED_MAX)] = ()
    revoked_until: Instant | None = None
