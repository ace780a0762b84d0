"""Where packages lie on this PC: each version in a folder of its own that never changes.

Only here is anything written there. Every call may be cut by a power cut and said again: what is in
use is the old version or the new one, whole, and never a mix.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from common.messages.modules import PackageKind
from common.rules.modules import (
    MANIFEST_FILE,
    PackedFile,
    VersionKept,
    digest_of_contents,
    what_can_go,
)
from edge_agent.installed import (
    CURRENT_FILE,
    CurrentVersion,
    FileInManifest,
    Manifest,
    NotWhole,
    StillRunning,
    VersionNamed,
    all_current,
    current,
    locked,
    manifest_of,
    package_folder,
    said_current,
)
from edge_agent.modules.disk import (
    TRASH,
    empty_away,
    keep_names,
    make_folder,
    put_aside,
    write_whole,
)
from edge_agent.modules.reading import files_in, is_there
from edge_agent.modules.unpack import Bounds, unpack
from edge_agent.ports import Installed, Package

STAGING: Final = ".staging-"
"""Begins the name of a folder in which a version is being put together."""

LEFT: Final = ".left-"
"""Begins the name of a folder with what others have put among our files."""

PARTS_FOLDER: Final = ".parts"
PART: Final = ".part"

PART_SECONDS_MAX: Final = 14 * 86_400
"""How long a download that nobody goes on with is kept."""


class Store:
    """The folders of all packages of this PC."""

    def __init__(self, folder: Path) -> None:
        """Take the folder they are in; it is made when it is first needed."""
        self.folder = folder

    def current(self, package: str) -> Installed | None:
        """Return the version of a package that programs get, or None."""
        return current(self.folder, package)

    def all_current(self) -> Sequence[Installed]:
        """Return the current version of every package that is here, by name."""
        return all_current(self.folder)

    def lock(self, package: str) -> AbstractContextManager[Installed]:
        """Keep its current version where it is; see `edge_agent.installed.locked`."""
        return locked(self.folder, package)

    def find(self, package: Package) -> Installed | None:
        """Return a version that is here with its manifest, whether or not it is the current one."""
        place = self._home(package) / _folder_of(package)
        manifest = manifest_of(place)
        if manifest is None or manifest.sha256 != package.sha256:
            return None
        return _installed(manifest, place)

    def part(self, sha256: str) -> Path:
        """Return where the archive of this digest is put together; its folder is there."""
        folder = self.folder / PARTS_FOLDER
        make_folder(folder)
        return folder / f"{sha256}{PART}"

    def stage(self, package: Package, counter: int, archive: Path, bounds: Bounds) -> Installed:
        """Unpack an archive under its version's final name, durably; return it.

        `counter` is the release's number, as it is signed.

        Raises:
            ArchiveIsUnfit: it holds what may not be unpacked; nothing is left of it.
            OSError: the disk does not take it.
        """
        if (found := self.find(package)) is not None:
            return found
        home, name = self._home(package), _folder_of(package)
        staging, place = home / f"{STAGING}{name}", home / name
        _clear(staging)
        _clear(place)  # one without its manifest is none
        make_folder(staging)
        try:
            files = unpack(archive, staging, bounds)
            manifest = _manifest(package, counter, files)
            write_whole(staging / MANIFEST_FILE, manifest.model_dump_json().encode())
        except BaseException:
            _clear(staging)
            raise
        staging.rename(place)
        keep_names(home)
        return _installed(manifest, place)

    def activate(self, installed: Installed) -> None:
        """Make a version what programs get, and the one before it the one to go back to."""
        home = self._home(installed)
        before = said_current(home)
        if before is not None and before.sha256 == installed.sha256:
            return
        is_there = before is not None and (home / before.folder).is_dir()
        previous = VersionNamed(**before.model_dump()) if before and is_there else None
        self._say_current(installed, previous)

    def go_back(self, installed: Installed) -> Installed | None:
        """Make the version before this one what programs get again, if it is; return the current.

        Where there is none before it, programs get none.
        """
        home = self._home(installed)
        said = said_current(home)
        if said is None or said.sha256 != installed.sha256:
            return self.current(installed.package)
        place = home / said.previous.folder if said.previous else None
        manifest = manifest_of(place) if place else None
        if place is None or manifest is None:
            (home / CURRENT_FILE).unlink(missing_ok=True)
            keep_names(home)
            return None
        before = _installed(manifest, place)
        self._say_current(before, None)
        return before

    def check(self, installed: Installed) -> None:
        """Read all files of a version.

        Raises:
            NotWhole: they are not what was installed: changed, missing, or more.
        """
        name = {"package": installed.package, "version": installed.version}
        folder = Path(installed.folder)
        manifest = manifest_of(folder)
        if manifest is None or manifest.digest != installed.digest:
            raise NotWhole(**name, why="its manifest is missing or another")
        try:
            found = digest_of_contents(files_in(folder))
        except OSError as fault:
            raise NotWhole(**name, why=fault.strerror or fault) from fault
        if found != installed.digest:
            raise NotWhole(**name, why="its files are not those of its manifest")

    def remove(self, installed: Installed) -> None:
        """Remove a version: only files of our manifest, in one rename and what follows from it.

        What others have put among them stays, under another name.

        Raises:
            StillRunning: a program runs from it; nothing has changed.
        """
        with alone_with(installed):
            self.take_away(installed)

    def take_away(self, installed: Installed) -> None:
        """Remove a version that we are `alone_with`, as `remove` does."""
        home, place = self._home(installed), Path(installed.folder)
        said = said_current(home)
        if said is not None and said.sha256 == installed.sha256:
            (home / CURRENT_FILE).unlink(missing_ok=True)
            keep_names(home)
        if place.is_dir():
            _take_away(put_aside(place, place.name))

    def versions(self, kind: PackageKind, package: str) -> Sequence[Installed]:
        """Return every version of a package that is here, whatever it is used for."""
        home = package_folder(self.folder, kind, package)
        found = [(place, manifest_of(place)) for place in _versions_in(home)]
        return [_installed(manifest, place) for place, manifest in found if manifest is not None]

    def all_packages(self) -> Sequence[tuple[PackageKind, str]]:
        """Return every package of which something is here."""
        homes = [(kind, self.folder / f"{kind}s") for kind in PackageKind]
        return [(kind, each.name) for kind, home in homes for each in sorted(home.glob("*/"))]

    def what_can_go(self, kind: PackageKind, package: str) -> Sequence[Installed]:
        """Return the versions that are neither current nor the one before, nor in use.

        The oldest comes first.
        """
        home = package_folder(self.folder, kind, package)
        said = said_current(home)
        held = {said.folder} if said else set()
        previous = {said.previous.folder} if said and said.previous else set()
        here = {Path(each.folder).name: each for each in self.versions(kind, package)}
        kept = [
            VersionKept(
                name=name,
                made_at=int((home / name).stat().st_mtime),
                is_current=name in held,
                is_previous=name in previous,
                is_locked=_is_locked(each),
            )
            for name, each in here.items()
        ]
        return [here[each.name] for each in what_can_go(kept)]

    def clear_up(self, now_seconds: float) -> None:
        """Remove what was begun and never finished: at the start, before anything else."""
        for home in (
            home for kind in PackageKind for home in (self.folder / f"{kind}s").glob("*/")
        ):
            for folder in home.glob(f"{STAGING}*"):
                _clear(folder)
            for folder in home.glob(f"{TRASH}*"):
                _take_away(folder)
        for part in (self.folder / PARTS_FOLDER).glob(f"*{PART}"):
            if now_seconds - part.stat().st_mtime > PART_SECONDS_MAX:
                part.unlink(missing_ok=True)

    def _home(self, of: Package | Installed) -> Path:
        return package_folder(self.folder, PackageKind(of.kind), of.package)

    def _say_current(self, installed: Installed, previous: VersionNamed | None) -> None:
        said = CurrentVersion(
            package=installed.package,
            kind=PackageKind(installed.kind),
            version=installed.version,
            sha256=installed.sha256,
            digest=installed.digest,
            release_counter=installed.release_counter,
            previous=previous,
        )
        write_whole(self._home(installed) / CURRENT_FILE, said.model_dump_json().encode())


def _installed(manifest: Manifest, place: Path) -> Installed:
    return Installed(**manifest.model_dump(exclude={"files"}), folder=str(place))


def _folder_of(package: Package) -> str:
    return VersionNamed(version=package.version, sha256=package.sha256).folder


def _manifest(package: Package, counter: int, files: Sequence[PackedFile]) -> Manifest:
    return Manifest(
        package=package.package,
        kind=PackageKind(package.kind),
        version=package.version,
        release_counter=counter,
        sha256=package.sha256,
        digest=digest_of_contents(files),
        files=tuple(
            FileInManifest(
                path=file.path,
                length=file.length,
                sha256=file.sha256,
                is_executable=file.is_executable,
            )
            for file in files
        ),
    )


def _versions_in(home: Path) -> Iterator[Path]:
    for place in sorted(home.glob("*/")):
        if not place.name.startswith("."):
            yield place


@contextmanager
def alone_with(installed: Installed) -> Iterator[None]:
    """Have a version to ourselves.

    Raises:
        StillRunning: somebody uses it.
    """
    try:
        handle = os.open(installed.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as fault:
        raise StillRunning(package=installed.package, version=installed.version) from fault
    finally:
        os.close(handle)


def _is_locked(installed: Installed) -> bool:
    try:
        with alone_with(installed):
            return False
    except StillRunning:
        return True


def _clear(folder: Path) -> None:
    """Have nothing of ours under this name, whether or not a power cut comes between."""
    if folder.is_dir():
        empty_away(put_aside(folder, folder.name.lstrip(".")))


def _take_away(aside: Path) -> None:
    """Remove the files of a version's manifest; what is not ours stays under another name."""
    manifest = manifest_of(aside)
    if manifest is None:
        empty_away(aside)  # its manifest goes last, so nothing but ours is left without it
        return
    for file in manifest.files:
        if is_there(aside / file.path, aside):
            (aside / file.path).unlink()
    for folder in [each for each in aside.iterdir() if each.is_dir() and not each.is_symlink()]:
        _remove_empty(folder)
    if [each.name for each in aside.iterdir()] != [MANIFEST_FILE]:
        put_aside(aside, aside.name.removeprefix(TRASH), LEFT)
        return
    (aside / MANIFEST_FILE).unlink(missing_ok=True)
    aside.rmdir()


def _remove_empty(folder: Path) -> None:
    """Remove a folder with those below it, as far as there is nothing in them."""
    for above, _, _ in os.walk(folder, topdown=False):
        try:
            Path(above).rmdir()
        except OSError:  # something is in it
            continue
