"""Sign and check: ticket tokens and signed documents; bytes and keys in, a value or a fault out.

Pure: the same input gives the same output. Ed25519 as in RFC 8032; the ticket's layout is section 6
of the protocol.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from common.errors import SealIsBroken, TokenIsMalformed

TOKEN_PREFIX: Final = "RSB1"  # noqa: S105 - the public beginning of every ticket
TOKEN_LENGTH: Final = 144
"""Characters of a whole token; what is longer or shorter is not looked at any further."""

KEY_IDS_MAX: Final = 16
"""The key id has four bits."""

ROTATES: Final = 0b1
"""The flag of a token that counts only with a fresh code after it."""

_VERSION = 1
_BODY = struct.Struct(">B3s8sHI3sBB")
_SIGNATURE_BYTES = 64
_EPOCH_AT = 1_735_689_600_000  # 2025-01-01T00:00Z, the token's own zero, in ms
_SIGNED_PREFIX = TOKEN_PREFIX.encode() + b"\x00"
_RFC4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TO_CROCKFORD: Final = str.maketrans(_RFC4648, _CROCKFORD)
TOKEN_LETTERS: Final = frozenset(_CROCKFORD)
_TO_DIGITS = str.maketrans(_CROCKFORD, "0123456789ABCDEFGHIJKLMNOPQRSTUV")  # as `int` reads base 32
_UNUSED_BITS = 4  # 140 characters of 5 bits carry 87 bytes
_FIELD = 2**255 - 19
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})  # of RFC 8032's curve
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketToken:
    """What a ticket's QR says: no name, no address, no price.

    `ticket` is 16 hex digits; `device_number` 0 means any device of the offering; `starts_at` is in
    milliseconds but carries whole seconds only.
    """

    key_id: int
    store_number: int
    ticket: str
    device_number: int
    starts_at: int
    length_seconds: int
    revision: int
    flags: int = 0

    @property
    def rotates(self) -> bool:
        """Say whether it counts only with a fresh code after it."""
        return bool(self.flags & ROTATES)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadToken:
    """A token taken apart and not yet believed: `check_token` says whether it is ours."""

    token: TicketToken
    body: bytes
    signature: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class KeysSaid:
    """What is told of the live public keys: a document, and its signature by each key, by id.

    `revision` grows with each change of the keys.
    """

    revision: int
    document: dict[str, Any]
    signatures: Mapping[int, str]


def new_signing_key(seed: bytes) -> Ed25519PrivateKey:
    """Return the signing key that 32 random bytes make."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes of the key's public half."""
    return key.public_key().public_bytes_raw()


def verifying_key(raw: bytes) -> Ed25519PublicKey:
    """Return the public key of 32 bytes."""
    return Ed25519PublicKey.from_public_bytes(raw)


def is_anybodys(raw: bytes) -> bool:
    """Say whether a public key is of small order: for such a one anybody can sign."""
    height = int.from_bytes(raw, "little") & ~(1 << 255)  # the highest bit is the sign
    return height % _FIELD in _SMALL_ORDER


def seal_token(token: TicketToken, key: Ed25519PrivateKey) -> str:
    """Return the token's 144 characters, ready for a QR in alphanumeric mode."""
    body = _BODY.pack(
        _VERSION << 4 | token.key_id,
        token.store_number.to_bytes(3),
        bytes.fromhex(token.ticket),
        token.device_number,
        (token.starts_at - _EPOCH_AT) // 1000,
        token.length_seconds.to_bytes(3),
        token.revision,
        token.flags,
    )
    raw = body + key.sign(_SIGNED_PREFIX + body)
    return TOKEN_PREFIX + base64.b32encode(raw).decode().rstrip("=").translate(TO_CROCKFORD)


def read_token(text: str) -> ReadToken:
    """Take a scanned text apart, cheapest check first; nothing is believed yet.

    Raises:
        TokenIsMalformed: it is not a token of this version.
    """
    if len(text) != TOKEN_LENGTH:
        raise TokenIsMalformed(why=f"it has {len(text)} characters, not {TOKEN_LENGTH}")
    if not text.startswith(TOKEN_PREFIX):
        raise TokenIsMalformed(why=f"it does not begin with {TOKEN_PREFIX}")
    letters = text[len(TOKEN_PREFIX) :]
    if not TOKEN_LETTERS.issuperset(letters):
        raise TokenIsMalformed(why="it has characters that no ticket has")
    bits, unused = divmod(int(letters.translate(_TO_DIGITS), 32), 1 << _UNUSED_BITS)
    if unused:
        raise TokenIsMalformed(why="its last character is not one that we write")
    raw = bits.to_bytes(_BODY.size + _SIGNATURE_BYTES)
    body, signature = raw[: _BODY.size], raw[_BODY.size :]
    first, store, ticket, device, starts, length, revision, flags = _BODY.unpack(body)
    if first >> 4 != _VERSION:
        raise TokenIsMalformed(why=f"its version is {first >> 4}, not {_VERSION}")
    token = TicketToken(
        key_id=first & 0x0F,
        store_number=int.from_bytes(store),
        ticket=ticket.hex(),
        device_number=device,
        starts_at=_EPOCH_AT + starts * 1000,
        length_seconds=int.from_bytes(length),
        revision=revision,
        flags=flags,
    )
    return ReadToken(token=token, body=body, signature=signature)


def token_is_ours(read: ReadToken, keys: Mapping[int, Ed25519PublicKey]) -> bool:
    """Say whether one of our live keys, by its id, signed this token."""
    key = keys.get(read.token.key_id)
    return key is not None and _is_signed(key, read.signature, _SIGNED_PREFIX + read.body)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one way a document is written for signing: sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(document).encode()


def digest_of(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical form, in hex."""
    return hashlib.sha256(canonical(document)).hexdigest()


def seal_document(document: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Return the signature of a document, in hex."""
    return key.sign(canonical(document)).hex()


def renewal_document(terminal: str, epoch: str) -> dict[str, Any]:
    """Return what a terminal signs to show that it still is who it was when it enrolled."""
    return {"purpose": "rusuban renewal", "terminal": terminal, "epoch": epoch}


def keys_document(revision: int, keys: Mapping[int, str]) -> dict[str, Any]:
    """Return what is signed of the controller's live public keys, which are in hex, by key id."""
    public = {str(key_id): raw for key_id, raw in keys.items()}
    return {"purpose": "rusuban signing keys", "revision": revision, "keys": public}


def check_document(document: Mapping[str, Any], signature: str, key: Ed25519PublicKey) -> None:
    """Check that `key` signed this document.

    Raises:
        SealIsBroken: it did not.
    """
    try:
        raw = bytes.fromhex(signature)
    except ValueError as fault:
        raise SealIsBroken from fault
    if not _is_signed(key, raw, canonical(document)):
        raise SealIsBroken


def is_sealed(document: Mapping[str, Any], signature: str, key: Ed25519PublicKey) -> bool:
    """Say whether `key` signed this document."""
    try:
        check_document(document, signature, key)
    except SealIsBroken:
        return False
    return True


def _is_signed(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True
