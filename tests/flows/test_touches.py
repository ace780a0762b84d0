"""What the screen is told of the sessions on its devices, and what a touch of it does to them."""

from __future__ import annotations

import pytest

from common.messages.rights import Right
from common.rules.sessions import EndReason, SessionState
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.test_sessions import see


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    return house.confirmed("vr")


@pytest.fixture
def session(house: HouseInHand, terminal: TerminalInHand) -> str:
    """Return a session whose program is being started."""
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    return str(right.document["session"])


def test_a_live_session_is_shown_with_its_end_on_the_clock_since_boot(house, terminal, session):
    (device,) = house.devices_of(terminal)
    shown = terminal.do(running.on_screen)[device]
    assert (shown.session, shown.state) == (session, SessionState.STARTING)
    assert shown.ends_at == pytest.approx(house.clock.boot_seconds() + SLOT_SECONDS, abs=1.0)
    see(terminal, session, "running", started_at=1)
    assert terminal.do(running.on_screen)[device].state is SessionState.RUNNING
    see(terminal, session, "ended", delivered_seconds=5.0, ended_at=2)
    assert terminal.do(running.on_screen) == {}


def test_its_customer_ends_a_session_once_and_it_is_told_why(terminal, session):
    see(terminal, session, "running", started_at=1)
    assert terminal.do(running.end_by_customer, session)
    assert terminal.do(running.end_by_customer, session)
    (stop,) = terminal.do(running.to_stop)
    assert (stop.session, stop.reason) == (session, EndReason.CUSTOMER_ENDED)
    assert terminal.told_types().count("session.ending") == 1


def test_what_is_over_or_unknown_is_not_ended_by_anybody(terminal, session):
    see(terminal, session, "running", started_at=1)
    see(terminal, session, "ended", delivered_seconds=5.0, ended_at=2)
    assert not terminal.do(running.end_by_customer, session)
    assert not terminal.do(running.end_by_customer, "s-99")
    assert terminal.do(running.to_stop) == []
