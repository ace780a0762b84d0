"""Which other controllers may ask us for seats: the operator's words.

A peer that is added again has a new epoch: what speaks under the one before is fenced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.problems import ProblemKind
from common.rules.rights import subject_in

EPOCH_DIGITS: Final = 16

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """Another controller, since when it is one, how it stands and what it has of ours."""

    name: str
    made_at: int
    state: str
    holds: Mapping[str, int]


def certificate_name(peer: str) -> str:
    """Return what a peer's certificate is made out to: no terminal or account is called so."""
    return f"peer:{peer}"


def check_peer_name(books: Transaction, name: str) -> None:
    """See that a controller may be called so, before it is certified.

    Raises:
        NotAllowed: it may not.
    """
    if _NAME.fullmatch(name) is None:
        raise NotAllowed(why="a peer's name is 1 to 32 small letters, digits and -")
    if books.registration.terminal(terminal_id=name) is not None:
        raise NotAllowed(why=f"{name} is a terminal")


def add_peer(books: Transaction, name: str, fingerprint: str, actor: str) -> str:
    """Let a controller with this certificate ask for seats, and return the epoch it begins.

    Raises:
        NotAllowed: it cannot be called so.
    """
    check_peer_name(books, name)
    is_known = books.rights.peer(name=name) is not None
    epoch = books.names.hex_digits(EPOCH_DIGITS)
    books.rights.add_peer(name=name, epoch=epoch, fingerprint=fingerprint, made_at=books.now)
    books.solve_problem(ProblemKind.PEER_COPIED, name)
    books.audit(actor, "peer.added_again" if is_known else "peer.added", name)
    return epoch


def revoke_peer(books: Transaction, name: str, actor: str, reason: str) -> None:
    """Hear a controller no longer; what it has stays counted as given.

    Raises:
        NotFound: there is none of that name.
    """
    if books.rights.peer(name=name) is None:
        raise NotFound(what="peer")
    if books.rights.revoke_peer(name=name, revoked_at=books.now):
        books.solve_problem(ProblemKind.PEER_COPIED, name)
        books.audit(actor, "peer.revoked", name, reason)
        if not books.provenance.unsure():  # nobody waits for its word about our log any more
            books.provenance.settle_doubts()


def is_admitted(books: Transaction, name: str, fingerprint: str) -> bool:
    """Say whether this certificate is the one that this peer has now."""
    known = books.rights.peer(name=name)
    return known is not None and known["fingerprint"] == fingerprint and known["revoked_at"] is None


def peers(books: Transaction) -> list[Peer]:
    """Return every controller that was ever let in."""
    return [
        Peer(
            name=row["name"],
            made_at=row["made_at"],
            state=_state_of(row),
            holds={
                subject_in(each["kind"]): each["seats"]
                for each in books.rights.seats_held(party=row["name"])
            },
        )
        for row in books.rights.peers()
    ]


def _state_of(row: Row) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    return "quarantined" if row["is_quarantined"] else "let in"
