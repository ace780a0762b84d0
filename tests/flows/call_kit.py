"""Two sides of a call in a test's hand: a helper at his desk, a customer at a screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cloud_controller.flows import help as calls
from common.messages.base import Message
from common.messages.help import HelpChosen, HelpThere, HelpTold
from tests.fakes.house import STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand


@dataclass
class Desk:
    """A helper's desk: he is known by his key, and there for as long as the test says so."""

    house: HouseInHand
    helper: str
    key: str

    @property
    def row(self) -> Any:
        return self.do(calls.known, self.key)

    def do(self, flow: Any, *args: Any, **facts: Any) -> Any:
        return self.house.books.do(flow, *args, **facts)

    def log_in(self) -> Desk:
        self.do(calls.log_in, self.row, by_form=False)
        return self

    def stay(self) -> None:
        self.do(calls.stay, self.row, by_form=False)

    def costs(self, cents: int) -> None:
        terms = calls.HelperTerms(
            title_ja="操作",
            title_en="Controls",
            languages=("ja", "en"),
            price_cents=cents,
            currency="JPY",
        )
        self.do(calls.set_terms, self.helper, terms)

    def answer(self, call: str, text: str) -> None:
        self.do(calls.answer, self.helper, call, text)


@dataclass
class Screen:
    """A terminal with one device; what it is told is sorted by what it is about."""

    house: HouseInHand
    terminal: TerminalInHand
    there: list[HelpThere] = field(default_factory=list)
    told: list[HelpTold] = field(default_factory=list)

    @property
    def device(self) -> str:
        return self.house.devices_of(self.terminal)[0]

    def hear(self, said: list[Message] | None = None) -> None:
        for message in self.house.books.heard() if said is None else said:
            if isinstance(message, HelpThere):
                self.there.append(message)
            elif isinstance(message, HelpTold):
                self.told.append(message)

    def say(self, message: Message) -> HelpTold | None:
        """Tell the controller an event; return the last that it says of a call then."""
        self.hear()
        before = len(self.told)
        self.terminal.do(lambda journal: journal.say(message))
        self.hear(self.house.tell_all(self.terminal))
        return self.told[-1] if len(self.told) > before else None

    def choose(self, desk: Desk, call: str = "c-1", **facts: Any) -> HelpTold:
        chosen = HelpChosen(
            call=call,
            helper=desk.helper,
            device=self.device,
            language="ja",
            at=self.house.clock.now,
            **facts,
        )
        told = self.say(chosen)
        assert told is not None
        return told


def a_desk(house: HouseInHand, name: str = "Aoi") -> Desk:
    made = house.books.do(calls.add, name, [STORE], "tests")
    key = house.books.do(calls.enter, made.link)
    return Desk(house, made.helper, key)


def look_after(house: HouseInHand) -> list[Message]:
    """Do what the timers do, if they would; return what is said."""
    house.books.heard()
    if house.books.do(calls.has_to_look):
        house.books.do(calls.look_after)
    return house.books.heard()


def why_of(house: HouseInHand, call: str = "c-1") -> str:
    (row,) = [each for each in house.books.rows("help_calls") if each["call_id"] == call]
    return str(row["why"]) if row["state"] == "ended" else str(row["state"])
