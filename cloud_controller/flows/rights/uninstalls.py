"""The right to take a module off a PC: by where it came from, once, for that very copy (D7-D9).

Its law: a seat is free again by a terminal's word that the module is off, given by a permission of
ours that nobody has used before; by the lease's end; and in no other way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.pools import give_back
from cloud_controller.flows.rights.scene import Answer, Issuing, Scene, heading, issue, keep_right
from cloud_controller.ports import Received, Transaction
from common.messages.modules import ModuleUninstalled, Receipt, UninstallRequest
from common.messages.rights import Refused, Request
from common.rules.modules import (
    Basis,
    ModuleEvent,
    ModuleEventKind,
    OnDisk,
    Provenance,
    UninstallRefusal,
    judge,
)
from common.rules.rights import RightKind, class_of, kind_in
from common.seals import is_sealed, verifying_key

_ANSWERS: Final[Mapping[UninstallRefusal | None, ModuleEventKind]] = {
    None: ModuleEventKind.UNINSTALL_ALLOWED,
    UninstallRefusal.NOT_FROM_HERE: ModuleEventKind.UNINSTALL_DENIED,
    UninstallRefusal.REPLACED: ModuleEventKind.UNINSTALL_DENIED,
    UninstallRefusal.UNDECIDED: ModuleEventKind.UNINSTALL_UNDECIDED,
}


def _is_known(books: Transaction, scene: Scene) -> bool:
    """Say whether a module of this name was ever heard of here."""
    return bool(
        books.provenance.is_known_module(module=scene.subject, terminal_id=scene.comm_id.party)
    )


def _decide(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Judge by what all our logs say, and by the receipt that is shown; note it in ours."""
    try:
        asked = UninstallRequest.model_validate(message.request)
    except ValidationError:
        return _refused(message, UninstallRefusal.MALFORMED)
    if asked.module != scene.subject:
        return _refused(message, UninstallRefusal.MALFORMED)
    asked_at = books.provenance.asked_first_at(
        module=asked.module, client=scene.comm_id.party, digest=asked.digest
    )
    if asked_at is None:
        _log(books, scene, asked, ModuleEventKind.UNINSTALL_ASKED)
    refusal = judge(_provenance(books, scene, asked, books.now if asked_at is None else asked_at))
    if refusal is not UninstallRefusal.UNDECIDED or asked_at is None:  # said once, not each time
        _log(books, scene, asked, _ANSWERS[refusal], {} if refusal is None else {"why": refusal})
    if refusal is not None:
        return _refused(message, refusal)
    copy = {"module": asked.module, "version": asked.version, "digest": asked.digest}
    document = {**heading(books, scene), **copy}
    return issue(books, scene, document, lease_ends_at=None, amount=0)


def note_uninstalled(books: Transaction, said: Received) -> None:
    """Use up the permission by which a module went, and give the seat back that it held.

    A seat that was taken after the permission is another install's and stays. A licence that counts
    what was ever issued gets none back.
    """
    told: ModuleUninstalled = said.message
    kind = class_of(RightKind.UNINSTALL, told.module)
    permission = books.provenance.unused_permission(
        right_id=told.permission, party=said.terminal, kind=kind
    )
    if permission is None:
        return
    books.rights.free_right(right_id=told.permission, freed_at=books.now)
    licence = books.modules.licence(module=told.module)
    if licence is not None and licence["basis"] != Basis.INSTALLED:
        return
    held = books.provenance.held_since_before(
        party=said.terminal,
        kind=class_of(RightKind.MODULE, told.module),
        issued_at=permission["issued_at"],
    )
    for row in held:
        books.rights.free_right(right_id=row["right_id"], freed_at=books.now)
        give_back(books, told.module, row["amount"])


def _restore(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Know a permission again that an old backup has forgotten, so that its use counts."""
    keep_right(books, scene, document, lease_ends_at=None, amount=0)


def _provenance(
    books: Transaction, scene: Scene, asked: UninstallRequest, asked_at: int
) -> Provenance:
    client = scene.comm_id.party
    is_logged = books.provenance.is_in_download_log(module=asked.module, client=client)
    return Provenance(
        is_logged=bool(is_logged),
        has_receipt=asked.receipt is not None and _is_receipt(books, scene, asked.receipt),
        on_disk=_on_disk(books, client, asked),
        asked_at=asked_at,
        known_up_to=int(books.provenance.known_up_to(now=books.now)),
        now=books.now,
    )


def _on_disk(books: Transaction, client: str, asked: UninstallRequest) -> OnDisk:
    """Say what lies on the PC; a digest is known from what is published, or was installed there."""
    if books.provenance.is_digest_known(module=asked.module, digest=asked.digest, client=client):
        return OnDisk.OURS
    knows_its_digest = books.provenance.knows_digest_of(
        module=asked.module, version=asked.version, client=client
    )
    return OnDisk.ANOTHER if knows_its_digest else OnDisk.UNKNOWN


def _is_receipt(books: Transaction, scene: Scene, receipt: Receipt) -> bool:
    """Say whether a controller of ours has given this terminal this module by that document."""
    document = receipt.document
    said = (document.get("terminal"), document.get("module"))
    is_a_modules = kind_in(str(document.get("kind", ""))) is RightKind.MODULE
    if not is_a_modules or said != (scene.comm_id.party, scene.subject):
        return False
    if not document.get("sha256"):
        return False  # a seat alone: nothing was fetched by it
    return books.keys.have_sealed(document, receipt.signature) or any(
        is_sealed(document, receipt.signature, verifying_key(bytes.fromhex(row["public_key"])))
        for row in books.provenance.signers()
    )


def _log(
    books: Transaction,
    scene: Scene,
    asked: UninstallRequest,
    kind: ModuleEventKind,
    facts: Mapping[str, Any] | None = None,
) -> None:
    books.log_module(
        ModuleEvent(
            kind=kind,
            module=asked.module,
            client=scene.comm_id.party,
            version=asked.version,
            digest=asked.digest,
            right=str(scene.comm_id),
            facts=facts or {},
        )
    )


def _refused(message: Request, reason: UninstallRefusal) -> Refused:
    return Refused(comm_id=message.comm_id, reason=reason)


UNINSTALL_RIGHTS: Final = Issuing(is_known=_is_known, decide=_decide, restore=_restore)
