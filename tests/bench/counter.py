"""A night's tickets: all that their redemptions need is in the books, and none is redeemed."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_controller import listener
from cloud_controller.flows import reservations, rights
from cloud_controller.ports import Received, Transaction
from common.ids import CommId, DeviceId
from common.messages.rights import Announce, Request, ScanRequest
from common.rules.reservations import Range
from common.seals import digest_of
from common.topics import Channel
from tests.bench.books import FILE
from tests.bench.by_statements import Script, ear_in
from tests.fakes.store import MORNING_AT, Offer, Opened, StoreKit, store_kit

DEVICES_A_TERMINAL = 32
SLOT_MS = 1_800_000


@dataclass(frozen=True, kw_only=True)
class Redemption:
    """One ticket held to one reader: the message as the controller's listener has read it."""

    said: Received
    asked: ScanRequest

    @property
    def token(self) -> str:
        return self.asked.token


@dataclass(frozen=True, kw_only=True)
class Counter:
    """Books in a folder, and what is about to be redeemed there."""

    folder: Path
    redemptions: tuple[Redemption, ...]


async def counter_in(folder: Path, count: int) -> Counter:
    """Prepare so many redemptions through the flows, each on its own device and exchange."""
    assert count % DEVICES_A_TERMINAL == 0
    found: list[Redemption] = []
    async with store_kit(folder) as kit:
        for number in range(count // DEVICES_A_TERMINAL):
            offer = Offer(
                key=f"vr-{number}", title=f"VR Arena {number}", devices=DEVICES_A_TERMINAL
            )
            opened = await kit.open(offer)
            found += [await _ready(kit, opened, device) for device in opened.devices]
    return Counter(folder=folder, redemptions=tuple(found))


def redeem(books: Transaction, each: Redemption) -> None:
    """Take a redemption from its message on, as the controller's listener has it taken."""
    listener._admit(books, each.said, Channel.REQUESTS, rights.take)


def recorded(counter: Counter) -> Script:
    """Return what each redemption says to the database."""
    with ear_in(counter.folder) as ear:
        for each in counter.redemptions:
            ear.do(redeem, each)
        return ear.script


def used_sessions_rights(folder: Path) -> tuple[int, int, int]:
    """Count what a run has left: each of the three is the number of redemptions, or it lies."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        return (
            _count(connection, "SELECT count(*) FROM tickets WHERE state = 'reserved'"),
            _count(connection, "SELECT count(DISTINCT ticket_id) FROM sessions"),
            _count(connection, "SELECT count(DISTINCT comm_id) FROM rights"),
        )


def _count(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


async def _ready(kit: StoreKit, opened: Opened, device: DeviceId) -> Redemption:
    slot = Range(starts_at=MORNING_AT, ends_at=MORNING_AT + SLOT_MS)
    wish = reservations.Wish(offering=opened.offering, slot=slot, device=device)
    link = await kit.books.transact(reservations.book, wish)
    ticket: Any = await kit.books.read(reservations.ticket, link)
    comm_id = CommId(
        party=opened.terminal,
        epoch=opened.epoch,
        kind=f"session:{device}",
        seq=1,
        nonce=kit.names.hex_digits(32),
    )
    announce = Announce(comm_id=str(comm_id))
    await kit.books.transact(rights.take, _received(opened, announce))
    request = ScanRequest(
        scan=kit.names.new("x"),
        device=device,
        token=ticket["token"],
        read_at=MORNING_AT,
        clock_is_trusted=True,
    )
    body = request.model_dump(mode="json")
    asked = Request(comm_id=str(comm_id), request=body, digest=digest_of(body))
    return Redemption(said=_received(opened, asked), asked=request)


def _received(opened: Opened, message: Announce | Request) -> Received:
    return Received(
        terminal=opened.terminal, epoch=opened.epoch, seq=1, corr="c-1", message=message
    )
