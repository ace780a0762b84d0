"""A ticket's code that changes by itself, so that a picture of it soon opens nothing (C1).

Its law: what is shown is the token and ten characters after it, which only the controller can make,
for one ticket, one revision and one step of thirty seconds. A token says by its own signed flag
that it counts with them alone; after any other they make no ticket of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

from common.errors import TokenIsMalformed
from common.seals import TO_CROCKFORD, TOKEN_LENGTH, TOKEN_LETTERS, ReadToken, read_token

STEP_SECONDS: Final = 30
"""How long one code is shown."""

STEPS_BEFORE: Final = 2
"""Steps that a code may be old: the page is read again within one, and a customer has to walk."""

STEPS_AFTER: Final = 1
"""Steps that a code may be ahead: another of the controller's machines may have drawn it."""

CODE_LENGTH: Final = 10
"""Characters: six bytes, the step's lowest eight bits and five of its seal."""

SHOWN_LENGTH: Final = TOKEN_LENGTH + CODE_LENGTH
"""Characters of a token with its code: as many as the QR of a token alone can hold."""

_SEAL_BYTES = 5


def code_key(secret: bytes, ticket: str, revision: int) -> bytes:
    """Return the key of one ticket's codes; `ticket` is its 16 hex digits."""
    about = bytes.fromhex(ticket) + revision.to_bytes(1)
    return hmac.digest(secret, about, hashlib.sha256)


def code_at(key: bytes, now: int) -> str:
    """Return the code to show at an instant."""
    return _code_of(key, _step_at(now))


def is_fresh(key: bytes, code: str, now: int) -> bool:
    """Say whether a code was to be shown about now: at most two steps ago, or in the next."""
    step = _step_at(now)
    steps = range(max(step - STEPS_BEFORE, 0), step + STEPS_AFTER + 1)
    found = [hmac.compare_digest(code.encode(), _code_of(key, each).encode()) for each in steps]
    return any(found)


def token_part(text: str) -> str:
    """Return what stands before the code in a shown text; one without a code is all token."""
    return text[:TOKEN_LENGTH] if len(text) == SHOWN_LENGTH else text


def code_part(text: str) -> str:
    """Return the code in a shown text, or nothing."""
    return text[TOKEN_LENGTH:] if len(text) == SHOWN_LENGTH else ""


def read_shown(text: str) -> ReadToken:
    """Take a shown text apart; neither its token nor its code is believed yet.

    Raises:
        TokenIsMalformed: it is no token of this version, or has a code that its token does not ask
            for.
    """
    read = read_token(token_part(text))
    code = code_part(text)
    if code and not (read.token.rotates and TOKEN_LETTERS.issuperset(code)):
        raise TokenIsMalformed(why="it has characters after its token that do not belong to it")
    return read


def _step_at(now: int) -> int:
    return now // (STEP_SECONDS * 1000)


def _code_of(key: bytes, step: int) -> str:
    seal = hmac.digest(key, step.to_bytes(8), hashlib.sha256)[:_SEAL_BYTES]
    raw = (step & 0xFF).to_bytes(1) + seal
    return base64.b32encode(raw).decode().rstrip("=").translate(TO_CROCKFORD)
