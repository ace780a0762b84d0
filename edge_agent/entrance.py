"""Where tickets are read: a reading becomes the scan of a device, or a no that is told at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from common.errors import StorageIsFull
from common.messages.devices import DeviceMessage
from common.messages.rights import ReportScan, TakeScan
from common.messages.service import ProfileDevice, ServiceProfile
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.rules.tickets import DenialReason
from edge_agent.display import Display
from edge_agent.flows import rights
from edge_agent.ports import Clock, Identity, Journal, Names, NoticeShown, Shown, Verdict
from edge_agent.scanners.hygiene import NotATicket, Scanned, clean, hygiene
from edge_agent.scanners.reading import Reading, Scanner, ScannerIsGone
from edge_agent.scanners.turns import Turns

SCANNER_AGAIN_SECONDS: Final = 2.0
"""After a scanner was found gone, it is looked for again: plugged in, it reads within three."""

REPORTED_SECONDS: Final = 10.0
"""How long a reader without devices waits for word of a scan that it has passed on."""

REMEMBERED_MAX: Final = 32
"""Scans whose tokens are remembered, or that were taken over from a reader: a crowd's worth."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an entrance asks about each scan.

    Attributes:
        profile: which devices it may be for now; None: nobody is served.
        line_is_up: whether the controller can be asked.
        report: sends a report of a scan that is for no device here.
        take_code: takes a cleaner's code that a scanner has read, and says whether it was one.
        on_begun: a session has begun by our own authority, and its program is to be started.
        names: where a scan gets its name from.
        clock: how long a report has been waiting.
    """

    profile: Callable[[], ServiceProfile | None]
    line_is_up: Callable[[], bool]
    report: Callable[[ReportScan], object]
    take_code: Callable[[str], bool]
    on_begun: Callable[[], None]
    names: Names
    clock: Clock


class Entrance:
    """Takes readings to devices; while the gate is closed there are none, and a scan says so."""

    def __init__(
        self,
        who: Identity,
        journal: Journal,
        scanners: Sequence[Scanner],
        display: Display,
        around: Surroundings,
    ) -> None:
        """Take whose it is, where a scan goes, where tickets are read, and where it is shown."""
        self._who = who
        self._journal = journal
        self.scanners = scanners
        self._display = display
        self._around = around
        self._turns = Turns()
        self._reports: dict[str, tuple[ReportScan, float]] = {}
        self._remembered: OrderedDict[str, str] = OrderedDict()
        self._log = structlog.get_logger("agent")

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return what watches each scanner and what takes its readings, by name."""
        loops = {}
        for scanner in self.scanners:
            loops[f"watch {scanner.name}"] = self._watch(scanner)
            loops[f"read {scanner.name}"] = self._read_from(scanner)
        return loops

    def read(self, reading: Reading) -> None:
        """Take one reading of a scanner to the device it is for; a cleaner's code, to its own."""
        if self._around.take_code(reading.text.strip()):
            return
        scanned = hygiene(reading.text)
        if isinstance(scanned, NotATicket):
            self._deny(DenialReason(scanned.reason), scanned.why, clean(reading.text))
            return
        profile = self._around.profile()
        if profile is None:
            self._deny(DenialReason.NOT_REGISTERED, "the gate is closed", "")
        elif not profile.devices:
            self._display.show_reading()
            self._report(scanned.text)
        else:
            self._display.show_reading()
            number = scanned.read.token.device_number if isinstance(scanned, Scanned) else 0
            device = self._device_for(profile, number, scanned.text)
            name = self._around.names.new("x")
            self._ask(self._scan(name, scanned.text, device, profile))

    def take_scan(self, told: TakeScan) -> None:
        """Take a scan that a reader at the entrance has passed on; once, however often it comes."""
        profile, device = self._own(told.device)
        now = self._journal.transact(rights.trusted_now)
        is_fresh = now is not None and now < told.accept_by
        if profile is None or device is None or not is_fresh or told.scan in self._remembered:
            return
        self._ask(self._scan(told.scan, told.token, device, profile, reader=told.reader))

    def note_told(self, told: CustomerTold | DeviceMessage) -> None:
        """Show what the controller has for a customer; a scan that was passed on is settled so."""
        if isinstance(told, CustomerTold) and told.scan is not None:
            self._turns.settle(told.scan)
            if self._reports.pop(told.scan, None) is None:
                return
        self._journal.transact(rights.show_notice, told)

    def look_again(self) -> None:
        """Decide alone about scans that have had no answer; repeat reports, or give them up."""
        for request in self._journal.transact(rights.late_requests):
            profile, device = self._own(request.device)
            if profile is not None and device is not None:
                scan = self._scan(request.scan, request.token, device, profile)
                if self._journal.transact(rights.give_up, self._who, scan):
                    self._around.on_begun()
        for report, since in list(self._reports.values()):
            if self._around.clock.boot_seconds() - since < REPORTED_SECONDS:
                self._around.report(report)
            else:
                del self._reports[report.scan]
                self._turns.settle(report.scan)
                self._display.show(NoticeShown(device=None, notice=Notice.SHOW_IT_THERE))
        self.show_mode()

    def waits(self) -> bool:
        """Say whether a scan that was passed on has had no word yet."""
        return bool(self._reports)

    def show(self, shown: Shown) -> None:
        """Tell the customer; a ticket that was moved to another device of ours is taken there."""
        if isinstance(shown, Verdict) and shown.reason is DenialReason.WRONG_DEVICE:
            profile, device = self._own(shown.meant)
            token = self._remembered.get(shown.scan)
            if profile is not None and device is not None and token is not None:
                name = self._around.names.new("x")
                self._turns.pass_on(shown.scan, name)
                self._ask(self._scan(name, token, device, profile))
                return
        if isinstance(shown, Verdict):
            self._turns.settle(shown.scan)
        self._display.show(shown)

    def show_mode(self) -> None:
        """Say honestly what this terminal can do for a customer now."""
        mode = self._journal.transact(
            partial(
                rights.line_mode,
                serves=self._around.profile() is not None,
                line_is_up=self._around.line_is_up(),
            )
        )
        self._display.show_mode(mode)

    async def _watch(self, scanner: Scanner) -> None:
        """Keep a scanner watched; one that is gone is told of once, and looked for again."""
        why = ""
        while True:
            opened = scanner.counts.opened
            try:
                await scanner.watch()
            except ScannerIsGone as fault:
                if scanner.counts.opened > opened or str(fault) != why:
                    why = str(fault)
                    self._log.warning("scanner gone", why=why)
                await asyncio.sleep(SCANNER_AGAIN_SECONDS)

    async def _read_from(self, scanner: Scanner) -> None:
        async for reading in scanner.readings():
            try:
                with self._turns.of(scanner):
                    self.read(reading)
            except StorageIsFull as fault:
                self._log.error("a reading was not taken", why=str(fault))
                reason = DenialReason.BUSY_TRY_AGAIN
                self.show(Verdict(device=None, scan="", reason=reason))

    def _ask(self, scan: rights.Scan) -> None:
        self._turns.wait_for(scan.name)
        self._remembered[scan.name] = scan.token
        while len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        ask = partial(rights.scan, line_is_up=self._around.line_is_up())
        if self._journal.transact(ask, self._who, scan):
            self._around.on_begun()

    def _report(self, token: str) -> None:
        """Pass a scan on to whoever hosts its device; without the line it is to be shown there."""
        if not self._around.line_is_up():
            self._display.show(NoticeShown(device=None, notice=Notice.SHOW_IT_THERE))
            return
        report = self._journal.transact(rights.report, token)
        self._turns.wait_for(report.scan)
        self._reports[report.scan] = report, self._around.clock.boot_seconds()
        self._around.report(report)

    def _own(self, name: str | None) -> tuple[ServiceProfile, ProfileDevice] | tuple[None, None]:
        """Return our profile and the device of this name, if it is ours."""
        profile = self._around.profile()
        for device in profile.devices if profile is not None else ():
            if profile is not None and device.device == name:
                return profile, device
        return None, None

    def _device_for(self, profile: ServiceProfile, number: int, token: str) -> ProfileDevice:
        """Return the device a ticket names, or one that is free: the controller says if it may."""
        for device in profile.devices:
            if device.number == number or len(profile.devices) == 1:
                return device
        names = [device.device for device in profile.devices]
        first = self._journal.transact(rights.first_ready, names, token)
        return profile.devices[names.index(first)]

    def _scan(
        self,
        name: str,
        token: str,
        device: ProfileDevice,
        profile: ServiceProfile,
        reader: str | None = None,
    ) -> rights.Scan:
        return rights.Scan(
            name=name,
            token=token,
            device=device,
            store_number=profile.store_number,
            reader=reader,
        )

    def _deny(self, reason: DenialReason, why: str, text: str) -> None:
        self._journal.transact(rights.deny, reason, why, text)
