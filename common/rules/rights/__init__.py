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
    heard,
    intended,
)
from common.rules.rights.exchange import (
    RightKind,
    Said,
    Saying,
    Told,
    Trouble,
    class_of,
    kind_in,
    subject_in,
)
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
from common.rules.rights.wording import (
    NONCE_DIGITS,
    TROUBLES,
    Speaker,
    class_in,
    message_owed,
    record_of,
    told_by,
)

__all__ = [
    "CLIENT",
    "NONCE_DIGITS",
    "OWED",
    "SERVER",
    "TROUBLES",
    "ClientEvent",
    "ClientRecord",
    "ClientState",
    "RightKind",
    "Said",
    "Saying",
    "ServerEvent",
    "ServerRecord",
    "ServerState",
    "Speaker",
    "Told",
    "Trouble",
    "Verdict",
    "after",
    "answered",
    "asked",
    "class_in",
    "class_of",
    "gave_up",
    "hear",
    "heard",
    "intended",
    "kind_in",
    "message_owed",
    "proves_a_copy",
    "record_of",
    "subject_in",
    "told_by",
]
