"""Which key signed which good tickets, and their signature anew when it was stolen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cloud_controller.ports import Row, Transaction
from common.seals import read_token


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """The tickets that a key signed and that are still good; the last of them ends at `last_at`."""

    tickets: int
    last_at: int


def signed_by_key(books: Transaction) -> Mapping[int, Signed]:
    """Return what each key signed that is still good, by its id; of none that signed nothing."""
    found: dict[int, Signed] = {}
    for row in books.reservations.live_tokens(now=books.now):
        key_id = read_token(row["token"]).token.key_id
        known = found.get(key_id, Signed(tickets=0, last_at=0))
        last_at = max(known.last_at, row["ends_at"])
        found[key_id] = Signed(tickets=known.tickets + 1, last_at=last_at)
    return found


def sign_anew(books: Transaction, key_id: int, actor: str) -> tuple[int, frozenset[str]]:
    """Sign the good tickets of a key with the one that signs now.

    Their pages show it from then on; what was printed or saved before opens nothing when the old
    key is retired. Returns how many they are, and the devices that they are for.
    """
    rows: list[Row] = list(books.reservations.live_tokens(now=books.now))
    theirs = [row for row in rows if read_token(row["token"]).token.key_id == key_id]
    for row in theirs:
        token = replace(read_token(row["token"]).token, key_id=books.keys.key_id)
        books.reservations.sign_anew(
            ticket_id=row["ticket_id"], before=row["token"], token=books.keys.seal_token(token)
        )
    books.audit(actor, "key.tickets_signed_anew", f"key {key_id}", f"{len(theirs)} tickets")
    return len(theirs), frozenset(row["device_id"] for row in theirs)
