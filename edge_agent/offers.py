"""What this terminal serves now: the devices of its service profile, while the gate is open."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import structlog

from common.errors import StorageIsFull
from common.messages.offerings import OffReason
from common.messages.service import ProfileDevice, ServiceProfile
from common.rules.rights import subject_in
from edge_agent.flows import offerings, rights, service
from edge_agent.flows.offerings import Draft
from edge_agent.gate import Gate
from edge_agent.ports import Identity, Journal


class Offers:
    """Puts devices on offer and takes them off, and has their next exchange ready."""

    def __init__(
        self, who: Identity, journal: Journal, gate: Gate, drafts: Mapping[str, Draft]
    ) -> None:
        """Take what it speaks to; `drafts` are the offerings of this terminal's own settings."""
        self._who = who
        self._journal = journal
        self._gate = gate
        self._drafts = drafts
        self._profile: ServiceProfile | None = None
        self._log = structlog.get_logger("agent")

    @property
    def profile(self) -> ServiceProfile | None:
        """Return the service information that we serve by now, or None: we serve nobody."""
        return self._profile

    @property
    def devices(self) -> Sequence[ProfileDevice]:
        """Return the devices on which customers are served now."""
        return self._profile.devices if self._profile is not None else ()

    def review(self) -> None:
        """Offer what the journal holds while the gate is open, and nothing while it is closed."""
        if not self._gate.is_open:
            self.withdraw(OffReason.GATE_CLOSED)
        elif self._profile is None:
            profile = self._journal.transact(service.profile)
            if profile is not None:
                self.take(profile, ())

    def take(self, profile: ServiceProfile, gone: Sequence[ProfileDevice]) -> None:
        """Offer the devices of a new profile; those gone with the old one are taken off."""
        self._journal.transact(offerings.offer, profile, self._drafts, gone)
        for device in gone:
            self._journal.transact(rights.drop, self._who, device.device)
        self._profile = profile
        self.prepare_all()
        self._log.info("service profile taken", devices=len(profile.devices))

    def note_order(self, device: str, *, is_out: bool) -> None:
        """Take a device off offer that is out of order, or put it on again."""
        found = [each for each in self.devices if each.device == device]
        if is_out:
            why = OffReason.OUT_OF_ORDER
            self._journal.transact(offerings.withdraw, found, self._drafts, why)
        else:
            self._journal.transact(offerings.put_on, found, self._drafts)

    def withdraw(self, why: OffReason) -> None:
        """Take everything off offer; whoever waits for an answer is told that there is none."""
        devices, self._profile = self.devices, None
        if devices:
            with contextlib.suppress(StorageIsFull):  # our silence will say it
                self._journal.transact(offerings.withdraw, devices, self._drafts, why)
                for device in devices:
                    self._journal.transact(rights.stop_serving, self._who, device.device)

    def prepare_all(self) -> None:
        """Have an exchange ready for each device, so that a scan need not wait for it."""
        for device in self.devices:
            self.prepare(device.device)

    def on_free(self, kind: str) -> None:
        """Have the next exchange of a session's class ready; others are begun when needed."""
        device = subject_in(kind)
        if kind == rights.class_for(device):
            self.prepare(device)

    def prepare(self, device: str) -> None:
        """Have an exchange ready for a device that is free."""
        if self._gate.is_open:
            self._journal.transact(rights.prepare, self._who, device)
