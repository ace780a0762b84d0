"""What this terminal offers: registered first, then put on when it can be provided (E1, E2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from common.messages.offerings import (
    OfferingOff,
    OfferingOn,
    OfferingPictured,
    OfferingRegistered,
    OffReason,
)
from common.messages.service import ProfileDevice, ServiceProfile
from common.rules.devices import DeviceState
from edge_agent.ports import Transaction

Draft = Mapping[str, Any]
"""The fields of an offering; each of its `pictures` has its bytes with it, as Base64 `body`."""


def offer(
    journal: Transaction,
    profile: ServiceProfile,
    drafts: Mapping[str, Draft],
    gone: Sequence[ProfileDevice] = (),
) -> None:
    """Register and put on an offering for each device, after taking off those that are `gone`.

    `drafts` gives device keys the fields of their offerings, as this terminal's own settings say
    them; for a device that they say nothing of, the profile's draft is taken.
    """
    told = [each["sha256"] for draft in drafts.values() for each in _pictures(draft)]
    journal.rows.forget_pictures_told(kept=json.dumps(told))
    withdraw(journal, gone, drafts, OffReason.DEVICE_GONE)
    put_on(journal, profile.devices, drafts)


def put_on(
    journal: Transaction, devices: Sequence[ProfileDevice], drafts: Mapping[str, Draft]
) -> None:
    """Register and put on the offerings of these devices; of one that is not ready it is off."""
    for device in devices:
        draft = _draft_of(device, drafts)
        if draft is not None:
            _tell_pictures(journal, draft)
            message = OfferingRegistered.model_validate({**draft, "device": device.device})
            journal.say(message)
            row = journal.rows.door_state(device=device.device)
            if row is not None and row["state"] == DeviceState.OUT_OF_ORDER:
                withdraw(journal, [device], drafts, OffReason.OUT_OF_ORDER)
            elif journal.rows.lacks_of(device=device.device):
                withdraw(journal, [device], drafts, OffReason.LACKS_MODULES)
            else:
                journal.say(OfferingOn(key=message.key, device=device.device))


def withdraw(
    journal: Transaction,
    devices: Sequence[ProfileDevice],
    drafts: Mapping[str, Draft],
    reason: OffReason,
) -> None:
    """Take the offerings of these devices off: this terminal cannot provide them now."""
    for device in devices:
        draft = _draft_of(device, drafts)
        if draft is not None:
            journal.say(OfferingOff(key=str(draft["key"]), device=device.device, reason=reason))


def _tell_pictures(journal: Transaction, draft: Draft) -> None:
    """Tell the pictures of an offering that were not told before: they are there when it is."""
    for each in _pictures(draft):
        if not journal.rows.has_told_picture(sha256=each["sha256"]):
            journal.say(OfferingPictured(sha256=each["sha256"], body=each["body"]))
            journal.rows.note_picture_told(sha256=each["sha256"])


def _pictures(draft: Draft) -> Sequence[Mapping[str, str]]:
    """Return the pictures of a draft of our own settings; a profile's draft has none."""
    found: Sequence[Mapping[str, str]] = draft.get("pictures", ())
    return found


def _draft_of(device: ProfileDevice, drafts: Mapping[str, Draft]) -> Draft | None:
    if device.key in drafts:
        return drafts[device.key]
    return device.offering.model_dump() if device.offering is not None else None
