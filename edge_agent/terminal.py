"""The terminal put together: every part of the agent, each given what it speaks to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog

from common.errors import CannotStart, StorageIsFull
from common.messages.registration import DeviceFound, ServiceProfile, Specification
from common.messages.rights import Complete
from common.mqtt import (
    Delivery,
    Link,
    LinkCallbacks,
    LinkSettings,
    LossReason,
    RetrySettings,
    Token,
    Will,
)
from common.rules.tickets import DenialReason
from common.system import SystemClock, SystemNames
from common.topics import terminal_subscriptions
from common.words import words_for
from edge_agent.afterwards import Afterwards
from edge_agent.courier import Courier
from edge_agent.flows import offerings, registration, rights
from edge_agent.inventory import specification
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Asked, Identity, Verdict
from edge_agent.reconciler import Reconciler
from edge_agent.runner.beside import RunnerBeside, seen
from edge_agent.runner.catalogue import read_catalogue
from edge_agent.runner.link import RunnerLink, RunnerStarter
from edge_agent.runner.wire import EventKind, RunnerEvent
from edge_agent.scanners.hygiene import NotATicket, clean, hygiene
from edge_agent.scanners.image import ImageFolder
from edge_agent.scanners.reading import Reading, Scanner, ScannerIsGone
from edge_agent.settings import AgentSettings
from edge_agent.timers import Timers

SCANNER_AGAIN_SECONDS: Final = 3.0
"""After a scanner was found gone, it is looked for again."""

JOURNAL_FILE: Final = "journal.db"

BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")
"""Where the kernel tells one start of this PC from the next."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What an agent needs before its parts can be made."""

    who: Identity
    what: Specification
    journal: SqliteJournal
    clock: SystemClock
    names: SystemNames


def open_terminal(settings: AgentSettings) -> Opened:
    """Return who and what this terminal is, with its journal open.

    Raises:
        CannotStart: it is not enrolled, or its catalogue or journal cannot be read.
    """
    clock, names = SystemClock(), SystemNames()
    catalogue = read_catalogue(settings.runner.catalogue)
    devices = [
        DeviceFound(key=device.key, title=device.title, program=device.program)
        for device in settings.devices
    ]
    what = specification(devices, {name: program.argv for name, program in catalogue.items()})
    journal = open_journal(settings, clock, names)
    who = journal.transact(registration.identity)
    if who is None:
        journal.close()
        raise CannotStart(why="this terminal is not enrolled; run `edge-agent enrol` first")
    return Opened(who=who, what=what, journal=journal, clock=clock, names=names)


