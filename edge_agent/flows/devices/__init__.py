"""Devices between two customers: made ready step by step, each step written before it is asked.

Its law: where a device stands follows from what its sessions did, and every step of a turnover has
an id in the journal before anybody carries it out; whoever starts again goes on with that id.
"""

from edge_agent.flows.devices.cleaner import confirm, waits_for_code
from edge_agent.flows.devices.orders import (
    BY_OPERATOR,
    note_mended,
    note_message_shown,
    take_desired,
    to_mend,
)
from edge_agent.flows.devices.review import hosted, note_broken, review, states
from edge_agent.flows.devices.steps import next_look, note_done, note_overdue, to_do
from edge_agent.flows.devices.words import DeviceNow, Hosted, Served, ToDo

__all__ = [
    "BY_OPERATOR",
    "DeviceNow",
    "Hosted",
    "Served",
    "ToDo",
    "confirm",
    "hosted",
    "next_look",
    "note_broken",
    "note_done",
    "note_mended",
    "note_message_shown",
    "note_overdue",
    "review",
    "states",
    "take_desired",
    "to_do",
    "to_mend",
    "waits_for_code",
]
