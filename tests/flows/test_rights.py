"""A right crosses exactly once: each message repeated, late or never, both sides real (B1-B11)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from common.ids import CommId
from common.messages.base import Message
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    Refused,
    Request,
    Right,
    Troubled,
)
from common.rules.rights import ClientState
from common.rules.tickets import DenialReason
from common.seals import (
    check_document,
    digest_of,
    new_signing_key,
    seal_document,
)
from edge_agent.flows import rights as asking, sessions as running
from edge_agent.ports import Asked
from tests.fakes.house import HouseInHand, asked
from tests.fakes.terminal import TerminalInHand
from tests.fakes.wire import WireInHand

STRANGER = new_signing_key(bytes([9] * 32))


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def exchange_state(terminal: TerminalInHand) -> str:
    (row,) = terminal.rows("exchanges")
    return str(row["state"])


def seen_as_it_leaves(terminal: TerminalInHand) -> list[tuple[Message, dict[str, Any]]]:
    """Return a list that fills with what leaves, and what any other process finds on the disk then.

    It is what a kill at that instant would leave: nothing that is not committed is in it.
    """
    seen: list[tuple[Message, dict[str, Any]]] = []

    def look(asked_for: Sequence[Asked]) -> None:
        with closing(sqlite3.connect(terminal._file)) as another:
            another.row_factory = sqlite3.Row
            (row,) = another.execute("SELECT * FROM exchanges")
            seen.extend((each.message, dict(row)) for each in asked_for)
        terminal.asked.extend(asked_for)

    terminal.journal.on_asked = look
    return seen


def test_b1_the_identification_is_in_the_journal_before_it_is_sent(house, terminal):
    (device, _) = house.devices_of(terminal)
    seen = seen_as_it_leaves(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    ((announce, row),) = seen
    assert isinstance(announce, Announce)
    assert CommId.parse(announce.comm_id).nonce == row["nonce"]
    assert len(row["nonce"]) == 32
    terminal.restart()
    assert terminal.ask_again() == [announce]


def test_b1_a_new_identification_is_made_only_when_the_one_before_is_over(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.announce(terminal, device)
    (row,) = terminal.rows("exchanges")
    for _ in range(3):
        terminal.do(asking.prepare, terminal.who, device)
        terminal.restart()
        house.clock.move(400 * 86_400)
        assert terminal.rows("exchanges") == [row]
    house.clock.move(-1200 * 86_400)
    terminal.scan(device, house.book(device))
    house.carry(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    (after,) = terminal.rows("exchanges")
    assert (after["seq"], after["done_seq"], after["done_nonce"]) == (2, 1, row["nonce"])
    assert after["nonce"] != row["nonce"]


def test_b2_the_server_keeps_the_identification_and_says_so(house, terminal):
    (device, _) = house.devices_of(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    (announce,) = terminal.asks()
    assert isinstance(announce, Announce)
    answers = [house.ask(terminal, announce) for _ in range(3)]
    assert answers == [[Announced(comm_id=announce.comm_id)]] * 3
    assert house.books.one("exchanges")["state"] == "announced"


def test_b2_no_request_leaves_before_the_announcement_is_answered(house, terminal):
    (device, _) = house.devices_of(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    terminal.asks()
    terminal.scan(device, house.book(device))
    assert not terminal.asks()
    assert terminal.shown[-1].reason is DenialReason.BUSY_TRY_AGAIN


def test_b3_the_request_carries_the_same_identification_and_is_frozen(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.announce(terminal, device)
    (announced,) = terminal.rows("exchanges")
    seen = seen_as_it_leaves(terminal)
    terminal.scan(device, house.book(device))
    ((request, row),) = seen
    assert isinstance(request, Request)
    assert CommId.parse(request.comm_id).nonce == row["nonce"] == announced["nonce"]
    assert request.digest == digest_of(request.request) == row["request_digest"]
    house.clock.move(5)
    terminal.restart()
    assert terminal.ask_again() == [request]
    terminal.scan(device, house.book(device, in_seconds=3600))
    assert terminal.ask_again() == [request], "another scan does not take its place"


def test_b4_b5_b6_b7_one_transaction_makes_keeps_and_answers_the_right(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    (right,) = house.ask(terminal, request)
    assert isinstance(right, Right)
    (key,) = house.keys.verifying_keys().values()
    check_document(right.document, right.signature, key)
    session, kept = house.books.one("sessions"), house.books.one("rights")
    assert session["session_id"] == kept["session_id"] == right.document["session"]
    assert kept["comm_id"] == request.comm_id == right.document["comm_id"]
    assert house.states()["tickets"] == ["reserved"]
    assert house.books.one("exchanges")["state"] == "issued"


def test_b7_the_same_request_always_gets_the_same_answer(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    first = house.ask(terminal, request)
    for _ in range(3):
        house.clock.move(3600)
        before = house.books.everything()
        assert house.ask(terminal, request) == first
        assert house.books.everything() == before


def test_b8_the_right_is_in_the_journal_before_its_completion_is_sent(house, terminal):
    (device, _) = house.devices_of(terminal)
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    assert isinstance(right, Right)
    seen = seen_as_it_leaves(terminal)
    terminal.hear(right)
    ((complete, row),) = seen
    assert complete == Complete(comm_id=right.comm_id, digest=right.digest())
    assert Right.model_validate_json(row["answer"]) == right
    (session,) = terminal.rows("sessions")
    assert session["session"] == right.document["session"]
    terminal.restart()
    assert terminal.ask_again() == [complete]


def test_b9_the_server_holds_the_identification_until_its_completion(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    (right,) = house.ask(terminal, request)
    house.clock.move(400 * 86_400)
    assert house.ask(terminal, request) == [right], "no time ends a record"
    wrong = Complete(comm_id=request.comm_id, digest="0" * 64)
    assert house.ask(terminal, wrong) == [Troubled(comm_id=request.comm_id, trouble="unknown")]
    assert house.ask(terminal, request) == [right]
    terminal.hear(right)
    (complete,) = terminal.asks()
    for _ in range(3):
        assert house.ask(terminal, complete) == [Completed(comm_id=request.comm_id)]
    row = house.books.one("exchanges")
    assert (row["mark_seq"], row["seq"], row["answer"]) == (1, 0, "")


def test_b9_a_later_announcement_carries_the_earlier_completion(house, terminal):
    """The books have lost it with a backup; the terminal let go of that exchange long ago."""
    (device, _) = house.devices_of(terminal)
    house.ask(terminal, asked(house, terminal, house.book(device), device))
    backup = house.folder / "backup.sqlite"
    house.books.copy_to(backup)
    house.carry(terminal)
    WireInHand(house).restart_controller(backup)
    assert house.books.one("exchanges")["state"] == "issued"
    house.announce(terminal, device)
    row = house.books.one("exchanges")
    assert (row["mark_seq"], row["seq"], row["state"]) == (1, 2, "announced")


def test_b9_what_is_closed_stays_closed_whatever_comes_of_it_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    said: list[Message] = []
    terminal.do(asking.prepare, terminal.who, device)
    for _ in range(3):
        (message,) = terminal.ask_again()
        said.append(message)
        for answer in house.ask(terminal, message):
            terminal.hear(answer)
        if exchange_state(terminal) == ClientState.ANNOUNCED:
            terminal.scan(device, house.book(device))
    assert [each.type for each in said] == [
        *("rights.announce", "rights.request", "rights.complete")
    ]
    first = said[0]
    assert isinstance(first, Announce)
    before = house.books.everything()
    for message in (*said, *said, Abort(comm_id=first.comm_id)):
        (answer,) = house.ask(terminal, message)
        assert not isinstance(answer, Right)
    assert house.books.everything() == before


def test_b10_the_client_holds_the_identification_until_the_completion_is_answered(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    (right,) = house.ask(terminal, request)
    terminal.hear(right)
    terminal.do(asking.prepare, terminal.who, device)
    assert exchange_state(terminal) == ClientState.COMPLETING, "one exchange at a time"
    terminal.hear(Completed(comm_id="t-1/e0/session:x/1/" + "0" * 32))
    assert exchange_state(terminal) == ClientState.COMPLETING
    (complete,) = terminal.ask_again()
    for _ in range(3):
        house.clock.move(400 * 86_400)
        terminal.do(running.forget_old, house.clock.now)
        terminal.restart()
        assert terminal.ask_again() == [complete], "no time and no restart lets go of it"
    terminal.hear(Completed(comm_id=request.comm_id))
    assert exchange_state(terminal) == ClientState.IDLE
    assert terminal.free == [f"session:{device}"]


@pytest.mark.parametrize("lost", ["announce", "announced", "request", "right", "complete", "none"])
def test_b11_after_any_loss_and_restart_it_is_the_same_right_and_only_once(house, terminal, lost):
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    terminal.do(asking.prepare, terminal.who, device)
    carry(house, terminal, lost)
    terminal.scan(device, token)
    carry(house, terminal, lost)
    assert exchange_state(terminal) == ClientState.IDLE
    (right,) = house.books.rows("rights")
    (session,) = terminal.rows("sessions")
    assert session["session"] == right["session_id"]
    assert terminal.told_types().count("session.starting") == 1
    assert [row["verdict"] for row in house.books.rows("scans")] == ["opened"]


def carry(house: HouseInHand, terminal: TerminalInHand, lost: str) -> None:
    """Carry the exchange on; one kind of message is lost once, and then both sides start again."""
    losses = {lost}
    for _ in range(12):
        for message in terminal.ask_again():
            kind = message.type.removeprefix("rights.")
            if kind in losses:
                losses.discard(kind)
                continue
            answers = [a for a in house.ask(terminal, message) if not _is_lost(a, losses)]
            for answer in answers:
                terminal.hear(answer)
            terminal.restart()


def _is_lost(answer: Message, losses: set[str]) -> bool:
    kind = answer.type.removeprefix("rights.")
    is_lost = kind in losses
    losses.discard(kind)
    return is_lost


def test_b11_every_message_twice_is_the_same_as_once(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    (right, same) = (house.ask(terminal, request)[0] for _ in range(2))
    terminal.hear(right)
    terminal.asks()
    before = terminal.everything()
    terminal.hear(same)
    assert terminal.everything() == before
    assert len(terminal.shown) == 1
    assert not terminal.asks()


def test_a_refusal_is_stored_and_repeated_like_a_right(house, terminal):
    (device, other) = house.devices_of(terminal)
    token = house.book(other)
    request = asked(house, terminal, token, device)
    (refused,) = house.ask(terminal, request)
    assert refused == Refused(
        comm_id=request.comm_id,
        reason=DenialReason.WRONG_DEVICE,
        device=other,
        to="Booth b",
        number=2,
    )
    house.clock.move(60)
    assert house.ask(terminal, request) == [refused]
    terminal.hear(refused)
    assert terminal.shown[-1].reason is DenialReason.WRONG_DEVICE
    (complete,) = terminal.asks()
    house.ask(terminal, complete)
    assert house.books.one("exchanges")["mark_seq"] == 1


@pytest.mark.parametrize("changed", ["signature", "document", "comm_id", "epoch", "key"])
def test_a_right_that_is_not_for_this_exchange_is_not_taken(house, terminal, changed):
    (device, _) = house.devices_of(terminal)
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    assert isinstance(right, Right)
    document = dict(right.document)
    turned: dict[str, dict[str, Any]] = {
        "signature": {"signature": "0" * 128},
        "document": {"document": {**document, "granted_seconds": 1e6}},
        "comm_id": {"comm_id": right.comm_id[:-1] + "x"},
        "epoch": {"document": {**document, "epoch": "ffff"}},
        "key": {"signature": seal_document(document, STRANGER)},
    }
    before = terminal.everything()
    terminal.hear(right.model_copy(update=turned[changed]))
    assert terminal.everything() == before
    assert not terminal.shown


def test_a_server_that_lost_the_announcement_hears_it_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    house.books.connection.execute("DELETE FROM exchanges")
    (answer,) = house.ask(terminal, request)
    terminal.hear(answer)
    (announce,) = terminal.asks()
    assert announce == Announce(comm_id=request.comm_id)


def test_giving_up_closes_what_has_no_right_and_fetches_what_has(house, terminal):
    (device, other) = house.devices_of(terminal)
    first = asked(house, terminal, house.book(device), device)
    (aborted,) = house.ask(terminal, Abort(comm_id=first.comm_id))
    assert aborted == Aborted(comm_id=first.comm_id)
    assert house.ask(terminal, first) == [Troubled(comm_id=first.comm_id, trouble="closed")]
    second = asked(house, terminal, house.book(other), other)
    (right,) = house.ask(terminal, second)
    assert house.ask(terminal, Abort(comm_id=second.comm_id)) == [right]


@pytest.mark.parametrize("comm_id", ["", "x", "a/b/c", "t-1/e0/session:d-1/0/" + "0" * 32])
def test_what_is_no_identification_is_not_answered(house, terminal, comm_id):
    before = house.books.everything()
    for message in (Announce(comm_id=comm_id), Abort(comm_id=comm_id)):
        assert not house.ask(terminal, message)
    assert house.books.everything() == before
