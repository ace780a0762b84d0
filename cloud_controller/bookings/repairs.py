"""A device falls out of use or comes back: its claims get proposals, its terminal the word."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cloud_controller.flows import (
    devices,
    help as calls,
    modules,
    photos,
    reservations,
    service,
    sessions,
)
from cloud_controller.flows.service import DeviceTold
from cloud_controller.ports import Problem, Received, Row, Transaction
from common.ids import TerminalId
from common.rules.problems import ProblemKind

_REFUND: Final = {"do": "refund"}


def tell_of_device(books: Transaction, told: DeviceTold, actor: str, *, skips: bool = False) -> Row:
    """Keep what an operator says of a device, have its terminal do it, and return the device.

    Raises:
        NotFound: there is no such device.
    """
    service.tell_of_device(books, told, actor)
    if told.is_out_of_order is not None or skips:
        is_out = bool(told.is_out_of_order)
        ordered = devices.Ordered(
            device=told.device, is_out=is_out, skips=skips and not is_out, reason=told.reason
        )
        devices.order(books, ordered, actor)
    call_for_devices(books)
    return books.service.device(device_id=told.device)


def note_device(books: Transaction, said: Received) -> None:
    """Keep where a terminal says that its device stands; call to the claims that it loses."""
    devices.note_told(books, said)
    photos.note_told(books, said)
    if photos.is_lacking(books, said):
        devices.tell(books, said.terminal)
    call_for_devices(books)


def take_photo(books: Transaction, link: str, task: str, photo: bytes) -> None:
    """Take in the photo of a turnover, and tell its terminal that it is confirmed.

    Raises:
        NotFound: the link does not open this task, or nobody waits for it any more.
    """
    taken = photos.take(books, link, task, photo)
    if taken.terminal is not None:
        devices.tell(books, taken.terminal)


def hello(books: Transaction, said: Received) -> None:
    """Welcome a terminal back: what is wanted of its devices and modules, who is there to help."""
    sessions.hello(books, said)
    service.give_anew(books, said.terminal)
    devices.tell(books, said.terminal)
    modules.tell_wishes(books, said.terminal)
    calls.hello(books, said)


def call_for_devices(books: Transaction) -> None:
    """Call an operator to each coming claim whose device is out of order, or not ready in time."""
    for row in devices.lost(books):
        why = f"{row['device_title']} is sold for this time, and is out of order."
        proposals = (*reservations.instead(books, row), _REFUND)
        books.raise_problem(_problem(ProblemKind.RESERVATION_WITHOUT_DEVICE, row, why, proposals))
    for row in devices.late(books):
        why = f"{row['device_title']} is sold for this time, and is still being made ready."
        skip = {"do": "skip_turnover", "device": row["device_id"]}
        proposals = (skip, *reservations.instead(books, row), _REFUND)
        late = _problem(ProblemKind.TURNOVER_OVERDUE, row, why, proposals)
        evidence = {**late.evidence, "photo_task": row["photo_task"]}
        books.raise_problem(replace(late, evidence=evidence))


def _problem(
    kind: ProblemKind, row: Row, why: str, proposals: tuple[dict[str, object], ...]
) -> Problem:
    return Problem(
        kind=kind,
        subject=row["reservation_id"],
        terminal=TerminalId(row["terminal_id"]),
        reservation=row["reservation_id"],
        why=why,
        evidence={
            "device": row["device_id"],
            "fault": row["fault"],
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "link": row["link"],
        },
        proposals=proposals,
    )
