"""What an operator wants of our devices: each word has a number, and is heard once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from common.messages.devices import DesiredDevice, DeviceMessageShown, DevicesDesired
from common.rules.devices import ConfirmBy, DeviceEvent, DeviceFault, DeviceState
from edge_agent.flows.devices.machine import break_off, step_on, tell
from edge_agent.flows.devices.review import go_on
from edge_agent.flows.devices.steps import step_done
from edge_agent.flows.devices.words import Served
from edge_agent.ports import Transaction

BY_OPERATOR: Final = "operator"
"""Who has confirmed a turnover that an operator has skipped."""


def note_message_shown(journal: Transaction, device: str, message: str) -> None:
    """Tell that the page before the customer has shown what the store said."""
    journal.say(DeviceMessageShown(message=message, device=device, at=journal.now))


def take_desired(journal: Transaction, served: Sequence[Served], told: DevicesDesired) -> None:
    """Do what an operator wants of our devices, each word once, and know the cleaners' code."""
    if told.cleaner_code is None:
        journal.rows.forget_cleaner_code()
    else:
        journal.rows.keep_cleaner_code(salt=told.cleaner_code.salt, digest=told.cleaner_code.digest)
    for wanted in told.devices:
        for each in served:
            if each.device == wanted.device:
                _hear(journal, each, wanted)
                _take_photo(journal, each, wanted.photographed)


def to_mend(journal: Transaction, served: Sequence[Served]) -> list[Served]:
    """Return the devices of which the runner is to hear that their programs are whole again."""
    names = {row["device"] for row in journal.rows.to_mend()}
    return [each for each in served if each.device in names]


def note_mended(journal: Transaction, device: str) -> None:
    """Take in that the runner has heard it."""
    journal.rows.keep_mend(device=device, mends=0)


def _hear(journal: Transaction, each: Served, wanted: DesiredDevice) -> None:
    """Do what the operator's latest word on a device says, unless it was heard before."""
    journal.rows.add_device(device=each.device, state=DeviceState.AVAILABLE, since_at=journal.now)
    if not journal.rows.hear_order(device=each.device, heard_order=wanted.order):
        return
    row = journal.rows.device(device=each.device)
    if wanted.is_out_of_order:
        if row["state"] != DeviceState.OUT_OF_ORDER:
            break_off(journal, each.device, DeviceFault.OPERATOR, "")
    else:
        journal.rows.keep_waiting_fault(device=each.device, fault="", detail="")
        if row["state"] == DeviceState.OUT_OF_ORDER:
            is_looked_at = each.care.confirm_by is ConfirmBy.SENSOR
            journal.rows.note_use(
                device=each.device, session=row["session"], is_used=int(is_looked_at)
            )
            step_on(journal, each.device, DeviceEvent.MEND)
            journal.rows.keep_mend(device=each.device, mends=1)
        if wanted.skips:
            step_on(journal, each.device, DeviceEvent.READY, confirmed_by=BY_OPERATOR)
        go_on(journal, each)
    tell(journal, each.device)


def _take_photo(journal: Transaction, each: Served, session: str | None) -> None:
    """Go on where the photo of this use's turnover was waited for; of another it says nothing."""
    row = journal.rows.device(device=each.device)
    if row["waits_for"] == ConfirmBy.PHOTO and session is not None and row["session"] == session:
        step_done(journal, each, row, ConfirmBy.PHOTO)
