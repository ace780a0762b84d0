"""What the signed lists say first: whose keys each needs, what each may name, how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    Role,
    Root,
    Signed,
    Snapshot,
    Targets,
    Timestamp,
)

from cloud_controller.packages.keys import (
    MODULES,
    ONLINE,
    PROGRAMS,
    ROOT,
    SNAPSHOT,
    TARGETS,
    THRESHOLD,
    TIMESTAMP,
)
from common.errors import RusubanError
from common.messages.modules import PackageKind

EXPIRY_DAYS: Final[Mapping[str, int]] = {
    ROOT: 365,
    TARGETS: 365,
    MODULES: 90,
    PROGRAMS: 90,
    SNAPSHOT: 7,
    TIMESTAMP: 1,
}
"""For how long each list is believed. Offline keys come out of their drawer a few times a year; who
holds old lists before a terminal is found out within a day."""

RENEWED_AFTER: Final[Mapping[str, timedelta]] = {
    SNAPSHOT: timedelta(days=2),
    TIMESTAMP: timedelta(hours=6),
}
"""How old the controller's own lists get: three times it may fail before anybody notices."""

WARNED_DAYS: Final = 14
"""How long before a list of the offline keys runs out somebody is told."""

ROLE_OF: Final = {PackageKind.MODULE: MODULES, PackageKind.PROGRAM: PROGRAMS}
"""Whose keys sign a package of which kind."""

PATHS: Final = {MODULES: ["modules/*/*"], PROGRAMS: ["programs/*/*"]}
"""What each delegated role may name; a key of one cannot put anything in the other's place."""

T = TypeVar("T", Root, Timestamp, Snapshot, Targets)


class ListIsBad(RusubanError):
    """The signed list {name} is not to be trusted: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Current:
    """The lists as they stand, each verified by the one above it."""

    root: Root
    timestamp: Timestamp
    snapshot: Snapshot
    lists: Mapping[str, Targets]

    def expires_at(self) -> dict[str, int]:
        """Return until when each list is believed, in UTC milliseconds."""
        parts: dict[str, Signed] = {ROOT: self.root, **self.lists}
        parts |= {SNAPSHOT: self.snapshot, TIMESTAMP: self.timestamp}
        return {name: round(each.expires.timestamp() * 1000) for name, each in parts.items()}


def check(above: Root | Targets, name: str, made: Metadata[T]) -> None:
    """See that enough of its keys have signed a list.

    Raises:
        ListIsBad: they have not, or nobody above it knows it.
    """
    try:
        above.verify_delegate(name, made.signed_bytes, made.signatures)
    except (RepositoryError, ValueError) as fault:
        raise ListIsBad(name=name, why=str(fault)) from fault


def first_root(
    offline: Mapping[str, Sequence[CryptoSigner]], online: Mapping[str, CryptoSigner], now: int
) -> Root:
    """Return the list that every terminal begins with: whose keys sign which."""
    roles = {name: Role(_ids(offline[name]), THRESHOLD) for name in (ROOT, TARGETS)}
    roles |= {name: Role([online[name].public_key.keyid], 1) for name in ONLINE}
    signers = [*offline[ROOT], *offline[TARGETS], *online.values()]
    return Root(
        expires=expiry(ROOT, now), keys=_keys(signers), roles=roles, consistent_snapshot=True
    )


def renamed_root(old: Root, others: Mapping[str, Sequence[CryptoSigner]], now: int) -> Root:
    """Return the root after it, in which these roles have these keys, and the rest have theirs."""
    roles = {**old.roles}
    for name, signers in others.items():
        roles[name] = Role(_ids(signers), old.roles[name].threshold)
    known = {**old.keys} | {
        key: each for some in others.values() for key, each in _keys(some).items()
    }
    used = {key for role in roles.values() for key in role.keyids}
    return Root(
        expires=expiry(ROOT, now),
        keys={key: each for key, each in known.items() if key in used},
        roles=roles,
        consistent_snapshot=True,
    )


def renamed_delegations(
    old: Delegations, role: str, signers: Sequence[CryptoSigner]
) -> Delegations:
    """Return the delegations after them, in which one role has these keys."""
    assert old.roles is not None, "ours name their roles, each with its keys"
    roles = {**old.roles, role: _delegated(role, signers)}
    known = {**old.keys} | _keys(signers)
    used = {key for each in roles.values() for key in each.keyids}
    return Delegations({key: each for key, each in known.items() if key in used}, roles)


def first_delegations(offline: Mapping[str, Sequence[CryptoSigner]]) -> Delegations:
    """Return which offline keys sign for which packages; where one names a path nobody else may."""
    roles = {name: _delegated(name, offline[name]) for name in (MODULES, PROGRAMS)}
    return Delegations(_keys([*offline[MODULES], *offline[PROGRAMS]]), roles)


def _delegated(name: str, signers: Sequence[CryptoSigner]) -> DelegatedRole:
    return DelegatedRole(name, _ids(signers), THRESHOLD, terminating=True, paths=PATHS[name])


def _ids(signers: Sequence[CryptoSigner]) -> list[str]:
    return [signer.public_key.keyid for signer in signers]


def _keys(signers: Sequence[CryptoSigner]) -> dict[str, Key]:
    return {signer.public_key.keyid: signer.public_key for signer in signers}


def expiry(role: str, now: int) -> datetime:
    """Return until when a list is believed that is signed now."""
    return _moment(now) + timedelta(days=EXPIRY_DAYS[role])


def is_old(signed: Signed, role: str, now: int) -> bool:
    """Say whether a list of our own is to be signed anew."""
    signed_at = signed.expires - timedelta(days=EXPIRY_DAYS[role])
    return _moment(now) - signed_at >= RENEWED_AFTER[role]


def _moment(now: int) -> datetime:
    return datetime.fromtimestamp(now // 1000, UTC)
