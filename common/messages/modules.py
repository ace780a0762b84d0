"""What is said about packages: published, on offer, installed or gone, and what is wished."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from common.messages.base import (
    CHOICES_MAX,
    COUNT_MAX,
    Bytes,
    CommIdText,
    Count,
    Digest,
    Instant,
    Message,
    Name,
    PackageName,
    PackageVersion,
    ShortText,
    Signature,
)

PACKAGES_MAX: Final = 100
"""Packages of one offer: one message holds them, and no PC has so many programs and modules."""

TARGET_LENGTH_MAX: Final = 160
"""Characters of a target's path: `modules/`, two names and `.zip`, with room."""


CHUNK_BYTES: Final = 1_048_576
"""Bytes that are verified at a time while a package is fetched; the last chunk is shorter."""

CHUNKS_MAX: Final = 4_096
"""Chunks of one package: 4 GiB. Their digests are signed, and a list of many releases is one file
of five million bytes at most."""

FILES_MAX: Final = 20_000
"""Files of one package."""

UNPACKED_BYTES_MAX: Final = 17_179_869_184
"""Bytes of all files of one package: 16 GiB; a program's largest modules have a few."""


class PackageKind(StrEnum):
    """What a package is."""

    PROGRAM = "program"
    """The part of a program that needs no licence; it comes first, under the program's id (D1)."""
    MODULE = "module"
    """Licensed: it takes a seat before it is sent."""


class Release(Message):
    """One version of a package as its publishers signed it: `custom` of its target in TUF.

    Attributes:
        release_counter: grows with every release of a package; no terminal installs a lower one
            than it has had, whatever else it has forgotten.
        requires: modules that a program's part needs.
        basis: what takes a seat of its licence.
        over_limit: what becomes of a start without a seat.
        royalty_basis: whose number is paid for, `royalty_cents` of `currency` each.
        chunks: SHA-256 of each `CHUNK_BYTES` of the archive, in hex, in order.
        contents: the digest of its files as they lie unpacked, by which a PC's copy is known to be
            this release; see `common.rules.modules.digest_of_contents`.
        unpacked_bytes: of all its files together.
        files: how many they are.
        min_agent: the lowest version of the edge agent that can install it; empty: any.
    """

    type: ClassVar[str] = "modules.release"
    package: PackageName
    kind: PackageKind
    version: PackageVersion
    release_counter: Annotated[int, Field(ge=1, le=COUNT_MAX)]
    requires: Annotated[tuple[PackageName, ...], Field(max_length=CHOICES_MAX)] = ()
    title: ShortText = ""
    vendor: ShortText = ""
    spdx: ShortText = ""
    basis: Literal["installed", "ever_issued", "concurrent"] = "installed"
    over_limit: Literal["refuse", "run_and_report"] = "refuse"
    royalty_basis: Literal["downloads_matched", "downloads", "users"] = "downloads_matched"
    royalty_cents: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "JPY"
    chunks: Annotated[tuple[Digest, ...], Field(min_length=1, max_length=CHUNKS_MAX)]
    contents: Digest | None = None
    unpacked_bytes: Annotated[Bytes, Field(le=UNPACKED_BYTES_MAX)]
    files: Annotated[int, Field(ge=1, le=FILES_MAX)]
    min_agent: ShortText = ""

    @property
    def target(self) -> str:
        """Return its path in the repository."""
        return target_of(self.kind, self.package, self.version)


def target_of(kind: PackageKind, package: str, version: str) -> str:
    """Return the path of a release in the repository, as both sides name it."""
    return f"{kind}s/{package}/{version}.zip"


class ModulesAsk(Message):
    """The confirmed terminal asks which of these packages it may have, before it fetches any (D2).

    What they require is answered as well. `heard` is the highest number of a wish that it knows.
    """

    type: ClassVar[str] = "modules.ask"
    packages: Annotated[tuple[PackageName, ...], Field(max_length=PACKAGES_MAX)] = ()
    heard: Count = 0


class ModulesOffered(Message):
    """The licence information: a signed `ModulesOffer`."""

    type: ClassVar[str] = "modules.offered"
    document: dict[str, Any]
    signature: Signature


class OfferedPackage(Message):
    """One package on offer, in the version that is to be had now.

    Attributes:
        kind: `program`, which is free to fetch, or `module`, which takes a right.
        target: its path among the signed targets.
        basis: what takes a seat of it, a `common.rules.modules.Basis`.
        over_limit: what becomes of a start without a seat, a `common.rules.modules.OverLimit`.
        requires: modules that it needs.
        has_seats: whether there is a seat for this terminal now; never how many.
    """

    type: ClassVar[str] = "modules.offered_package"
    package: PackageName
    kind: ShortText
    version: PackageVersion
    release_counter: Count
    target: Annotated[str, Field(max_length=TARGET_LENGTH_MAX)]
    sha256: Digest
    length: Bytes
    basis: ShortText
    over_limit: ShortText
    requires: Annotated[tuple[PackageName, ...], Field(max_length=CHOICES_MAX)] = ()
    has_seats: bool


