"""What this terminal offers: registered first, then put on when it can be provided (E1, E2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.messages.offerings import OfferingOff, OfferingOn, OfferingRegistered
from common.messages.registration import ProfileDevice, ServiceProfile
from edge_agent.ports import Transaction

Draft = Mapping[str, object]


def offer(journal: Transaction, profile: ServiceProfile, drafts: Mapping[str, Draft]) -> None:
    """Register and put on an offering for each device that the profile and the settings know.

    `drafts` gives each device key the fields of its offering.
    """
    for device in profile.devices:
        draft = drafts.get(device.key)
        if draft is not None:
            message = OfferingRegistered.model_validate({**draft, "device": device.device})
            journal.say(message)
            journal.say(OfferingOn(key=message.key, device=device.device))


def withdraw(
    journal: Transaction, devices: Sequence[ProfileDevice], drafts: Mapping[str, Draft], reason: str
) -> None:
    """Take every offering off: this terminal can provide nothing for now."""
    for device in devices:
        draft = drafts.get(device.key)
        if draft is not None:
            journal.say(OfferingOff(key=str(draft["key"]), device=device.device, reason=reason))
