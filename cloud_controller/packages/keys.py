"""The keys that sign packages: most lie offline, two are the controller's, for freshness alone.

Its law: with the controller's own keys nobody can put a file on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from cloud_controller.ports import Names
from common.errors import RusubanError
from common.files import kept, replace

ROOT, TARGETS, SNAPSHOT, TIMESTAMP = "root", "targets", "snapshot", "timestamp"
MODULES, PROGRAMS = "modules", "programs"

OFFLINE: Final[Mapping[str, int]] = {ROOT: 3, TARGETS: 2, MODULES: 2, PROGRAMS: 2}
"""How many offline keys each role has; they belong on sticks of two persons, in two drawers."""

THRESHOLD: Final = 2
"""How many of them have to sign: one that is stolen, or lost at its root, changes nothing."""

ONLINE: Final = (SNAPSHOT, TIMESTAMP)
"""The roles with one key each, with the controller."""

SEED_BYTES: Final = 32

Signer: TypeAlias = CryptoSigner
"""A key that signs."""


class KeysAreMissing(RusubanError):
    """{role} needs {needed} keys to sign, and {found} are in the folders given by --keys."""


class KeyIsUnreadable(RusubanError):
    """{file} cannot be read: {why}."""


class KeysAreThere(RusubanError):
    """{file} is there already: keys are made once."""


def make_offline(folder: Path, names: Names, passphrase: str = "") -> dict[str, list[CryptoSigner]]:
    """Make every offline key, a file each, readable by us alone; return them by role.

    Raises:
        KeysAreThere: one of them exists.
        FileCannotBeKept: the folder cannot be written.
    """
    files = {
        role: [folder / f"{role}-{number}.pem" for number in range(1, count + 1)]
        for role, count in OFFLINE.items()
    }
    for file in (each for some in files.values() for each in some):
        if file.exists():
            raise KeysAreThere(file=file)
    return {role: [_made(file, names, passphrase) for file in some] for role, some in files.items()}


def others(folder: Path, role: str, names: Names, passphrase: str = "") -> list[CryptoSigner]:
    """Return other keys of one offline role, in a folder of their own; they are made only once.

    Raises:
        KeyIsUnreadable: there are some already, of another passphrase.
        FileCannotBeKept: the folder cannot be written.
    """
    files = [folder / f"{role}-{number}.pem" for number in range(1, OFFLINE[role] + 1)]
    return [
        _read(file, passphrase) if file.exists() else _made(file, names, passphrase)
        for file in files
    ]


def offline(folders: Sequence[Path], role: str, passphrase: str = "") -> list[CryptoSigner]:
    """Return the keys of a role that lie in these folders: as many as have to sign.

    Raises:
        KeysAreMissing: there are fewer.
        KeyIsUnreadable: one is no key of ours, or its passphrase is another.
    """
    found = {file.name: file for file in _files(folders, role)}
    if len(found) < THRESHOLD:
        raise KeysAreMissing(role=role, needed=THRESHOLD, found=len(found))
    return [_read(file, passphrase) for file in list(found.values())[:THRESHOLD]]


def online(folder: Path, names: Names) -> dict[str, CryptoSigner]:
    """Return the controller's own keys by role, making them if there are none.

    Raises:
        FileCannotBeKept: the folder cannot be written.
        KeyIsUnreadable: a file is no key of ours.
    """
    return {role: _kept(folder / f"packages-{role}-key", names) for role in ONLINE}


def replace_online(folder: Path, names: Names) -> dict[str, CryptoSigner]:
    """Make the controller other keys, in the place of those it had; return them by role.

    Raises:
        FileCannotBeKept: the folder cannot be written.
    """
    for role in ONLINE:
        replace(folder / f"packages-{role}-key", names.secret_bytes(SEED_BYTES))
    return online(folder, names)


def has_online(folder: Path) -> bool:
    """Say whether this controller is the one that signs for freshness; others only serve."""
    return all((folder / f"packages-{role}-key").exists() for role in ONLINE)


def _kept(file: Path, names: Names) -> CryptoSigner:
    seed = kept(file, lambda: names.secret_bytes(SEED_BYTES))
    if len(seed) != SEED_BYTES:
        raise KeyIsUnreadable(file=file, why="it is no key of ours")
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(seed))


def _made(file: Path, names: Names, passphrase: str) -> CryptoSigner:
    key = Ed25519PrivateKey.from_private_bytes(names.secret_bytes(SEED_BYTES))
    locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    replace(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    return CryptoSigner(key)


def _files(folders: Sequence[Path], role: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob(f"{role}-*.pem"))


def _read(file: Path, passphrase: str) -> CryptoSigner:
    try:
        key = load_pem_private_key(file.read_bytes(), passphrase.encode() or None)
    except OSError as fault:
        raise KeyIsUnreadable(file=file, why=fault.strerror) from fault
    except (ValueError, TypeError) as fault:
        raise KeyIsUnreadable(file=file, why="no key, or of another passphrase") from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyIsUnreadable(file=file, why="it is no key of ours")
    return CryptoSigner(key)
