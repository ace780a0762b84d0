"""The look of everything that is shown: what pages and screens are drawn with, on both sides."""

from __future__ import annotations

from importlib.resources import files


def shared() -> dict[str, bytes]:
    """Return the style sheets and the mark, by the names that they are served under."""
    return {
        file.name: file.read_bytes()
        for file in files("common.look").iterdir()
        if file.name.endswith((".css", ".svg"))
    }
