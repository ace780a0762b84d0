"""A session that runs, at both ends, with its next slot free; and how it is asked to go on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cloud_controller.flows import reservations
from common.ids import OfferingId
from common.messages.base import Message
from common.messages.extensions import ExtensionAsk, ExtensionOffer
from common.messages.rights import Request, Right
from common.rules.reservations import Range
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

SLOT_MS = SLOT_SECONDS * 1000


@dataclass
class Playing:
    """A session of one slot that runs since its begin."""

    house: HouseInHand
    terminal: TerminalInHand
    device: str
    session: str

    @property
    def claim(self) -> dict[str, Any]:
        return self.house.books.rows("reservations")[0]

    @property
    def row(self) -> dict[str, Any]:
        return self.house.books.rows("sessions")[0]

    @property
    def own(self) -> dict[str, Any]:
        """Return the session as its terminal's journal has it."""
        return self.terminal.rows("sessions")[0]

    @property
    def wish(self) -> dict[str, Any]:
        (row,) = self.terminal.rows("extensions")
        return row

    def offer(self) -> ExtensionOffer:
        """Ask by how much the session can be extended."""
        ask = ExtensionAsk(session=self.session, device=self.device)
        (answer,) = self.house.ask(self.terminal, ask)
        assert isinstance(answer, ExtensionOffer)
        return answer

    def want(self, seconds: int = SLOT_SECONDS, cents: int = 10_000, **facts: Any) -> None:
        """Touch the screen."""
        wish = asking.Wish(session=self.session, seconds=seconds, price_cents=cents, **facts)
        self.terminal.do(asking.wish, wish)
        self.terminal.do(asking.look, self.terminal.who)

    def ask(self, seconds: int = SLOT_SECONDS, cents: int = 10_000, **facts: Any) -> Message:
        """Touch the screen, carry the exchange to its end and return the answer it got."""
        self.want(seconds, cents, **facts)
        return self.carry()

    def carry(self) -> Message:
        """Carry an exchange that is open to its end; return the answer it got."""
        answers: list[Message] = []
        for _ in range(8):
            for message in self.terminal.asks():
                for told in self.house.ask(self.terminal, message):
                    if isinstance(message, Request):
                        answers.append(told)
                    self.terminal.hear(told)
        (answer,) = answers
        return answer

    def hear(self) -> list[Message]:
        """Let the terminal hear what the controller has said by itself."""
        said = self.house.books.heard()
        for message in said:
            if message.type == "sessions.desired":
                self.terminal.hear(message, Channel.DESIRED)
        return said

    def book_next(self, *, in_slots: int = 1) -> str:
        """Book a slot after this one on the same device; return its ticket's link."""
        starts_at = self.claim["starts_at"] + in_slots * SLOT_MS
        slot = Range(starts_at=starts_at, ends_at=starts_at + SLOT_MS)
        offering = OfferingId(self.house.books.one("offerings")["offering_id"])
        wish = reservations.Wish(offering=offering, slot=slot, device=self.device)
        return str(self.house.books.do(reservations.book, wish))

    def ledger(self, kind: str) -> list[dict[str, Any]]:
        rows = self.house.books.rows("ledger")
        return [json.loads(row["body"]) for row in rows if row["type"] == kind]


def playing(house: HouseInHand, *, minutes: float = 0.0) -> Playing:
    """Sell a slot of a device, open it at its begin and let the program run for some minutes."""
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    house.clock.move((house.books.one("reservations")["starts_at"] - house.clock.now) / 1000)
    right = house.scan(terminal, device, token)
    assert isinstance(right, Right)
    session = str(right.document["session"])
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    house.clock.move(minutes * 60)
    house.books.said.clear()
    return Playing(house, terminal, device, session)