class ModulesOffer(Message):
    """What the document of licence information says; what it does not name is not on offer."""

    type: ClassVar[str] = "modules.offer"
    kind: str
    terminal: Name
    epoch: Name
    issued_at: Instant
    ends_at: Instant
    packages: Annotated[tuple[OfferedPackage, ...], Field(max_length=PACKAGES_MAX)] = ()


class Receipt(Message):
    """A module's right as it is kept for ever: by whom, for whom, of what, the module came."""

    type: ClassVar[str] = "modules.receipt"
    document: dict[str, Any]
    signature: Signature


class UninstallRequest(Message):
    """The request information of an uninstall: may this module be removed from this PC (D7)?

    `digest` is that of what lies on the disk; the receipt is shown where there is one.
    """

    type: ClassVar[str] = "modules.uninstall_request"
    module: PackageName
    version: PackageVersion
    digest: Digest
    receipt: Receipt | None = None


class UninstallRight(Message):
    """What the document of an uninstall's right says: this very copy may go, once (D8)."""

    type: ClassVar[str] = "modules.uninstall_right"
    right: Name
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    module: PackageName
    version: PackageVersion
    digest: Digest
    issued_at: Instant


class RunRequest(Message):
    """The request information of one run of a program that needs a module counted by runs."""

    type: ClassVar[str] = "modules.run_request"
    module: PackageName
    device: Name
    run: Name


class RunRight(Message):
    """What the document of a run's right says: one seat for this run, until the lease's end."""

    type: ClassVar[str] = "modules.run_right"
    comm_id: CommIdText
    kind: str
    terminal: Name
    epoch: Name
    module: PackageName
    device: Name
    run: Name
    issued_at: Instant
    ends_at: Instant


class ModuleInstalled(Message):
    """A package is installed here: `sha256` is the archive's, `digest` that of what is on disk."""

    type: ClassVar[str] = "module.installed"
    package: PackageName
    kind: ShortText
    version: PackageVersion
    sha256: Digest
    digest: Digest
    at: Instant


class ModuleRolledBack(Message):
    """A version did not stand its probation: the one before it is in its place again."""

    type: ClassVar[str] = "module.rolled_back"
    package: PackageName
    kind: ShortText
    version: PackageVersion
    sha256: Digest
    why: ShortText = ""
    at: Instant


class ModuleFailed(Message):
    """A package could not be installed, for good."""

    type: ClassVar[str] = "module.failed"
    package: PackageName
    kind: ShortText
    version: PackageVersion
    sha256: Digest
    why: ShortText = ""
    at: Instant


class ModuleUsed(Message):
    """This terminal has a module and uses this system with it, from wherever it has it (D5).

    `source` is its own belief: `ours`, `elsewhere` or `unknown`; `day` counts days since 1970 UTC.
    """

    type: ClassVar[str] = "module.used"
    module: PackageName
    version: ShortText
    digest: Digest | None = None
    source: ShortText
    day: Count
    at: Instant


class ModuleUninstalled(Message):
    """A module is off this PC, by the permission of this name."""

    type: ClassVar[str] = "module.uninstalled"
    module: PackageName
    version: PackageVersion
    digest: Digest
    permission: Name
    at: Instant


class ModuleRunEnded(Message):
    """A run that held a seat of a module is over."""

    type: ClassVar[str] = "module.run_ended"
    module: PackageName
    device: Name
    run: Name
    at: Instant


class ModuleOverLimit(Message):
    """A program ran without a seat of a module, as its licence allows."""

    type: ClassVar[str] = "module.over_limit"
    module: PackageName
    device: Name
    session: Name
    at: Instant


class ModulesProgress(Message):
    """How far an install is; nothing is decided by it."""

    type: ClassVar[str] = "modules.progress"
    package: PackageName
    version: PackageVersion
    state: ShortText
    done_bytes: Bytes = 0
    all_bytes: Bytes = 0
    detail: ShortText = ""


class DesiredModule(Message):
    """The latest word on a package of a terminal, numbered; `wish` is a rule's `PackageWish`."""

    type: ClassVar[str] = "desired.module"
    module: PackageName
    number: Count
    wish: ShortText


class ModulesDesired(Message):
    """All that an operator wants of a terminal's modules; said again, it changes nothing."""

    type: ClassVar[str] = "modules.desired"
    wishes: Annotated[tuple[DesiredModule, ...], Field(max_length=PACKAGES_MAX)] = ()


EVENTS: Final = (
    ModuleInstalled,
    ModuleRolledBack,
    ModuleFailed,
    ModuleUsed,
    ModuleUninstalled,
    ModuleRunEnded,
    ModuleOverLimit,
)
"""What a terminal says in its ordered stream."""
