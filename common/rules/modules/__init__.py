"""Licensed modules: what takes a seat, what is logged of them, what follows from it."""

from common.rules.modules.contents import (
    CHUNK_BYTES,
    PACKAGE_PATTERN,
    VERSION_PATTERN,
    PackedFile,
    archive_name,
    digest_of_contents,
    why_unfit,
)
from common.rules.modules.installs import (
    IN_USE,
    INSTALL,
    UNDER_WAY,
    InstallEvent,
    InstallFailure,
    InstallState,
    VersionKept,
    wait_seconds,
    what_can_go,
)
from common.rules.modules.log import ModuleEvent, ModuleEventKind
from common.rules.modules.seats import Basis, OverLimit, SeatRefusal, seats_taken

__all__ = [
    "CHUNK_BYTES",
    "INSTALL",
    "IN_USE",
    "PACKAGE_PATTERN",
    "UNDER_WAY",
    "VERSION_PATTERN",
    "Basis",
    "InstallEvent",
    "InstallFailure",
    "InstallState",
    "ModuleEvent",
    "ModuleEventKind",
    "OverLimit",
    "PackedFile",
    "SeatRefusal",
    "VersionKept",
    "archive_name",
    "digest_of_contents",
    "seats_taken",
    "wait_seconds",
    "what_can_go",
    "why_unfit",
]
