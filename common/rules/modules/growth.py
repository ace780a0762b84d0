"""How many seats a branch takes from its root ahead of need, and when it returns some.

Its law: this is a wish and no more. Seats change pools by the exchange alone, so that whatever is
wished here, and however often, all pools together never have more than the licence (D11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FREE_LEAST: Final = 2
"""Seats that are to be free at least: two may ask in the same second."""

FREE_SHARE: Final = 10
"""One seat of so many is to be free, where that is more."""

SPARE_TIMES: Final = 4
"""Free seats are too many when they are so many times as many as are to be free,"""

SPARE_SECONDS: Final = 86_400
"""for so long: an evening's need comes again with the next one."""

USE_SECONDS: Final = 3_600
"""How far back the use is looked at that is taken to go on."""

USE_TIMES: Final = 2
"""Twice that is asked for, so that a growing branch asks less and less often."""

RETRY_SECONDS: Final = 60
"""How long a root that had none left is not asked again: its other branches ask it as well."""

FRESH_SECONDS: Final = 180
"""How long its word that none is left is taken to be true: two times of asking it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """The seats of one module at a branch, and how they are used.

    Attributes:
        owned: how many are here.
        used: how many of them are not free.
        taken: how many were given out within `USE_SECONDS`, renewals left out.
        freed: how many came free within `SPARE_SECONDS` and are not in use again.
        moved_at: when the root last gave some or took some back; 0: never.
        refused_at: when it last had none left, since it last gave some; 0: not so.
    """

    owned: int
    used: int
    taken: int = 0
    freed: int = 0
    moved_at: int = 0
    refused_at: int = 0

    @property
    def free(self) -> int:
        """Return how many can be given out now."""
        return self.owned - self.used

    @property
    def free_wanted(self) -> int:
        """Return how many are to be free."""
        return max(FREE_LEAST, -(-self.owned // FREE_SHARE))


def wanted_change(use: Use, now: int, most: int) -> int:
    """Return how many seats to take from the root now, below nought how many to return.

    What is returned was free for a whole day: `used` was never above what it is now and what has
    come free since. After a return twice as many stay free as must be, so that it is not asked for
    them the next minute. `most` is the most that may be asked for at once.
    """
    if use.free < use.free_wanted:
        if now - use.refused_at < RETRY_SECONDS * 1000:
            return 0
        return min(most, max(USE_TIMES * use.taken, use.free_wanted))
    spare = use.free - use.freed
    is_long_so = now - use.moved_at >= SPARE_SECONDS * 1000
    if is_long_so and spare > SPARE_TIMES * use.free_wanted:
        return -min(most, spare - 2 * use.free_wanted)
    return 0


def is_none_anywhere(refused_at: int | None, now: int) -> bool:
    """Say whether no seat is left anywhere, or only none here.

    `refused_at` is when the root last had none; None: we have no root, and what is not here is
    nowhere.
    """
    return refused_at is None or now - refused_at < FRESH_SECONDS * 1000
