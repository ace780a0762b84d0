"""What is said about a terminal's registration and its presence: standing, hello, heartbeat."""

from __future__ import annotations

from typing import Any, ClassVar

from common.messages.base import (
    Count,
    Digest,
    Instant,
    Message,
    Name,
    Seconds,
    ShortText,
    Signature,
)


class StandingTold(Message):
    """Where the terminal's registration stands, for the specification named (A3); nothing else.

    `revision` grows with each decision: an older word that comes again is not taken.
    """

    type: ClassVar[str] = "registration.standing"
    standing: str
    gate_digest: Digest
    epoch: Name
    revision: Count
    reason: ShortText = ""


class Presence(Message):
    """The terminal is here, or as its will has gone; `connection` tells old from new."""

    type: ClassVar[str] = "terminal.presence"
    state: str
    connection: ShortText
    boot: ShortText = ""


class Heartbeat(Message):
    """The terminal is alive; the controller judges by its own clock when the last one came."""

    type: ClassVar[str] = "terminal.heartbeat"


class KeysTold(Message):
    """The controller's live public keys, signed by each that was live before or is: by its id.

    The document's `keys` are in hex by id; a higher `revision` of it replaces a lower.
    """

    type: ClassVar[str] = "keys.told"
    document: dict[str, Any]
    signatures: dict[str, Signature]


class SessionHeld(Message):
    """A session that the terminal still answers for."""

    type: ClassVar[str] = "terminal.session_held"
    session: Name
    state: ShortText


class Hello(Message):
    """Said after every connect: what the terminal holds and how far it has got."""

    type: ClassVar[str] = "terminal.hello"
    protocol: tuple[Count, Count]
    boot: ShortText
    connection: ShortText = ""
    outbox_first: Count
    outbox_last: Count
    applied_revision: Count
    sessions: tuple[SessionHeld, ...] = ()
    keys_revision: Count = 0


class Welcome(Message):
    """The answer to hello: what has been received, what is desired, what time it is."""

    type: ClassVar[str] = "terminal.welcome"
    epoch: Name
    acknowledged_up_to: Count
    desired_revision: Count
    server_at: Instant
    retry_after_seconds: Seconds = 0.0


class Acknowledged(Message):
    """Events of this epoch up to this number are in the controller's database for good."""

    type: ClassVar[str] = "events.acknowledged"
    epoch: Name
    up_to: Count
