"""Passwords: any twelve characters that are not everybody's, kept as argon2id hashes alone."""

from __future__ import annotations

from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 128
"""Characters of a password; beyond them nothing is gained."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
# the first of OWASP's recommended choices: 19 MiB and two passes, some 30 ms of one core

NOBODY_S: Final = _HASHER.hash("nobody has this password")
"""The hash that a password is compared with where there is no such operator: it takes as long."""

_COMMON: Final = frozenset(
    [
        "123456789012",
        "1234567890123",
        "1234567890ab",
        "111111111111",
        "000000000000",
        "aaaaaaaaaaaa",
        "121212121212",
        "123123123123",
        "112233445566",
        "987654321098",
        "098765432109",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopas",
        "qwertyuiop[]",
        "qwertyqwerty",
        "1q2w3e4r5t6y",
        "1q2w3e4r5t6y7u",
        "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv",
        "zaq12wsxcde3",
        "q1w2e3r4t5y6",
        "asdfghjkl123",
        "asdfasdfasdf",
        "zxcvbnm12345",
        "password1234",
        "password12345",
        "password123456",
        "passwordpassword",
        "password123!",
        "password1234!",
        "passw0rd1234",
        "p@ssw0rd1234",
        "p@ssword1234",
        "mypassword123",
        "mypassword12",
        "adminadmin12",
        "administrator",
        "administrator1",
        "administrator123",
        "admin1234567",
        "adminpassword",
        "letmeinletmein",
        "letmein12345",
        "welcome12345",
        "welcome123456",
        "welcome1234!",
        "changeme1234",
        "changemenow1",
        "changeme12345",
        "iloveyou1234",
        "iloveyouiloveyou",
        "abcdefghijkl",
        "abcdefghijklm",
        "abcd12345678",
        "abc123456789",
        "abcabcabcabc",
        "a1b2c3d4e5f6",
        "a123456789012",
        "qazwsxedcrfv",
        "qazwsxedc123",
        "monkey123456",
        "dragon123456",
        "football1234",
        "baseball1234",
        "superman1234",
        "princess1234",
        "sunshine1234",
        "master123456",
        "trustno1trustno1",
        "correcthorsebatterystaple",
        "test12345678",
        "testtesttest",
        "secret123456",
        "default12345",
        "raspberry123",
        "rusuban12345",
        "rusubanrusuban",
        "kisskisskiss",
        "sakura123456",
        "doraemon1234",
        "pokemon12345",
        "nintendo1234",
        "playstation1",
        "playstation12",
        "konnichiwa12",
        "arigatou1234",
        "tokyotokyo12",
        "japanjapan12",
        "shinjuku1234",
        "operator1234",
        "operatoroperator",
        "manager12345",
        "letmein123456",
        "whatever1234",
        "computer1234",
        "internet1234",
        "starwars1234",
    ]
)
"""The commonest of those that are long enough; the others are too short anyhow."""


def hashed(password: str) -> str:
    """Return as what a password is kept; it takes some thirty milliseconds of a core."""
    return _HASHER.hash(password)


def is_password(password: str, kept: str) -> bool:
    """Say whether this is the password of that hash; empty: nobody's, and it takes as long."""
    try:
        _HASHER.verify(kept or NOBODY_S, password)
    except (Argon2Error, InvalidHashError):
        return False
    return bool(kept)


def is_common(password: str) -> bool:
    """Say whether everybody would try this one first."""
    said = password.casefold()
    return said in _COMMON or len(set(said)) < 4  # noqa: PLR2004 - three letters over and over
