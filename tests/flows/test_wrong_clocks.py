"""A PC whose wall clock is wrong: what it reports counts where it can be true."""

from __future__ import annotations

import pytest

from common.messages.rights import Right
from common.rules.sessions import EndReason
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import a_program


@pytest.mark.parametrize("years", [-10, 10])
def test_a_pc_whose_clock_is_years_off_ends_when_it_is_heard(house: HouseInHand, years: int):
    """Promise 4: by an end of the year 2036 the device would be closed until then."""
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    right = house.scan(terminal, device, house.book(device))
    assert isinstance(right, Right)
    session = str(right.document["session"])
    began = a_program(session, "running", started_at=house.clock.now)
    terminal.do(running.note_seen, began)
    house.tell_all(terminal)
    house.clock.move(SLOT_SECONDS - 60)
    off_at = house.clock.now + years * 365 * 86_400_000
    ended = a_program(session, "ended", end_reason=EndReason.CUSTOMER_ENDED, ended_at=off_at)
    terminal.do(running.note_seen, ended)
    house.tell_all(terminal)
    (row,) = house.books.rows("sessions")
    assert (row["state"], row["ended_at"]) == ("ended", house.clock.now)
    (line,) = (row for row in house.books.rows("ledger") if row["type"] == "session.ended")
    assert line["at"] == house.clock.now