class Terminal:
    """The agent's parts, each given what it speaks to; nothing runs before its loops do."""

    def __init__(
        self,
        settings: AgentSettings,
        runner_argv: Sequence[str],
        opened: Opened,
        scanners: Sequence[Scanner] | None = None,
    ) -> None:
        """Make the parts and join them.

        Args:
            settings: what the agent was told.
            runner_argv: how the runner is started, where the agent is to start it.
            opened: who and what this terminal is.
            scanners: where tickets are read; by default those of the settings.
        """
        self._who, self._what, self._journal = opened.who, opened.what, opened.journal
        self._log = structlog.get_logger("agent")
        self._drafts = {
            device.key: device.offering.model_dump()
            for device in settings.devices
            if device.offering is not None
        }
        self._scanners = self._scanners_of(settings, opened) if scanners is None else scanners
        starter = RunnerStarter(runner_argv)
        self.runner_link = RunnerLink(
            settings.runner.socket,
            on_event=self._on_runner_event,
            on_connected=self._on_runner_connected,
            when_away=starter.start if settings.runner.is_started_by_agent else None,
        )
        self.reconciler = Reconciler(opened.journal, RunnerBeside(self.runner_link))
        self.courier = Courier(
            opened.who,
            opened.journal,
            opened.what,
            publish=self._publish,
            clock=opened.clock,
            names=opened.names,
        )
        self.timers = Timers(opened.journal, self.courier, opened.clock)
        self._afterwards = Afterwards()
        self.listener = self._new_listener(opened)
        self.link = self._new_link(settings, opened)
        opened.journal.on_said = self._on_said
        opened.journal.on_asked = self._on_asked
        opened.journal.on_shown = self._on_shown
        is_open = opened.journal.transact(registration.is_open, opened.what.gate_digest)
        self._set_gate(is_open=is_open)
        if self._profile is not None:
            opened.journal.transact(offerings.offer, self._profile, self._drafts)

    def loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Return everything that runs beside each other, by name."""
        loops = {
            "runner link": self.runner_link.run(),
            "reconciler": self.reconciler.run(),
            "timers": self.timers.run(),
        }
        for scanner in self._scanners:
            loops[f"watch {scanner.name}"] = self._watch(scanner)
            loops[f"read {scanner.name}"] = self._read_from(scanner)
        return loops

    def is_alive(self) -> bool:
        """Say that the agent does its work: all of it is done by the loop that asks."""
        return True

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

    async def say_goodbye(self) -> None:
        """Take what we offer off the page, since nobody will be here, and leave the broker."""
        if self._profile is not None:
            devices = self._profile.devices
            with contextlib.suppress(StorageIsFull):  # our silence will say it
                self._journal.transact(offerings.withdraw, devices, self._drafts, "stopping")
        self._afterwards.wait_no_more()
        self.courier.leave()
        await self.link.stop()

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
                self._show(Verdict(device=None, scan="", reason=reason))

    def _device_for(self, number: int) -> str | None:
        """Return the device a ticket names, or one that is free: the controller says if it may."""
        if self._profile is None or not self._profile.devices or not self.courier.gate_is_open:
            return None
        ours = [device.device for device in self._profile.devices]
        for device in self._profile.devices:
            if device.number == number or len(ours) == 1:
                return device.device
        return self._journal.transact(rights.first_ready, ours)

    def _deny(self, reason: DenialReason, why: str, text: str) -> None:
        self._journal.transact(rights.deny, reason, why, text)

    def _on_connected(self, _session_present: object) -> None:
        is_open = self.listener.gate_is_open
        self.link.subscribe(terminal_subscriptions(self._who.terminal, gate_is_open=is_open))
        self.courier.on_connected()
        self._prepare_all()
        self.timers.nudge()
        self._log.info("connected", gate_is_open=is_open)

    def _on_lost(self, reason: LossReason) -> None:
        self.courier.on_lost()
        self._log.warning("connection lost", reason=reason.value)

    def _on_said(self) -> None:
        self._afterwards.do(self.courier.pump)
        self.timers.nudge()

    def _on_asked(self, asked: Sequence[Asked]) -> None:
        """Ask at once; only the word that a right is stored comes after the start it permits."""
        if all(isinstance(each.message, Complete) for each in asked):
            self._afterwards.do(partial(self.courier.post, asked))
        else:
            self.courier.post(asked)
        self.timers.nudge()

    def _on_shown(self, verdict: Verdict) -> None:
        """Tell a no at once; a yes shows itself by what it starts, and is told after that."""
        if verdict.reason is None:
            self._afterwards.do(partial(self._show, verdict))
        else:
            self._show(verdict)

    def _on_gate(self, is_open: object) -> None:
        self._log.info("gate", is_open=is_open)
        self._set_gate(is_open=bool(is_open))
        if is_open:
            self._on_connected(None)

    def _set_gate(self, *, is_open: bool) -> None:
        """Open or close the gate; the profile in the journal is there only while it is open."""
        self.listener.gate_is_open = is_open
        self.courier.gate_is_open = is_open
        self._profile = self._journal.transact(registration.profile, self._what.gate_digest)

    def _on_profile(self, profile: ServiceProfile) -> None:
        self._profile = profile
        self._journal.transact(offerings.offer, profile, self._drafts)
        self._prepare_all()
        self._log.info("service profile taken", devices=len(profile.devices))

    def _prepare_all(self) -> None:
        if self._profile is not None:
            for device in self._profile.devices:
                self._prepare(device.device)

    def _prepare(self, device: str) -> None:
        if self.courier.gate_is_open:
            self._journal.transact(rights.prepare, self._who, device)

    def _on_runner_connected(self) -> None:
        self.reconciler.on_connected()

    def _on_runner_event(self, event: RunnerEvent) -> None:
        if event.kind is EventKind.WARNED:
            self.reconciler.on_warned(event.record.session, float(event.seconds_left or 0))
        else:
            self.reconciler.on_seen(seen(event.record))

    def _acknowledge(self, delivery: Delivery) -> None:
        self.link.acknowledge(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        return self.link.publish(topic, payload, qos, retain=retain)

    def _show(self, verdict: Verdict) -> None:
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

    def _scanners_of(self, settings: AgentSettings, opened: Opened) -> list[Scanner]:
        return [
            ImageFolder(
                scanner.folder,
                seconds=opened.clock.steady_seconds,
                report=lambda told: self._log.warning("picture not read", why=str(told)),
            )
            for scanner in settings.scanners
        ]

    def _new_listener(self, opened: Opened) -> Listener:
        hearing = Hearing(
            on_gate=self._on_gate,
            on_profile=self._on_profile,
            on_free=self._prepare,
            on_sessions=self.reconciler.nudge,
            on_acknowledged=self.courier.acknowledged,
        )
        return Listener(
            opened.who,
            opened.journal,
            opened.what.gate_digest,
            hearing=hearing,
            acknowledge=self._acknowledge,
        )

    def _new_link(self, settings: AgentSettings, opened: Opened) -> Link:
        topic, payload = self.courier.will()
        return Link(
            LinkSettings(
                host=opened.who.broker_host,
                port=opened.who.broker_port,
                name=opened.who.terminal,
                password=opened.who.secret,
                will=Will(topic=topic, payload=payload),
                retry=RetrySettings(
                    shortest_seconds=settings.retry.shortest_seconds,
                    longest_seconds=settings.retry.longest_seconds,
                    refused_seconds=settings.retry.refused_seconds,
                ),
            ),
            LinkCallbacks(
                on_message=self.listener.take,
                on_connected=self._on_connected,
                on_lost=self._on_lost,
            ),
            random=opened.names.fraction,
            report=self._report,
        )

    def _report(self, where: str, fault: BaseException) -> None:
        self._log.error("a callback failed", where=where, exc_info=fault)


def open_journal(settings: AgentSettings, clock: SystemClock, names: SystemNames) -> SqliteJournal:
    """Return this terminal's journal.

    Raises:
        CannotStart: it cannot be opened or written.
    """
    boot_id = BOOT_ID_FILE.read_text("ascii").strip()
    return SqliteJournal(
        settings.state_folder / JOURNAL_FILE, clock=clock, names=names, boot_id=boot_id
    )
