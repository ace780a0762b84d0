"""Copies of another controller's log: what follows what, and whether two copies are one log (D10).

Its law: a line has one number of its origin for ever, and no number is left out; so whoever has the
last number has them all, and copying again does no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from common.seals import digest_of

TAIL_DIGITS: Final = 16
"""Hex digits of a line's digest that are compared: 64 bits, of two lines that nobody chose."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One line as its origin has numbered it; `facts` is the JSON text that was written."""

    origin: str
    lseq: int
    kind: str
    module: str
    client: str
    version: str
    digest: str
    right: str
    at: int
    facts: str

    def tail(self) -> str:
        """Return by what it is compared with a copy of itself."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return digest_of(said)[:TAIL_DIGITS]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogHead:
    """How far somebody has one origin's log.

    Attributes:
        last: the number of the last line that is there; nought: none is.
        tail: that line's digest, shortened; empty where there is none.
        complete_at: every line that was committed before this instant is there, by the clock of
            whoever writes that log; nought: that is not known.
    """

    last: int
    tail: str = ""
    complete_at: int = 0


Heads = Mapping[str, LogHead]
"""By origin, how far its log is there: a version vector."""


def following(last: int, lines: Iterable[LogLine]) -> list[LogLine]:
    """Return the lines that can be taken after this number: each once, and none after a gap."""
    taken: list[LogLine] = []
    for line in sorted(lines, key=lambda each: each.lseq):
        if line.lseq == last + 1:
            taken.append(line)
            last = line.lseq
    return taken


def lagging(ours: Heads, theirs: Heads) -> Iterator[tuple[str, int]]:
    """Say of which origins others lack lines that we have, and after which number."""
    for origin in sorted(ours):
        has = theirs[origin].last if origin in theirs else 0
        if has < ours[origin].last:
            yield origin, has
