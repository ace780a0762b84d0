"""One message of an exchange with what the books know of it, and how its answer is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from cloud_controller.ports import Received, Transaction
from common.ids import CommId
from common.messages.rights import Refused, Request, Right
from common.rules.rights import Said, ServerRecord, subject_in

Answer: TypeAlias = Right | Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """An exchange as it stands when a message of it comes in."""

    received: Received
    comm_id: CommId
    said: Said
    record: ServerRecord

    @property
    def subject(self) -> str:
        """Return what a right of this class is about: a device, a module."""
        return subject_in(self.comm_id.kind)


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuing:
    """What one kind of right is to the exchange.

    Attributes:
        is_known: says whether this client may have an exchange of this class at all: a mark is kept
            for ever, so what is not known must leave none.
        decide: makes the right with all that it changes, or says why not (B4-B6); None: that
            cannot be said yet, and the request is to come again.
        restore: enters a right of ours that an old backup of the books has forgotten.
    """

    is_known: Callable[[Transaction, Scene], bool]
    decide: Callable[[Transaction, Scene, Request], Answer | None]
    restore: Callable[[Transaction, Scene, Mapping[str, Any]], None]


def hosts_its_device(books: Transaction, scene: Scene) -> bool:
    """Say whether the terminal has the device that a right of this class is about."""
    party = scene.comm_id.party
    return books.rights.door(device_id=scene.subject, terminal_id=party) is not None


def heading(books: Transaction, scene: Scene) -> dict[str, Any]:
    """Return what every right says first: which one, for whom, of which exchange, made when."""
    return {
        "right": books.names.new("g"),
        "comm_id": str(scene.comm_id),
        "kind": scene.comm_id.kind,
        "terminal": scene.comm_id.party,
        "epoch": scene.comm_id.epoch,
        "issued_at": books.now,
    }


def issue(
    books: Transaction,
    scene: Scene,
    document: dict[str, Any],
    *,
    lease_ends_at: int | None,
    session: str | None = None,
    amount: int = 1,
) -> Right:
    """Keep a right and return it signed; what it changes is in the same transaction (B5, B6)."""
    keep_right(books, scene, document, lease_ends_at=lease_ends_at, session=session, amount=amount)
    return Right(
        comm_id=str(scene.comm_id),
        document=document,
        signature=books.keys.seal_document(document),
    )


def keep_right(
    books: Transaction,
    scene: Scene,
    document: Mapping[str, Any],
    *,
    lease_ends_at: int | None,
    session: str | None = None,
    amount: int = 1,
) -> None:
    """Enter a right; its lease end frees what it holds, and never its record."""
    books.rights.add_right(
        right_id=document["right"],
        comm_id=document["comm_id"],
        party=scene.comm_id.party,
        epoch=scene.comm_id.epoch,
        kind=scene.comm_id.kind,
        session_id=session,
        amount=amount,
        issued_at=document["issued_at"],
        lease_ends_at=lease_ends_at,
    )
