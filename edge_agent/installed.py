"""Which packages this PC has from us, where each lies, and that it stays while it is used.

`<folder>/modules/<name>/` and `<folder>/programs/<name>/` hold `current.json` and one folder
`<version>-<sha12>/` for each version: its files, and `manifest.json`, which says what they are.
Only the store writes there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import RusubanError
from common.messages.base import Digest, PackageName, PackageVersion
from common.messages.modules import PackageKind
from common.rules.modules import (
    MANIFEST_FILE,
    PackedFile,
    digest_of_contents,
)
from edge_agent.ports import Installed

CURRENT_FILE: Final = "current.json"

CURRENT_BYTES_MAX: Final = 65_536
"""Bytes of `current.json`; ours has a few hundred."""

MANIFEST_BYTES_MAX: Final = 64 << 20
"""Bytes of a manifest: that of the most files a package may have, with paths of usual length."""

SHA_DIGITS: Final = 12
"""Hex digits of an archive's SHA-256 in its folder's name: who reads it tells versions apart."""

LOCKS_MAX: Final = 8
"""How often a lock is tried anew when the version was exchanged just then."""


class NotInstalled(RusubanError):
    """{package} is not installed here."""


class StillRunning(RusubanError):
    """{package} {version} is in use: a program runs from it."""


class NotWhole(RusubanError):
    """{package} {version} is not what was installed: {why}."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class VersionNamed(_Kept):
    """One version of a package, by what names its folder."""

    version: PackageVersion
    sha256: Digest

    @property
    def folder(self) -> str:
        """Return its folder's name."""
        return f"{self.version}-{self.sha256[:SHA_DIGITS]}"


class CurrentVersion(VersionNamed):
    """What `current.json` says."""

    package: PackageName
    kind: PackageKind
    digest: Digest
    """Of the unpacked files; see `common.rules.modules.digest_of_contents`."""

    release_counter: Annotated[int, Field(ge=1)]
    previous: VersionNamed | None = None


class FileInManifest(_Kept):
    """One file of ours."""

    path: str
    length: Annotated[int, Field(ge=0)]
    sha256: Digest
    is_executable: bool = False


class Manifest(VersionNamed):
    """What `manifest.json` says: all that we have put there, and nothing else."""

    package: PackageName
    kind: PackageKind
    release_counter: Annotated[int, Field(ge=1)]
    digest: Digest
    files: tuple[FileInManifest, ...]

    @property
    def packed(self) -> tuple[PackedFile, ...]:
        """Return its files as the rules know them."""
        return tuple(PackedFile(**file.model_dump()) for file in self.files)

    @property
    def is_true_to_itself(self) -> bool:
        """Say whether its digest is that of its files."""
        return digest_of_contents(self.packed) == self.digest


def package_folder(folder: Path, kind: PackageKind, package: str) -> Path:
    """Return where all versions of a package lie."""
    return folder / f"{kind}s" / package


def current(folder: Path, package: str) -> Installed | None:
    """Return the version of a package that programs get, or None: there is none from us.

    A name belongs to one kind; a module is looked for first.
    """
    for kind in (PackageKind.MODULE, PackageKind.PROGRAM):
        home = package_folder(folder, kind, package)
        found = said_current(home)
        if found is not None and (home / found.folder).is_dir():
            return Installed(
                package=package,
                kind=kind,
                version=found.version,
                release_counter=found.release_counter,
                sha256=found.sha256,
                digest=found.digest,
                folder=str(home / found.folder),
            )
    return None


def all_current(folder: Path) -> tuple[Installed, ...]:
    """Return the current version of every package that is here, by name."""
    homes = [home for kind in PackageKind for home in sorted((folder / f"{kind}s").glob("*/"))]
    found = [current(folder, home.name) for home in homes]
    return tuple(each for each in found if each is not None)


def said_current(home: Path) -> CurrentVersion | None:
    """Return what `current.json` of a package says; None: there is none, or it says nothing."""
    try:
        with (home / CURRENT_FILE).open("rb") as file:
            return CurrentVersion.model_validate_json(file.read(CURRENT_BYTES_MAX))
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None


def manifest_of(place: Path) -> Manifest | None:
    """Return what a version's manifest says; None: there is none, or it is not true to itself."""
    try:
        with (place / MANIFEST_FILE).open("rb") as file:
            found = Manifest.model_validate_json(file.read(MANIFEST_BYTES_MAX))
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return None
    return found if found.is_true_to_itself else None


@contextmanager
def locked(folder: Path, package: str) -> Iterator[Installed]:
    """Keep the current version of a package where it is, for as long as it is used.

    The lock is shared: many programs may run from it. It is a descriptor's, so who is to hold it
    longer than this block inherits the descriptor; see `lock_of`.

    Raises:
        NotInstalled: there is none.
    """
    installed, handle = lock_of(folder, package)
    try:
        yield installed
    finally:
        os.close(handle)


def lock_of(folder: Path, package: str) -> tuple[Installed, int]:
    """Return the current version and a descriptor that keeps it until it is closed everywhere.

    Raises:
        NotInstalled: there is none.
    """
    for _ in range(LOCKS_MAX):
        installed = current(folder, package)
        if installed is None:
            break
        handle = _shared(Path(installed.folder))
        if handle is not None:
            return installed, handle
    raise NotInstalled(package=package)


def _shared(place: Path) -> int | None:
    """Return a descriptor with a shared lock; None: what was opened is not there any more."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), place.lstat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass  # it is being taken away
    os.close(handle)
    return None
