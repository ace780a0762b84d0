"""What the programs of the world have written of themselves, line by line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def text(log: Path) -> str:
    """Return a whole log; one that is not there yet is empty."""
    try:
        return log.read_text("utf-8", errors="replace")
    except OSError:
        return ""


def lines(log: Path, event: str, *, since: int = 0) -> Iterator[dict[str, Any]]:
    """Return the lines that say this, from that character on."""
    for written in text(log)[since:].splitlines():
        with contextlib.suppress(ValueError):
            line = json.loads(written)
            if isinstance(line, dict) and line.get("event") == event:
                yield line


def first(
    log: Path, event: str, having: Mapping[str, object] = NOTHING, *, since: int = 0
) -> dict[str, Any] | None:
    """Return the first line that says this and has these facts, or None."""
    said = lines(log, event, since=since)
    return next((line for line in said if having.items() <= line.items()), None)
