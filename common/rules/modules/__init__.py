"""Licensed modules: what takes a seat, what is logged of them, what follows from it."""

from common.rules.modules.log import ModuleEvent, ModuleEventKind
from common.rules.modules.seats import Basis, OverLimit, SeatRefusal

__all__ = [
    "Basis",
    "ModuleEvent",
    "ModuleEventKind",
    "OverLimit",
    "SeatRefusal",
]
