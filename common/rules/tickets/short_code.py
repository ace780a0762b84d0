"""A ticket's short code, for a dead camera: ten characters that a person can read out and type.

Pure: chance comes in as an argument. 50 bits in Crockford's base 32, which has no I, L, O or U.
"""

from __future__ import annotations

from typing import Final, Protocol

SHORT_CODE_LENGTH: Final = 10
"""Characters of five bits each: with the limits on wrong ones too many to be guessed."""

TYPED_LENGTH_MAX: Final = 32
"""Characters of a typed code with all its spaces and hyphens; what is longer is none."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = frozenset(_CROCKFORD)
_AS_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_BITS = 5
_RANDOM_BYTES = 7  # the fewest that hold 50 bits
_GROUP = 5


class Chance(Protocol):
    """Where random bytes come from."""

    def secret_bytes(self, count: int) -> bytes:
        """Return `count` random bytes."""
        ...


def new_short_code(names: Chance) -> str:
    """Return a new short code: ten characters, 50 random bits, as `tickets.short_code` keeps it."""
    bits = int.from_bytes(names.secret_bytes(_RANDOM_BYTES))
    digits = (bits >> _BITS * place & 0x1F for place in range(SHORT_CODE_LENGTH))
    return "".join(_CROCKFORD[digit] for digit in digits)


def short_code_in(text: str) -> str | None:
    """Return the short code that a text is meant to be, or None: it is none.

    Case, spaces and hyphens do not matter; O counts as 0, I and L count as 1.
    """
    if len(text) > TYPED_LENGTH_MAX or not text.isascii():
        return None
    code = text.upper().translate(_AS_MEANT)
    return code if len(code) == SHORT_CODE_LENGTH and _LETTERS.issuperset(code) else None


def shown_short_code(code: str) -> str:
    """Return a short code as a person reads it: in two groups of five."""
    return f"{code[:_GROUP]}-{code[_GROUP:]}"
