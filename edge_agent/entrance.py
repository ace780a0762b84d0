"""Where tickets are read: a reading becomes the scan of a device, or a no that is told at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final

import structlog

from common.errors import StorageIsFull
from common.messages.service import ProfileDevice, ServiceProfile
from common.rules.tickets import DenialReason
from common.words import words_for
from edge_agent.flows import rights
from edge_agent.ports import Identity, Journal, Names, Verdict
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
        *,
        profile: Callable[[], ServiceProfile | None],
        line_is_up: Callable[[], bool],
        names: Names,
    ) -> None:
        """Take where tickets are read, and what is asked about each.

        Args:
            who: whose entrance it is.
            journal: where a scan goes.
            scanners: where tickets are read.
            profile: says which devices they may be for now; None: for none.
            line_is_up: says whether the controller can be asked.
            names: where a scan gets its name from.
        """
        self._who = who
        self._journal = journal
        self._scanners = scanners
        self._profile = profile
        self._line_is_up = line_is_up
        self._names = names
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
        profile = self._profile()
        device = self._device_for(profile, scanned.read.token.device_number)
        if profile is None or device is None:
            self._deny(DenialReason.NOT_REGISTERED, "the gate is closed", "")
            return
        scan = self._scan(self._names.new("x"), scanned.text, device, profile)
        ask = partial(rights.scan, line_is_up=self._line_is_up())
        self._journal.transact(ask, self._who, scan)

    def decide_late(self) -> None:
        """Decide alone about scans that have had no answer in time."""
        for request in self._journal.transact(rights.late_requests):
            profile = self._profile()
            for device in profile.devices if profile is not None else ():
                if profile is not None and device.device == request.device:
                    scan = self._scan(request.scan, request.token, device, profile)
                    self._journal.transact(rights.give_up, self._who, scan)

    def show(self, verdict: Verdict) -> None:
        """Tell the customer; until there is a screen, the log is where it shows."""
        told = {"scan": verdict.scan, "device": verdict.device, "alone": verdict.is_alone}
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

    def _device_for(self, profile: ServiceProfile | None, number: int) -> ProfileDevice | None:
        """Return the device a ticket names, or one that is free: the controller says if it may."""
        if profile is None or not profile.devices:
            return None
        for device in profile.devices:
            if device.number == number or len(profile.devices) == 1:
                return device
        names = [device.device for device in profile.devices]
        first = self._journal.transact(rights.first_ready, names)
        return profile.devices[names.index(first)]

    def _scan(
        self, name: str, token: str, device: ProfileDevice, profile: ServiceProfile
    ) -> rights.Scan:
        return rights.Scan(
            name=name,
            token=token,
            device=device,
            store_number=profile.store_number,
            signature_starts=profile.offline_signature_starts,
        )

    def _deny(self, reason: DenialReason, why: str, text: str) -> None:
        self._journal.transact(rights.deny, reason, why, text)
