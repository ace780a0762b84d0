"""How many of all clients that use a module have it from this system: two logs, matched (D6).

Its law: a match is of all clients up to an instant. What a period adds is what is there at its end
and was not at its start, so nothing is counted in two periods, and a line that comes late belongs
to the period in which it happened.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class RoyaltyBasis(StrEnum):
    """Whose number is paid for; each client once."""

    DOWNLOADS_MATCHED = "downloads_matched"
    """Clients that have it from this system, and use it."""
    DOWNLOADS = "downloads"
    """Clients that have it from this system, whether they use it or not."""
    USERS = "users"
    """Clients that use it, wherever they have it from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSeen:
    """One client in the two logs, each by its earliest line there, or None: it is not in it."""

    issued_at: int | None
    used_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The two logs up to an instant, as numbers of clients.

    Attributes:
        issued: in the download log.
        users: in the user log.
        via_this_system: in both.
    """

    issued: int
    users: int
    via_this_system: int

    @property
    def obtained_elsewhere(self) -> int:
        """Return how many use it and have it from elsewhere."""
        return self.users - self.via_this_system

    @property
    def issued_never_used(self) -> int:
        """Return how many have it from this system and never said that they use it."""
        return self.issued - self.via_this_system

    def counted_by(self, basis: RoyaltyBasis) -> int:
        """Return how many of them are paid for."""
        match basis:
            case RoyaltyBasis.DOWNLOADS_MATCHED:
                return self.via_this_system
            case RoyaltyBasis.DOWNLOADS:
                return self.issued
            case RoyaltyBasis.USERS:
                return self.users


class Matched:
    """Both logs of a module, matched once; each instant asked for is then two steps away."""

    def __init__(self, clients: Iterable[ClientSeen]) -> None:
        """Match the two logs: a client is in both from the later of its two earliest lines on."""
        self._issued: list[int] = []
        self._used: list[int] = []
        self._both: list[int] = []
        for client in clients:
            if client.issued_at is not None:
                self._issued.append(client.issued_at)
            if client.used_at is not None:
                self._used.append(client.used_at)
                if client.issued_at is not None:
                    self._both.append(max(client.issued_at, client.used_at))
        for instants in (self._issued, self._used, self._both):
            instants.sort()

    def before(self, instant: int) -> Match:
        """Return the match of all lines before an instant, in UTC milliseconds."""
        return Match(
            issued=bisect_left(self._issued, instant),
            users=bisect_left(self._used, instant),
            via_this_system=bisect_left(self._both, instant),
        )
