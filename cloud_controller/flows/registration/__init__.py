"""Who may serve, and where: stores, terminals that say what they are, and the word on each."""

from cloud_controller.flows.registration.standing import (
    close_settled,
    decide,
    note_connection,
    note_presence,
    shut_out_quarantined,
    specify,
    tell_standing,
)
from cloud_controller.flows.registration.stores import (
    NewStore,
    OfflineStarts,
    add_store,
    allow_offline_starts,
    keep_directions,
    keep_hours,
)

__all__ = [
    "NewStore",
    "OfflineStarts",
    "add_store",
    "allow_offline_starts",
    "close_settled",
    "decide",
    "keep_directions",
    "keep_hours",
    "note_connection",
    "note_presence",
    "shut_out_quarantined",
    "specify",
    "tell_standing",
]
