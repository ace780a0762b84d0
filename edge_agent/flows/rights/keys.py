"""By which keys our controller is known: those that were told last, not those of the start."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from common.seals import verifying_key
from edge_agent.ports import Transaction


def live_keys(journal: Transaction) -> Mapping[int, Ed25519PublicKey]:
    """Return the controller's live public keys, by their ids."""
    keys = json.loads(journal.rows.public_keys() or "{}")
    return {int(key_id): verifying_key(bytes.fromhex(raw)) for key_id, raw in keys.items()}
