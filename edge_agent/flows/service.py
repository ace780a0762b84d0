"""Service information: asked for once the gate is open, and good only for what was confirmed."""

from __future__ import annotations

from collections.abc import Sequence

from common.messages.service import (
    ProfileDevice,
    ServiceProfile,
    ServiceRefused,
    ServiceRequest,
)
from common.rules.registration import gate_is_open
from common.topics import Channel
from edge_agent.ports import Transaction


def ask_for_service(journal: Transaction) -> None:
    """Ask for service information, once the gate is open (A5)."""
    confirmed = _confirmed_digest(journal)
    if confirmed is not None:
        journal.ask(Channel.REQUESTS, ServiceRequest(gate_digest=confirmed))


def awaits_profile(journal: Transaction) -> bool:
    """Say whether the gate is open and our service information is still to come."""
    confirmed = _confirmed_digest(journal)
    return confirmed is not None and journal.rows.profile_digest() != confirmed


def take_profile(journal: Transaction, told: ServiceProfile) -> Sequence[ProfileDevice] | None:
    """Keep the service information; what was made for another specification is not taken (A4).

    Returns the devices that we had before and have no more, or None: it was not taken.
    """
    if told.gate_digest != _confirmed_digest(journal):
        return None
    row = journal.rows.profile()
    before = ServiceProfile.model_validate_json(row["body"]).devices if row is not None else ()
    journal.rows.keep_profile(gate_digest=told.gate_digest, body=told.model_dump_json())
    ours = {device.device for device in told.devices}
    return tuple(device for device in before if device.device not in ours)


def take_refusal(journal: Transaction, told: ServiceRefused) -> None:
    """Close the gate: the controller gives nothing to what we are (A7)."""
    journal.rows.doubt(reason=told.reason)


def profile(journal: Transaction) -> ServiceProfile | None:
    """Return the service information for what this terminal is now, or None."""
    confirmed = _confirmed_digest(journal)
    row = journal.rows.profile()
    if row is None or row["gate_digest"] != confirmed:
        return None
    return ServiceProfile.model_validate_json(row["body"])


def _confirmed_digest(journal: Transaction) -> str | None:
    """Return what we are confirmed as, or None while the gate is closed."""
    row = journal.rows.gate()
    if row is None:
        return None
    own: str = row["own_digest"]
    return own if gate_is_open(row["standing"], row["gate_digest"], own) else None
