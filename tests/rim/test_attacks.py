"""A controller gone wrong, with its key and at the broker: it cannot make a terminal do wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.listener import FLOWS, UNDER_WAY_MAX, Listener as Door
from common.codec import Envelope, write
from common.ids import TerminalId
from common.messages.registration import Acknowledged, Welcome
from common.messages.rights import Announce, Announced, Right
from common.messages.service import ServiceProfile
from common.mqtt import Delivery
from common.rules.registration import Standing
from common.seals import new_signing_key, public_bytes, seal_document
from common.system import SystemClock
from common.topics import Address, Channel, topic_of
from edge_agent.flows import rights, sessions
from tests.fakes.house import a_specification
from tests.fakes.names import CountedNames
from tests.fakes.terminal import TerminalInHand, a_delivery, an_answer, say_number

KEY = new_signing_key(bytes([7] * 32))

NEVER_SAID = 2**62
"""A number of an event that no terminal comes to."""

ABSURD: dict[str, dict[str, Any]] = {
    "a length below nothing": {"granted_seconds": -5.0},
    "a length in words": {"granted_seconds": "long"},
    "no length": {"granted_seconds": None},
    "a list for a length": {"granted_seconds": [60]},
    "an endless length": {"granted_seconds": float("inf")},
    "a length that is no number": {"granted_seconds": float("nan")},
    "a length beyond all columns": {"granted_seconds": 10**30},
    "a start in words": {"start_within_seconds": "soon"},
    "a fence beyond all columns": {"fence": 2**70},
    "a session that is no name": {"session": "../../etc/passwd\n"},
    "a session of many parts": {"session": {"a": 1}},
    "a program that is a path": {"program": "/bin/sh"},
    "another device": {"device": "d-2"},
    "another terminal": {"terminal": "t-2"},
    "another kind": {"kind": "seats:d-1"},
    "deep nesting": {"device": [[[[[["d-1"]]]]]]},
}


@pytest.fixture
def terminal(tmp_path: Path) -> TerminalInHand:
    """Return a confirmed terminal that trusts our key."""
    answer = an_answer({1: public_bytes(KEY).hex()})
    made = TerminalInHand(tmp_path, clock=SystemClock(), names=CountedNames(), answer=answer)
    made.is_now(a_specification())
    made.hear_standing(Standing.CONFIRMED, 1)
    return made


@pytest.mark.parametrize("absurd", ABSURD.values(), ids=ABSURD)
def test_a_signed_right_that_makes_no_sense_is_counted_and_changes_nothing(
    terminal: TerminalInHand, absurd: dict[str, Any]
):
    """C4: a signature says whose document it is; before it starts anything it is also read."""
    right = a_right(scanned(terminal), **absurd)
    before = terminal.everything()
    terminal.hear(right)
    assert terminal.everything() == before
    assert terminal.listener.dropped["not_our_right"] + terminal.listener.dropped["malformed"] == 1
    terminal.hear(a_right(right.comm_id))
    assert [each.session for each in terminal.do(sessions.to_start)] == ["s-1"]


def test_an_acknowledgement_of_what_was_never_said_deletes_nothing(terminal: TerminalInHand):
    """Promise 9: no event is dropped that the controller cannot have."""
    for number in range(3):
        terminal.do(say_number, number)
    epoch = terminal.who.epoch
    welcome = Welcome(epoch=epoch, acknowledged_up_to=NEVER_SAID, desired_revision=0, server_at=0)
    terminal.hear(welcome, Channel.WELCOME)
    terminal.hear(Acknowledged(epoch=terminal.who.epoch, up_to=4), Channel.ACKS)
    assert [number for number, _, _ in terminal.tells()] == [1, 2, 3]
    assert terminal.listener.dropped["never_said"] == 2
    terminal.hear(Acknowledged(epoch=terminal.who.epoch, up_to=3), Channel.ACKS)
    assert terminal.tells() == []


def test_a_message_that_fails_is_acknowledged_and_the_next_one_heard(terminal: TerminalInHand):
    """Promise 13: a fault of one message neither stops the line nor comes again for ever."""
    connection = terminal.journal._connection
    connection.execute("ALTER TABLE profile RENAME TO away")
    digest = terminal.gate_digest
    profile = ServiceProfile(
        store="s", store_number=1, gate_digest=digest, profile_digest=digest, devices=()
    )
    terminal.hear(profile)
    assert terminal.listener.dropped["failed"] == 1
    connection.execute("ALTER TABLE away RENAME TO profile")
    terminal.hear(profile)
    assert len(terminal.rows("profile")) == 1


async def test_a_terminal_that_floods_takes_the_room_of_nobody_else():
    """Promise 13: what one terminal has before the writer is bounded; it frees what is written."""
    writer: Any = BusyWriter()  # of the books it is the writer alone
    listener = Door(
        writer,
        FLOWS,
        acknowledge=lambda _: None,
        on_heard=lambda *_: None,
        on_change=lambda: None,
    )
    for _ in range(UNDER_WAY_MAX + 5):
        listener.take(an_announcement("t-flood"))
    listener.take(an_announcement("t-honest"))
    assert listener.dropped == {"too_many_waiting": 5}
    assert len(writer.waiting) == UNDER_WAY_MAX + 1
    await writer.writes_one()
    for _ in range(2):
        listener.take(an_announcement("t-flood"))
    assert listener.dropped == {"too_many_waiting": 6}


class BusyWriter:
    """Books whose writer does nothing until it is told to."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[Any]] = []

    def transact_for(self, *_: object) -> asyncio.Future[Any]:
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    async def writes_one(self) -> None:
        self.waiting.pop(0).set_result(None)
        await asyncio.sleep(0)


def an_announcement(terminal: str) -> Delivery:
    """Return a good request of a terminal."""
    message = Announce(comm_id=f"{terminal}/e0/session:d-1/1/{'a' * 32}")
    envelope = Envelope(id="m", terminal=terminal, epoch="e0", sent_at=0, message=message)
    address = Address(terminal=TerminalId(terminal), channel=Channel.REQUESTS, tail=message.type)
    return a_delivery(topic_of(address), write(envelope))


def scanned(terminal: TerminalInHand) -> str:
    """Bring an exchange to its request, and return its identification."""
    terminal.do(rights.prepare, terminal.who, "d-1")
    (announce,) = terminal.asks()
    assert isinstance(announce, Announce)
    terminal.hear(Announced(comm_id=announce.comm_id))
    terminal.scan("d-1", "a ticket")
    return announce.comm_id


def a_right(comm_id: str, **changed: Any) -> Right:
    """Return a right as a controller signs it, with what is wrong with it."""
    party, epoch, kind, _, _ = comm_id.split("/")
    document = {
        "comm_id": comm_id,
        "kind": kind,
        "terminal": party,
        "epoch": epoch,
        "session": "s-1",
        "ticket": "00" * 8,
        "device": "d-1",
        "program": "racer",
        "fence": 1,
        "granted_seconds": 60.0,
        "start_within_seconds": 30.0,
        **changed,
    }
    return Right(comm_id=comm_id, document=document, signature=seal_document(document, KEY))
