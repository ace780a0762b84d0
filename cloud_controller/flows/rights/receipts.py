"""A module's right: one seat for a terminal and, with what it may fetch, the receipt of that.

Its law: the seat is taken and the issue logged in the transaction of the right, so before a byte of
the module is sent (D4, D11); a right that is only renewed, or fetched again, takes no second seat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from cloud_controller.flows.rights.pools import count_again, give_back
from cloud_controller.flows.rights.scene import Answer, Issuing, Scene, heading, issue, keep_right
from cloud_controller.flows.rights.seats import is_pooled, no_seat, refused, take
from cloud_controller.ports import Row, Transaction
from common.messages.rights import ModuleRequest, Request
from common.rules.modules import Basis, ModuleEvent, ModuleEventKind, SeatRefusal, seats_taken


def _is_known(books: Transaction, scene: Scene) -> bool:
    """Say whether this controller has ever had seats of the module, or published it."""
    return is_pooled(books, scene) or books.modules.licence(module=scene.subject) is not None


def _decide(books: Transaction, scene: Scene, message: Request) -> Answer:
    """Give a terminal one seat; one that it holds already is renewed and takes no second (D4)."""
    try:
        asked = ModuleRequest.model_validate(message.request)
    except ValidationError:
        return refused(message, SeatRefusal.MALFORMED)
    if asked.module != scene.subject:
        return refused(message, SeatRefusal.MALFORMED)
    licence, release = books.modules.licence(module=asked.module), _release(books, asked)
    if licence is not None and release is None:
        return refused(message, SeatRefusal.NOT_ON_OFFER)
    pool = books.rights.pool(module=asked.module)
    if pool is None:
        return no_seat(books, message, asked.module)
    basis = Basis.INSTALLED if licence is None else Basis(licence["basis"])
    if not _has_seat(books, scene, pool, seats_taken(basis)):
        return no_seat(books, message, asked.module)
    ends_at = books.now + pool["lease_seconds"] * 1000
    document = {
        **heading(books, scene),
        "module": asked.module,
        "ends_at": ends_at,
        **_what_may_be_fetched(basis, release),
    }
    is_logged = books.provenance.is_in_download_log(module=asked.module, client=_client(scene))
    if not (asked.renews and is_logged):
        _log(books, scene, document)
    return issue(
        books,
        scene,
        document,
        lease_ends_at=_lease_end(basis, ends_at),
        amount=seats_taken(basis),
    )


def _restore(books: Transaction, scene: Scene, document: Mapping[str, Any]) -> None:
    """Count again a seat that an old backup has forgotten, unless this terminal's is counted."""
    basis = Basis(document.get("basis") or Basis.INSTALLED)
    missing = max(0, seats_taken(basis) - int(books.rights.seats_in_use_of(**_mine(scene))))
    count_again(books, scene.subject, missing)
    _log(books, scene, document, at=document["issued_at"])
    lease_ends_at = _lease_end(basis, document["ends_at"])
    keep_right(books, scene, document, lease_ends_at=lease_ends_at, amount=missing)


def _has_seat(books: Transaction, scene: Scene, pool: Row, needed: int) -> bool:
    """Have this terminal hold as many seats as it needs, by the right that is to come; or say no.

    What its earlier right held is the new one's; what that needs no more is free.
    """
    missing = needed - int(books.rights.seats_in_use_of(**_mine(scene)))
    if pool["is_doubted"] or (missing > 0 and not take(books, scene.subject, missing)):
        return False
    if missing < 0:
        give_back(books, scene.subject, -missing)
    books.rights.free_held(**_mine(scene), freed_at=books.now)
    return True


def _release(books: Transaction, asked: ModuleRequest) -> Row | None:
    """Return the published release that is asked for; one withdrawn may still be renewed."""
    if asked.version is None:
        return None
    row = books.modules.version(package=asked.module, version=asked.version)
    if row is None or row["sha256"] != asked.sha256:
        return None
    return row if row["withdrawn_at"] is None or asked.renews else None


def _what_may_be_fetched(basis: Basis, release: Row | None) -> dict[str, Any]:
    if release is None:
        return {"basis": basis}
    return {"basis": basis, **{name: release[name] for name in _OF_A_RELEASE}}


def _lease_end(basis: Basis, ends_at: int) -> int | None:
    """Return when the seat comes back by itself; None: it was ever issued, and never does."""
    return None if basis is Basis.EVER_ISSUED else ends_at


def _log(
    books: Transaction, scene: Scene, document: Mapping[str, Any], at: int | None = None
) -> None:
    books.log_module(
        ModuleEvent(
            kind=ModuleEventKind.ISSUED,
            module=scene.subject,
            client=_client(scene),
            version=document.get("version") or "",
            digest=document.get("sha256") or "",
            right=str(scene.comm_id),
            at=at,
        )
    )


def _client(scene: Scene) -> str:
    return str(scene.comm_id.party)


def _mine(scene: Scene) -> dict[str, str]:
    return {"party": scene.comm_id.party, "kind": scene.comm_id.kind}


_OF_A_RELEASE: Final = ("version", "target", "sha256", "length")

MODULE_RIGHTS: Final = Issuing(is_known=_is_known, decide=_decide, restore=_restore)
