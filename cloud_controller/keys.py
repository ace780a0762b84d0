"""The controller's signing keys: made at first start, in files only it can read, never sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_controller.ports import Names
from common.errors import CannotStart
from common.files import kept
from common.seals import (
    ReadToken,
    TicketToken,
    is_sealed,
    new_signing_key,
    public_bytes,
    seal_document,
    seal_token,
    token_is_ours,
    verifying_key,
)

KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 24
"""Random bytes of the operator's token and of the service server's secret: 192 bits."""

_FIRST_KEY_ID = 1


class FileKeys:
    """Ed25519 keys in `folder`, one file each; see `ports.Keys`."""

    def __init__(self, folder: Path, names: Names) -> None:
        """Read the key, making it if it is not there.

        Raises:
            CannotStart: the folder cannot be written, or the file is no key.
        """
        self.key_id = _FIRST_KEY_ID
        raw = kept(folder / f"signing-key-{self.key_id}", lambda: names.secret_bytes(KEY_BYTES))
        if len(raw) != KEY_BYTES:
            raise CannotStart(why=f"{folder}/signing-key-{self.key_id} is not a key of ours")
        self._key: Ed25519PrivateKey = new_signing_key(raw)
        self._verifying = self.verifying_keys()

    def seal_token(self, token: TicketToken) -> str:
        """Return a ticket's token, signed."""
        return seal_token(token, self._key)

    def have_signed(self, read: ReadToken) -> bool:
        """Say whether one of our live keys signed this token."""
        return token_is_ours(read, self._verifying)

    def seal_document(self, document: dict[str, Any]) -> str:
        """Return the signature of a right, in hex."""
        return seal_document(document, self._key)

    def have_sealed(self, document: Mapping[str, Any], signature: str) -> bool:
        """Say whether one of our live keys signed this right."""
        return any(is_sealed(document, signature, key) for key in self._verifying.values())

    def public_keys(self) -> dict[int, str]:
        """Return the live public keys in hex, by key id."""
        return {self.key_id: public_bytes(self._key).hex()}

    def verifying_keys(self) -> dict[int, Ed25519PublicKey]:
        """Return the live public keys, by key id."""
        return {key: verifying_key(bytes.fromhex(raw)) for key, raw in self.public_keys().items()}


def operator_token(folder: Path, names: Names) -> str:
    """Return the token that an operator shows, making it at the first start.

    Raises:
        CannotStart: the folder cannot be written.
    """
    return _kept_token(folder / "operator-token", names)


def service_secret(folder: Path, names: Names) -> str:
    """Return the secret of a service server apart, made by whoever needs it first.

    Raises:
        CannotStart: the folder cannot be written.
    """
    return _kept_token(folder / "service-secret", names)


def _kept_token(file: Path, names: Names) -> str:
    made = kept(file, lambda: names.secret_bytes(TOKEN_BYTES).hex().encode())
    return made.decode("ascii").strip()
