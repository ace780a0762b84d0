"""What stands on the storefront: a picture of each offering, with the number of its last change.

Nothing is queued for whoever was away: he says up to which number he has heard, and is told every
picture that is newer, whatever came between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cloud_controller.web.live.written import event, number_of

GONE_MAX: Final = 1_000
"""Offerings that have left the page and are remembered, for whoever was away then. He who was away
for longer than so many is told the whole page."""

EVERY_STORE: Final = ""
"""Whose page shows all stores."""


class Card(Protocol):
    """What is shown of an offering; two that are equal look the same in every language."""

    @property
    def offering(self) -> str:
        """Return its id."""
        ...

    @property
    def store(self) -> str:
        """Return its store's id."""
        ...

    @property
    def store_title(self) -> str:
        """Return what the store is called."""
        ...


Draw = Callable[[Card, str], Awaitable[str]]
"""Makes the HTML of a card in a language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A card as it was drawn last, and the number of the change that made it."""

    number: int
    card: Card
    html: dict[str, str]

    def told(self, language: str) -> dict[str, str]:
        """Return what a page is told."""
        card = self.card
        return {
            "offering": card.offering,
            "store": card.store,
            "title": card.store_title,
            "html": self.html[language],
        }


@dataclass(frozen=True, slots=True)
class _Gone:
    number: int
    store: str


class Board:
    """The pictures that stand there now, in the order of the page."""

    def __init__(self, epoch: str, draw: Draw) -> None:
        """Begin with nothing; `epoch` tells this start's numbers from an earlier one's."""
        self.number = 0
        self._epoch = epoch
        self._draw = draw
        self._shown: dict[str, Picture] = {}
        self._gone: OrderedDict[str, _Gone] = OrderedDict()
        self._forgotten = 0
        self._languages: set[str] = set()
        self._whole: dict[tuple[str, str], bytes] = {}

    async def speak(self, language: str) -> None:
        """Have every picture in a language from now on; nobody is told anything in it before."""
        self._languages.add(language)
        await self._draw_all(lambda: self._shown)

    async def take(self, cards: Sequence[Card]) -> bool:
        """Draw what has changed, and say whether anything has.

        Until all is drawn, what stood there stands; an order that is another is a change of its
        own, for which each page is told whole.
        """
        before, number = self._shown, self.number + 1
        shown: dict[str, Picture] = {}
        for card in cards:
            was = before.get(card.offering)
            if was is None or was.card != card:
                was = Picture(number=number, card=card, html={})
            shown[card.offering] = was
        await self._draw_all(lambda: shown)
        gone = [each.card for name, each in before.items() if name not in shown]
        stayed = [name for name in before if name in shown]
        is_moved = stayed != [name for name in shown if name in before]
        if shown == before and not is_moved:
            return False
        self._shown, self.number = shown, number
        self._whole.clear()
        self._note_gone(gone, number)
        if is_moved:
            self._forgotten = number
            self._gone.clear()
        return True

    def since(self, heard: str, language: str, store: str) -> bytes:
        """Return what somebody has to be told who has heard up to `heard`; nothing where all."""
        number = number_of(heard, self._epoch)
        if number is None or not self._forgotten <= number <= self.number:
            return self._page(language, store)
        return self.changes(number, language, store)

    def changes(self, number: int, language: str, store: str) -> bytes:
        """Return every picture of a page that is newer than a number, and what has left since."""
        if number < self._forgotten:
            return self._page(language, store)
        told: list[dict[str, str | None]] = [
            {"offering": name, "store": gone.store, "html": ""}
            for name, gone in self._gone.items()
            if gone.number > number and store in {EVERY_STORE, gone.store}
        ]
        after: str | None = None
        newer: list[dict[str, str | None]] = []
        for name, each in reversed(self._shown.items()):
            if store not in {EVERY_STORE, each.card.store}:
                continue
            if each.number > number:
                newer.append({**each.told(language), "before": after})
            after = name
        told += newer
        last = len(told) - 1
        return b"".join(
            event("card", each, self._id if at == last else "") for at, each in enumerate(told)
        )

    def _page(self, language: str, store: str) -> bytes:
        """Return the whole page as one event; made once for all who ask for it."""
        known = self._whole.get((language, store))
        if known is None:
            cards = [
                each.told(language)
                for each in self._shown.values()
                if store in {EVERY_STORE, each.card.store}
            ]
            known = event("page", {"cards": cards}, self._id)
            if cards:  # of stores that nobody has, as many may be named as one likes
                self._whole[language, store] = known
        return known

    @property
    def _id(self) -> str:
        return f"{self._epoch}-{self.number}"

    async def _draw_all(self, pictures: Callable[[], dict[str, Picture]]) -> None:
        """Draw in every language that is spoken what is not; others may be spoken meanwhile."""
        while missing := [
            (picture, language)
            for picture in pictures().values()
            for language in self._languages
            if language not in picture.html
        ]:
            for picture, language in missing:
                picture.html[language] = await self._draw(picture.card, language)

    def _note_gone(self, gone: Sequence[Card], number: int) -> None:
        for name in self._shown:
            self._gone.pop(name, None)
        for card in gone:
            self._gone[card.offering] = _Gone(number, card.store)
            self._gone.move_to_end(card.offering)
        while len(self._gone) > GONE_MAX:
            _, oldest = self._gone.popitem(last=False)
            self._forgotten = max(self._forgotten, oldest.number)
