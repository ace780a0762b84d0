"""What is said in an exchange, in the fewest words that both sides' tables need."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RightKind(StrEnum):
    """The kinds of right: the first part of a class such as `session:d-1`."""

    SESSION = "session"
    """To run one session on a device: a ticket's use."""
    MODULE = "module"
    """To use a module: one seat of its licence."""
    RUN = "run"
    """To run a program that needs a module: one seat for as long as it runs."""
    OFFLINE = "offline"
    """To redeem a device's coming tickets while the line is down."""
    EXTENSION = "extension"
    """To let the session on a device run for longer."""
    UNINSTALL = "uninstall"
    """To take a module off a PC, once: it came from us."""
    SEATS = "seats"
    """To hand out so many seats of a module: escrow between controllers."""


class Saying(StrEnum):
    """What the client says."""

    ANNOUNCE = "announce"
    REQUEST = "request"
    COMPLETE = "complete"
    PRESENT = "present"
    """A completion that shows the answer it completes: the server has said it does not know it."""
    ABORT = "abort"
    CONTEST = "contest"
    """That it still asks under what it was told is closed: its disk or another's is a copy."""


class Trouble(StrEnum):
    """Why an exchange cannot go on as asked."""

    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    CLOSED = "closed"
    FORKED = "forked"
    FENCED = "fenced"
    """The client speaks under an epoch that is over."""
    BUSY = "busy"


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One message of the client.

    `digest` is that of the request, or of the answer that is completed. `completed` is the number,
    the nonce and the answer's digest of the exchange before, which an announcement and an abort
    carry; the digest of one that was given up is empty.
    """

    saying: Saying
    seq: int
    nonce: str
    digest: str = ""
    completed: tuple[int, str, str] | None = None


class Told(StrEnum):
    """What the client hears, if it is about the exchange that is open now."""

    ANNOUNCED = "announced"
    ANSWER = "answer"
    """A right, or that there is none: either is stored, and completed."""
    COMPLETED = "completed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"
    MISMATCH = "mismatch"
    CLOSED = "closed"
    FORKED = "forked"


def class_of(kind: RightKind, subject: str) -> str:
    """Return the class of a kind of right about a device or a module.

    >>> class_of(RightKind.SESSION, "d-1")
    'session:d-1'
    """
    return f"{kind}:{subject}"


def kind_in(a_class: str) -> RightKind | None:
    """Return the kind of right of a class, or None: it is none of ours."""
    kind = a_class.partition(":")[0]
    return RightKind(kind) if kind in set(RightKind) else None


def subject_in(a_class: str) -> str:
    """Return what a class of right is about: a device, a module."""
    return a_class.partition(":")[2]
