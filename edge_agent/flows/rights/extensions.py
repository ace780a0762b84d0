"""A session that goes on: wanted by a touch or by itself, asked for, and kept with its right.

Its law: a deadline moves by a right of the controller's and by nothing else, once for each right,
in the transaction in which that is stored; the runner is told from its row, again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from common.messages.rights import ExtensionRequest, ExtensionRight, Refused, Right
from common.rules.rights import RightKind, class_of
from common.rules.sessions import WISH, ExtensionNo, WishEvent, WishState
from edge_agent.flows.rights import exchange
from edge_agent.ports import Identity, Row, Transaction

ANSWER_WITHIN_SECONDS: Final = 10.0
"""A wish without an answer by then is given up: its customer looks at the time that is left."""

ELSEWHERE: Final = 0
"""The seconds asked for by a wish to have what was granted elsewhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """So many more seconds of a session, for so much at the most; by a touch or by itself."""

    session: str
    seconds: int
    price_cents: int
    is_by_itself: bool = False


def class_for(device: str) -> str:
    """Return the class of right that an extension on a device is."""
    return class_of(RightKind.EXTENSION, device)


def wish(journal: Transaction, wanted: Wish) -> bool:
    """Note what is wanted for a session that runs; False: another wish on its device is open."""
    row = journal.rows.session(session=wanted.session)
    return _keep(journal, row["device"], wanted)


def wish_of(journal: Transaction, session: str) -> Row | None:
    """Return how the latest wish for a session stands, or None: there was none."""
    return journal.rows.wish_of(session=session)


def look(journal: Transaction, who: Identity) -> None:
    """Ask for what is wanted, as far as each device's exchange is; give up what is too late."""
    for row in journal.rows.extended_elsewhere():
        wanted = Wish(session=row["session"], seconds=ELSEWHERE, price_cents=0)
        _keep(journal, row["device"], wanted)
    for row in journal.rows.open_wishes():
        kind = class_for(row["device"])
        if _is_late(journal, row):
            exchange.abandon(journal, who, kind)
            _refuse(journal, row, ExtensionNo.NO_ANSWER)
        elif row["state"] == WishState.WANTED and not exchange.begin(journal, who, kind):
            ask(journal, who, row["device"])


def ask(journal: Transaction, who: Identity, device: str) -> None:
    """Ask for what is wanted on a device, if its exchange is announced by now."""
    row = journal.rows.wish_on(device=device)
    after = None if row is None else WISH.step(WishState(row["state"]), WishEvent.ASK)
    if row is None or after is None:
        return
    request = ExtensionRequest(
        session=row["session"],
        device=device,
        seconds=row["seconds"],
        price_cents=row["price_cents"],
        is_by_itself=bool(row["is_by_itself"]),
    )
    if exchange.freeze(journal, who, class_for(device), request.model_dump(mode="json")):
        _move(journal, row, after)


def take(journal: Transaction, told: Right, right: ExtensionRight) -> bool:
    """Keep a right to go on; say whether a deadline has moved, of which the runner is to hear.

    None does for a session that is over or told to stop: what was paid for it and is not delivered
    is paid back by what its end reports.
    """
    exchange.keep_right(journal, told, right.kind)
    is_moved = bool(
        journal.rows.extend(
            session=right.session,
            device=right.device,
            extended_seconds=right.extended_seconds,
        )
    )
    row = journal.rows.wish_on(device=right.device)
    if row is not None and row["session"] == right.session:
        after = WISH.step(WishState(row["state"]), WishEvent.GRANT)
        if after is not None and is_moved:
            _move(journal, row, after, added_seconds=right.added_seconds)
        else:
            _refuse(journal, row, ExtensionNo.SESSION_IS_ENDING)
    return is_moved


def take_refused(journal: Transaction, device: str, told: Refused) -> None:
    """Note why there is no more time; what nobody has granted elsewhere is not asked for again."""
    row = journal.rows.wish_on(device=device)
    if row is None:
        return
    if row["seconds"] == ELSEWHERE:
        journal.rows.forget_desired_extension(session=row["session"])
    known = told.reason in set(ExtensionNo)
    _refuse(journal, row, ExtensionNo(told.reason) if known else ExtensionNo.NO_ANSWER)


def _keep(journal: Transaction, device: str, wanted: Wish) -> bool:
    kept = journal.rows.keep_wish(
        device=device,
        session=wanted.session,
        seconds=wanted.seconds,
        price_cents=wanted.price_cents,
        is_by_itself=int(wanted.is_by_itself),
        state=WISH.first,
        wanted_boot_seconds=journal.boot_seconds,
        boot_id=journal.boot_id,
    )
    return bool(kept)


def _is_late(journal: Transaction, row: Row) -> bool:
    """Say whether nobody waits for a wish any more; what was granted elsewhere is waited for."""
    if row["seconds"] == ELSEWHERE:
        return False
    waited = journal.boot_seconds - row["wanted_boot_seconds"]
    return bool(row["boot_id"] != journal.boot_id or waited >= ANSWER_WITHIN_SECONDS)


def _refuse(journal: Transaction, row: Row, reason: ExtensionNo) -> None:
    after = WISH.step(WishState(row["state"]), WishEvent.REFUSE)
    if after is not None:
        _move(journal, row, after, reason=reason)


def _move(
    journal: Transaction,
    row: Row,
    after: WishState,
    *,
    reason: str = "",
    added_seconds: float = 0.0,
) -> None:
    journal.rows.move_wish(
        device=row["device"],
        before=row["state"],
        state=after,
        reason=reason,
        added_seconds=added_seconds,
    )
