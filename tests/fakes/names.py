"""Names and secrets that count, so that a story told twice is told in the same words."""

from __future__ import annotations

import hashlib
from collections import Counter


class CountedNames:
    """The first name of a kind ends in 1, the next in 2; secrets are digests of their number."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def new(self, prefix: str) -> str:
        return f"{prefix}-{self._next(prefix)}"

    def hex_digits(self, count: int) -> str:
        return self.secret_bytes(count).hex()[:count]

    def secret_bytes(self, count: int) -> bytes:
        return hashlib.shake_256(str(self._next("secret")).encode()).digest(count)

    def short_code(self, length: int) -> str:
        return f"{self._next('code'):X>{length}}"

    def fraction(self) -> float:
        return 0.5

    def _next(self, kind: str) -> int:
        self._counts[kind] += 1
        return self._counts[kind]
