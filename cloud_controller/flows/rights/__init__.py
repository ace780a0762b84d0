"""Who issues rights: one exchange for every kind, and what each kind decides and changes."""

from cloud_controller.flows.rights.borrowing import (
    has_unused,
    note_returned,
    questions,
    return_unused,
    returns,
    shown,
    stale_questions,
)
from cloud_controller.flows.rights.door import note_denied
from cloud_controller.flows.rights.elsewhere import hear_shown, hear_use, keep_keys
from cloud_controller.flows.rights.entrance import take_report
from cloud_controller.flows.rights.exchange import take, take_of_peer
from cloud_controller.flows.rights.extensions import Extended, extension_rights
from cloud_controller.flows.rights.holding import (
    has_to_look_after_held,
    hold_anew,
    hold_what_comes,
    note_admitted,
    note_kept,
    note_released,
    recall,
    settle_held,
)
from cloud_controller.flows.rights.lending import call_for_overdue, lend, take_back, verify
from cloud_controller.flows.rights.runs import note_run_ended
from cloud_controller.flows.rights.seats import free_leases
from cloud_controller.flows.rights.telling import Untold, note_looked, note_told, untold
from cloud_controller.flows.rights.uninstalls import note_uninstalled
from cloud_controller.flows.rights.words import OPENED

__all__ = [
    "OPENED",
    "Extended",
    "Untold",
    "call_for_overdue",
    "extension_rights",
    "free_leases",
    "has_to_look_after_held",
    "has_unused",
    "hear_shown",
    "hear_use",
    "hold_anew",
    "hold_what_comes",
    "keep_keys",
    "lend",
    "note_admitted",
    "note_denied",
    "note_kept",
    "note_looked",
    "note_released",
    "note_returned",
    "note_run_ended",
    "note_told",
    "note_uninstalled",
    "questions",
    "recall",
    "return_unused",
    "returns",
    "settle_held",
    "shown",
    "stale_questions",
    "take",
    "take_back",
    "take_of_peer",
    "take_report",
    "untold",
    "verify",
]
