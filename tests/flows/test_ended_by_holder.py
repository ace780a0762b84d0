"""Its holder ends a session from his phone, whatever is lost on the way: the rest he has left."""

from __future__ import annotations

import pytest

from cloud_controller.flows import sessions
from cloud_controller.ports import NotAllowed, NotFound, Transaction
from common.messages.sessions import Desired, StopSession
from common.rules.sessions import EndReason
from common.topics import Channel
from edge_agent.flows import sessions as running
from tests.fakes.house import HouseInHand
from tests.flows.test_sessions import ledger, run, see, session, terminal

__all__ = ["session", "terminal"]


def link_of(house: HouseInHand) -> str:
    return str(house.books.rows("reservations")[-1]["link"])


def said_on_the_phone(house: HouseInHand) -> tuple[StopSession, Desired]:
    house.books.said.clear()
    house.books.do(sessions.end_for_holder, link_of(house))
    stop, desired = house.books.heard()
    assert isinstance(stop, StopSession)
    assert isinstance(desired, Desired)
    return stop, desired


def test_c5_a_holder_ends_his_session_once_and_is_owed_nothing_for_the_rest(
    house, terminal, session
):
    run(house, terminal, session)
    house.clock.move(600)
    stop, _ = said_on_the_phone(house)
    house.books.do(sessions.end_for_holder, link_of(house))
    assert house.books.heard() == []
    assert ledger(house).count("stop.instructed") == 1
    terminal.hear(stop, Channel.COMMANDS, stop.command)
    (asked,) = terminal.do(running.to_stop)
    assert (asked.session, asked.reason) == (session, EndReason.CUSTOMER_ENDED)
    see(
        terminal,
        session,
        "ended",
        end_reason=asked.reason,
        delivered_seconds=600.0,
        remaining_seconds=1200.0,
    )
    house.tell_all(terminal)
    given = house.books.do(
        sessions.given_to, house.books.rows("reservations")[-1]["reservation_id"]
    )
    assert (given.left_seconds, given.owed_seconds) == (1200.0, 0.0)
    assert house.states()["reservations"] == ["completed"]


def test_a_lost_command_leaves_its_reason_with_what_is_wanted(house, terminal, session):
    """Without it the rest would be paid back, as of a session that the store has cut short."""
    run(house, terminal, session)
    _, desired = said_on_the_phone(house)
    terminal.hear(desired, Channel.DESIRED)
    assert [each.reason for each in terminal.do(running.to_stop)] == [EndReason.CUSTOMER_ENDED]


def test_nobody_ends_what_does_not_run(house, terminal, session):
    with pytest.raises(NotAllowed, match="nothing runs"):
        house.books.do(sessions.end_for_holder, link_of(house))
    assert not house.books.do(sessions.may_end, link_of(house))
    run(house, terminal, session)
    assert house.books.do(sessions.may_end, link_of(house))
    with pytest.raises(NotFound):
        house.books.do(sessions.end_for_holder, "f" * 32)
    house.books.do(_give_to_a_peer)
    with pytest.raises(NotAllowed, match="own screen"):
        house.books.do(sessions.end_for_holder, link_of(house))


def _give_to_a_peer(books: Transaction) -> None:
    """Let the store be another controller's, as it would have told us."""
    (store,) = books.directory.stores()
    books.directory.keep_peer(store_id=store["store_id"], peer="p-1", digest="", now=books.now)
