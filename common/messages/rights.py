"""What is said in a rights exchange (B1-B11): every one of these may be repeated without harm."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from common.messages.base import (
    Bytes,
    CommIdText,
    Count,
    Digest,
    Instant,
    Message,
    Name,
    PackageVersion,
    Particulars,
    Seconds,
    ShortText,
    Signature,
)
from common.seals import digest_of

TOKEN_TEXT_MAX = 512
"""Characters of a scanned text that are still sent on; a ticket has 144, or 154 with its code."""

SEATS_MAX = 1_000_000
"""Seats of one module that one exchange may move; no licence we know has more."""

EXTENSION_ASKED_MAX = 100_000
"""Seconds that one extension may ask for: more than a day, of which half is given at most."""

HELD_TICKETS_MAX = 100
"""Tickets of one device that are held at once: hours of short slots, within 64 KiB."""


class CompletedBefore(Message):
    """The completion of the exchange before this one, carried along; no digest: it was given up."""

    type: ClassVar[str] = "rights.completed_before"
    comm_id: CommIdText
    digest: Digest | None = None


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
    """The request information of a session's right: one reading of a ticket by a reader (C3).

    `reader` is the terminal at the entrance that read it, where it was not the one that asks.
    """

    type: ClassVar[str] = "rights.scan_request"
    scan: Name
    device: Name
    token: Annotated[str, Field(max_length=TOKEN_TEXT_MAX)]
    read_at: Instant
    clock_is_trusted: bool
    reader: Name | None = None


class ModuleRequest(Message):
    """The request information of a module's right: one seat of its licence, for this terminal.

    `version` and `sha256` are of what it was offered and will fetch; neither: the seat alone.
    `renews`: it has that already, and nothing is fetched.
    """

    type: ClassVar[str] = "rights.module_request"
    module: Name
    version: PackageVersion | None = None
    sha256: Digest | None = None
    renews: bool = False


class OfflineRequest(Message):
    """The request information of a holding: to redeem a device's coming tickets alone."""

    type: ClassVar[str] = "rights.offline_request"
    device: Name


class ExtensionRequest(Message):
    """The request information of an extension: so many more seconds of a session of this device.

    `seconds` 0: whatever was granted elsewhere, on its ticket's page. `price_cents` is the most
    that its customer was shown. `is_by_itself`: he has agreed to it before and is not asked now.
    """

    type: ClassVar[str] = "rights.extension_request"
    session: Name
    device: Name
    seconds: Annotated[int, Field(ge=0, le=EXTENSION_ASKED_MAX)]
    price_cents: Annotated[int, Field(ge=0, le=10**12)] = 0
    is_by_itself: bool = False


class SeatsRequest(Message):
    """The request information of an escrow: so many seats of a module, or so many given back.

    `least` is how few will do where there are not as many as asked for; nought: all or none.
    """

    type: ClassVar[str] = "rights.seats_request"
    module: Name
    seats: Annotated[int, Field(ge=-SEATS_MAX, le=SEATS_MAX)]
    least: Annotated[int, Field(ge=0, le=SEATS_MAX)] = 0


class ReportScan(Message):
    """A reader that hosts no device has read a ticket: whoever hosts its device is to ask."""

    type: ClassVar[str] = "scans.report"
    scan: Name
    token: Annotated[str, Field(max_length=TOKEN_TEXT_MAX)]
    read_at: Instant
    clock_is_trusted: bool


class TakeScan(Message):
    """Take this scan of a reader elsewhere as if it had been read at this device, until then."""

    type: ClassVar[str] = "scans.take"
    command: Name
    scan: Name
    device: Name
    token: Annotated[str, Field(max_length=TOKEN_TEXT_MAX)]
    reader: Name
    accept_by: Instant


class Request(Message):
    """The request information together with the same identification (B3).

    What may stand in `request` goes by the class of right; `digest` is that of all of it.
    """

    type: ClassVar[str] = "rights.request"
    comm_id: CommIdText
    request: dict[str, Any]
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
    ticket: Name
    device: Name
    program: Name
    fence: Count
    granted_seconds: Seconds
    start_within_seconds: Seconds
    extends_itself: bool = False


class ExtensionRight(Message):
    """What the document of an extension says: by so much is this session extended in all.

    The sum of all its extensions, so that one that was taken twice, or after a later one, moves no
    deadline; `added_seconds` is what this one has added.
    """

    type: ClassVar[str] = "rights.extension_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    session: Name
    device: Name
    extended_seconds: Seconds
    added_seconds: Seconds
    ends_at: Instant


