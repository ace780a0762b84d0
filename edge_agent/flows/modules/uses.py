"""That a module is used here, from wherever it is: told at a program's start, and daily (D5).

Its law: whether it came from us is the controller's to judge, by its own log; this is only the word
that it is here, and one word a day for each copy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from common.messages.modules import ModuleUsed
from edge_agent.ports import Transaction

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleHere:
    """A module that can be used here.

    Attributes:
        version: empty where it is not known, of what another party has put here.
        digest: of what lies on the disk, where it is known.
        source: `ours`, or `elsewhere`.
    """

    module: str
    version: str = ""
    digest: str = ""
    source: str = "ours"


def tell_uses(journal: Transaction, here: Iterable[ModuleHere]) -> int:
    """Tell that these are here and used, each once a day; return how many were told."""
    day = journal.now // DAY_MS
    told = 0
    for each in here:
        if not journal.rows.note_use_of_module(module=each.module, digest=each.digest, day=day):
            continue
        told += 1
        journal.say(
            ModuleUsed(
                module=each.module,
                version=each.version,
                digest=each.digest or None,
                source=each.source,
                day=day,
                at=journal.now,
            )
        )
    return told
