"""Where tickets are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from edge_agent.settings.part import Part


class ImageScanner(Part):
    """A folder whose new pictures are read: for cameras that store files, for tests and support."""

    kind: Literal["image"] = "image"
    """What kind of scanner it is."""

    folder: Path
    """The folder that is watched."""
