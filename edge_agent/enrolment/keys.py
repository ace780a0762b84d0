"""This terminal's own key: made at the first start, in a file that only it can read, never sent."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from common.errors import CannotStart
from common.files import kept
from common.seals import new_signing_key, public_bytes, seal_document

KEY_FILE: Final = "terminal-key"

KEY_BYTES: Final = 32

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd says what it has decrypted for this service alone."""


class KeyIsExposed(CannotStart):
    """Others can read {file}: take it away and enrol with a new key, then nobody knows it."""


class KeyIsDamaged(CannotStart):
    """{file} is no key of ours: put a good copy back, or take it away and enrol with a new one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TerminalKey:
    """The key and where it is kept."""

    file: Path
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """Return the half that may be known, in hex."""
        return public_bytes(self.private).hex()

    def seal(self, document: Mapping[str, Any]) -> str:
        """Return our signature of a document, in hex."""
        return seal_document(document, self.private)


def key_file(folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the key is: what systemd holds for us wins over the state folder's."""
    credential = Path(environ.get(CREDENTIALS, folder)) / KEY_FILE
    return credential if credential.exists() else folder / KEY_FILE


def kept_key(folder: Path, random_bytes: Callable[[int], bytes]) -> TerminalKey:
    """Return this terminal's key, made and durable if there was none.

    Raises:
        KeyIsExposed: others may have read it.
        KeyIsDamaged: the file holds something else; it is left as it is.
        CannotStart: it cannot be kept.
    """
    file = key_file(folder)
    raw = kept(file, lambda: _written(new_signing_key(random_bytes(KEY_BYTES))))
    if file.parent == folder and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyIsExposed(file=file)  # systemd's own folder is closed; the rights in it mislead
    try:
        private = load_pem_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise KeyIsDamaged(file=file) from fault
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyIsDamaged(file=file)
    return TerminalKey(file=file, private=private)


def _written(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
