"""Nobody asks in the name of another, for what is another's, or without being confirmed (A7)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration, rights
from common.messages.registration import StandingTold
from common.messages.rights import Abort, Refused, Troubled
from common.rules.registration import Standing, StandingEvent
from common.rules.rights import ClientState
from common.rules.tickets import DenialReason
from tests.fakes.house import HouseInHand, asked
from tests.fakes.terminal import TerminalInHand


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    """Return a confirmed terminal with two devices on offer."""
    return house.confirmed("a", "b")


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
    assert terminal.rows("exchanges")[0]["state"] == ClientState.QUARANTINED
