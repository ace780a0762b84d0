"""Which file a path names, and none besides: the signed lists and the archives, as they lie."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_LIST: Final = re.compile(
    r"timestamp|[1-9][0-9]{0,8}\.(?:root|snapshot|targets|modules|programs)", re.ASCII
)
_ARCHIVE: Final = re.compile(
    r"(?:modules|programs)/[a-z0-9][a-z0-9-]{0,31}/([0-9a-f]{64})\.[A-Za-z0-9._+-]{1,64}\.zip",
    re.ASCII,
)


class PackageShelf:
    """The packages of a folder, as `ports.Packages`; there need not be any yet."""

    def __init__(self, folder: Path) -> None:
        """Take the repository's folder."""
        self._lists = folder / "metadata"
        self._archives = folder / "targets"

    def signed_list(self, name: str) -> Path | None:
        """Return the file of a signed list, by its name without the ending."""
        return _there(self._lists / f"{name}.json") if _LIST.fullmatch(name) else None

    def archive(self, path: str) -> tuple[Path, str] | None:
        """Return the file of an archive and its SHA-256, which its name says."""
        found = _ARCHIVE.fullmatch(path)
        file = _there(self._archives / path) if found is not None else None
        return (file, found[1]) if found is not None and file is not None else None


def _there(file: Path) -> Path | None:
    return file if file.is_file() else None
