"""A release as its publisher describes it in a file: packed, signed, and on the list."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from securesystemslib.signer import CryptoSigner

from cloud_controller.packages.keys import offline
from cloud_controller.packages.lists import ROLE_OF
from cloud_controller.packages.publishing import Archive, CannotBePacked, pack
from cloud_controller.packages.repository import CannotBePublished, Keys, Repository
from cloud_controller.ports import Published
from common.messages.base import CHOICES_MAX, COUNT_MAX, PackageName, PackageVersion, ShortText
from common.messages.modules import PackageKind, Release

DESCRIPTION_BYTES_MAX: Final = 65_536
"""Bytes of a description: some twenty lines."""

INCOMING: Final = "incoming"
"""Where an archive is written before anything names it."""


class Description(BaseModel):
    """What a publisher says of a release; `common.messages.modules.Release` has its meanings.

    Attributes:
        folder: where its files lie, from the description's own folder.
        release: its number; None: the next one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: PackageName
    kind: PackageKind
    version: PackageVersion
    folder: Path = Path("files")
    release: Annotated[int | None, Field(ge=1, le=COUNT_MAX)] = None
    requires: Annotated[tuple[PackageName, ...], Field(max_length=CHOICES_MAX)] = ()
    title: ShortText = ""
    vendor: ShortText = ""
    spdx: ShortText = ""
    basis: Literal["installed", "ever_issued", "concurrent"] = "installed"
    over_limit: Literal["refuse", "run_and_report"] = "refuse"
    royalty_basis: Literal["downloads_matched", "downloads", "users"] = "downloads_matched"
    royalty_cents: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "JPY"
    min_agent: ShortText = ""


def read_description(file: Path) -> Description:
    """Return what a publisher has written, with the folder as it is found from here.

    Raises:
        CannotBePacked: it is no such file.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(DESCRIPTION_BYTES_MAX).decode()
        described = Description.model_validate(tomllib.loads(text))
    except OSError as fault:
        raise CannotBePacked(name=file, why=fault.strerror) from fault
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CannotBePacked(name=file, why=f"{where}: {first['msg']}") from fault
    except ValueError as fault:
        raise CannotBePacked(name=file, why=f"it is no TOML: {fault}") from fault
    return described.model_copy(update={"folder": file.parent / described.folder})


def publish(
    repository: Repository, described: Description, after: int, keys: Keys, now: int
) -> Published:
    """Pack, sign and list a release, whose number is higher than `after` and than any on the list.

    A number that was withdrawn is not given again: who has that release would keep it for this one.

    `repository.alone` is to be held.

    Raises:
        CannotBePacked, CannotBePublished: the release is not good.
        ListIsBad, RepositoryIsMissing: the lists cannot be read, or these keys do not do.
    """
    listed = [each.release for each in repository.releases()]
    mine = [each.release_counter for each in listed if each.package == described.package]
    highest = max([after, *mine])
    counter = described.release or highest + 1
    if counter <= highest:
        what = f"{described.package} {described.version}"
        raise CannotBePublished(what=what, why=f"release {highest} is published, or was")
    incoming = repository.folder / INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    for left in incoming.iterdir():
        left.unlink()  # of somebody who was killed here
    archive = pack(described.folder, incoming / f"{described.package}.zip")
    return repository.add(_release(described, counter, archive), archive, keys, now)


def keys_for(
    kind: PackageKind,
    folders: Sequence[Path],
    online: Mapping[str, CryptoSigner],
    passphrase: str = "",
) -> Keys:
    """Return who signs a change of one kind's list.

    Raises:
        KeysAreMissing, KeyIsUnreadable: the offline ones are not all there.
    """
    return Keys(role=offline(folders, ROLE_OF[kind], passphrase), online=online)


def _release(described: Description, counter: int, archive: Archive) -> Release:
    said = described.model_dump(exclude={"folder", "release"})
    return Release(
        **said,
        release_counter=counter,
        chunks=archive.chunks,
        contents=archive.contents,
        unpacked_bytes=archive.unpacked_bytes,
        files=archive.files,
    )
