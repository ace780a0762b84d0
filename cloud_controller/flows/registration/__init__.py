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
    StoreSaid,
    add_store,
    allow_offline_starts,
    hours_document,
    keep_directions,
    keep_hours,
    keep_store,
    store,
    store_document,
)

__all__ = [
    "NewStore",
    "OfflineStarts",
    "StoreSaid",
    "add_store",
    "allow_offline_starts",
    "close_settled",
    "decide",
    "hours_document",
    "keep_directions",
    "keep_hours",
    "keep_store",
    "note_connection",
    "note_presence",
    "shut_out_quarantined",
    "specify",
    "store",
    "store_document",
    "tell_standing",
]
