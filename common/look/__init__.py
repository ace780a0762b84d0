"""The look of everything that is shown: the tokens and the ground that pages and screens share."""

from __future__ import annotations

from importlib.resources import files


def sheets() -> dict[str, bytes]:
    """Return the style sheets by their names, as they are served."""
    return {
        file.name: file.read_bytes()
        for file in files("common.look").iterdir()
        if file.name.endswith(".css")
    }
