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
