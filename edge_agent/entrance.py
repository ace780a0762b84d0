"""Where tickets are read: a reading becomes the scan of a device, or a no that is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from common.errors import StorageIsFull
from common.messages.service import ProfileDevice
from common.rules.tickets import DenialReason
from common.words import words_for
from edge_agent.flows import rights
from edge_agent.ports import Identity, Journal, Verdict
from edge_agent.scanners.hygiene import NotATicket, clean, hygiene
from edge_agent.scanners.reading import Reading, Scanner, ScannerIsGone

SCANNER_AGAIN_SECONDS: Final = 3.0
"""After a scanner was found gone, it is looked for again."""


class Entrance:
    """Takes readings to devices; while the gate is closed there are none, and a scan says so."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        scanners: Sequence[Scanner],
        devices: Callable[[], Sequence[ProfileDevice]],
    ) -> None:
        """Take where tickets are read, and what says which devices they may be for now."""
        self._who = who
        self._journal = journal
        self._scanners = scanners
        self._devices = devices
        self._log = structlog.get_logger("agent")

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what watches each scanner and what takes its readings, by name."""
        loops = {}
        for scanner in self._scanners:
            loops[f"watch {scanner.name}"] = self._watch(scanner)
            loops[f"read {scanner.name}"] = self._read_from(scanner)
        return loops

    def read(self, reading: Reading) -> None:
        """Take one reading of a scanner to the device it is for."""
        scanned = hygiene(reading.text)
        if isinstance(scanned, NotATicket):
            self._deny(DenialReason(scanned.reason), scanned.why, clean(reading.text))
            return
        device = self._device_for(scanned.read.token.device_number)
        if device is None:
            self._deny(DenialReason.NOT_REGISTERED, "the gate is closed", "")
            return
        self._journal.transact(rights.scan, self._who, device, scanned.text)

    def show(self, verdict: Verdict) -> None:
        """Tell the customer; until there is a screen, the log is where it shows."""
        told = {"scan": verdict.scan, "device": verdict.device}
        if verdict.reason is None:
            self._log.info("verdict", opens=True, **told)
            return
        words = words_for(verdict.reason, "en")
        reason = verdict.reason.value
        self._log.info(
            "verdict", opens=False, reason=reason, what=words.what, next=words.next, **told
        )

    async def _watch(self, scanner: Scanner) -> None:
        """Keep a scanner watched; one that is gone is looked for again."""
        while True:
            try:
                await scanner.watch()
            except ScannerIsGone as fault:
                self._log.warning("scanner gone", why=str(fault))
                await asyncio.sleep(SCANNER_AGAIN_SECONDS)

    async def _read_from(self, scanner: Scanner) -> None:
        async for reading in scanner.readings():
            try:
                self.read(reading)
            except StorageIsFull as fault:
                self._log.error("a reading was not taken", why=str(fault))
                reason = DenialReason.BUSY_TRY_AGAIN
                self.show(Verdict(device=None, scan="", reason=reason))

    def _device_for(self, number: int) -> str | None:
        """Return the device a ticket names, or one that is free: the controller says if it may."""
        devices = self._devices()
        if not devices:
            return None
        for device in devices:
            if device.number == number or len(devices) == 1:
                return device.device
        return self._journal.transact(rights.first_ready, [each.device for each in devices])

    def _deny(self, reason: DenialReason, why: str, text: str) -> None:
        self._journal.transact(rights.deny, reason, why, text)
