"""Other keys in the place of those that were lost, or are somebody else's.

Its law: the role above names them; what was signed stays, and is signed again by them. Each can be
said again where it was cut short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, Root, Snapshot, Targets, Timestamp

from cloud_controller.packages.keys import MODULES, PROGRAMS, ROOT, SNAPSHOT, TARGETS, TIMESTAMP
from cloud_controller.packages.lists import (
    ListIsBad,
    check,
    expiry,
    renamed_delegations,
    renamed_root,
)
from cloud_controller.packages.repository import Keys, Repository

ABOVE = {ROOT: ROOT, TARGETS: ROOT, MODULES: TARGETS, PROGRAMS: TARGETS}
"""Whose keys name those of each role."""


def replace_online(
    repository: Repository,
    root: Sequence[CryptoSigner],
    online: Mapping[str, CryptoSigner],
    now: int,
) -> None:
    """Have the root name other keys of the controller's; hold `Repository.alone`.

    What an intruder has signed with the old ones, in however high numbers, every terminal forgets
    that sees the new root. So our own lists begin anew, from what the offline keys say.

    Raises:
        ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
    """
    new = _name(repository, {name: [key] for name, key in online.items()}, root, now)
    _begin_anew(repository, new, online, now)


def replace_offline(
    repository: Repository,
    role: str,
    keys: Sequence[CryptoSigner],
    by: Keys,
    now: int,
) -> None:
    """Have the role above, which signs with `by`, name other keys of an offline role; hold `alone`.

    Raises:
        ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
    """
    if role == ROOT:
        _name(repository, {ROOT: keys}, [*by.role, *keys], now)
        return
    if role == TARGETS:
        top = _top(repository)
        root = _name(repository, {TARGETS: keys}, by.role, now)
        _sign_again(repository, TARGETS, top, keys, root, now)
    else:
        current = repository.current()
        root, top, old = current.root, current.lists[TARGETS], current.lists[role]
        assert top.delegations is not None, "ours delegates, and names nothing itself"
        top.delegations = renamed_delegations(top.delegations, role, keys)
        new_top = _sign_again(repository, TARGETS, top, by.role, root, now)
        _sign_again(repository, role, old, keys, new_top, now)
    _begin_anew(repository, root, by.online, now)


def _name(
    repository: Repository,
    others: Mapping[str, Sequence[CryptoSigner]],
    signers: Sequence[CryptoSigner],
    now: int,
) -> Root:
    """Write the root that names these keys, unless the newest does: then it was cut short."""
    version = repository.newest_root()
    old = repository.root(version)
    new = renamed_root(old, others, now)
    if new.roles == old.roles:
        return old
    repository.write(ROOT, new, signers, version + 1, old)
    return new


def _top(repository: Repository) -> Targets:
    """Return the newest list of the targets keys that any root of ours stands for."""
    for version in range(repository.newest_root(), 0, -1):
        try:
            return repository.newest(TARGETS, repository.root(version))
        except ListIsBad:
            continue
    raise ListIsBad(name=TARGETS, why="no version of it is signed")


def _sign_again(
    repository: Repository,
    name: str,
    old: Targets,
    signers: Sequence[CryptoSigner],
    above: Root | Targets,
    now: int,
) -> Targets:
    """Write a list as it was, under its next number, signed by these keys; return it."""
    new = Targets(expires=expiry(name, now), targets=old.targets, delegations=old.delegations)
    repository.write(name, new, signers, old.version + 1, above)
    return new


def _begin_anew(
    repository: Repository, root: Root, online: Mapping[str, CryptoSigner], now: int
) -> None:
    """Sign which lists are the newest, by what their offline keys have signed and nothing else."""
    top = repository.newest(TARGETS, root)
    newest = {TARGETS: top} | {name: repository.newest(name, top) for name in (MODULES, PROGRAMS)}
    meta = {f"{name}.json": MetaFile(each.version) for name, each in newest.items()}
    fresh = Snapshot(expires=expiry(SNAPSHOT, now), meta=meta)
    dated, frozen = _dated(repository, root)
    free = (
        n for n in count(frozen + 1) if not (repository.metadata / f"{n}.{SNAPSHOT}.json").exists()
    )
    version = next(free)
    repository.write(SNAPSHOT, fresh, [online[SNAPSHOT]], version, root)
    repository.date(version, dated + 1, online, now, root)


def _dated(repository: Repository, root: Root) -> tuple[int, int]:
    """Return the version of the timestamp and of the snapshot it leads to; of other keys: none."""
    try:
        read = repository.read(TIMESTAMP, Timestamp)
        check(root, TIMESTAMP, read)
    except ListIsBad:
        return 0, 0
    return read.signed.version, read.signed.snapshot_meta.version
