"""Why a release that is signed may not come here all the same, and whether its archive is whole."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from common.messages.modules import Release
from common.rules.modules import InstallFailure
from edge_agent.modules.download import CannotBeHad
from edge_agent.modules.part import Archive, Part
from edge_agent.modules.unpack import Bounds
from edge_agent.ports import Package

_NUMBER = re.compile(r"\d{1,9}")


def refuse_older(release: Release, highest: int) -> None:
    """Return if a release is not older than the highest that was in use here.

    Raises:
        CannotBeHad: it is, whatever else was forgotten.
    """
    if release.release_counter < highest:
        why = f"release {release.release_counter} is signed, {highest} was here"
        raise CannotBeHad(InstallFailure.TOO_OLD, why)


def refuse_newer(release: Release) -> None:
    """Return if this agent is new enough for a release.

    Raises:
        CannotBeHad: it is not.
    """
    ours = metadata.version("rusuban")
    if _numbers(ours) < _numbers(release.min_agent):
        why = f"it needs an agent from {release.min_agent} on, and this is {ours}"
        raise CannotBeHad(InstallFailure.NEEDS_NEWER_AGENT, why)


def archive_of(package: Package, release: Release) -> Archive:
    """Return a package's archive as it must come, once what is signed of it is known."""
    return Archive(
        target=package.target,
        length=package.length,
        sha256=package.sha256,
        chunks=release.chunks,
    )


def bounds_of(release: Release) -> Bounds:
    """Return what an archive may come to, as it is signed."""
    return Bounds(
        files=release.files,
        unpacked_bytes=release.unpacked_bytes,
        contents=release.contents,
    )


def is_whole(file: Path, archive: Archive) -> bool:
    """Read an archive as it lies there; False: it is to be fetched again.

    Raises:
        CannotBeHad: its chunks are those signed, and its whole is not: no other attempt helps.
    """
    part = Part(file, archive)
    try:
        if part.is_whole and not part.is_as_signed():
            raise CannotBeHad(InstallFailure.NOT_SIGNED, "its chunks are not those of its whole")
        return part.is_whole
    finally:
        part.close()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in _NUMBER.findall(version))
