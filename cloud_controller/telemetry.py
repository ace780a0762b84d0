"""What the terminals' scanners count, as it was last told: for a watcher, in memory alone.

Law: nothing is decided by it, so it is not in the books; the next word makes up for a lost one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from cloud_controller.ports import Flow, Received, Transaction
from common.ids import TerminalId
from common.messages.scanners import ScannerCounts, ScannersCounted
from common.topics import Channel

TERMINALS_MAX: Final = 10_000
"""Terminals whose counts are kept; those heard of longest ago are forgotten first."""

_COUNTED: Final = {
    "opened": "Times a scanner was opened; more than once, it was unplugged or failed.",
    "frames": "Pictures or lines that came.",
    "looked_at": "Those in which a code was looked for.",
    "decoded": "Codes that were read and went on to be judged.",
    "same_again": "Sightings of the code that was there already.",
    "busy": "Codes dropped because the one before had no verdict yet.",
    "broken": "Pictures or lines that were none.",
    "milliseconds": "Milliseconds of a processor that looking took.",
}


class Telemetry(Collector):
    """Keeps the latest word of each terminal, and shows it."""

    def __init__(self) -> None:
        """Begin with nothing told."""
        self._latest: OrderedDict[TerminalId, ScannersCounted] = OrderedDict()

    @property
    def flows(self) -> Mapping[tuple[Channel, str], Flow]:
        """What the listener does about each message: only a terminal in service is taken."""
        return {(Channel.TELEMETRY, ScannersCounted.type): self._take}

    @property
    def latest(self) -> Mapping[TerminalId, ScannersCounted]:
        """The last word of each terminal."""
        return self._latest

    @override
    def collect(self) -> Iterable[Metric]:
        """Yield one family a figure."""
        told = list(self._latest.items())
        there = GaugeMetricFamily(
            "rusuban_scanner_there",
            "1 where a scanner can be read from.",
            labels=("terminal", "scanner"),
        )
        for terminal, word in told:
            for counts in _each_once(word):
                there.add_metric((terminal, counts.scanner), float(counts.is_there))
        yield there
        for name, what in _COUNTED.items():
            family = CounterMetricFamily(
                f"rusuban_scanner_{name}", what, labels=("terminal", "scanner")
            )
            for terminal, word in told:
                for counts in _each_once(word):
                    family.add_metric((terminal, counts.scanner), getattr(counts, name))
            yield family

    def _take(self, _books: Transaction, said: Received) -> None:
        self._latest[said.terminal] = said.message
        self._latest.move_to_end(said.terminal)
        while len(self._latest) > TERMINALS_MAX:
            self._latest.popitem(last=False)


def _each_once(word: ScannersCounted) -> Iterable[ScannerCounts]:
    """Return the counts by scanner: two figures of one name make a watcher drop all figures."""
    return {counts.scanner: counts for counts in word.scanners}.values()
