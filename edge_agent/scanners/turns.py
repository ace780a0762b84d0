"""Which scanner waits for which verdict: until it has come, it takes no other code."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

TURNS_MAX: Final = 32
"""Scans whose verdicts are waited for; each scanner has one, and a slow one may be given up."""


class Waiting(Protocol):
    """A scanner, as far as it waits."""

    def settled(self) -> None:
        """Note that what was read last has its verdict."""


class Turns:
    """Remembers whose scan is whose, and tells each scanner when its turn is over."""

    def __init__(self) -> None:
        self._taking: Waiting | None = None
        self._waiting: OrderedDict[str, Waiting] = OrderedDict()

    @contextmanager
    def of(self, scanner: Waiting) -> Iterator[None]:
        """Take a reading of this scanner; its turn is over by the end, if nothing was asked."""
        self._taking = scanner
        try:
            yield
        finally:
            if self._taking is not None:
                scanner.settled()
            self._taking = None

    def wait_for(self, scan: str) -> None:
        """Note that whoever is being taken has to wait for the verdict on this scan."""
        if self._taking is not None:
            self._waiting[scan], self._taking = self._taking, None
        while len(self._waiting) > TURNS_MAX:
            self._waiting.popitem(last=False)[1].settled()

    def pass_on(self, scan: str, other: str) -> None:
        """Note that the verdict on another scan is now waited for."""
        scanner = self._waiting.pop(scan, None)
        if scanner is not None:
            self._waiting[other] = scanner

    def settle(self, scan: str) -> None:
        """Note that this scan has its verdict."""
        scanner = self._waiting.pop(scan, None)
        if scanner is not None:
            scanner.settled()
