"""One store, its controller and its terminals in one thread; the wire is in the test's hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloud_controller import bookings
from cloud_controller.flows import enrolment, offerings, registration, reservations, rights
from cloud_controller.flows.enrolment import Asking, Given, Salted
from cloud_controller.keys import FileKeys
from cloud_controller.listener import FLOWS, Listener
from cloud_controller.ports import Received, RoleGiven, Said
from cloud_controller.storage.postgres import Database
from common.codec import Envelope, message_from, write
from common.ids import OfferingId, StoreId, TerminalId
from common.messages.base import Message
from common.messages.offerings import OfferingOn, OfferingRegistered
from common.messages.registration import StandingTold
from common.messages.rights import HoldTickets, ReleaseTicket, Request
from common.messages.service import ServiceProfile, ServiceRequest
from common.messages.specification import (
    DeviceFound,
    MachineFound,
    ProgramFound,
    Specification,
)
from common.rules.enrolment import Ladder
from common.rules.presence import Presence
from common.rules.registration import Policy, Standing
from common.rules.reservations import Range
from common.rules.specification import new_specification
from common.topics import WITH_A_TAIL, Address, Channel, topic_of
from edge_agent.flows import rights as asking
from tests.fakes.books import BooksInHand
from tests.fakes.names import CountedNames
from tests.fakes.postgres_books import PostgresInHand
from tests.fakes.store import ClockInHand, a_new_store
from tests.fakes.terminal import TerminalInHand, a_delivery, an_answer

STORE = StoreId("shinjuku")
SLOT_SECONDS = 1800
EARLY_SECONDS = 300
SALTED = Salted(secret="5e" * 32, salt="5a" * 12, digest="d1" * 64)
GIVEN = Given(salted=SALTED, ladder=Ladder.LOOPBACK)


class HouseInHand:
    """The controller's half: books, keys, listener; `enrolled` makes the other half."""

    def __init__(self, folder: Path, where: Path | Database, *, policy: Policy) -> None:
        self.folder = folder
        self.clock = ClockInHand()
        self.names = CountedNames()
        self.keys = FileKeys(folder / "keys", self.names)
        engine: Any = BooksInHand if isinstance(where, Path) else PostgresInHand
        self.books: BooksInHand = engine(where, clock=self.clock, names=self.names, keys=self.keys)
        self.heard: list[tuple[object, ...]] = []
        self.listener = Listener(
            self.books,
            FLOWS,
            acknowledge=lambda _: None,
            on_heard=lambda *heard: self.heard.append(heard[:2]),
            on_change=lambda: None,
        )
        self.books.do(registration.add_store, a_new_store(STORE, policy))

    def take(
        self, terminal: TerminalInHand, message: Message, channel: Channel, seq: int = 0
    ) -> list[Message]:
        """Hand the controller a message as bytes on its topic; return what it says then."""
        tail = message.type if channel in WITH_A_TAIL else ""
        address = Address(terminal=terminal.who.terminal, channel=channel, tail=tail)
        envelope = Envelope(
            id="m",
            terminal=terminal.who.terminal,
            epoch=terminal.who.epoch,
            seq=seq,
            sent_at=self.clock.now,
            corr="c-1",
            message=message,
        )
        self.listener.take(a_delivery(topic_of(address), write(envelope)))
        return self.books.heard()

    def ask(self, terminal: TerminalInHand, message: Message) -> list[Message]:
        """Hand the controller a question of a terminal; return its answers."""
        return self.take(terminal, message, Channel.REQUESTS)

    def tell_all(self, terminal: TerminalInHand) -> list[Message]:
        """Hand over every event in the terminal's outbox; acknowledged, they leave it."""
        said: list[Message] = []
        for seq, kind, body in terminal.tells():
            said += self.tell(terminal, seq, kind, body)
        for message in said:
            if message.type == "events.acknowledged":
                terminal.hear(message, Channel.ACKS)
        return said

    def tell(self, terminal: TerminalInHand, seq: int, kind: str, body: str) -> list[Message]:
        message = message_from(kind, json.loads(body))
        return self.take(terminal, message, Channel.EVENTS, seq)

    def enrol(
        self, hostname: str = "pc-1", *, again: TerminalId | None = None, store: StoreId = STORE
    ) -> TerminalInHand:
        """Give a new terminal its identity, or one that has one a new epoch."""
        code = self.books.do(enrolment.make_code, store, "tests", again)
        asking = Asking(code=code, public_key=self.names.hex_digits(64), hostname=hostname)
        enrolled = self.books.do(enrolment.enrol, asking, GIVEN)
        folder = self.folder / f"{enrolled.terminal}-{enrolled.epoch}"
        folder.mkdir()
        answer = an_answer(enrolled.public_keys, terminal=enrolled.terminal, epoch=enrolled.epoch)
        self.books.said.clear()
        return TerminalInHand(folder, clock=self.clock, names=self.names, answer=answer)

    def confirmed(self, *keys: str, store: StoreId = STORE) -> TerminalInHand:
        """Enrol a terminal and walk it through A1 to A6, its devices on offer."""
        terminal = self.enrol(store=store)
        specification = a_specification(*keys)
        terminal.is_now(specification)
        for told in self.take(terminal, specification, Channel.SPECIFICATION):
            terminal.hear(told, Channel.REGISTRATION)
        assert terminal.listener.gate_is_open
        request = ServiceRequest(gate_digest=specification.gate_digest)
        (profile,) = self.ask(terminal, request)
        assert isinstance(profile, ServiceProfile)
        terminal.hear(profile)
        for device in profile.devices:
            for message in an_offer(device.device):
                is_on = isinstance(message, OfferingOn)
                flow = offerings.turn_on if is_on else offerings.register
                self.books.do(flow, self.received(terminal, message))
        here = {terminal.who.terminal: Presence.HERE}
        self.books.do(registration.note_presence, here)
        self.books.said.clear()
        return terminal

    def devices_of(self, terminal: TerminalInHand) -> list[str]:
        rows = self.books.rows("devices")
        return [row["device_id"] for row in rows if row["terminal_id"] == terminal.who.terminal]

    def book(self, device: str | None = None, *, in_seconds: int = 0, slots: int = 1) -> str:
        """Book the next slot and return the ticket's token."""
        grid = SLOT_SECONDS * 1000
        starts_at = -(-self.clock.now // grid) * grid + in_seconds * 1000
        slot = Range(starts_at=starts_at, ends_at=starts_at + slots * grid)
        offering = OfferingId(self.books.one("offerings")["offering_id"])
        wish = reservations.Wish(offering=offering, slot=slot, device=device)
        link = self.books.do(reservations.book, wish)
        token: str = self.books.do(reservations.ticket, link)["token"]
        return token

    def announce(self, terminal: TerminalInHand, device: str) -> None:
        """Prepare a device's next exchange up to where it waits for a scan."""
        terminal.do(asking.prepare, terminal.who, device)
        (message,) = terminal.asks()
        for answer in self.ask(terminal, message):
            terminal.hear(answer)

    def scan(self, terminal: TerminalInHand, device: str, token: str) -> Message:
        """Scan a ticket, carry the exchange to its end and return the answer it got."""
        self.announce(terminal, device)
        terminal.scan(device, token)
        (request,) = terminal.asks()
        (answer,) = self.ask(terminal, request)
        terminal.hear(answer)
        (complete,) = terminal.asks()
        (completed,) = self.ask(terminal, complete)
        terminal.hear(completed)
        return answer

    def hold(self, terminal: TerminalInHand) -> None:
        """Let the controller look for tickets that nobody holds, and the terminal take its own."""
        self.books.do(rights.hold_what_comes)
        for told in self.books.heard():
            assert isinstance(told, HoldTickets)
            if told.device in self.devices_of(terminal):
                terminal.hear(told, Channel.COMMANDS, told.command)
        self.carry(terminal)

    def carry(self, terminal: TerminalInHand) -> None:
        """Let both sides talk until nothing is owed."""
        for _ in range(20):
            owed = terminal.asks() or terminal.ask_again()
            for message in owed:
                for answer in self.ask(terminal, message):
                    terminal.hear(answer)
            if not owed:
                return

    def recall(self, terminal: TerminalInHand) -> None:
        """Carry recalls to the terminal, and what it says of them back."""
        for told in self.books.heard():
            if isinstance(told, ReleaseTicket):
                terminal.hear(told, Channel.COMMANDS, told.command)
        self.tell_all(terminal)

    def give_up(self) -> None:
        """Give the latest reservation up, as the store does, which is never too late."""
        link = self.books.rows("reservations")[-1]["link"]
        self.books.do(bookings.give_up, link, by_customer=False)

    def received(self, terminal: TerminalInHand, message: Message, seq: int = 1) -> Received:
        return Received(
            terminal=terminal.who.terminal,
            epoch=terminal.who.epoch,
            seq=seq,
            corr="c-1",
            message=message,
        )

    def states(self) -> dict[str, list[Any]]:
        """Return where tickets, sessions and reservations stand."""
        return {
            table: [row["state"] for row in self.books.rows(table)]
            for table in ("tickets", "sessions", "reservations")
        }


def a_specification(*keys: str, memory_bytes: int = 1 << 33) -> Specification:
    """Return what a terminal with these devices says it is."""
    devices = [DeviceFound(key=k, title=f"Booth {k}", program="game") for k in keys or ("vr",)]
    return new_specification(
        agent_version="1",
        machine=MachineFound(memory_bytes=memory_bytes, serial="S-1"),
        devices=devices,
        programs=[ProgramFound(program="game")],
    )


def an_offer(device: str) -> tuple[Message, Message]:
    """Return what puts a device on the page."""
    registered = OfferingRegistered(
        key="vr",
        device=device,
        title="VR Arena",
        price_cents=1500,
        lengths_seconds=(SLOT_SECONDS, 2 * SLOT_SECONDS),
        grid_seconds=SLOT_SECONDS,
        early_seconds=EARLY_SECONDS,
    )
    return registered, OfferingOn(key="vr", device=device)


def asked(house: HouseInHand, terminal: TerminalInHand, token: str, device: str) -> Request:
    """Announce and scan; return the request that has not been sent yet."""
    house.announce(terminal, device)
    terminal.scan(device, token)
    (request,) = terminal.asks()
    assert isinstance(request, Request)
    return request


def roles_of(said: list[Said | RoleGiven]) -> list[str | None]:
    """Return the words to the broker among what was said."""
    return [each.role for each in said if isinstance(each, RoleGiven)]


def standing_of(said: list[Message]) -> Standing:
    """Return the one standing told."""
    (told,) = said
    assert isinstance(told, StandingTold)
    return Standing(told.standing)
