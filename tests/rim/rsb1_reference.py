"""`RSB1` a second time, straight from the protocol's table and RFC 8032, without our own code.

Slow and plain: bits are letters '0' and '1', points of the curve are pairs of integers. Run as
`python -m tests.rim.rsb1_reference` it writes the golden vectors, which never change after that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

VECTORS = Path(__file__).with_name("rsb1_vectors.jsonl")
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
FIELDS = (
    *(("version", 4), ("key_id", 4), ("store_number", 24), ("ticket", 64)),
    *(("device_number", 16), ("starts", 32), ("length_seconds", 24), ("revision", 8), ("flags", 8)),
)
"""Each field's name and bits, in their order; `starts` is in seconds since 2025-01-01T00:00Z."""

GOOD_COUNT = 330
SEED = 20261126

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def body_of(fields: dict[str, int]) -> bytes:
    """Return the 23 bytes of a token's fields."""
    bits = "".join(f"{fields[name]:0{count}b}" for name, count in FIELDS)
    assert len(bits) == 23 * 8
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def fields_of(body: bytes) -> dict[str, int]:
    """Return the fields of a token's 23 bytes."""
    bits, fields = "".join(f"{byte:08b}" for byte in body), {}
    for name, count in FIELDS:
        fields[name], bits = int(bits[:count], 2), bits[count:]
    return fields


def text_of(raw: bytes) -> str:
    """Return bytes as they stand in a QR: the prefix, then five bits a letter, zeros at the end."""
    bits = "".join(f"{byte:08b}" for byte in raw)
    bits += "0" * (-len(bits) % 5)
    return "RSB1" + "".join(LETTERS[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def raw_of(text: str) -> bytes:
    """Return the 87 bytes of a token's text."""
    bits = "".join(f"{LETTERS.index(letter):05b}" for letter in text.removeprefix("RSB1"))
    return bytes(int(bits[at : at + 8], 2) for at in range(0, 87 * 8, 8))


def public_of(seed: bytes) -> bytes:
    """Return the public key of a seed (RFC 8032, 5.1.5)."""
    return _written(_times(_scalar(hashlib.sha512(seed).digest()[:32]), BASE))


def signed(seed: bytes, text: bytes) -> bytes:
    """Return the signature of a text (RFC 8032, 5.1.6)."""
    digest = hashlib.sha512(seed).digest()
    scalar = _scalar(digest[:32])
    nonce = _number(hashlib.sha512(digest[32:] + text).digest()) % ORDER
    first = _written(_times(nonce, BASE))
    public = _written(_times(scalar, BASE))
    hashed = _number(hashlib.sha512(first + public + text).digest())
    return first + ((nonce + hashed * scalar) % ORDER).to_bytes(32, "little")


def token_of(fields: dict[str, int], seed: bytes) -> str:
    """Return the whole token of these fields, signed."""
    body = body_of(fields)
    return text_of(body + signed(seed, b"RSB1\x00" + body))


def key_seed(key_id: int) -> bytes:
    """Return the seed of the golden vectors' key of this id."""
    return hashlib.sha256(f"golden {key_id}".encode()).digest()


def _scalar(half: bytes) -> int:
    return _number(half) & ((1 << 254) - 8) | 1 << 254


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _sum(one: Point, other: Point) -> Point:
    """Add two points of -x² + y² = 1 + dx²y²."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1)
    while scalar:
        if scalar & 1:
            total = _sum(total, point)
        point, scalar = _sum(point, point), scalar >> 1
    return total


def _even_x(y: int) -> int:
    """Return the even x of a point's y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


def _written(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, -1, P) % P
BASE: Point = (_even_x(_BASE_Y), _BASE_Y)


def _drawn(dice: Random, number: int) -> dict[str, int]:
    """Return fields for one vector: every key in turn, each field at its ends and in between."""
    fields = {"version": 1}
    for name, count in FIELDS[1:]:
        most = (1 << count) - 1
        choice = dice.randrange(8)
        ends = {0: 0, 1: most, 2: 1, 3: 1 << dice.randrange(count)}
        fields[name] = ends.get(choice, dice.randint(0, most))
    return fields | {"key_id": number % 16}


def _malformed(dice: Random, texts: list[str]) -> Iterator[tuple[str, str]]:
    """Yield texts that are no token, each with the words of the reason."""
    for text in texts:
        place = dice.randrange(4, 144)
        yield text[: place % 140], "characters, not 144"
        yield text + dice.choice(LETTERS), "characters, not 144"
        yield text[:3] + dice.choice("02345") + text[4:], "does not begin with RSB1"
        yield text.lower(), "does not begin with RSB1"
        strange = dice.choice("ILOUilou-_ é\x00\n\u0660")
        yield text[:place] + strange + text[place + 1 :], "characters that no ticket has"
        last = LETTERS[LETTERS.index(text[-1]) + dice.randint(1, 15)]
        yield text[:-1] + last, "last character is not one that we write"
        version = dice.choice([0, *range(2, 16)])
        other = bytes([version << 4 | 1]) + raw_of(text)[1:]
        yield text_of(other), f"its version is {version}, not 1"


def _unsigned(dice: Random, texts: list[str]) -> Iterator[str]:
    """Yield well-formed tokens that no key of ours signed as they stand."""
    for text in texts:
        raw = bytearray(raw_of(text))
        bit = dice.choice([*range(4, 23 * 8), *range(23 * 8, 87 * 8)])
        raw[bit // 8] ^= 128 >> bit % 8
        yield text_of(bytes(raw))
        stranger = hashlib.sha256(text.encode()).digest()
        body = bytes(raw_of(text)[:23])
        yield text_of(body + signed(stranger, b"RSB1\x00" + body))
        yield text_of(body + signed(key_seed(body[0] & 15), body))
        grown = _number(raw_of(text)[55:]) + ORDER  # the same signature, not in its one spelling
        if grown < 1 << 256:
            yield text_of(raw_of(text)[:55] + grown.to_bytes(32, "little"))


def write() -> None:
    """Write the vectors, one JSON object a line."""
    dice = Random(SEED)
    lines: list[dict[str, Any]] = [
        {"kind": "keys", "public": {key: public_of(key_seed(key)).hex() for key in range(16)}}
    ]
    texts = []
    for number in range(GOOD_COUNT):
        fields = _drawn(dice, number)
        texts.append(token_of(fields, key_seed(fields["key_id"])))
        lines.append({"kind": "good", "fields": fields, "text": texts[-1]})
    few = texts[:: GOOD_COUNT // 7]
    lines += [{"kind": "malformed", "why": w, "text": t} for t, w in _malformed(dice, few[:4])]
    lines += [{"kind": "unsigned", "text": text} for text in _unsigned(dice, few[:8])]
    VECTORS.write_text("".join(json.dumps(line) + "\n" for line in lines))


if __name__ == "__main__":
    write()
