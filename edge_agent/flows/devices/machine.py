"""The one place where a device takes a step of its machine, and tells it."""

from __future__ import annotations

from typing import Final

from common.messages.devices import DeviceTold
from common.rules.devices import DEVICE, DeviceEvent, DeviceFault, DeviceState
from edge_agent.ports import Transaction

DETAIL_LENGTH_MAX: Final = 200
"""Characters of what was found: as many as its message carries."""


def step_on(
    journal: Transaction, device: str, event: DeviceEvent, *, confirmed_by: str = ""
) -> None:
    """Take a step of the machine, if its table has it, and tell it."""
    row = journal.rows.device(device=device)
    after = DEVICE.step(DeviceState(row["state"]), event)
    if after is None:
        return
    journal.rows.move_device(device=device, before=row["state"], state=after, since_at=journal.now)
    if after is not DeviceState.OUT_OF_ORDER:
        journal.rows.keep_fault(device=device, fault="", detail="")
    tell(journal, device, confirmed_by)


def break_off(journal: Transaction, device: str, fault: DeviceFault, detail: str) -> None:
    """Put a device out of order; while somebody uses it, it waits until he has left."""
    row = journal.rows.device(device=device)
    told = detail[:DETAIL_LENGTH_MAX]
    if DEVICE.step(DeviceState(row["state"]), DeviceEvent.BREAK) is None:
        if row["state"] != DeviceState.OUT_OF_ORDER:
            journal.rows.keep_waiting_fault(device=device, fault=fault, detail=told)
        return
    journal.rows.keep_fault(device=device, fault=fault, detail=told)
    journal.rows.keep_waiting_fault(device=device, fault="", detail="")
    step_on(journal, device, DeviceEvent.BREAK)


def tell(journal: Transaction, device: str, confirmed_by: str = "") -> None:
    """Tell the controller where a device stands, and up to which word we have heard."""
    row = journal.rows.device(device=device)
    journal.say(
        DeviceTold(
            device=device,
            state=row["state"],
            at=journal.now,
            session=row["session"],
            fault=row["fault"],
            detail=row["detail"],
            confirmed_by=confirmed_by,
            order=row["heard_order"],
            waits_for=row["waits_for"],
        )
    )
