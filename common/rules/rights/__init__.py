"""A right crosses exactly once: both sides' tables, the same in production and in proofs (B1-B11).

The client is who receives the right, the server who issues it; neither file knows in which of the
two programs it runs, and a controller is both: a server to terminals, a client to its root.
"""

from common.rules.rights.client import (
    CLIENT,
    OWED,
    ClientEvent,
    ClientRecord,
    ClientState,
    asked,
    gave_up,
    intended,
    told,
)
from common.rules.rights.exchange import Right, Said, Saying, Told, Trouble
from common.rules.rights.server import (
    SERVER,
    ServerEvent,
    ServerRecord,
    ServerState,
    Verdict,
    after,
    answered,
    hear,
    proves_a_copy,
)

__all__ = [
    "CLIENT",
    "OWED",
    "SERVER",
    "ClientEvent",
    "ClientRecord",
    "ClientState",
    "Right",
    "Said",
    "Saying",
    "ServerEvent",
    "ServerRecord",
    "ServerState",
    "Told",
    "Trouble",
    "Verdict",
    "after",
    "answered",
    "asked",
    "gave_up",
    "hear",
    "intended",
    "proves_a_copy",
    "told",
]
