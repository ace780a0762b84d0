"""A store with real books and one confirmed terminal, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cloud_controller.flows import enrolment, offerings, registration, reservations, service
from cloud_controller.flows.enrolment import Asking, Enrolled, Given, Salted
from cloud_controller.flows.registration import NewStore
from cloud_controller.keys import FileKeys
from cloud_controller.ports import Received
from cloud_controller.storage.books import SqliteBooks
from common.ids import DeviceId, OfferingId, StoreId, TerminalId
from common.messages.base import Message
from common.messages.offerings import OfferingOn, OfferingRegistered
from common.messages.service import ServiceRequest
from common.messages.specification import (
    DeviceFound,
    MachineFound,
    ProgramFound,
    Specification,
)
from common.rules.enrolment import Ladder
from common.rules.presence import Presence
from common.rules.registration import Policy
from common.rules.reservations import Range
from common.rules.specification import new_specification
from common.system import SystemNames
from tests.fakes.books import new_books

MORNING_AT = 1_792_713_600_000
"""2026-10-23T00:00:00Z: nine o'clock in Tokyo, on every grid."""

MINUTE_MS = 60_000
HOUR_MS = 3_600_000

SHINJUKU = StoreId("shinjuku")
SALTED = Salted(secret="5e" * 32, salt="5a" * 12, digest="d1" * 64)
GIVEN = Given(salted=SALTED, ladder=Ladder.LOOPBACK)


def a_new_store(store: StoreId, policy: Policy = Policy.MANUAL) -> NewStore:
    """Return a store of Tokyo, called as its id is."""
    return NewStore(store=store, title=store.title(), time_zone="Asia/Tokyo", policy=policy)


@dataclass
class ClockInHand:
    """Stands still until it is moved."""

    now: int = MORNING_AT
    steady: float = 1000.0
    is_kept: bool = False

    def now_ms(self) -> int:
        return self.now

    def steady_seconds(self) -> float:
        return self.steady

    def is_synchronised(self) -> bool:
        """Say what the kernel would: by default nobody keeps the wall clock."""
        return self.is_kept

    def boot_seconds(self) -> float:
        return self.steady

    def move(self, seconds: float) -> None:
        self.now += int(seconds * 1000)
        self.steady += seconds


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a terminal of the store offers on each of its devices."""

    title: str = "VR Arena"
    content: str = "Two hundred worlds, one headset."
    price_cents: int = 1500
    currency: str = "JPY"
    lengths_seconds: tuple[int, ...] = (1800, 3600)
    grid_seconds: int = 1800
    turnover_seconds: int = 0
    devices: int = 2
    key: str = "vr"
    party_max: int = 1
    change_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A terminal that is confirmed and here, with what it offers on its devices."""

    terminal: TerminalId
    epoch: str
    devices: tuple[DeviceId, ...]
    offering: OfferingId
    code: str


@dataclass(kw_only=True)
class StoreKit:
    """A store's books, its clock, and how things get into them: through the flows."""

    books: SqliteBooks
    clock: ClockInHand
    keys: FileKeys
    names: SystemNames = field(default_factory=SystemNames)

    async def open(self, offer: Offer | None = None) -> Opened:
        """Let a new terminal enrol, be confirmed, be given its service and go on offer."""
        offer = offer or Offer()
        books = self.books
        await books.transact(registration.add_store, a_new_store(SHINJUKU, Policy.AUTOMATIC))
        code = await books.transact(enrolment.make_code, SHINJUKU, "tests")
        asking = Asking(code=code, public_key=self.names.hex_digits(64), hostname="pc-1")
        enrolled = await books.transact(enrolment.enrol, asking, GIVEN)
        assert isinstance(enrolled, Enrolled)
        specification = a_specification(offer)
        await self.specify(enrolled.terminal, enrolled.epoch, specification)
        devices = await self._devices(enrolled.terminal, enrolled.epoch, specification)
        for device in devices:
            for message in _said_of(offer, device):
                flow = offerings.register if "registered" in message.type else offerings.turn_on
                await books.transact(flow, _received(enrolled.terminal, enrolled.epoch, message))
        await books.transact(registration.note_presence, {enrolled.terminal: Presence.HERE})
        shown = await books.read(offerings.front)
        offering = next(each.offering for each in shown if each.title == offer.title)
        return Opened(
            terminal=enrolled.terminal,
            epoch=enrolled.epoch,
            devices=devices,
            offering=offering,
            code=code,
        )

    async def leave(self, opened: Opened) -> None:
        """Let a terminal fall silent."""
        await self.books.transact(registration.note_presence, {opened.terminal: Presence.GONE})

    async def book(self, opened: Opened, starts_at: int, length_seconds: int = 1800) -> str:
        """Book a slot and return the ticket's link."""
        slot = Range(starts_at=starts_at, ends_at=starts_at + length_seconds * 1000)
        wish = reservations.Wish(offering=opened.offering, slot=slot)
        return await self.books.transact(reservations.book, wish)

    async def specify(self, terminal: TerminalId, epoch: str, specification: Specification) -> None:
        """Let a terminal say what it is."""
        said = _received(terminal, epoch, specification)
        await self.books.transact(registration.specify, said)

    async def _devices(
        self, terminal: TerminalId, epoch: str, specification: Specification
    ) -> tuple[DeviceId, ...]:
        """Let a confirmed terminal ask for its service; return the devices it is given."""
        request = ServiceRequest(gate_digest=specification.gate_digest)
        await self.books.transact(service.give, _received(terminal, epoch, request))
        rows = await self.books.read(
            lambda books: list(books.service.devices_of(terminal_id=terminal))
        )
        return tuple(row["device_id"] for row in rows)


def a_specification(offer: Offer, machine: MachineFound | None = None) -> Specification:
    """Return what a terminal says that can carry this offer."""
    return new_specification(
        agent_version="1",
        machine=machine or MachineFound(),
        devices=tuple(
            DeviceFound(key=f"{offer.key}-{n}", title=f"Booth of {offer.key} {n}", program="game")
            for n in range(1, offer.devices + 1)
        ),
        programs=(ProgramFound(program="game"),),
    )


@asynccontextmanager
async def store_kit(folder: Path, clock: ClockInHand | None = None) -> AsyncIterator[StoreKit]:
    """Open a store's books in a folder, and close them."""
    names = SystemNames()
    clock = clock or ClockInHand()
    keys = FileKeys(folder / "keys", names)
    file = folder / "books.sqlite"
    if not file.exists():
        file.write_bytes(new_books())
    books = SqliteBooks(file, clock=clock, names=names, keys=keys, on_said=lambda _: None)
    await books.open()
    try:
        yield StoreKit(books=books, clock=clock, keys=keys, names=names)
    finally:
        await books.close()


def _said_of(offer: Offer, device: DeviceId) -> tuple[Message, ...]:
    registered = OfferingRegistered(
        key=offer.key,
        device=device,
        title=offer.title,
        content=offer.content,
        price_cents=offer.price_cents,
        currency=offer.currency,
        lengths_seconds=offer.lengths_seconds,
        grid_seconds=offer.grid_seconds,
        turnover_seconds=offer.turnover_seconds,
        party_max=offer.party_max,
        change_seconds=offer.change_seconds,
    )
    return registered, OfferingOn(key=offer.key, device=device)


def _received(terminal: TerminalId, epoch: str, message: Message) -> Received:
    return Received(terminal=terminal, epoch=epoch, seq=1, corr="c-1", message=message)
