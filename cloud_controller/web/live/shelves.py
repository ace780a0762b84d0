"""What is on offer, read anew: at once what any commit has touched, and a fifth of it each second.

A card is made of some ten readings. The rows that cards hang on are compared with those before, and
only cards with another row are made anew; what no row here tells, as a new price or the clock, is
found when its turn comes. A reading makes a few, so that nothing else waits for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from cloud_controller.ports import Books, Row, Transaction
from cloud_controller.web.live.board import Card

AHEAD_SECONDS: Final = 2 * 86_400
"""How far ahead what is taken may stand in the way of a time on a card."""

TURNS: Final = 5
"""Looks, one a second, in which every card is made anew once: so late is a time taken away that
passes by the clock alone."""

AT_ONCE: Final = 4
"""Cards that are made in one reading: what computes in another thread holds up the loop's."""

EVERY: Final = ""

ReadCard: TypeAlias = Callable[[Transaction, str], Card | None]
"""Makes the card of an offering; None: it is not to be had."""

Rows: TypeAlias = dict[str, list[tuple[object, ...]]]
"""By offering, in the order of the page, all rows that its card hangs on."""


class Shelves:
    """The cards as they were read last."""

    def __init__(self, books: Books, read_card: ReadCard) -> None:
        """Begin with none."""
        self._books = books
        self._read_card = read_card
        self._rows: Rows = {}
        self._cards: dict[str, Card | None] = {}
        self._turn = 0

    async def read(self, *, is_turn: bool) -> Sequence[Card]:
        """Return every card in the order of the page; most of them as they were.

        Where it `is_turn`, the next few are made anew whose rows are as they were. A card may be
        newer than its row, never older: then it is made once more the next time.
        """
        rows, left = await self._books.read(self._read_touched, is_turn)
        for at in range(0, len(left), AT_ONCE):
            await self._books.read(self._read_cards, left[at : at + AT_ONCE])
        self._cards = {name: self._cards[name] for name in rows}
        self._rows = rows
        return [card for card in self._cards.values() if card is not None]

    def _read_touched(self, books: Transaction, is_turn: bool) -> tuple[Rows, list[str]]:  # noqa: FBT001 - handed on by `read`
        """Return the rows, and of which cards are to be made anew those that still are."""
        rows = _rows(books)
        touched = [name for name, each in rows.items() if self._rows.get(name) != each]
        if is_turn:
            touched += [name for name in list(rows)[self._turn :: TURNS] if name not in touched]
            self._turn = (self._turn + 1) % TURNS
        self._read_cards(books, touched[:AT_ONCE])
        return rows, touched[AT_ONCE:]

    def _read_cards(self, books: Transaction, names: Sequence[str]) -> None:
        for name in names:
            self._cards[name] = self._read_card(books, name)


def _rows(books: Transaction) -> Rows:
    rows: Rows = defaultdict(list)
    whose: dict[str, str] = {}
    for row in books.offerings.shelves(store_id=EVERY, offering_id=EVERY):
        rows[row["offering_id"]].append(_values(row))
    for row in books.offerings.served(store_id=EVERY, offering_id=EVERY):
        rows[row["offering_id"]].append(_values(row))
        whose[row["device_id"]] = row["offering_id"]
    to_at = books.now + AHEAD_SECONDS * 1000
    for row in books.offerings.taken(store_id=EVERY, offering_id=EVERY, now=books.now, to_at=to_at):
        if row["device_id"] in whose:
            rows[whose[row["device_id"]]].append(_values(row))
    return dict(rows)


def _values(row: Row) -> tuple[object, ...]:
    return tuple(row.values() if isinstance(row, dict) else row)
