"""The controller's signing keys: made at first start, in files only it can read, never sent.

Up to sixteen are live: one signs, the others verify what they signed until it has died. Which are,
stands in one file that is replaced whole, so that whoever is killed leaves the old keys or the new.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud_controller.ports import Clock, Names
from common.errors import CannotStart
from common.files import alone_in, kept, replace
from common.rules.tickets import code_key
from common.seals import (
    KEY_IDS_MAX,
    KeysSaid,
    ReadToken,
    TicketToken,
    is_sealed,
    keys_document,
    new_signing_key,
    public_bytes,
    seal_document,
    seal_token,
    token_is_ours,
    verifying_key,
)
from common.system import SystemClock

KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 24
"""Random bytes of the operator's token and of the service server's secret: 192 bits."""

INDEX_FILE: Final = "signing-keys.json"
"""Which keys are live, the one that signs last; before the first change it is not there."""

CODES_FILE: Final = "rotating-key"
"""The secret of all codes that change by themselves; without it they are made anew."""

HOOKS_FILE: Final = "webhook-key"
"""The secret that all secrets of webhooks are made from: the books hold none of them."""

ANNOUNCED_SECONDS: Final = 30
"""Before a new key signs: terminals that are here know it by then, the others with their hello."""

_FIRST_KEY_ID = 1


class KeysCannotChange(CannotStart):
    """The signing keys stay as they are: {why}."""


@dataclass(frozen=True, kw_only=True)
class _Live:
    """The keys as one reading of their files found them."""

    stamp: tuple[int, int] | None
    private: Mapping[int, Ed25519PrivateKey]
    public: Mapping[int, str]
    verifying: Mapping[int, Ed25519PublicKey]
    signs_from: Mapping[int, int]
    said: KeysSaid | None


class FileKeys:
    """Ed25519 keys in `folder`, one file each; see `ports.Keys`.

    A change made by another process is seen at the next use.
    """

    def __init__(self, folder: Path, names: Names, clock: Clock | None = None) -> None:
        """Read the keys, making the first if there is none; `clock` is the system's by default.

        Raises:
            CannotStart: the folder cannot be written, or a file is no key.
        """
        self._folder, self._names, self._clock = folder, names, clock or SystemClock()
        if not (folder / INDEX_FILE).exists():
            self._kept_seed(_FIRST_KEY_ID)
        self._live = self._read()
        secret = kept(folder / CODES_FILE, lambda: names.secret_bytes(KEY_BYTES))
        if len(secret) != KEY_BYTES:
            raise CannotStart(why=f"{folder / CODES_FILE} is not a key of ours")
        self._codes_secret = secret

    @property
    def key_id(self) -> int:
        """Return which key signs."""
        return self._signs(self._now())

    @property
    def revision(self) -> int:
        """Return how often the keys were changed."""
        said = self._now().said
        return said.revision if said is not None else 0

    def said(self) -> KeysSaid | None:
        """Return what is told of the keys since they were last changed, or None: they never were.

        Every key that was live before or after the change has signed it.
        """
        return self._now().said

    def seal_token(self, token: TicketToken) -> str:
        """Return a ticket's token, signed.

        Raises:
            KeyError: its key is not live any more.
        """
        return seal_token(token, self._now().private[token.key_id])

    def have_signed(self, read: ReadToken) -> bool:
        """Say whether one of our live keys signed this token."""
        return token_is_ours(read, self._now().verifying)

    def is_live(self, key_id: int) -> bool:
        """Say whether what this key signed still counts."""
        return key_id in self._now().verifying

    def seal_document(self, document: dict[str, Any]) -> str:
        """Return the signature of a right, in hex."""
        live = self._now()
        return seal_document(document, live.private[self._signs(live)])

    def have_sealed(self, document: Mapping[str, Any], signature: str) -> bool:
        """Say whether one of our live keys signed this right."""
        return any(is_sealed(document, signature, key) for key in self.verifying_keys().values())

    def code_key(self, ticket: str, revision: int) -> bytes:
        """Return the key of the codes that a ticket shows, where they change by themselves."""
        return code_key(self._codes_secret, ticket, revision)

    def hook_secret(self, endpoint: str, number: int) -> str:
        """Return what a webhook is signed with, as Standard Webhooks writes it: `whsec_…`."""
        made_from = kept(self._folder / HOOKS_FILE, lambda: self._names.secret_bytes(KEY_BYTES))
        made = hmac.digest(made_from, f"{endpoint}/{number}".encode(), hashlib.sha256)
        return f"whsec_{base64.b64encode(made).decode('ascii')}"

    def public_keys(self) -> dict[int, str]:
        """Return the live public keys in hex, by key id."""
        return dict(self._now().public)

    def verifying_keys(self) -> dict[int, Ed25519PublicKey]:
        """Return the live public keys, by key id."""
        return dict(self._now().verifying)

    def rotate(self, *, at_once: bool = False) -> int:
        """Make a new key, which signs soon; the earlier ones still verify. Return its id.

        Where an earlier one was stolen it signs `at_once`, though terminals do not know it yet.

        Raises:
            KeysCannotChange: all sixteen ids have live keys.
            CannotStart: the folder cannot be written.
        """
        with alone_in(self._folder):
            ids = list(self._now().private)
            new = _next_id(ids)
            seed = self._names.secret_bytes(KEY_BYTES)
            replace(self._file(new), seed)  # before its id is live: killed here, nobody knows it
            wait_ms = 0 if at_once else ANNOUNCED_SECONDS * 1000
            signs_from = {**self._live.signs_from, new: self._clock.now_ms() + wait_ms}
            self._change([*ids, new], {new: new_signing_key(seed)}, signs_from)
            return new

    def retire(self, key_id: int) -> None:
        """Have a key neither sign nor verify any more, from now on.

        Raises:
            KeysCannotChange: there is no such live key, or it is the one that signs.
            CannotStart: the folder cannot be written.
        """
        with alone_in(self._folder):
            ids = list(self._now().private)
            if key_id not in ids:
                raise KeysCannotChange(why=f"there is no live key {key_id}")
            if key_id == self.key_id:
                raise KeysCannotChange(why=f"key {key_id} signs; make a new one first")
            kept_ids = [each for each in ids if each != key_id]
            self._change(kept_ids, {}, self._live.signs_from)
            self._file(key_id).unlink(missing_ok=True)

    def _change(
        self,
        ids: Sequence[int],
        made: Mapping[int, Ed25519PrivateKey],
        signs_from: Mapping[int, int],
    ) -> None:
        """Have these keys be the live ones, the oldest first, told by every key that was or is."""
        before = self._now()
        keys = {**before.private, **made}
        public = {each: public_bytes(keys[each]).hex() for each in ids}
        document = keys_document(self.revision + 1, public)
        signatures = {str(each): seal_document(document, key) for each, key in keys.items()}
        index = {
            "live": [[each, signs_from.get(each, 0)] for each in ids],
            "document": document,
            "signatures": signatures,
        }
        replace(self._folder / INDEX_FILE, json.dumps(index, sort_keys=True).encode())
        self._live = self._read()

    def _now(self) -> _Live:
        if self._stamp() != self._live.stamp:
            self._live = self._read()
        return self._live

    def _stamp(self) -> tuple[int, int] | None:
        """Return what tells one writing of the index from the next."""
        try:
            status = (self._folder / INDEX_FILE).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _read(self) -> _Live:
        """Return the live keys; a key that another process retires meanwhile is not missed."""
        while True:
            stamp = self._stamp()
            try:
                return self._read_as(stamp)
            except CannotStart:
                if stamp == self._stamp():
                    raise

    def _read_as(self, stamp: tuple[int, int] | None) -> _Live:
        signs_from, said = _index_in(self._folder / INDEX_FILE) if stamp else _FIRST
        private = {each: new_signing_key(self._seed(each)) for each in signs_from}
        public = {each: public_bytes(key).hex() for each, key in private.items()}
        if said is not None and said.document.get("keys") != {str(k): v for k, v in public.items()}:
            raise CannotStart(why=f"{self._folder}/{INDEX_FILE} tells of other keys than are there")
        return _Live(
            stamp=stamp,
            private=private,
            public=public,
            verifying={each: verifying_key(bytes.fromhex(raw)) for each, raw in public.items()},
            signs_from=signs_from,
            said=said,
        )

    def _signs(self, live: _Live) -> int:
        """Return the newest key whose time to sign has come, or the oldest."""
        now = self._clock.now_ms()
        ready = [each for each, at in live.signs_from.items() if at <= now]
        return ready[-1] if ready else next(iter(live.signs_from))

    def _file(self, key_id: int) -> Path:
        return self._folder / f"signing-key-{key_id}"

    def _kept_seed(self, key_id: int) -> bytes:
        return kept(self._file(key_id), lambda: self._names.secret_bytes(KEY_BYTES))

    def _seed(self, key_id: int) -> bytes:
        try:
            raw = self._file(key_id).read_bytes()
        except OSError as fault:
            raise CannotStart(why=f"{self._file(key_id)}: {fault.strerror}") from fault
        if len(raw) != KEY_BYTES:
            raise CannotStart(why=f"{self._file(key_id)} is not a key of ours")
        return raw


def _next_id(ids: Sequence[int]) -> int:
    """Return the id after the last one that is free: one that was just retired comes last."""
    for step in range(1, KEY_IDS_MAX):
        new = (ids[-1] + step) % KEY_IDS_MAX
        if new not in ids:
            return new
    raise KeysCannotChange(why=f"all {KEY_IDS_MAX} ids have live keys; retire the oldest")


_FIRST: Final[tuple[Mapping[int, int], None]] = {_FIRST_KEY_ID: 0}, None


def _index_in(file: Path) -> tuple[Mapping[int, int], KeysSaid]:
    """Return the ids that are live, each with when it signs from, and what is told of them."""
    try:
        found = json.loads(file.read_bytes())
        said = KeysSaid(
            revision=int(found["document"]["revision"]),
            document=found["document"],
            signatures={int(key): str(raw) for key, raw in found["signatures"].items()},
        )
        signs_from = {int(key_id): int(at) for key_id, at in found["live"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise CannotStart(why=f"{file} cannot be read as it was written") from fault
    if not signs_from:
        raise CannotStart(why=f"{file} names no key")
    return signs_from, said


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


def home_secret(folder: Path, names: Names) -> str:
    """Return Home Assistant's password at our broker, made when it is first asked for.

    Raises:
        CannotStart: the folder cannot be written.
    """
    return _kept_token(folder / "home-assistant", names)


def _kept_token(file: Path, names: Names) -> str:
    made = kept(file, lambda: names.secret_bytes(TOKEN_BYTES).hex().encode())
    return made.decode("ascii").strip()
