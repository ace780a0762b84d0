"""The registry over the books: what the management role has registered, to be read and no more."""

from __future__ import annotations

from cloud_controller.ports import Queries, Registered
from common.ids import TerminalId


class BooksRegistry:
    """Answers from the same transaction that asks; see `ports.Registry`."""

    def __init__(self, service: Queries) -> None:
        """Take the queries of the service flow, the one of the registry among them."""
        self.service = service

    def registered(self, terminal: TerminalId) -> Registered | None:
        """Return what is registered of a terminal, or None: nothing is."""
        found: Registered | None = self.service.registered(terminal_id=terminal)
        return found
