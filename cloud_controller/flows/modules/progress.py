"""How far installs are, by the latest word of each terminal: shown, and nothing else."""

from __future__ import annotations

from cloud_controller.ports import Received, Transaction
from common.messages.modules import ModulesProgress


def keep_progress(books: Transaction, said: Received) -> None:
    """Keep the latest word on an install, in the place of the one before it."""
    message: ModulesProgress = said.message
    books.modules.keep_progress(
        terminal_id=said.terminal,
        package=message.package,
        version=message.version,
        state=message.state,
        detail=message.detail,
        done_bytes=message.done_bytes,
        all_bytes=message.all_bytes,
        told_at=books.now,
    )
