"""Where tickets are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from edge_agent.settings.part import Part


class ImageScanner(Part):
    """A folder whose new pictures are read: for cameras that store files, for tests and support."""

    kind: Literal["image"] = "image"
    """What kind of scanner it is."""

    folder: Path
    """The folder that is watched."""

    @property
    def name(self) -> str:
        """What the terminal says of it."""
        return f"image {self.folder.name}"


class _AtAPath(Part):
    """A scanner that is a file below /dev."""

    kind: str

    path: Path
    """Where it is; a path below `by-id` stays the same however it is plugged in."""

    @property
    def name(self) -> str:
        """What the terminal says of it."""
        return f"{self.kind} {self.path.name}"


class CameraScanner(_AtAPath):
    """A V4L2 camera, looked at ten times a second in grey."""

    kind: Literal["camera"]


class SerialScanner(_AtAPath):
    """A scanner on a serial line, or on USB as one."""

    kind: Literal["serial"]

    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 9_600
    """Bits a second; scanners leave the factory with 9 600, and on USB it does not matter."""

    ends: Literal["cr_or_lf", "cr", "lf", "tab", "etx"] = "cr_or_lf"
    """What the scanner sends behind a code."""

    trigger: Annotated[str, Field(max_length=64, pattern=r"^[\x00-\xff]*$")] = ""
    """Sent once whenever it is opened, for a scanner that waits to be told to look."""


class KeyboardScanner(_AtAPath):
    """A scanner that types like a keyboard; it is grabbed, so that nothing else hears it."""

    kind: Literal["keyboard"]


class StandardInputScanner(Part):
    """The agent's own standard input, one code a line: for tests and support."""

    kind: Literal["standard_input"]

    @property
    def name(self) -> str:
        """What the terminal says of it."""
        return "standard input"


def _kind_of(told: Any) -> Any:  # noqa: ANN401 - whatever stands in the file
    """Return the kind a scanner says it is; without a word it is a folder, as it always was."""
    return told.get("kind", "image") if isinstance(told, dict) else getattr(told, "kind", None)


AnyScanner = Annotated[
    Annotated[ImageScanner, Tag("image")]
    | Annotated[CameraScanner, Tag("camera")]
    | Annotated[SerialScanner, Tag("serial")]
    | Annotated[KeyboardScanner, Tag("keyboard")]
    | Annotated[StandardInputScanner, Tag("standard_input")],
    Discriminator(_kind_of),
]
