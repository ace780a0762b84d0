"""Which other controllers may ask us for seats, and how many we own: the operator's words.

A peer that is added again has a new epoch: what speaks under the one before is fenced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.rights.seats import count_again, give_back, look_at_pool
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.ids import CommId
from common.messages.rights import SEATS_MAX
from common.rules.problems import ProblemKind
from common.rules.rights import Right as RightKind

EPOCH_DIGITS: Final = 16

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """The seats of a module here.

    Attributes:
        owned: how many we have.
        used: how many of them are not free: in use by terminals, or given on.
        given: how many of those other controllers have.
        short: how many more are in use than are owned, after an old backup.
        is_doubted: whether none is given out: our root takes us for a copy.
        under_way: how many are on their way from our root, or back to it; and how far that is.
    """

    module: str
    owned: int
    used: int
    given: int
    short: int
    is_doubted: bool
    under_way: tuple[int, str] | None


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
                each["kind"].partition(":")[2]: each["seats"]
                for each in books.rights.seats_held(party=row["name"])
            },
        )
        for row in books.rights.peers()
    ]


def own_seats(books: Transaction, module: str, owned: int, actor: str) -> None:
    """Say how many seats of a module we own; never fewer than are in use.

    Raises:
        NotAllowed: more are in use, or what we have of it is our root's.
    """
    _check_module(module)
    if not 0 <= owned <= SEATS_MAX:
        raise NotAllowed(why=f"one owns up to {SEATS_MAX} seats of a module")
    if books.rights.has_own_exchange(kind=f"{RightKind.SEATS}:{module}"):
        raise NotAllowed(why=f"seats of {module} come from the root: take or return them")
    if not books.rights.own_seats(module=module, owned=owned):
        used = books.rights.pool(module=module)["used"]
        raise NotAllowed(why=f"{used} seats of {module} are in use")
    look_at_pool(books, module)
    books.audit(actor, "seats.owned", module, str(owned))


def settle_seats(books: Transaction, module: str, peer: str, holds: int, actor: str) -> None:
    """Take an operator's word for how many of our seats a peer has: it is lost, or was set back.

    Raises:
        NotFound: there is no such peer, or no such pool.
        NotAllowed: it cannot have so many.
    """
    known = books.rights.peer(name=peer)
    if known is None or books.rights.pool(module=module) is None:
        raise NotFound(what="peer" if known is None else "module")
    if not 0 <= holds <= SEATS_MAX:
        raise NotAllowed(why=f"one has up to {SEATS_MAX} seats of a module")
    kind = f"{RightKind.SEATS}:{module}"
    change = holds - int(books.rights.seats_given(party=peer, kind=kind))
    if change == 0:
        return
    if change < 0:
        give_back(books, module, -change)
    else:
        count_again(books, module, change)
    right = books.names.new("g")
    books.rights.add_right(
        right_id=right,
        comm_id=f"settled/{right}",
        party=peer,
        epoch=known["epoch"],
        kind=kind,
        session_id=None,
        amount=change,
        issued_at=books.now,
        lease_ends_at=None,
    )
    books.audit(actor, "seats.settled", peer, json.dumps({"module": module, "holds": holds}))


def pools(books: Transaction, epoch: str) -> list[Pool]:
    """Return the seats of every module here; `epoch` is ours at our root, empty without one."""
    under_way = {
        wish["module"]: (wish["seats"], row["state"])
        for row in books.rights.own_exchanges(epoch=epoch)
        for wish in (json.loads(row["request"]),)
        if row["state"] != "idle"
    }
    known = {
        row["module"]: Pool(
            module=row["module"],
            owned=row["owned"],
            used=row["used"],
            given=row["given"],
            short=row["short"],
            is_doubted=bool(row["is_doubted"]),
            under_way=under_way.get(row["module"]),
        )
        for row in books.rights.pools()
    }
    coming = (_nothing_yet(module, each) for module, each in under_way.items())
    new = [pool for pool in coming if pool.module not in known]
    return sorted([*known.values(), *new], key=lambda pool: pool.module)


def _nothing_yet(module: str, under_way: tuple[int, str]) -> Pool:
    return Pool(
        module=module,
        owned=0,
        used=0,
        given=0,
        short=0,
        is_doubted=False,
        under_way=under_way,
    )


def _state_of(row: Row) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    return "quarantined" if row["is_quarantined"] else "let in"


def _check_module(module: str) -> None:
    try:
        CommId.parse(f"p/0/{RightKind.SEATS}:{module}/1/{'0' * 32}")
    except ValueError:
        raise NotAllowed(why=f"{module!r} is no module's name") from None
