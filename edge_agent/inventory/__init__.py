"""What this PC is: read quickly, never guessed; what cannot be read is said to be unknown."""

from edge_agent.inventory.programs import FileDigests
from edge_agent.inventory.specification import look

__all__ = ["FileDigests", "look"]
