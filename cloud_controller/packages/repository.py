"""The signed lists of packages in a folder, by The Update Framework: read, added to.

Its law: what is current is what `timestamp.json` leads to. It is written last, so that a kill
leaves the old state or the new one; and nothing is taken in that its role's keys have not signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError

from cloud_controller.packages.keys import (
    MODULES,
    PROGRAMS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    TIMESTAMP,
)
from cloud_controller.packages.lists import (
    ROLE_OF,
    Current,
    ListIsBad,
    check,
    expiry,
    first_delegations,
    first_root,
    is_old,
)
from cloud_controller.packages.publishing import Archive
from cloud_controller.ports import Published
from common.errors import RusubanError
from common.files import alone_in, replace
from common.messages.modules import Release

LIST_BYTES_MAX: Final = 5_000_000
"""Bytes of one list: what a terminal reads of it at most."""

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)


class RepositoryIsMissing(RusubanError):
    """There are no packages in {folder}: begin with `modules init-keys`."""


class RepositoryIsThere(RusubanError):
    """{folder} has signed lists already."""


class CannotBePublished(RusubanError):
    """{what} cannot be published: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """Who signs a change: the keys of the role that it is made in, and the controller's own."""

    role: Sequence[CryptoSigner]
    online: Mapping[str, CryptoSigner]


