"""Licensed modules: what takes a seat, what is logged of them, what follows from it."""

from common.rules.modules.contents import PackedFile, digest_of_contents, why_unfit
from common.rules.modules.copies import Heads, LogHead, LogLine, following, lagging
from common.rules.modules.growth import Use, is_none_anywhere, wanted_change
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
from common.rules.modules.log import FACTS_LENGTH_MAX, ModuleEvent, ModuleEventKind
from common.rules.modules.provenance import (
    CLOCKS_APART_MS,
    OnDisk,
    Provenance,
    UninstallRefusal,
    judge,
)
from common.rules.modules.seats import Basis, OverLimit, SeatRefusal, seats_taken
from common.rules.modules.sequence import (
    SEAT_ASK,
    Asked,
    Here,
    Lease,
    OnOffer,
    PackageFacts,
    SeatAskEvent,
    SeatAskState,
    Step,
    next_step,
    renewed_at,
)

__all__ = [
    "CLOCKS_APART_MS",
    "FACTS_LENGTH_MAX",
    "INSTALL",
    "IN_USE",
    "SEAT_ASK",
    "UNDER_WAY",
    "Asked",
    "Basis",
    "Heads",
    "Here",
    "InstallEvent",
    "InstallFailure",
    "InstallState",
    "Lease",
    "LogHead",
    "LogLine",
    "ModuleEvent",
    "ModuleEventKind",
    "OnDisk",
    "OnOffer",
    "OverLimit",
    "PackageFacts",
    "PackedFile",
    "Provenance",
    "SeatAskEvent",
    "SeatAskState",
    "SeatRefusal",
    "Step",
    "UninstallRefusal",
    "Use",
    "VersionKept",
    "digest_of_contents",
    "following",
    "is_none_anywhere",
    "judge",
    "lagging",
    "next_step",
    "renewed_at",
    "seats_taken",
    "wait_seconds",
    "wanted_change",
    "what_can_go",
    "why_unfit",
]
