"""A wire that loses, doubles and reorders as its dice say; calmed, it carries everything."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from common.mqtt import Delivery, Token

CARRIED_MAX = 200
"""Messages under way at once; the oldest are lost, as a broker's queue would lose them."""


@dataclass
class Wire:
    """One direction between two parties; who sends does not know what arrives."""

    dice: Random
    lost: float = 0.15
    doubled: float = 0.15
    under_way: list[tuple[str, bytes]] = field(default_factory=list)
    sent: int = 0

    def publish(self, topic: str, payload: bytes, *_: object, **__: object) -> Token:
        """Take a message; see `Link.publish`."""
        self.sent += 1
        del self.under_way[:-CARRIED_MAX]
        self.under_way.append((topic, payload))
        return Token(1, self.sent)

    def calm(self) -> None:
        """From here on nothing is lost or doubled."""
        self.lost = self.doubled = 0.0

    def arriving(self, most: int) -> list[Delivery]:
        """Return up to so many messages in any order, without the lost, with the doubled."""
        arriving = []
        for _ in range(min(most, len(self.under_way))):
            topic, payload = self.under_way.pop(self.dice.randrange(len(self.under_way)))
            if self.dice.random() < self.lost:
                continue
            if self.dice.random() < self.doubled:
                self.under_way.append((topic, payload))
            arriving.append(_delivery(topic, payload))
        return arriving


def _delivery(topic: str, payload: bytes) -> Delivery:
    return Delivery(topic=topic, payload=payload, qos=1, retain=False, token=Token(1, 1))
