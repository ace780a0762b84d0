"""Who runs a store from the console, and what each of them may do in which store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class OperatorRole(StrEnum):
    """What an operator is in a store."""

    OWNER = "owner"
    STAFF = "staff"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What a route asks of whoever calls it; each one stands for a kind of act, not for a page."""

    LOOK = "look"
    """See what runs, what is wrong and what was earned; nothing is changed by it."""
    SERVE = "serve"
    """Start, stop, extend, move, message; settle problems; put out of order."""
    SET_UP = "set_up"
    """Say what a store is: hours, devices, offerings, prices, texts, helpers; let terminals in."""
    OWN = "own"
    """Operators, tokens, webhooks, licences, personal data: what could give the rest away."""


PERMISSIONS: Final[Mapping[OperatorRole, frozenset[Permission]]] = {
    OperatorRole.VIEWER: frozenset({Permission.LOOK}),
    OperatorRole.STAFF: frozenset({Permission.LOOK, Permission.SERVE}),
    OperatorRole.OWNER: frozenset(Permission),
}

EVERY_STORE: Final = "*"
"""In place of a store's id: all there are and will be, and what belongs to none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operator:
    """Whoever calls, and what he may.

    Attributes:
        operator: his id; of a token its own, which begins with `token:`.
        name: how the console and the audit call him.
        permissions: by store, or `EVERY_STORE`, what he may do there.
    """

    operator: str
    name: str
    permissions: Mapping[str, frozenset[Permission]] = field(default_factory=dict)

    def may(self, permission: Permission, store: str = EVERY_STORE) -> bool:
        """Say whether he may do such a thing in a store; without one, in all of them."""
        return any(permission in self.permissions.get(each, ()) for each in (store, EVERY_STORE))

    def stores(self, permission: Permission) -> frozenset[str]:
        """Return the stores where he may do such a thing; holds `EVERY_STORE` where in all."""
        return frozenset(each for each, may in self.permissions.items() if permission in may)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How often something may fail before whoever tries has to wait, and how long at the most.

    Attributes:
        free: failures after which nobody waits yet.
        longest_seconds: the wait doubles with each further failure, up to this.
    """

    free: int
    longest_seconds: int

    def wait_seconds(self, failures: int) -> int:
        """Return how long to wait after so many failures in a row."""
        beyond = failures - self.free
        return 0 if beyond <= 0 else int(min(self.longest_seconds, 2 ** min(beyond, 20)))


WITH_A_NAME: Final = Patience(free=5, longest_seconds=900)
"""Of one operator's name: who guesses at one gets some hundred tries a day, of 10^6 codes."""

FROM_AN_ADDRESS: Final = Patience(free=30, longest_seconds=60)
"""From one address, which may be a whole shop's, or a proxy's."""
