"""How many seats of each module we own and who has them: the counts, and the operator's words."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cloud_controller.ports import NotAllowed, NotFound, Problem, Transaction
from common.messages.rights import SEATS_MAX
from common.rules.problems import ProblemKind
from common.rules.rights import NONCE_DIGITS, RightKind, Speaker, class_in, class_of


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


def own_seats(books: Transaction, module: str, owned: int, actor: str) -> None:
    """Say how many seats of a module we own; never fewer than are in use.

    Raises:
        NotAllowed: more are in use, or what we have of it is our root's.
    """
    kind = seats_class(module)
    if not 0 <= owned <= SEATS_MAX:
        raise NotAllowed(why=f"one owns up to {SEATS_MAX} seats of a module")
    if books.escrow.has_own_exchange(kind=kind):
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
    kind = class_of(RightKind.SEATS, module)
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
        for row in books.escrow.own_exchanges(epoch=epoch)
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


def count_again(books: Transaction, module: str, seats: int) -> None:
    """Count seats as in use, whether or not we own as many; where we do not, somebody must look."""
    books.rights.count_seats(module=module, seats=seats)
    look_at_pool(books, module)


def give_back(books: Transaction, module: str, seats: int) -> None:
    """Count seats as free again."""
    given_back = books.rights.give_back_seats(module=module, seats=seats)
    assert given_back == 1, "what is given back was counted when it was given"
    look_at_pool(books, module)


def look_at_pool(books: Transaction, module: str) -> None:
    """Have an operator look at a pool that more is in use of than it has, and at no other."""
    pool = books.rights.pool(module=module)
    if not pool["short"]:
        books.solve_problem(ProblemKind.SEATS_OVERDRAWN, module)
        return
    books.raise_problem(
        Problem(
            kind=ProblemKind.SEATS_OVERDRAWN,
            subject=module,
            why="Rights of ours were shown that our books had forgotten.",
            evidence={"owned": pool["owned"], "in_use": pool["used"] + pool["short"]},
            proposals=({"do": "own_more"}, {"do": "return_seats"}),
        )
    )


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


def seats_class(module: str) -> str:
    """Return the class of rights to seats of a module.

    Raises:
        NotAllowed: no communication could be named after it.
    """
    kind = class_of(RightKind.SEATS, module)
    anybody = Speaker(party="p", epoch="0")
    if class_in(str(anybody.comm_id(kind, 1, "0" * NONCE_DIGITS))) is None:
        raise NotAllowed(why=f"{module!r} is no module's name")
    return kind
