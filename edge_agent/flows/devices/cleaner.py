"""A cleaner's code: taken for a device that waits for one; each try counts."""

from __future__ import annotations

from collections.abc import Sequence

from common.rules.devices import (
    CODE_TRIES_MAX,
    CODE_TRIES_SECONDS,
    Confirmation,
    ConfirmBy,
    DeviceState,
    NotConfirmed,
    Step,
    is_the_code,
)
from edge_agent.flows.devices.steps import step_done
from edge_agent.flows.devices.words import Served
from edge_agent.ports import Row, Transaction


def confirm(journal: Transaction, served: Sequence[Served], device: str, code: str) -> Confirmation:
    """Take a cleaner's code for a device that waits for one; each try counts, right or wrong."""
    row = journal.rows.device(device=device)
    each = next((each for each in served if each.device == device), None)
    state = DeviceState(row["state"]) if row is not None else DeviceState.AVAILABLE
    if row is None or each is None or not _is_waiting_for_code(each, row):
        return Confirmation(device=device, state=state, why_not=NotConfirmed.NOT_ASKED)
    why_not = _why_not(journal, code)
    if why_not is not None:
        return Confirmation(device=device, state=state, why_not=why_not)
    step_done(journal, each, row, ConfirmBy.CODE)
    after = journal.rows.device(device=device)
    return Confirmation(device=device, state=DeviceState(after["state"]))


def waits_for_code(journal: Transaction, served: Sequence[Served]) -> str | None:
    """Return the device that has waited longest for a cleaner's code, or None."""
    waiting = [
        (row["since_at"], each.device)
        for each in served
        for row in (journal.rows.device(device=each.device),)
        if row is not None and _is_waiting_for_code(each, row)
    ]
    return min(waiting)[1] if waiting else None


def _is_waiting_for_code(each: Served, row: Row) -> bool:
    return row["step"] == Step.CONFIRM and each.care.confirm_by is ConfirmBy.CODE


def _why_not(journal: Transaction, code: str) -> NotConfirmed | None:
    """Count a try at the cleaners' code, and say why it is not taken, or None: it is."""
    known = journal.rows.cleaner_code()
    if known is None:
        return NotConfirmed.NO_CODE
    is_of_now = known["boot_id"] == journal.boot_id
    since = known["tries_since_boot_seconds"] if is_of_now else journal.boot_seconds
    tries = known["tries"]
    if journal.boot_seconds - since >= CODE_TRIES_SECONDS:
        since, tries = journal.boot_seconds, 0
    if tries >= CODE_TRIES_MAX:
        journal.rows.count_tries(tries=tries, since_boot_seconds=since, boot_id=journal.boot_id)
        return NotConfirmed.TOO_MANY_TRIES
    if is_the_code(code, known["salt"], known["digest"]):
        return None
    since = since if tries else journal.boot_seconds
    journal.rows.count_tries(tries=tries + 1, since_boot_seconds=since, boot_id=journal.boot_id)
    return NotConfirmed.WRONG_CODE
