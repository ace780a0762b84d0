"""Makes devices ready between two customers, and says where each stands."""

from edge_agent.turnover.making import begun
from edge_agent.turnover.turnovers import Cleaner, Turnovers

__all__ = ["Cleaner", "Turnovers", "begun"]
