"""What two controllers say to each other of the log of modules: how far each has it, and lines.

Whatever is unknown is refused: it comes from a controller that is let in, over its own line.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from common.ids import NAME_PATTERN
from common.messages.base import CommIdText, Count, Instant, Name, ShortText
from common.rules.modules import FACTS_LENGTH_MAX, Heads, LogHead, LogLine

ORIGINS_MAX: Final = 4_000
"""Logs that are known at most: twenty controllers that begin one each week, for four years."""

LINES_MAX: Final = 200
"""Lines that are said at once; more follow at once, in a call of their own."""

LINES_LENGTH_MAX: Final = 200_000
"""Characters that they take at most, so that a call stays within its body."""

SIGNERS_MAX: Final = 500
"""Keys by which receipts are signed: of twenty controllers that change theirs each fortnight."""

LOG_BYTES_MAX: Final = 2_097_152
"""Bytes of one call or its answer: as many origins and lines as there can be, three times over."""

PublicKey = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Origin = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SaidHead(_Shape):
    """How far somebody has one origin's log; see `LogHead`."""

    last: Count
    tail: Annotated[str, Field(pattern=r"^([0-9a-f]{16})?$")] = ""
    complete_at: Instant = 0


class SaidLine(_Shape):
    """One line of a log. A kind that we do not know is kept, and carried on."""

    origin: Name
    lseq: Annotated[Count, Field(ge=1)]
    kind: Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")]
    module: Name
    client: Name
    version: ShortText
    digest: ShortText
    right: CommIdText
    at: Instant
    facts: Annotated[str, Field(max_length=FACTS_LENGTH_MAX)]


class LogSaid(_Shape):
    """How far a controller has each log, lines that the other one lacks, and whose receipts count.

    `signers` are public keys in hex by which controllers of ours sign receipts.
    """

    heads: Annotated[dict[_Origin, SaidHead], Field(max_length=ORIGINS_MAX)]
    lines: Annotated[tuple[SaidLine, ...], Field(max_length=LINES_MAX)] = ()
    signers: Annotated[tuple[PublicKey, ...], Field(max_length=SIGNERS_MAX)] = ()


def said_of(heads: Heads, lines: list[LogLine], signers: tuple[str, ...]) -> LogSaid:
    """Return it in the words in which it is said."""
    return LogSaid(
        heads={
            origin: SaidHead(last=head.last, tail=head.tail, complete_at=head.complete_at)
            for origin, head in heads.items()
        },
        lines=tuple(
            SaidLine(**{name: getattr(line, name) for name in LogLine.__slots__}) for line in lines
        ),
        signers=signers,
    )


def heads_in(said: LogSaid) -> dict[str, LogHead]:
    """Return how far whoever says it has each log."""
    return {origin: LogHead(**head.model_dump()) for origin, head in said.heads.items()}


def lines_in(said: LogSaid) -> dict[str, list[LogLine]]:
    """Return the lines that are said, by their origin."""
    lines: dict[str, list[LogLine]] = {}
    for line in said.lines:
        lines.setdefault(line.origin, []).append(LogLine(**line.model_dump()))
    return lines
