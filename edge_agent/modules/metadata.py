"""What the offline keys have signed of a package, by The Update Framework, known here alone.

The controller keeps two keys that say what is newest; it has none that says what a package is. So
whoever has taken it over can keep things from us, and have us run nothing of his. Trust begins with
the `root.json` that the operator has put on this PC, again at each look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig
from typing_extensions import override

from common.files import alone_in
from common.messages.modules import CHUNK_BYTES, Release
from common.rules.modules import InstallFailure
from edge_agent.modules.checks import archive_of
from edge_agent.modules.disk import keep_bytes, keep_names
from edge_agent.modules.download import CannotBeHad, CutOff, Line, Source, reason_of
from edge_agent.modules.part import Archive
from edge_agent.ports import Package

METADATA_PATH: Final = "/packages/metadata/"

ROOT_BYTES_MAX: Final = 512_000
"""Bytes of the operator's root; ours has three thousand."""

ANSWER_SECONDS_MAX: Final = 60.0
"""How long one signed list may take: five megabytes over a slow line, and a drip ends too."""

ROOTS_MAX: Final = 64
"""Roots that may follow upon the operator's own: one a year."""

_PIECE_BYTES: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedPackage:
    """What is signed of a package: its release, and its archive as it must come."""

    release: Release
    archive: Archive


class Trust:
    """The signed lists as this PC has seen them last, in a folder of its own."""

    def __init__(self, folder: Path, root: Path | None) -> None:
        """Take where they are kept, and the operator's root; None: nothing is trusted."""
        self._folder, self._root = folder, root

    def find(self, package: Package, source: Source, at: int, line: Line) -> SignedPackage:
        """Return what is signed of a package, by lists that are fresh at `at`, in UTC milliseconds.

        It waits for the controller: it belongs in a thread.

        Raises:
            CutOff: the controller could not be asked; try again later.
            CannotBeHad: what is signed does not hold this package as it is named, and why.
            OSError: the disk does not take the lists.
        """
        root = self._operators_root()
        with alone_in(self._folder):
            try:
                target = self._target(package.target, root, source, at, line)
            finally:
                self._keep()
        return _compared(package, target)

    def _operators_root(self) -> bytes:
        if self._root is None:
            raise CannotBeHad(InstallFailure.NO_ROOT, "`modules.root` is not set")
        try:
            with self._root.open("rb") as file:
                return file.read(ROOT_BYTES_MAX)
        except OSError as fault:
            why = f"{self._root}: {fault.strerror}"
            raise CannotBeHad(InstallFailure.NO_ROOT, why) from fault

    def _target(
        self, path: str, root: bytes, source: Source, at: int, line: Line
    ) -> TargetFile | None:
        config = UpdaterConfig(max_root_rotations=ROOTS_MAX, max_delegations=4)
        base = source.url.rstrip("/") + METADATA_PATH
        try:
            updater = Updater(
                str(self._folder),
                base,
                fetcher=_Fetcher(source, line),
                config=config,
                bootstrap=root,
            )
        except RepositoryError as fault:
            raise CannotBeHad(InstallFailure.NO_ROOT, f"{self._root}: {fault}") from fault
        # A clock that is behind must not make old lists fresh; the library itself has no way in.
        updater._trusted_set.reference_time = datetime.fromtimestamp(at / 1000, UTC)  # noqa: SLF001 - see above
        try:
            updater.refresh()
            return updater.get_targetinfo(path)
        except (RepositoryError, DownloadError) as fault:
            raise _meant_by(fault) from fault

    def _keep(self) -> None:
        """Make durable what was learned: after a power cut, old lists are still known to be old."""
        for folder in (self._folder, self._folder / "root_history"):
            if folder.is_dir():
                for file in folder.glob("*.json"):
                    if not file.is_symlink():
                        keep_bytes(file)
                keep_names(folder)


class _Fetcher(FetcherInterface):
    """Asks our controller alone, and follows nobody who sends us elsewhere."""

    def __init__(self, source: Source, line: Line) -> None:
        self._source, self._line = source, line

    @override
    def _fetch(self, url: str) -> Iterator[bytes]:
        """Yield what comes; the library stops when it is more than it may be."""
        connection = self._source.connect(ANSWER_SECONDS_MAX / 3)
        late = threading.Timer(ANSWER_SECONDS_MAX, self._line.cut)
        late.daemon = True
        late.start()
        try:
            with closing(connection):
                yield from self._answered(connection, urlsplit(url).path)
        except (OSError, HTTPException, ValueError) as fault:
            message = f"{urlsplit(url).path}: {reason_of(fault)}"
            raise DownloadError(message) from fault
        finally:
            late.cancel()

    def _answered(self, connection: HTTPConnection, path: str) -> Iterator[bytes]:
        headers = {"Accept-Encoding": "identity", "Connection": "close"}
        connection.connect()
        self._line.hold(connection.sock)
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as response:  # it outlives its connection
            if response.status != HTTPStatus.OK:
                message = f"{path}: it answers {response.status}"
                raise DownloadHTTPError(message, response.status)
            expected, came = response.length, 0
            while piece := response.read1(_PIECE_BYTES):
                came += len(piece)
                yield piece
            if expected is not None and came < expected:
                message = f"{path}: it ends too early"
                raise DownloadError(message)


def _meant_by(fault: RepositoryError | DownloadError) -> CutOff | CannotBeHad:
    """Return what a fault of the library means for an install."""
    why = str(fault) or type(fault).__name__
    match fault:
        case ExpiredMetadataError() | BadVersionNumberError():
            return CannotBeHad(InstallFailure.STALE, why)
        case DownloadLengthMismatchError():
            return CannotBeHad(InstallFailure.NOT_SIGNED, why)
        case DownloadHTTPError() if fault.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            return CannotBeHad(InstallFailure.GONE, why)
        case DownloadError():
            return CutOff(why=why)
        case _:
            return CannotBeHad(InstallFailure.NOT_SIGNED, why)


def _compared(package: Package, target: TargetFile | None) -> SignedPackage:
    """Return what is signed, when it is what was named to us: in every word that counts.

    Raises:
        CannotBeHad: it is not.
    """
    if target is None:
        raise CannotBeHad(InstallFailure.NOT_SIGNED, f"{package.target} is on no list")
    try:
        release = Release.model_validate(target.custom)
    except ValidationError as fault:
        why = "what is signed of it cannot be read"
        raise CannotBeHad(InstallFailure.NOT_SIGNED, why) from fault
    signed = (release.package, release.kind, release.version, release.target, target.path)
    named = (package.package, package.kind, package.version, package.target, package.target)
    if signed != named:
        raise CannotBeHad(InstallFailure.NOT_SIGNED, "what is signed there is another package")
    sha256 = target.hashes.get("sha256")
    if (sha256, target.length) != (package.sha256, package.length):
        raise CannotBeHad(InstallFailure.NOT_SIGNED, "another archive is signed than was named")
    if len(release.chunks) != -(-target.length // CHUNK_BYTES):
        raise CannotBeHad(InstallFailure.NOT_SIGNED, "its chunks are not those of its length")
    return SignedPackage(release=release, archive=archive_of(package, release))
