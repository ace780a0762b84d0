"""What a terminal says of its scanners: how much they saw, and how much of it they could read."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from common.messages.base import Count, Message, ShortText

SCANNERS_MAX: Final = 8
"""Scanners of one terminal."""


class ScannerCounts(Message):
    """The counts of one scanner since the agent's start; a lower one than before is a new start."""

    type: ClassVar[str] = "scanners.counts"
    scanner: ShortText
    is_there: bool
    opened: Count = 0
    frames: Count = 0
    looked_at: Count = 0
    decoded: Count = 0
    same_again: Count = 0
    busy: Count = 0
    broken: Count = 0
    milliseconds: Count = 0


class ScannersCounted(Message):
    """What all scanners of a terminal have counted, each minute."""

    type: ClassVar[str] = "scanners.counted"
    scanners: Annotated[tuple[ScannerCounts, ...], Field(max_length=SCANNERS_MAX)] = ()