class Repository:
    """A folder of signed lists, and beside them the archives that they name."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing need be in it yet."""
        self.folder = folder
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"

    def is_there(self) -> bool:
        """Say whether anything was ever signed here."""
        return (self.metadata / f"{TIMESTAMP}.json").exists()

    def stamp(self) -> tuple[int, int] | None:
        """Return what tells one state of it from the next; None: nothing was ever signed."""
        try:
            found = (self.metadata / f"{TIMESTAMP}.json").stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def alone(self) -> AbstractContextManager[None]:
        """Let one program at a time change it."""
        return alone_in(self.folder)

    def begin(
        self,
        offline: Mapping[str, Sequence[CryptoSigner]],
        online: Mapping[str, CryptoSigner],
        now: int,
    ) -> Path:
        """Sign the first lists, which name nothing; return the root by which terminals trust them.

        Raises:
            RepositoryIsThere: there are some.
        """
        if self.is_there():
            raise RepositoryIsThere(folder=self.folder)
        root = first_root(offline, online, now)
        lists = {name: Targets(expires=expiry(name, now)) for name in (TARGETS, MODULES, PROGRAMS)}
        lists[TARGETS].delegations = first_delegations(offline)
        for folder in (self.metadata, self.targets):
            folder.mkdir(parents=True, exist_ok=True)
        self.write(ROOT, root, offline[ROOT], 1)
        for name, each in lists.items():
            self.write(name, each, offline[name], 1)
        meta = {f"{name}.json": MetaFile(1) for name in lists}
        self.freeze(Snapshot(expires=expiry(SNAPSHOT, now), meta=meta), 1, online, now)
        return self.metadata / f"1.{ROOT}.json"

    def current(self) -> Current:
        """Return the lists as they stand; whether they have run out is not looked at.

        Raises:
            RepositoryIsMissing: there are none.
            ListIsBad: one is damaged, or its keys have not signed it.
        """
        if not self.is_there():
            raise RepositoryIsMissing(folder=self.folder)
        root = self.root(self.newest_root())
        timestamp = self.read(TIMESTAMP, Timestamp)
        check(root, TIMESTAMP, timestamp)
        version = timestamp.signed.snapshot_meta.version
        snapshot = self.read(f"{version}.{SNAPSHOT}", Snapshot)
        check(root, SNAPSHOT, snapshot)
        top = self._list(TARGETS, root, snapshot.signed)
        below = {name: self._list(name, top, snapshot.signed) for name in (MODULES, PROGRAMS)}
        return Current(
            root=root,
            timestamp=timestamp.signed,
            snapshot=snapshot.signed,
            lists={TARGETS: top, **below},
        )

    def releases(self) -> tuple[Published, ...]:
        """Return what may be installed now, by the signed lists.

        Raises:
            RepositoryIsMissing, ListIsBad: they cannot be read.
        """
        lists = self.current().lists
        return tuple(
            _published(target)
            for name in (PROGRAMS, MODULES)
            for target in lists[name].targets.values()
        )

    def add(self, release: Release, archive: Archive, keys: Keys, now: int) -> Published:
        """Publish an archive, which is moved into its place; `alone` is to be held.

        Raises:
            CannotBePublished: it or a higher release was, or the name is another kind's.
            ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
        """
        current = self.current()
        _check_new(release, [_published(t) for t in _all_targets(current)])
        target = TargetFile(archive.length, {"sha256": archive.sha256}, release.target)
        target.unrecognized_fields["custom"] = release.model_dump(mode="json")
        place = self.targets / target.get_prefixed_paths()[0]
        place.parent.mkdir(parents=True, exist_ok=True)
        archive.path.replace(place)

        def change(targets: dict[str, TargetFile]) -> None:
            targets[release.target] = target

        self._change(ROLE_OF[release.kind], change, keys, now)
        return _published(target)

    def withdraw(self, published: Published, keys: Keys, now: int) -> None:
        """Have nobody install a release any more; who has it keeps it. `alone` is to be held.

        Raises:
            CannotBePublished: it is not published.
            ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
        """

        def change(targets: dict[str, TargetFile]) -> None:
            if targets.pop(published.target, None) is None:
                raise CannotBePublished(what=published.target, why="it is not on the list")

        self._change(ROLE_OF[published.release.kind], change, keys, now)

    def sign_again(self, role: str, keys: Keys, now: int) -> None:
        """Have a list of the offline keys believed for its whole time again; hold `alone`.

        Raises:
            ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
        """
        self._change(role, lambda _targets: None, keys, now)

    def renew(self, online: Mapping[str, CryptoSigner], now: int) -> bool:
        """Sign anew what has grown old of our own two lists; say whether anything had.

        Raises:
            ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
        """
        with self.alone():
            current = self.current()
            version = current.snapshot.version
            if is_old(current.snapshot, SNAPSHOT, now):
                fresh = Snapshot(expires=expiry(SNAPSHOT, now), meta=current.snapshot.meta)
                self.freeze(fresh, version + 1, online, now, current)
            elif is_old(current.timestamp, TIMESTAMP, now):
                self.date(version, current.timestamp.version + 1, online, now, current.root)
            else:
                return False
            return True

    def archive_of(self, published: Published) -> Path:
        """Return where a release's archive lies."""
        parent, _, name = published.target.rpartition("/")
        return self.targets / parent / f"{published.sha256}.{name}"

    def _change(
        self, role: str, change: Callable[[dict[str, TargetFile]], None], keys: Keys, now: int
    ) -> None:
        """Sign a new version of a list, then what leads to it."""
        current = self.current()
        old = current.lists[role]
        targets = dict(old.targets)
        change(targets)
        new = Targets(
            expires=expiry(role, now),
            targets=targets,
            delegations=old.delegations,
        )
        above: Root | Targets = current.root if role == TARGETS else current.lists[TARGETS]
        self.write(role, new, keys.role, old.version + 1, above)
        meta = {**current.snapshot.meta, f"{role}.json": MetaFile(old.version + 1)}
        fresh = Snapshot(expires=expiry(SNAPSHOT, now), meta=meta)
        self.freeze(fresh, current.snapshot.version + 1, keys.online, now, current)

    def freeze(
        self,
        snapshot: Snapshot,
        version: int,
        online: Mapping[str, CryptoSigner],
        now: int,
        current: Current | None = None,
    ) -> None:
        """Sign which versions belong together, then that this is the newest of it."""
        root = None if current is None else current.root
        stamp = 1 if current is None else current.timestamp.version + 1
        self.write(SNAPSHOT, snapshot, [online[SNAPSHOT]], version, root)
        self.date(version, stamp, online, now, root)

    def date(
        self,
        snapshot: int,
        version: int,
        online: Mapping[str, CryptoSigner],
        now: int,
        root: Root | None,
    ) -> None:
        """Sign that a snapshot is the newest."""
        stamp = Timestamp(expires=expiry(TIMESTAMP, now), snapshot_meta=MetaFile(snapshot))
        self.write(TIMESTAMP, stamp, [online[TIMESTAMP]], version, root)

    def write(
        self,
        name: str,
        signed: T,
        signers: Sequence[CryptoSigner],
        version: int,
        above: Root | Targets | None = None,
    ) -> None:
        """Write a list under its name, once whoever is above it would take these signatures."""
        signed.version = version
        made = Metadata(signed)
        for signer in signers:
            made.sign(signer, append=True)
        if above is not None:
            check(above, name, made)
        body = made.to_bytes()
        if len(body) > LIST_BYTES_MAX:
            why = f"it would have over {LIST_BYTES_MAX} bytes: withdraw old releases"
            raise ListIsBad(name=name, why=why)
        file = f"{name}.json" if name == TIMESTAMP else f"{version}.{name}.json"
        replace(self.metadata / file, body)

    def root(self, version: int) -> Root:
        """Return a root by its number, signed by its own keys.

        Raises:
            ListIsBad: it is damaged, or they have not signed it.
        """
        read = self.read(f"{version}.{ROOT}", Root)
        check(read.signed, ROOT, read)
        if read.signed.version != version:
            raise ListIsBad(name=f"{version}.{ROOT}", why="it is of another version")
        return read.signed

    def read(self, name: str, _kind: type[T]) -> Metadata[T]:
        """Return a list by its name in the folder; whether it is signed is not looked at.

        Raises:
            ListIsBad: it is not there, or damaged.
        """
        try:
            read: Metadata[T] = Metadata.from_bytes((self.metadata / f"{name}.json").read_bytes())
        except OSError as fault:
            raise ListIsBad(name=name, why=fault.strerror) from fault
        except DeserializationError as fault:
            raise ListIsBad(name=name, why="it is damaged") from fault
        if not isinstance(read.signed, _kind):
            raise ListIsBad(name=name, why="it is a list of another kind")
        return read

    def _list(self, name: str, above: Root | Targets, snapshot: Snapshot) -> Targets:
        version = snapshot.meta[f"{name}.json"].version
        read = self.read(f"{version}.{name}", Targets)
        check(above, name, read)
        if read.signed.version != version:
            raise ListIsBad(name=name, why="it is of another version")
        return read.signed

    def newest(self, name: str, above: Root | Targets) -> Targets:
        """Return the newest of a list's versions that its offline keys have signed.

        Raises:
            ListIsBad: there is none.
        """
        found = (file.name.split(".")[0] for file in self.metadata.glob(f"*.{name}.json"))
        for version in sorted((int(each) for each in found if each.isdigit()), reverse=True):
            try:
                read = self.read(f"{version}.{name}", Targets)
                check(above, name, read)
            except ListIsBad:
                continue
            if read.signed.version == version:
                return read.signed
        raise ListIsBad(name=name, why="no version of it is signed")

    def newest_root(self) -> int:
        """Return the number of the newest root that the first one leads to.

        Raises:
            ListIsBad: the first one is damaged.
        """
        version, root = 1, self.root(1)
        while (self.metadata / f"{version + 1}.{ROOT}.json").exists():
            try:
                check(root, ROOT, self.read(f"{version + 1}.{ROOT}", Root))
                version, root = version + 1, self.root(version + 1)
            except ListIsBad:
                break
        return version


def _published(target: TargetFile) -> Published:
    try:
        release = Release.model_validate(target.custom)
    except ValidationError as fault:
        raise ListIsBad(name=target.path, why="what is said of it cannot be read") from fault
    if release.target != target.path:
        raise ListIsBad(name=target.path, why=f"it calls itself {release.target}")
    return Published(
        release=release,
        target=target.path,
        sha256=target.hashes["sha256"],
        length=target.length,
    )


def _all_targets(current: Current) -> list[TargetFile]:
    return [t for name in (PROGRAMS, MODULES) for t in current.lists[name].targets.values()]


def _check_new(release: Release, known: Sequence[Published]) -> None:
    mine = [each.release for each in known if each.release.package == release.package]
    if any(each.kind is not release.kind for each in mine):
        raise CannotBePublished(what=release.package, why=f"it is no {release.kind} so far")
    if any(each.version == release.version for each in mine):
        raise CannotBePublished(what=release.target, why="this version is published")
    counter = max((each.release_counter for each in mine), default=0)
    if release.release_counter <= counter:
        raise CannotBePublished(what=release.target, why=f"release {counter} is published")
