"""A right crosses exactly once: each message repeated, late or never, both sides real (B1-B11)."""

from __future__ import annotations

from typing import Any

import pytest

from cloud_controller.flows import registration, rights
from common.ids import CommId
from common.messages.base import Message
from common.messages.registration import StandingTold
from common.messages.rights import (
    Abort,
    Aborted,
    Announce,
    Announced,
    Complete,
    Completed,
    Refused,
    Right,
    Troubled,
)
from common.rules.registration import Standing, StandingEvent
from common.rules.rights import ClientState
from common.rules.tickets import DenialReason
from common.seals import (
    check_document,
    digest_of,
    new_signing_key,
    seal_document,
)
from edge_agent.flows import rights as asking
from tests.fakes.house import HouseInHand, asked
from tests.fakes.terminal import TerminalInHand

STRANGER = new_signing_key(bytes([9] * 32))


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


def exchange_state(terminal: TerminalInHand) -> str:
    (row,) = terminal.rows("exchanges")
    return str(row["state"])


def test_b1_the_identification_is_in_the_journal_before_it_is_sent(house, terminal):
    (device, _) = house.devices_of(terminal)
    terminal.do(asking.prepare, terminal.who, device)
    (announce,) = terminal.asks()
    (row,) = terminal.rows("exchanges")
    assert isinstance(announce, Announce)
    assert CommId.parse(announce.comm_id).nonce == row["nonce"]
    assert len(row["nonce"]) == 32
    terminal.restart()
    assert terminal.ask_again() == [announce]


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
    request = asked(house, terminal, house.book(device), device)
    (row,) = terminal.rows("exchanges")
    assert CommId.parse(request.comm_id).nonce == row["nonce"]
    assert request.digest == digest_of(request.request)
    house.clock.move(5)
    terminal.restart()
    assert terminal.ask_again() == [request]


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
    terminal.hear(right)
    (complete,) = terminal.asks()
    assert complete == Complete(comm_id=right.comm_id, digest=right.digest())
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
    (device, _) = house.devices_of(terminal)
    answer = house.scan(terminal, device, house.book(device))
    house.books.connection.execute(
        "UPDATE exchanges SET seq = 1, nonce = mark_nonce, mark_seq = 0, mark_nonce = '',"
        " state = 'issued', answer_digest = ?",
        [answer.digest()],
    )
    house.announce(terminal, device)
    row = house.books.one("exchanges")
    assert (row["mark_seq"], row["seq"], row["state"]) == (1, 2, "announced")


def test_b10_the_client_holds_the_identification_until_the_completion_is_answered(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    (right,) = house.ask(terminal, request)
    terminal.hear(right)
    terminal.do(asking.prepare, terminal.who, device)
    assert exchange_state(terminal) == ClientState.COMPLETING, "one exchange at a time"
    terminal.hear(Completed(comm_id="t-1/e0/session:x/1/" + "0" * 32))
    assert exchange_state(terminal) == ClientState.COMPLETING
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
        comm_id=request.comm_id, reason=DenialReason.WRONG_DEVICE, device=other
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


def test_a_right_for_another_terminal_is_not_taken(house, terminal):
    second = house.confirmed("c")
    (device, _) = house.devices_of(terminal)
    (right,) = house.ask(terminal, asked(house, terminal, house.book(device), device))
    asked(house, second, house.book(), house.devices_of(second)[0])
    before = second.everything()
    second.hear(right)
    assert second.everything() == before


def test_a_terminal_cannot_speak_in_the_name_of_another(house, terminal):
    second = house.confirmed("c")
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    before = house.books.everything()
    for message in (request, Abort(comm_id=request.comm_id)):
        assert not house.ask(second, message)
    assert house.books.everything() == before


def test_a_terminal_cannot_ask_for_the_device_of_another(house, terminal):
    second = house.confirmed("c")
    (device, _) = house.devices_of(terminal)
    (own,) = house.devices_of(second)
    request = asked(house, second, house.book(device), own)
    stolen = {**request.request, "device": device}
    (answer,) = house.ask(second, request.model_copy(update={"request": stolen}))
    assert isinstance(answer, Refused)
    assert answer.reason == DenialReason.WRONG_DEVICE
    assert house.states()["sessions"] == []


def test_no_right_is_made_for_a_terminal_that_is_not_confirmed(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    suspend = StandingEvent.SUSPEND
    house.books.do(registration.decide, terminal.who.terminal, suspend, "owner", "")
    house.books.said.clear()
    (answer,) = house.ask(terminal, request)
    assert isinstance(answer, StandingTold), "where it stands is all that it is told"
    assert answer.standing == Standing.SUSPENDED
    assert not house.books.rows("rights")
    house.books.do(rights.take, house.received(terminal, request))
    (answer,) = house.books.heard()
    assert answer == Troubled(comm_id=request.comm_id, trouble="busy")


def test_an_older_epoch_is_fenced_and_stops(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    house.books.connection.execute("UPDATE terminals SET epoch = 'ffff'")
    assert not house.ask(terminal, request), "an earlier epoch is told nothing by the listener"
    house.books.do(rights.take, house.received(terminal, request))
    (answer,) = house.books.heard()
    assert answer == Troubled(comm_id=request.comm_id, trouble="fenced")
    terminal.hear(answer)
    assert exchange_state(terminal) == ClientState.QUARANTINED


def test_a_server_that_lost_the_announcement_hears_it_again(house, terminal):
    (device, _) = house.devices_of(terminal)
    request = asked(house, terminal, house.book(device), device)
    house.books.connection.execute("DELETE FROM exchanges")
    (answer,) = house.ask(terminal, request)
    terminal.hear(answer)
    (announce,) = terminal.asks()
    assert announce == Announce(comm_id=request.comm_id)


def test_a_copied_disk_gets_no_right_and_knows_it(house, terminal):
    (device, _) = house.devices_of(terminal)
    house.scan(terminal, device, house.book(device))
    terminal.do(asking.prepare, terminal.who, device)
    terminal.asks()
    house.books.connection.execute("UPDATE exchanges SET seq = 2, nonce = 'f', state = 'announced'")
    (announce,) = terminal.ask_again()
    (answer,) = house.ask(terminal, announce)
    assert isinstance(answer, Troubled)
    assert answer.trouble == "forked"
    terminal.hear(answer)
    assert exchange_state(terminal) == ClientState.QUARANTINED


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
