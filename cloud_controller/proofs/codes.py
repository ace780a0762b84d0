"""Codes that change every half minute (RFC 6238), as every authenticator app shows them."""

from __future__ import annotations

import base64
import hmac
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
SECRET_BYTES: Final = 20
"""Bytes of a secret: 160 bits, as RFC 4226 recommends."""

STEPS_AROUND: Final = 1
"""Steps before and after the present one that count too: a phone's clock goes wrong a little."""

ISSUER: Final = "Rusuban"


def fresh_secret(dice: bytes) -> str:
    """Return a secret as an app takes it, from `SECRET_BYTES` random bytes."""
    assert len(dice) == SECRET_BYTES
    return base64.b32encode(dice).decode()


def code_address(secret: str, name: str) -> str:
    """Return the `otpauth:` address that an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: int) -> int | None:
    """Return of which step a code is, or None: it is wrong, or its time is over.

    `now` is in UTC milliseconds. Whoever asks keeps the step and takes no older one again.
    """
    made = pyotp.HOTP(secret)
    present = now // (STEP_SECONDS * 1000)
    found = None
    for step in range(present - STEPS_AROUND, present + STEPS_AROUND + 1):
        if step >= 0 and hmac.compare_digest(made.at(step).encode(), code.encode()):
            found = step
    return found
