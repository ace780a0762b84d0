"""What a scanner that types means by each key: found once, by a code that holds every sign.

Law: a layout is only ever taken from the calibration code, which nothing else looks like.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Final

from common.files import replace

SIGNS: Final = string.digits + string.ascii_uppercase + "-"
"""Every sign that a ticket or a short code is written with."""

CALIBRATION_CODE: Final = SIGNS + SIGNS[::-1]
"""All signs, there and back: on every layout a palindrome of as many different keys."""

_FILE_BYTES_MAX: Final = 4_096
"""Bytes of a kept layout; 37 signs take some 600."""


class Layout:
    """Which sign each key stands for, by the key's name; kept in a file once it is calibrated."""

    def __init__(self, usual: Mapping[str, str], file: Path | None = None) -> None:
        """Take what keys usually stand for, and where a calibration is kept; None: nowhere."""
        self._usual = usual
        self._file = file
        self._found = _kept_in(file)

    @property
    def is_calibrated(self) -> bool:
        """Say whether it was found by a calibration code."""
        return bool(self._found)

    def text_of(self, keys: Sequence[str]) -> str | None:
        """Return what was typed; None when it was the calibration code, which is kept now.

        Raises:
            CannotStart: the disk does not take it.
        """
        found = calibrated(keys)
        if found is None:
            return "".join(self._found.get(key, self._usual.get(key, "")) for key in keys)
        self._found = found
        if self._file is not None:
            replace(self._file, json.dumps(found).encode())
        return None


def calibrated(keys: Sequence[str]) -> dict[str, str] | None:
    """Return which sign each key stands for, if this is the calibration code; else None."""
    half = keys[: len(SIGNS)]
    if len(keys) != len(CALIBRATION_CODE) or list(reversed(keys)) != list(keys):
        return None
    if not _all_different(half):
        return None
    return dict(zip(half, SIGNS, strict=True))


def layout_file(folder: Path, scanner: str) -> Path:
    """Return where the layout of a scanner of this name is kept."""
    return folder / f"layout-{re.sub(r'[^A-Za-z0-9]+', '-', scanner).strip('-')}.json"


def _all_different(keys: Sequence[Hashable]) -> bool:
    return len(set(keys)) == len(keys)


def _kept_in(file: Path | None) -> Mapping[str, str]:
    """Return a layout that was kept; a file that holds none is as good as none."""
    try:
        raw = file.read_bytes() if file is not None else b""
        kept = json.loads(raw) if 0 < len(raw) <= _FILE_BYTES_MAX else {}
    except (OSError, ValueError):
        return {}
    is_one = isinstance(kept, dict) and sorted(map(str, kept.values())) == sorted(SIGNS)
    return kept if is_one else {}
