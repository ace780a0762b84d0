"""What a picture of an offering may be: a small WebP, whose head says how large it is.

Source: the WebP container, https://developers.google.com/speed/webp/docs/riff_container, and for
the heads of its two kinds of data RFC 6386 (9.1) and RFC 9649 (3.4).
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from common.messages.offerings import PICTURE_BYTES_MAX

SIDE_PIXELS_MAX: Final = 2_048
"""The longer side that a browser is made to unfold: twice what a phone shows."""

PICTURES_OF_STORE_MAX: Final = 200
"""Pictures kept of one store, some eight megabytes; one more pushes out what no offering names."""

_HEAD_BYTES: Final = 30
_LOSSLESS: Final = b"\x2f"
_MOVES: Final = 0x02
_KEY_FRAME: Final = b"\x9d\x01\x2a"


def picture_fault(body: bytes, digest: str) -> str | None:
    """Return why this is not a picture we keep under this SHA-256, or None: it is one."""
    size = size_of(body)
    if len(body) > PICTURE_BYTES_MAX:
        return f"it has more than {PICTURE_BYTES_MAX} bytes"
    if sha256(body).hexdigest() != digest:
        return "its bytes are others than it says"
    if size is None:
        return "it is no WebP"
    if not 0 < max(size) <= SIDE_PIXELS_MAX:
        return f"a side has more than {SIDE_PIXELS_MAX} pixels"
    if body[12:16] == b"VP8X" and body[20] & _MOVES:
        return "it moves"
    return None


def size_of(body: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels as a WebP's head states them; None: it is no WebP."""
    if len(body) < _HEAD_BYTES or body[:4] != b"RIFF" or body[8:12] != b"WEBP":
        return None
    match body[12:16]:
        case b"VP8X":
            return _number(body[24:27]) + 1, _number(body[27:30]) + 1
        case b"VP8L" if body[20:21] == _LOSSLESS:
            packed = _number(body[21:25])
            return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
        case b"VP8 " if body[23:26] == _KEY_FRAME:
            return _number(body[26:28]) & 0x3FFF, _number(body[28:30]) & 0x3FFF
        case _:
            return None


def _number(part: bytes) -> int:
    return int.from_bytes(part, "little")
