"""What this terminal may send and take now: one rule for every channel, in and out (A4, A8)."""

from __future__ import annotations

from common.topics import OPEN_TO, BrokerRole, Channel
from edge_agent.flows import registration
from edge_agent.ports import Journal


class Gate:
    """The role this terminal has by its own journal; listener and courier go by it alone."""

    def __init__(self, journal: Journal) -> None:
        """Begin closed: what the journal remembers of this PC is of an earlier time."""
        self.role = BrokerRole.GATE
        self.has_looked = False
        """Whether this PC was looked at since the start; until then the gate stays closed."""
        self._journal = journal

    @property
    def is_open(self) -> bool:
        """Say whether service is given and taken."""
        return self.role is BrokerRole.SERVICE

    @property
    def is_shut(self) -> bool:
        """Say whether it is closed by what we were told, not just until this PC was looked at."""
        return not self._journal.transact(registration.is_open)

    def lets(self, channel: Channel) -> bool:
        """Say whether this channel may be used now; a channel that nobody has a rule for fails."""
        return self.role in OPEN_TO[channel]

    def review(self) -> bool:
        """Take the role that goes with what the journal says now; say whether it is another."""
        before = self.role
        self.role = registration.own_role(
            gate_is_open=self.has_looked and self._journal.transact(registration.is_open),
            holds_sessions=self._journal.transact(registration.holds_sessions),
        )
        return self.role is not before
