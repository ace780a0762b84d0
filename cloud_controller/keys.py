"""The controller's signing keys: made at first start, in files only it can read, never sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_controller.ports import Names
from common.errors import CannotStart
from common.seals import (
    ReadToken,
    TicketToken,
    new_signing_key,
    public_bytes,
    seal_document,
    seal_token,
    token_is_ours,
    verifying_key,
)

KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 24
"""Random bytes of the operator's token: 192 bits."""

_FIRST_KEY_ID = 1


class FileKeys:
    """Ed25519 keys in `folder`, one file each; see `ports.Keys`."""

    def __init__(self, folder: Path, names: Names) -> None:
        """Read the key, making it if it is not there.

        Raises:
            CannotStart: the folder cannot be written, or the file is no key.
        """
        self.key_id = _FIRST_KEY_ID
        raw = _kept(folder / f"signing-key-{self.key_id}", lambda: names.secret_bytes(KEY_BYTES))
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
    made = _kept(folder / "operator-token", lambda: names.secret_bytes(TOKEN_BYTES).hex().encode())
    return made.decode("ascii").strip()


def _kept(file: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a file holds; written whole and durable at once when it is not there."""
    try:
        for folder in (file.parent.parent, file.parent):  # a parent made on the way is open to all
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.exists():
            return file.read_bytes()
        made = make()
        beside = file.with_suffix(".new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, made)
            os.fsync(handle)
        finally:
            os.close(handle)
        beside.rename(file)
    except OSError as fault:
        raise CannotStart(why=f"{file} cannot be kept: {fault.strerror}") from fault
    return made
