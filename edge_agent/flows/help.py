"""Somebody before a screen needs a person: an event that waits for the line like any other."""

from __future__ import annotations

from common.messages.problems import HelpAsked
from edge_agent.ports import Transaction


def call(journal: Transaction, device: str, session: str | None, about: str) -> None:
    """Tell the operator that somebody at this device needs him; one call waits for the line."""
    if not journal.rows.has_to_tell_a_call(device=device):
        journal.say(
            HelpAsked.model_validate(
                {"device": device, "at": journal.now, "about": about, "session": session}
            )
        )


def is_told(journal: Transaction) -> bool:
    """Say whether the controller has every call that was made here."""
    return not journal.rows.has_to_tell_a_call(device=None)
