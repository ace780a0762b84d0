"""Archives for tests: honest ones, and each way in which one may be evil."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from edge_agent.ports import Package

GOOD: Mapping[str, bytes] = {"bin/run": b"#!/bin/sh\necho one\n", "data/words": b"one two " * 4_000}


def archive(files: Mapping[str, bytes], executable: tuple[str, ...] = ("bin/run",)) -> bytes:
    """Return the bytes of an archive with these files, the same for the same files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for path, content in files.items():
            mode = stat.S_IFREG | (0o755 if path in executable else 0o644)
            opened.writestr(entry(path, mode), content)
    return made.getvalue()


def package_in(
    content: bytes, name: str = "physics", version: str = "1.0", kind: str = "module"
) -> Package:
    """Return the package whose archive these bytes are."""
    return Package(
        package=name,
        kind=kind,
        version=version,
        target=f"{kind}s/{name}/{version}.zip",
        sha256=hashlib.sha256(content).hexdigest(),
        length=len(content),
        document={},
        signature="",
    )


def entry(path: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """Return an archive's entry of this name and mode."""
    made = zipfile.ZipInfo(path)
    made.create_system = 3
    made.external_attr = mode << 16
    made.compress_type = zipfile.ZIP_DEFLATED
    return made


def with_entry(made: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    """Return the bytes of an archive with this one entry beside a good file."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr(entry("good"), b"good")
        opened.writestr(made, content)
    return whole.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, by its path."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
