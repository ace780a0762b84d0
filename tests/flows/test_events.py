"""Each event of a terminal reaches the books once and in order, whatever the wire does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cloud_controller.inbox import EVENTS, SET_ASIDE, WAITING_MAX
from cloud_controller.ports import Received, Transaction
from common.codec import Envelope, write
from common.messages.base import Message
from common.messages.registration import Acknowledged, Heartbeat
from common.messages.rights import Announce
from common.messages.sessions import ScanDenied, StopSession
from common.topics import Channel
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import a_delivery
from tests.flows.conftest import MakeHouse

NOT_ALL_FRESH = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def denied(number: int) -> ScanDenied:
    return ScanDenied(scan=f"x-{number}", at=1, reason="unknown_ticket", why=str(number))


def told(house: HouseInHand) -> list[int]:
    """Return the numbers that reached the ledger, in its order."""
    denials = [row for row in house.books.rows("ledger") if row["type"] == "scan.denied"]
    return [int(json.loads(row["body"])["why"]) for row in denials]


def up_to(said: list[Message]) -> int:
    (acknowledged,) = said
    assert isinstance(acknowledged, Acknowledged)
    return acknowledged.up_to


@NOT_ALL_FRESH
@given(wire=st.lists(st.integers(1, 12), max_size=60), late=st.randoms())
def test_promise_9_any_shuffle_with_repeats_is_the_same_ledger(
    make_house: MakeHouse, wire: list[int], late: Random
):
    house = make_house()
    terminal = house.confirmed("vr")
    last = [*range(1, 13)]
    late.shuffle(last)
    for number in [*wire, *last]:
        mark = up_to(house.take(terminal, denied(number), Channel.EVENTS, number))
        assert told(house) == list(range(1, mark + 1)), "what is acknowledged is in the ledger"
    assert told(house) == list(range(1, 13))
    assert not house.books.rows("inbox")
    house.books.close()


def test_an_event_waits_for_the_one_before_it(house: HouseInHand):
    terminal = house.confirmed("vr")
    assert up_to(house.take(terminal, denied(2), Channel.EVENTS, 2)) == 0
    assert told(house) == []
    assert up_to(house.take(terminal, denied(1), Channel.EVENTS, 1)) == 2
    assert told(house) == [1, 2]


def test_how_many_may_wait_has_an_end(house: HouseInHand):
    terminal = house.confirmed("vr")
    for number in range(2, WAITING_MAX + 5):
        house.take(terminal, denied(number), Channel.EVENTS, number)
    assert len(house.books.rows("inbox", "seq")) == WAITING_MAX
    assert up_to(house.take(terminal, denied(1), Channel.EVENTS, 1)) == WAITING_MAX + 1


@pytest.mark.parametrize("broken", [{1}, {2}, {3}, {1, 2}, {2, 3}, {1, 2, 3}])
def test_events_that_break_their_flow_are_set_aside_and_stop_no_other(
    house: HouseInHand, monkeypatch: pytest.MonkeyPatch, broken: set[int]
):
    """Promise 9: what nobody can apply is kept whole, and the stream goes on."""
    terminal = house.confirmed("vr")
    flow = EVENTS[ScanDenied.type]

    def brittle(books: Transaction, said: Received) -> None:
        assert said.seq not in broken
        flow(books, said)

    monkeypatch.setitem(EVENTS, ScanDenied.type, brittle)
    for number in (3, 2, 1, *(3 * (1, 2, 3))):  # and three times the terminal says all of it again
        house.take(terminal, denied(number), Channel.EVENTS, number)
    assert up_to(house.take(terminal, denied(3), Channel.EVENTS, 3)) == 3
    assert told(house) == [number for number in (1, 2, 3) if number not in broken]
    aside = [row for row in house.books.rows("ledger") if row["type"] == SET_ASIDE]
    kept = [json.loads(row["body"]) for row in aside]
    assert [(each["seq"], each["data"]["scan"]) for each in kept] == [
        (number, f"x-{number}") for number in sorted(broken)
    ]
    assert not house.books.rows("inbox")


def test_an_event_that_meets_a_full_disk_is_not_set_aside(
    house: HouseInHand, monkeypatch: pytest.MonkeyPatch
):
    """Promise 9: the disk is at fault and not the event, which is applied when there is room."""
    terminal = house.confirmed("vr")
    flow = EVENTS[ScanDenied.type]

    def full(_books: Transaction, _said: Received) -> None:
        fault = sqlite3.OperationalError("database or disk is full")
        fault.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise fault

    monkeypatch.setitem(EVENTS, ScanDenied.type, full)
    assert house.take(terminal, denied(1), Channel.EVENTS, 1) == []
    assert not house.books.rows("inbox")
    monkeypatch.setitem(EVENTS, ScanDenied.type, flow)
    assert up_to(house.take(terminal, denied(1), Channel.EVENTS, 1)) == 1
    assert told(house) == [1]


def test_an_event_of_another_epoch_is_not_taken(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.books.connection.execute("UPDATE terminals SET epoch = 'ffff'")
    assert house.take(terminal, denied(1), Channel.EVENTS, 1) == []
    assert told(house) == []


def test_a_terminal_behind_the_gate_tells_nothing(house: HouseInHand):
    terminal = house.enrol()
    assert house.take(terminal, denied(1), Channel.EVENTS, 1) == []
    assert told(house) == []


def test_two_terminals_count_apart(house: HouseInHand):
    first, second = house.confirmed("a"), house.confirmed("b")
    assert up_to(house.take(first, denied(1), Channel.EVENTS, 1)) == 1
    assert up_to(house.take(second, denied(2), Channel.EVENTS, 2)) == 0
    assert up_to(house.take(second, denied(1), Channel.EVENTS, 1)) == 2


def test_the_stream_goes_on_over_restarts_of_both_sides(house: HouseInHand):
    terminal = house.confirmed("vr")
    for number in range(1, 8):
        terminal.do(lambda journal, n=number: journal.say(denied(n)))
        house.tell_all(terminal)
        terminal.restart()
        assert terminal.tells() == []
    assert told(house) == list(range(1, 8))


Spoil = Callable[[Envelope, str], tuple[str, bytes]]


def _as_another(envelope: Envelope, topic: str) -> tuple[str, bytes]:
    return topic.replace("/t-1/", "/t-2/"), write(envelope)


def _on_another_channel(envelope: Envelope, topic: str) -> tuple[str, bytes]:
    return topic.replace("events", "hello"), write(envelope)


def _cut_short(envelope: Envelope, topic: str) -> tuple[str, bytes]:
    return topic, write(envelope)[:-5]


def _on_no_topic_of_ours(envelope: Envelope, topic: str) -> tuple[str, bytes]:
    return topic + "/more", write(envelope)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_as_another, "false_sender"),
        (_on_another_channel, "wrong_channel"),
        (_cut_short, "malformed"),
        (_on_no_topic_of_ours, "unknown_topic"),
    ],
)
def test_what_cannot_be_believed_is_counted_and_dropped(house: HouseInHand, spoil: Spoil, why):
    terminal = house.confirmed("vr")
    who = terminal.who
    before = house.books.everything()
    envelope = Envelope(
        id="m", terminal=who.terminal, epoch=who.epoch, seq=1, sent_at=1, message=denied(1)
    )
    topic, payload = spoil(envelope, f"rusuban/v1/{who.terminal}/service/up/events")
    house.listener.take(a_delivery(topic, payload))
    assert house.listener.dropped[why] == 1
    assert house.books.everything() == before


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        (StopSession(command="c", session="s", reason="x", accept_by=1), Channel.EVENTS),
        (Announce(comm_id="x"), Channel.EVENTS),
        (Heartbeat(), Channel.HELLO),
        (denied(1), Channel.REQUESTS),
    ],
    ids=lambda part: getattr(part, "type", str(part)),
)
def test_a_message_is_taken_on_its_own_channel_only(house: HouseInHand, message, channel):
    terminal = house.confirmed("vr")
    before = house.books.everything()
    assert house.take(terminal, message, channel, 1) == []
    assert house.listener.dropped["wrong_channel"] == 1
    assert house.books.everything() == before
