"""What sessions did to the devices, taken in again and again: nothing else moves them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from common.rules.devices import (
    HELD,
    OVER,
    ConfirmBy,
    DeviceEvent,
    DeviceFault,
    DeviceState,
    Stage,
    Step,
    Use,
    events_since,
)
from edge_agent.flows.devices.machine import break_off, step_on
from edge_agent.flows.devices.steps import begin, keep_step
from edge_agent.flows.devices.words import DeviceNow, Hosted, Served
from edge_agent.ports import Row, Transaction


def hosted(journal: Transaction) -> list[Hosted]:
    """Return the devices of our profile, also while the gate is closed: what was begun goes on."""
    row = journal.rows.profile()
    devices = json.loads(row["body"])["devices"] if row is not None else ()
    return [
        Hosted(device=each["device"], key=each["key"], program=each["program"]) for each in devices
    ]


def review(journal: Transaction, served: Sequence[Served]) -> None:
    """Take in what sessions did to the devices, and give those that were left their next step.

    Devices that are not ours any more are forgotten, unless somebody uses them still.
    """
    ours = {each.device for each in served}
    for row in list(journal.rows.devices()):
        if row["device"] not in ours and DeviceState(row["state"]) not in HELD:
            journal.rows.forget_device(device=row["device"])
    for each in served:
        journal.rows.add_device(
            device=each.device, state=DeviceState.AVAILABLE, since_at=journal.now
        )
        _take_in_use(journal, each)
        go_on(journal, each)


def note_broken(journal: Transaction, session: str) -> None:
    """Put the device of a session out of order, whose program does not stay up on it.

    Until the runner has heard that it was put right, what it says is of before that.
    """
    use = journal.rows.session(session=session)
    row = None if use is None else journal.rows.device(device=use["device"])
    if use is not None and row is not None and not row["mends"]:
        detail = f"{use['program']} fails too often"
        break_off(journal, use["device"], DeviceFault.PROGRAM_BROKEN, detail)


def states(journal: Transaction) -> dict[str, DeviceNow]:
    """Return where each device stands, by its id."""
    return {row["device"]: _now(row) for row in journal.rows.devices()}


def _take_in_use(journal: Transaction, each: Served) -> None:
    row, latest = (
        journal.rows.device(device=each.device),
        journal.rows.latest_use(device=each.device),
    )
    use = None
    if latest is not None:
        is_taken_in = latest["fence"] <= row["fence"]
        use = Use(stage=Stage(latest["state"]), is_taken_in=is_taken_in)
    for event in events_since(DeviceState(row["state"]), use):
        session = row["session"] if latest is None else latest["session"]
        if event in {DeviceEvent.START, DeviceEvent.END, DeviceEvent.FAIL}:
            is_used = int(event is DeviceEvent.END)
            journal.rows.note_use(device=each.device, session=session, is_used=is_used)
        step_on(journal, each.device, event)
    if latest is not None and use is not None and use.stage in OVER:
        journal.rows.take_use_in(device=each.device, fence=latest["fence"])


def go_on(journal: Transaction, each: Served) -> None:
    """Let a device that nobody uses come to its fault, or to its next step."""
    row = journal.rows.device(device=each.device)
    if row["waiting_fault"] and DeviceState(row["state"]) not in HELD:
        break_off(journal, each.device, DeviceFault(row["waiting_fault"]), row["waiting_detail"])
        return
    if row["state"] != DeviceState.TURNOVER:
        return
    if row["step"] is None:
        begin(journal, each, row, None, "")
    elif row["boot_id"] != journal.boot_id:  # the PC was started anew, and its clock with it
        keep_step(journal, each, Step(row["step"]), 0.0, None)


def _now(row: Row) -> DeviceNow:
    return DeviceNow(
        device=row["device"],
        state=DeviceState(row["state"]),
        since_at=row["since_at"],
        session=row["session"],
        step=None if row["step"] is None else Step(row["step"]),
        fault=row["fault"],
        detail=row["detail"],
        takes_code=row["waits_for"] == ConfirmBy.CODE,
    )
