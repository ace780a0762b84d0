"""What an operator wishes of this terminal's modules: numbered, so that each word counts once."""

from __future__ import annotations

from collections.abc import Mapping

from common.messages.modules import ModulesDesired
from edge_agent.ports import Transaction


def take_desired(journal: Transaction, told: ModulesDesired) -> None:
    """Keep what is wished; a word that was heard before changes nothing."""
    for each in told.wishes:
        journal.rows.keep_module_wish(module=each.module, number=each.number, wish=each.wish)


def wishes(journal: Transaction) -> Mapping[str, str]:
    """Return the latest wish for each module: `install` or `uninstall`."""
    return {row["module"]: row["wish"] for row in journal.rows.module_wishes()}
