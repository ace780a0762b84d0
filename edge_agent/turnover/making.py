"""Puts together what makes a terminal's devices ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge_agent.ports import Clock, Journal
from edge_agent.settings import AgentSettings
from edge_agent.turnover.care import Kept, served_by
from edge_agent.turnover.turnovers import Cleaner, OnOrder, Turnovers


class Opened(Protocol):
    """What of an opened terminal it works with."""

    @property
    def journal(self) -> Journal:
        """Return where devices stand, and what is to be done with them."""
        ...

    @property
    def catalogue(self) -> Mapping[str, Kept]:
        """Return what each program resets and empties."""
        ...

    @property
    def clock(self) -> Clock:
        """Return what the limits of its steps are kept on."""
        ...


class Offering(Protocol):
    """Whoever takes devices off offer that are out of order."""

    @property
    def note_order(self) -> OnOrder:
        """Take a device off offer, or put it on again."""
        ...


def begun(
    settings: AgentSettings, opened: Opened, cleaner: Cleaner, offering: Offering
) -> Turnovers:
    """Return it after its first look at where each device stands: before anybody is let in."""
    served = served_by(settings.devices, opened.catalogue)
    made = Turnovers(opened.journal, cleaner, served, opened.clock, offering.note_order)
    made.review()
    return made
