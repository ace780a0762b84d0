"""Licensed modules: what takes a seat, what is logged of them, what follows from it."""

from common.rules.modules.contents import (
    PackedFile,
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
    "INSTALL",
    "IN_USE",
    "UNDER_WAY",
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
    "digest_of_contents",
    "seats_taken",
    "wait_seconds",
    "what_can_go",
    "why_unfit",
]
