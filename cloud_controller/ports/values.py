"""What the flows are given and give: messages, problems, movements of money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from common.ids import TerminalId
from common.messages.base import Message
from common.messages.modules import Release
from common.messages.specification import Specification
from common.rules.payments import EntryKind, Posting
from common.rules.problems import ProblemKind
from common.rules.registration import Standing
from common.rules.setup import SetupKind
from common.topics import BrokerRole, Channel


class Actor(StrEnum):
    """Who the audit names where nobody has a name of their own."""

    OPERATOR = "operator"
    """Whoever has the operator's token."""
    COMMAND_LINE = "command line"
    SETTINGS = "settings"
    """What the controller's settings say."""
    POLICY = "policy"
    """What a store confirms, or the controller shuts out, by itself."""
    CODE = "enrolment"
    """Whoever has a one-time code."""
    TERMINAL = "terminal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A message as it came in from a terminal, whose name the broker vouches for."""

    terminal: TerminalId
    epoch: str
    seq: int
    corr: str
    message: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A message for a terminal, to be sent now that its transaction is durable.

    `outbox_id` is None for what is not kept.
    """

    terminal: TerminalId
    channel: Channel
    message: Message
    corr: str = ""
    tail: str = ""
    outbox_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleGiven:
    """A word to the broker: this terminal has this role now, or with a secret: and this account."""

    terminal: TerminalId
    role: BrokerRole | None
    secret: str | None = None
    outbox_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something the operator must look at.

    Attributes:
        kind: which words are said of it.
        subject: what it is about: with its kind it is one problem, however often it is met.
        why: what was found, in a sentence.
        evidence: the facts it was found from.
        proposals: what can be done about it, the best first.
        store: where, if neither terminal nor reservation says so.
    """

    kind: ProblemKind
    subject: str
    why: str
    store: str | None = None
    terminal: TerminalId | None = None
    reservation: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    proposals: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Money that moves: postings that sum to nought in each currency, and what they are about."""

    kind: EntryKind
    postings: Sequence[Posting]
    store: str
    order: str | None = None
    payment: str | None = None
    reservation: str | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetupChange:
    """A document of the set-up that says something else now.

    Attributes:
        before: what it said, where it said anything: the first version, if none is kept yet.
    """

    kind: SetupKind
    subject: str
    after: Mapping[str, Any]
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A terminal as the management role has registered it."""

    terminal: TerminalId
    store: str
    store_number: int
    time_zone: str
    epoch: str
    standing: Standing
    gate_digest: str | None
    specification: Specification


@dataclass(frozen=True, kw_only=True, slots=True)
class Certified:
    """A terminal's certificate as PEM text, with what is kept of it."""

    pem: str
    serial: str
    expires_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A release as the signed lists name it.

    Attributes:
        target: its path in the repository.
        sha256: of its archive, in hex.
        length: of its archive, in bytes.
    """

    release: Release
    target: str
    sha256: str
    length: int
