"""Devices and switches as they stand, for a house's own automation; nothing is written here.

Law: nothing of a customer is read, not even which ticket a device runs for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import Row, Transaction

DEVICES_MAX: Final = 500
"""Devices that are shown: fifty PCs with ten each."""

SWITCHES_MAX: Final = 500
"""Switches that are shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class House:
    """What stands in a store, or in all of them, at `now` (ms)."""

    now: int
    devices: Sequence[Row]
    switches: Sequence[Row]


def glance(books: Transaction, store: str) -> House:
    """Return what stands in a store; of every store where it is empty."""
    return House(
        now=books.now,
        devices=list(books.home.devices(store_id=store, most=DEVICES_MAX)),
        switches=list(books.home.switches(store_id=store, most=SWITCHES_MAX)),
    )


def stands_in(books: Transaction, device: str, store: str) -> bool:
    """Say whether a device stands in this store; in any, where it is empty."""
    return any(row["device_id"] == device for row in glance(books, store).devices)
