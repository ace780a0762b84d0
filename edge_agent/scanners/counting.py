"""What each scanner counts, from the agent's start on: for the operator, and for whoever installs.

Law: only ever added to, by the one thread or loop that does what is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from common.messages.scanners import ScannerCounts, ScannersCounted

TOLD_EACH_SECONDS: Final = 60.0
"""How often the controller is told; a lost word is made good by the next."""


@dataclass(kw_only=True, slots=True)
class Counts:
    """The counts of one scanner.

    Attributes:
        opened: how often it was opened; more than once, and it was unplugged or failed meanwhile.
        frames: pictures that came; of a scanner without a camera, lines.
        looked_at: those in which a code was looked for, since something had moved.
        decoded: codes that went on to be judged.
        same_again: sightings of the code that was before the lens already.
        busy: codes dropped because the one before had no verdict yet.
        broken: pictures or lines that were none.
        milliseconds: what looking took of the processor, in all.
        is_there: whether it can be read from now.
    """

    opened: int = 0
    frames: int = 0
    looked_at: int = 0
    decoded: int = 0
    same_again: int = 0
    busy: int = 0
    broken: int = 0
    milliseconds: float = 0.0
    is_there: bool = False


class Counting(Protocol):
    """A scanner, as far as it counts."""

    @property
    def name(self) -> str:
        """What logs and the console call this scanner."""

    @property
    def counts(self) -> Counts:
        """What it has counted."""


def counted(scanners: Iterable[Counting]) -> ScannersCounted:
    """Return what the controller is told of all of them."""
    return ScannersCounted(scanners=tuple(_told(scanner) for scanner in scanners))


def _told(scanner: Counting) -> ScannerCounts:
    counts = scanner.counts
    return ScannerCounts(
        scanner=scanner.name,
        is_there=counts.is_there,
        opened=counts.opened,
        frames=counts.frames,
        looked_at=counts.looked_at,
        decoded=counts.decoded,
        same_again=counts.same_again,
        busy=counts.busy,
        broken=counts.broken,
        milliseconds=round(counts.milliseconds),
    )


async def tell_counts(
    scanners: Sequence[Counting], tell: Callable[[ScannersCounted], object]
) -> None:
    """Tell what the scanners have counted, each minute, for ever; without any, say nothing."""
    while scanners:
        await asyncio.sleep(TOLD_EACH_SECONDS)
        tell(counted(scanners))
