"""A turnover, step by step: each is written with an id before anybody carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from common.rules.devices import (
    BY_A_PERSON,
    ConfirmBy,
    DeviceEvent,
    DeviceFault,
    Step,
    step_after,
)
from edge_agent.flows.devices.machine import DETAIL_LENGTH_MAX, break_off, step_on, tell
from edge_agent.flows.devices.words import Served, ToDo
from edge_agent.ports import Row, Transaction

CUT_OFF_SECONDS: Final = 5.0
"""How much later a step is begun again that was cut off: whatever ended it may be over by then."""


def to_do(journal: Transaction, served: Sequence[Served]) -> list[ToDo]:
    """Return the steps that the runner is to carry out now; asked twice, each is done once."""
    return [
        ToDo(device=each.device, run=row["run"], program=each.program, command=command)
        for each in served
        for row in (journal.rows.device(device=each.device),)
        if row is not None and row["run"] is not None
        for command in (_command(each, Step(row["step"])),)
        if journal.boot_seconds >= row["try_at_boot_seconds"]
    ]


def next_look(journal: Transaction, served: Sequence[Served]) -> float | None:
    """Return at which second since boot something is to be done, or is overdue; None: nothing."""
    moments: list[float] = []
    for each in served:
        row = journal.rows.device(device=each.device)
        if row is None or row["step"] is None:
            continue
        moments.append(row["by_boot_seconds"])
        if row["run"] is not None and row["try_at_boot_seconds"] > journal.boot_seconds:
            moments.append(row["try_at_boot_seconds"])
    return min(moments, default=None)


def note_done(
    journal: Transaction,
    served: Sequence[Served],
    run: str,
    why_not: str | None,
    *,
    is_known: bool = True,
) -> bool:
    """Take in what became of a step: done, or why not; say whether it was one of ours.

    A sensor that does not find it clean yet is asked again a little later, and so is whatever was
    cut off, of which it is not known what it has done: until the step's time is over.
    """
    for each in served:
        row = journal.rows.device(device=each.device)
        if row is None or row["run"] != run:
            continue
        step = Step(row["step"])
        if why_not is None:
            by = each.care.confirm_by if step is Step.CONFIRM else ""
            step_done(journal, each, row, by)
        elif step is Step.CONFIRM or not is_known:
            journal.rows.keep_fault(
                device=each.device, fault="", detail=why_not[:DETAIL_LENGTH_MAX]
            )
            is_asked = step is Step.CONFIRM
            wait_seconds = each.sensor_each_seconds if is_asked else CUT_OFF_SECONDS
            at = journal.boot_seconds + wait_seconds
            keep_step(journal, each, step, at, row["by_boot_seconds"])
        else:
            fault = DeviceFault.WIPE_FAILED if step is Step.WIPE else DeviceFault.RESET_FAILED
            break_off(journal, each.device, fault, why_not)
        return True
    return False


def note_overdue(journal: Transaction, served: Sequence[Served]) -> None:
    """Put devices out of order whose step has not been done in its time."""
    for each in served:
        row = journal.rows.device(device=each.device)
        if row is None or row["step"] is None or journal.boot_seconds < row["by_boot_seconds"]:
            continue
        step = Step(row["step"])
        is_asked = step is Step.CONFIRM
        fault = DeviceFault.CONFIRMATION_OVERDUE if is_asked else DeviceFault.STEP_OVERDUE
        took = f"{step} took more than {limit(each, step):g} s"
        break_off(
            journal, each.device, fault, f"{took}; {row['detail']}" if row["detail"] else took
        )


def step_done(journal: Transaction, each: Served, row: Row, confirmed_by: str) -> None:
    """Go on from the step that is being done; `confirmed_by` says who has said that it is."""
    begin(journal, each, row, Step(row["step"]), confirmed_by)


def begin(
    journal: Transaction, each: Served, row: Row, done: Step | None, confirmed_by: str
) -> None:
    """Begin the step after the one that is done; after the last the device is ready."""
    step = step_after(done, each.care, was_used=bool(row["is_used"]))
    if step is None:
        step_on(journal, each.device, DeviceEvent.READY, confirmed_by=confirmed_by)
    else:
        keep_step(journal, each, step, 0.0, None)


def keep_step(
    journal: Transaction, each: Served, step: Step, try_at: float, by: float | None
) -> None:
    """Write a step down, with the id under which the runner is to carry it out.

    That a photo is waited for is told: who takes it is asked by the controller.
    """
    confirm_by = each.care.confirm_by
    is_waiting = step is Step.CONFIRM and confirm_by in BY_A_PERSON
    journal.rows.keep_step(
        device=each.device,
        step=step,
        run=None if is_waiting else journal.names.new("u"),
        waits_for=confirm_by if is_waiting else "",
        try_at_boot_seconds=try_at,
        by_boot_seconds=journal.boot_seconds + limit(each, step) if by is None else by,
        boot_id=journal.boot_id,
    )
    if is_waiting and confirm_by is ConfirmBy.PHOTO:
        tell(journal, each.device)


def limit(each: Served, step: Step) -> float:
    """Return how many seconds a step may take."""
    return {
        Step.WIPE: each.wipe_seconds,
        Step.RESET: each.reset_seconds,
        Step.CONFIRM: each.confirm_seconds,
    }[step]


def _command(each: Served, step: Step) -> str | None:
    """Return the catalogue's command that a step is, or None: folders are emptied."""
    return {Step.WIPE: None, Step.RESET: each.care.reset, Step.CONFIRM: each.sensor}[step]
