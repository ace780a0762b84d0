"""A change of the signing keys reaches every terminal, also one that was away (C2, C4)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloud_controller.flows import registration, rights, sessions
from cloud_controller.flows.reservations import signing
from common.messages.base import Message
from common.messages.registration import KeysTold, Welcome
from common.messages.rights import HoldTickets, Refused, Right
from common.rules.tickets import DenialReason
from common.seals import keys_document, new_signing_key, read_token, seal_document
from common.topics import Channel
from edge_agent.flows import enrolment, registration as own, rights as asking
from tests.fakes.house import STORE, HouseInHand
from tests.fakes.terminal import TerminalInHand

STRANGER = new_signing_key(bytes([9] * 32))


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with a device on offer, which knows what time it is."""
    made = house.confirmed("a")
    made.do(asking.take_time, house.clock.now)
    return made


def pushed(house: HouseInHand) -> KeysTold:
    """Let the controller tell its keys unasked."""
    house.books.heard()
    house.books.do(sessions.tell_keys)
    told, *_ = house.books.heard()
    assert isinstance(told, KeysTold)
    return told


def greeted(house: HouseInHand, terminal: TerminalInHand) -> list[Message]:
    """Let a terminal say hello and hear the answers."""
    terminal.do(own.greet, "c-1")
    (hello,) = terminal.asks()
    answers = house.take(terminal, hello, Channel.HELLO)
    for answer in answers:
        is_welcome = isinstance(answer, Welcome)
        terminal.hear(answer, Channel.WELCOME if is_welcome else Channel.DESIRED)
    return answers


def known(terminal: TerminalInHand) -> list[int]:
    who = terminal.do(enrolment.identity)
    return sorted(who.keys)


def test_c2_a_new_key_reaches_a_terminal_and_what_it_signs_is_believed(house, terminal):
    house.keys.rotate(at_once=True)
    terminal.hear(pushed(house), Channel.DESIRED)
    assert known(terminal) == [1, 2]
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    assert read_token(token).token.key_id == 2
    assert isinstance(house.scan(terminal, device, token), Right)
    assert terminal.shown[-1].reason is None
    assert len(terminal.rows("sessions")) == 1


def test_c2_a_terminal_that_was_away_is_told_with_its_hello_and_once(house, terminal):
    house.keys.rotate(at_once=True)
    house.keys.rotate(at_once=True)
    assert [type(each) for each in greeted(house, terminal)] == [Welcome, KeysTold]
    assert known(terminal) == [1, 2, 3]
    terminal.restart()
    assert [type(each) for each in greeted(house, terminal)] == [Welcome]
    assert known(terminal) == [1, 2, 3]


def test_where_no_key_was_ever_changed_nothing_is_told(house, terminal):
    assert [type(each) for each in greeted(house, terminal)] == [Welcome]
    house.books.do(sessions.tell_keys)
    assert house.books.heard() == []


def test_c4_a_stolen_key_is_refused_at_once_by_both_sides(house, terminal):
    (device,) = house.devices_of(terminal)
    wish = registration.OfflineStarts(store=STORE, is_on=True, reason="the line is bad here")
    house.books.do(registration.allow_offline_starts, wish, "owner")
    house.hold(terminal)
    token = house.book(device)
    forged = house.keys.seal_token(replace(read_token(token).token, ticket="ab" * 8))
    house.keys.rotate(at_once=True)
    house.keys.retire(1)
    terminal.hear(pushed(house), Channel.DESIRED)
    assert known(terminal) == [2]
    for text in (forged, token):
        terminal.scan(device, text, line_is_up=False)
        assert terminal.shown[-1].reason is DenialReason.BAD_SIGNATURE
        answer = house.scan(terminal, device, text)
        assert isinstance(answer, Refused)
        assert answer.reason == DenialReason.BAD_SIGNATURE


def test_c2_tickets_of_a_stolen_key_are_signed_anew_and_held_anew(house, terminal):
    (device,) = house.devices_of(terminal)
    old = house.book(device)
    house.hold(terminal)
    house.keys.rotate(at_once=True)
    assert set(house.books.do(signing.signed_by_key)) == {1}
    count, devices = house.books.do(signing.sign_anew, 1, "owner")
    assert (count, devices) == (1, {device})
    assert set(house.books.do(signing.signed_by_key)) == {2}
    house.keys.retire(1)
    terminal.hear(pushed(house), Channel.DESIRED)
    house.books.do(rights.hold_anew, devices)
    assert house.books.do(rights.has_to_look_after_held)
    house.books.do(rights.hold_what_comes)
    (hold,) = house.books.heard()
    assert isinstance(hold, HoldTickets)
    terminal.hear(hold, Channel.COMMANDS, hold.command)
    house.carry(terminal)
    new = house.books.one("tickets")["token"]
    assert read_token(new).token == replace(read_token(old).token, key_id=2)
    terminal.scan(device, old, line_is_up=False)
    assert terminal.shown[-1].reason is DenialReason.BAD_SIGNATURE
    terminal.scan(device, new, line_is_up=False)
    assert terminal.shown[-1].reason is None


def test_keys_that_none_of_ours_has_signed_are_not_taken_and_a_renewal_is_wanted(terminal):
    before = terminal.do(enrolment.identity).keys
    document = keys_document(9, {3: "ab" * 32})
    for signatures in ({}, {"1": seal_document(document, STRANGER)}, {"3": "00" * 64}):
        told = KeysTold(document=document, signatures=signatures)
        terminal.hear(told, Channel.DESIRED)
        assert sorted(terminal.do(enrolment.identity).keys) == sorted(before) == [1]
    assert len(terminal.strange) == 3


def test_an_older_word_on_the_keys_revives_none(house, terminal):
    house.keys.rotate(at_once=True)
    older = pushed(house)
    house.keys.retire(1)
    terminal.hear(pushed(house), Channel.DESIRED)
    terminal.hear(older, Channel.DESIRED)
    assert known(terminal) == [2]
    assert terminal.strange == []


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"purpose": "rusuban renewal", "revision": 1, "keys": {"1": "ab" * 32}},
        {"purpose": "rusuban signing keys", "revision": 1, "keys": {}},
        {"purpose": "rusuban signing keys", "revision": 1, "keys": {"16": "ab" * 32}},
        {"purpose": "rusuban signing keys", "revision": 1, "keys": {"1": "ab"}},
        {"purpose": "rusuban signing keys", "revision": "1", "keys": {"1": "ab" * 32}},
        {"purpose": "rusuban signing keys", "revision": 1, "keys": ["1"]},
    ],
)
def test_what_our_key_signed_and_is_no_word_on_keys_changes_nothing(house, terminal, document):
    told = KeysTold(document=document, signatures={"1": house.keys.seal_document(document)})
    terminal.hear(told, Channel.DESIRED)
    assert known(terminal) == [1]
