"""Who runs the stores: operators, their sessions and proofs, programs' tokens, whose store."""

from cloud_controller.flows.accounts.places import STORE_OF, stores_of
from cloud_controller.flows.accounts.sessions import (
    TOKEN_PREFIX,
    Known,
    Lives,
    begin_session,
    digest_of,
    end_session,
    known_by_session,
    known_by_token,
    note_use,
    operator_of,
)

__all__ = [
    "STORE_OF",
    "TOKEN_PREFIX",
    "Known",
    "Lives",
    "begin_session",
    "digest_of",
    "end_session",
    "known_by_session",
    "known_by_token",
    "note_use",
    "operator_of",
    "stores_of",
]
