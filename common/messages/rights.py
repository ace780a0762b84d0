"""What is said in a rights exchange (B1-B11): every one of these may be repeated without harm."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from common.messages.base import (
    CommIdText,
    Count,
    Digest,
    Instant,
    Message,
    Name,
    Seconds,
    ShortText,
    Signature,
)
from common.seals import digest_of

TOKEN_TEXT_MAX = 512
"""Characters of a scanned text that are still sent on; a ticket has 144."""


class CompletedBefore(Message):
    """The completion of the exchange before this one, carried along by the announcement."""

    type: ClassVar[str] = "rights.completed_before"
    comm_id: CommIdText
    digest: Digest


class Announce(Message):
    """The client names the series of communications it begins (B1, B2)."""

    type: ClassVar[str] = "rights.announce"
    comm_id: CommIdText
    completed: CompletedBefore | None = None


class Announced(Message):
    """The server has stored the identification (B2)."""

    type: ClassVar[str] = "rights.announced"
    comm_id: CommIdText


class ScanRequest(Message):
    """The request information of a session's right: one reading of a ticket by a reader (C3)."""

    type: ClassVar[str] = "rights.scan_request"
    scan: Name
    device: Name
    token: Annotated[str, Field(max_length=TOKEN_TEXT_MAX)]
    read_at: Instant
    clock_is_trusted: bool


class Request(Message):
    """The request information together with the same identification (B3)."""

    type: ClassVar[str] = "rights.request"
    comm_id: CommIdText
    request: ScanRequest
    digest: Digest


class Right(Message):
    """The right for that request (B7): a signed document that is also the word to start (C4)."""

    type: ClassVar[str] = "rights.right"
    comm_id: CommIdText
    document: dict[str, Any]
    signature: Signature

    def digest(self) -> str:
        """Return what the completion says it has stored."""
        return digest_of(self.document)


class SessionRight(Message):
    """What the document of a session's right says: this program, on this device, for so long (C4).

    A signature tells whose document it is, and not that it makes sense.
    """

    type: ClassVar[str] = "rights.session_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    session: Name
    device: Name
    program: Name
    fence: Count
    granted_seconds: Seconds
    start_within_seconds: Seconds


class Refused(Message):
    """No right, and why; stored, so that every repetition gets the same answer."""

    type: ClassVar[str] = "rights.refused"
    comm_id: CommIdText
    reason: ShortText
    opens_at: Instant | None = None
    device: Name | None = None

    def digest(self) -> str:
        """Return what the completion says it has stored."""
        return digest_of({"comm_id": self.comm_id, "reason": self.reason})


class Complete(Message):
    """The client has stored what it was answered (B8); `digest` is that of the answer."""

    type: ClassVar[str] = "rights.complete"
    comm_id: CommIdText
    digest: Digest


class Completed(Message):
    """The server has closed the exchange; asked again, it says so again."""

    type: ClassVar[str] = "rights.completed"
    comm_id: CommIdText


class Abort(Message):
    """The client gives the exchange up."""

    type: ClassVar[str] = "rights.abort"
    comm_id: CommIdText


class Aborted(Message):
    """The identification can never make a right any more."""

    type: ClassVar[str] = "rights.aborted"
    comm_id: CommIdText


class Troubled(Message):
    """The exchange cannot go on as asked.

    `trouble` is one of unknown, mismatch, closed, forked, fenced, busy.
    """

    type: ClassVar[str] = "rights.troubled"
    comm_id: CommIdText
    trouble: ShortText
