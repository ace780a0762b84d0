"""Who issues rights: one exchange for every kind, and what each kind decides and changes."""

from cloud_controller.flows.rights.door import note_denied
from cloud_controller.flows.rights.entrance import take_report
from cloud_controller.flows.rights.exchange import take, take_of_peer
from cloud_controller.flows.rights.holding import (
    has_to_look_after_held,
    hold_what_comes,
    note_admitted,
    note_kept,
    note_released,
    recall,
    settle_held,
)
from cloud_controller.flows.rights.seats import free_leases
from cloud_controller.flows.rights.words import OPENED

__all__ = [
    "OPENED",
    "free_leases",
    "has_to_look_after_held",
    "hold_what_comes",
    "note_admitted",
    "note_denied",
    "note_kept",
    "note_released",
    "recall",
    "settle_held",
    "take",
    "take_of_peer",
    "take_report",
]
