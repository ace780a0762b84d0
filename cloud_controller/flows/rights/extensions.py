"""The right to go on: by how much is for other flows to say, and it is said once (B5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from pydantic import ValidationError

from cloud_controller.flows.rights.scene import (
    Answer,
    Issuing,
    Scene,
    heading,
    hosts_its_device,
    issue,
    keep_right,
)
from cloud_controller.ports import Transaction
from common.messages.rights import ExtensionRequest, Refused, Request
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, ExtensionNo


@dataclass(frozen=True, kw_only=True, slots=True)
class Extended:
    """A session that goes on: by so many seconds in all, of which so many are new, until then."""

    session: str
    device: str
    extended_seconds: float
    added_seconds: float
    ends_at: int


Extend: TypeAlias = Callable[[Transaction, str, ExtensionRequest], Extended | ExtensionNo]
"""Extends a session of this terminal with all that it changes, or says why not."""

Restore: TypeAlias = Callable[[Transaction, Mapping[str, Any], str], None]
"""Enters what the document of an extension says, for this terminal."""


def extension_rights(extend: Extend, restore: Restore) -> Issuing:
    """Return what an extension is to the exchange, by whoever extends sessions."""
    return Issuing(
        is_known=hosts_its_device,
        decide=partial(_decide, extend=extend),
        restore=partial(_restore, restore=restore),
    )


def _decide(books: Transaction, scene: Scene, message: Request, *, extend: Extend) -> Answer:
    try:
        asked = ExtensionRequest.model_validate(message.request)
    except ValidationError:
        return Refused(comm_id=message.comm_id, reason=ExtensionNo.NOT_ALLOWED)
    if asked.device != scene.subject or not hosts_its_device(books, scene):
        return Refused(comm_id=message.comm_id, reason=ExtensionNo.NOT_ALLOWED)
    found = extend(books, scene.comm_id.party, asked)
    if isinstance(found, ExtensionNo):
        return Refused(comm_id=message.comm_id, reason=found)
    document = {
        **heading(books, scene),
        "session": found.session,
        "device": found.device,
        "extended_seconds": found.extended_seconds,
        "added_seconds": found.added_seconds,
        "ends_at": found.ends_at,
    }
    return issue(books, scene, document, lease_ends_at=_lease(found.ends_at))


def _restore(
    books: Transaction, scene: Scene, document: Mapping[str, Any], *, restore: Restore
) -> None:
    restore(books, document, scene.comm_id.party)
    keep_right(books, scene, document, lease_ends_at=_lease(document["ends_at"]))


def _lease(ends_at: int) -> int:
    return ends_at + int(CLOCK_TOLERANCE_SECONDS * 1000)
