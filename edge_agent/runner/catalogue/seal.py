"""The operator's signature of a catalogue: a file beside it, checked before a word is read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from common.errors import CannotStart, RusubanError
from common.files import replace
from common.seals import new_signing_key, public_bytes, verifying_key

SIGNATURE_ENDING: Final = ".sig"
"""What a catalogue's name ends with where its signature is: 128 hex digits and a line end."""

SIGNATURE_MODE: Final = 0o644
"""Agent and runner are two users, and both read it."""

SIGNATURE_FILE_BYTES_MAX: Final = 256
"""Bytes of a signature's file; a larger one is something else."""

KEY_BYTES: Final = 32

_SIGNED_BEFORE = b"rusuban catalogue 1\0"
_HEX_SIGNATURE = re.compile(r"[0-9a-f]{128}\n?")


class SignatureIsMissing(CannotStart):
    """The catalogue {file} is not signed, and this terminal takes signed ones only."""


class SignatureIsWrong(CannotStart):
    """The catalogue {file} is not as the operator signed it, or was signed with another key."""


class KeyIsUnusable(RusubanError):
    """{file} is no key that catalogues are signed with: {why}."""


def refuse_unsigned(file: Path, content: bytes, key: str) -> None:
    """Return if the operator has signed this very content; `key` is the public half in hex.

    Raises:
        SignatureIsMissing: there is no signature beside the file.
        SignatureIsWrong: it is of something else, or by somebody else, or no signature at all.
    """
    beside = signature_file(file)
    try:
        with beside.open("rb") as opened:
            text = opened.read(SIGNATURE_FILE_BYTES_MAX + 1).decode("ascii", "replace")
    except OSError:
        raise SignatureIsMissing(file=file) from None
    if not _HEX_SIGNATURE.fullmatch(text):
        raise SignatureIsWrong(file=file)
    try:
        known = verifying_key(bytes.fromhex(key))
        known.verify(bytes.fromhex(text.strip()), _SIGNED_BEFORE + content)
    except InvalidSignature:
        raise SignatureIsWrong(file=file) from None


def make_key(file: Path, random_bytes: Callable[[int], bytes]) -> str:
    """Make the operator's key in a file that only its owner can read, and return its public half.

    Raises:
        KeyIsUnusable: there is a file already; a key is not written over.
        FileCannotBeKept: the disk does not take it.
    """
    if file.exists():
        raise KeyIsUnusable(file=file, why="there is a file already")
    key = new_signing_key(random_bytes(KEY_BYTES))
    replace(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public_bytes(key).hex()


def sign(file: Path, content: bytes, key_file: Path) -> Path:
    """Write the signature of this content beside the catalogue's file, and return where.

    Raises:
        KeyIsUnusable: the operator's key cannot be read.
        FileCannotBeKept: the disk does not take the signature.
    """
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except OSError as fault:
        raise KeyIsUnusable(file=key_file, why=fault.strerror) from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise KeyIsUnusable(file=key_file, why=fault) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyIsUnusable(file=key_file, why="it is a key of another kind")
    beside = signature_file(file)
    replace(beside, key.sign(_SIGNED_BEFORE + content).hex().encode() + b"\n")
    with contextlib.suppress(OSError):
        beside.chmod(SIGNATURE_MODE)
    return beside


def signature_file(file: Path) -> Path:
    """Return where the signature of a catalogue is."""
    return file.with_name(file.name + SIGNATURE_ENDING)