class HeldTicket(Message):
    """One ticket that a terminal alone may redeem, with all that it has to check.

    `token_digest` is the SHA-256 of the token's text, `opens_at` when the earliest scan opens it.
    """

    type: ClassVar[str] = "rights.held_ticket"
    ticket: Name
    token_digest: Digest
    opens_at: Instant
    ends_at: Instant


class OfflineRight(Message):
    """What the document of a holding says: these tickets of this device, until then, alone.

    `may_start_by_signature`: the operator allows what is not among them and only well signed.
    """

    type: ClassVar[str] = "rights.offline_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    right: Name
    device: Name
    issued_at: Instant
    ends_at: Instant
    may_start_by_signature: bool = False
    tickets: Annotated[tuple[HeldTicket, ...], Field(max_length=HELD_TICKETS_MAX)]


class ModuleRight(Message):
    """What the document of a module's right says: one seat, until the end of its lease.

    With what it lets its terminal fetch it is the receipt, which is kept for ever (D4).
    """

    type: ClassVar[str] = "rights.module_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    module: Name
    issued_at: Instant
    ends_at: Instant
    version: PackageVersion | None = None
    target: ShortText = ""
    sha256: Digest | None = None
    length: Bytes = 0
    basis: ShortText = ""


class SeatsRight(Message):
    """What the document of an escrow says: seats that left one pool and are now in another's.

    `holds` is how many of them its receiver has in all by our books, this right included: so that
    a right alone can bring back what an old backup has forgotten, and a difference shows.
    """

    type: ClassVar[str] = "rights.seats_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    module: Name
    seats: Annotated[int, Field(ge=-SEATS_MAX, le=SEATS_MAX)]
    holds: Count
    issued_at: Instant


class Refused(Particulars):
    """No right, and why; stored, so that every repetition gets the same answer.

    `device` is the one that a ticket is for, or another one that it opens now.
    """

    type: ClassVar[str] = "rights.refused"
    comm_id: CommIdText
    reason: ShortText
    device: Name | None = None

    def digest(self) -> str:
        """Return what the completion says it has stored."""
        return digest_of({"comm_id": self.comm_id, "reason": self.reason})


class Complete(Message):
    """The client has stored what it was answered (B8); `digest` is that of the answer.

    The answer itself is presented only to a server that has said that it does not know it.
    """

    type: ClassVar[str] = "rights.complete"
    comm_id: CommIdText
    digest: Digest
    presented: Right | Refused | None = None


class Completed(Message):
    """The server has closed the exchange; asked again, it says so again."""

    type: ClassVar[str] = "rights.completed"
    comm_id: CommIdText


class Abort(Message):
    """The client gives the exchange up."""

    type: ClassVar[str] = "rights.abort"
    comm_id: CommIdText
    completed: CompletedBefore | None = None


class Aborted(Message):
    """The identification can never make a right any more."""

    type: ClassVar[str] = "rights.aborted"
    comm_id: CommIdText


class Contest(Message):
    """The client still asks under an identification that it was told is closed.

    No honest disk can: so this one, or another, is a copy or was set back.
    """

    type: ClassVar[str] = "rights.contest"
    comm_id: CommIdText


class Troubled(Message):
    """The exchange cannot go on as asked; `trouble` is a `common.rules.rights.Trouble`."""

    type: ClassVar[str] = "rights.troubled"
    comm_id: CommIdText
    trouble: ShortText


class HoldTickets(Message):
    """Take over the coming tickets of this device, or renew that: by an exchange of its own."""

    type: ClassVar[str] = "tickets.hold"
    command: Name
    device: Name


class ReleaseTicket(Message):
    """Give this ticket back, unless it is used: as the right of this name let you hold it.

    `asked_at` tells one recall from the next.
    """

    type: ClassVar[str] = "ticket.release"
    command: Name
    ticket: Name
    right: Name
    asked_at: Instant


class TicketReleased(Message):
    """The terminal will not redeem this ticket by that right any more.

    `asked_at` is the recall that it answers, or None: it gives the ticket back by itself.
    """

    type: ClassVar[str] = "ticket.released"
    ticket: Name
    right: Name
    at: Instant
    asked_at: Instant | None = None


class TicketKept(Message):
    """The terminal has redeemed this ticket before its recall came."""

    type: ClassVar[str] = "ticket.kept"
    ticket: Name
    at: Instant
    asked_at: Instant


FROM_THE_CLIENT: Final = (Announce, Request, Complete, Abort, Contest)
"""What the receiving side says."""

FROM_THE_SERVER: Final = (Announced, Right, Refused, Completed, Aborted, Troubled)
"""What the issuing side answers."""
