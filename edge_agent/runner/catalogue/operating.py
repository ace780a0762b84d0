"""What an operator does with a catalogue: signs it, and asks what of it would start on this PC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_agent.runner.catalogue.entries import IN_PACKAGE, Catalogue
from edge_agent.runner.catalogue.reading import read_bytes, read_catalogue
from edge_agent.runner.catalogue.seal import sign
from edge_agent.runner.catalogue.trust import why_not_trusted


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One program or command of a catalogue, and why it would not start here, if it would not."""

    place: str
    file: str
    why_not: str | None


def sign_catalogue(file: Path, key_file: Path) -> Path:
    """Sign a catalogue that is in order, and return where the signature is.

    Raises:
        CatalogueIsWrong: it is not.
        KeyIsUnusable: the operator's key cannot be read.
        FileCannotBeKept: the disk does not take the signature.
    """
    read_catalogue(file)
    return sign(file, read_bytes(file), key_file)


def findings(catalogue: Catalogue, uid: int) -> Iterator[Finding]:
    """Tell of all that is in a catalogue how it stands for a runner of this user on this PC."""
    for kind, entries in (("programs", catalogue.programs), ("commands", catalogue.commands)):
        for name, entry in entries.items():
            file = entry.argv[0]
            is_packed = file.startswith(IN_PACKAGE)  # the agent fetches it, and looks at it then
            why_not = None if is_packed else why_not_trusted(Path(file), uid)
            yield Finding(place=f"{kind}.{name}", file=file, why_not=why_not)
