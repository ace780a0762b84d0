"""Every state machine is its table: what the table does not name is refused and changes nothing."""

from __future__ import annotations

from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from common.machine import Machine
from common.rules.devices import DEVICE, DeviceEvent
from common.rules.help import CALL, HELPER, CallEvent, HelperEvent
from common.rules.letters import LETTER, LetterEvent
from common.rules.modules import (
    INSTALL,
    REMOVAL,
    RUN,
    SEAT_ASK,
    InstallEvent,
    RemovalEvent,
    RunEvent,
    SeatAskEvent,
)
from common.rules.offerings import OFFER, OfferEvent
from common.rules.payments import PAYMENT, PaymentEvent, PaymentState
from common.rules.registration import STANDING, Standing, StandingEvent
from common.rules.reservations import RESERVATION, ReservationEvent, ReservationState
from common.rules.rights import CLIENT, SERVER, ClientEvent, ClientState, ServerEvent
from common.rules.sessions import (
    COMMAND,
    LIVE,
    SESSION,
    CommandEvent,
    CommandState,
    SessionEvent,
    SessionState,
)
from common.rules.tickets import HOLD, TICKET, HoldEvent, TicketEvent, TicketState

MACHINES: tuple[tuple[Machine[Any, Any], type[StrEnum]], ...] = (
    (OFFER, OfferEvent),
    (HELPER, HelperEvent),
    (CALL, CallEvent),
    (STANDING, StandingEvent),
    (RESERVATION, ReservationEvent),
    (CLIENT, ClientEvent),
    (SERVER, ServerEvent),
    (SESSION, SessionEvent),
    (COMMAND, CommandEvent),
    (DEVICE, DeviceEvent),
    (TICKET, TicketEvent),
    (HOLD, HoldEvent),
    (LETTER, LetterEvent),
    (SEAT_ASK, SeatAskEvent),
    (PAYMENT, PaymentEvent),
    (INSTALL, InstallEvent),
    (REMOVAL, RemovalEvent),
    (RUN, RunEvent),
)
NAMES = [machine.name for machine, _ in MACHINES]


def states_of(machine: Machine[Any, Any]) -> type[StrEnum]:
    kind: type[StrEnum] = type(machine.first)
    return kind


PAIRS = [
    (machine, state, event)
    for machine, events in MACHINES
    for state, event in product(states_of(machine), events)
]
NAMED = [(machine, *pair) for machine, *pair in PAIRS if tuple(pair) in machine.table]
UNNAMED = [(machine, *pair) for machine, *pair in PAIRS if tuple(pair) not in machine.table]


def named(part: object) -> str:
    return part.name if isinstance(part, Machine) else str(part)


@pytest.mark.parametrize(("machine", "state", "event"), UNNAMED, ids=named)
def test_what_the_table_does_not_name_is_refused(machine, state, event):
    before = dict(machine.table)
    assert machine.step(state, event) is None
    assert machine.table == before


@pytest.mark.parametrize(("machine", "state", "event"), NAMED, ids=named)
def test_what_the_table_names_leads_where_it_says(machine, state, event):
    assert machine.step(state, event) is machine.table[state, event]


@pytest.mark.parametrize(("machine", "events"), MACHINES, ids=NAMES)
def test_every_state_is_reached_and_every_event_is_used(machine, events):
    reached = {machine.first}
    while new := {after for (at, _), after in machine.table.items() if at in reached} - reached:
        reached |= new
    assert reached == set(states_of(machine))
    assert {event for _, event in machine.table} == set(events)


@pytest.mark.parametrize(("machine", "events"), MACHINES, ids=NAMES)
def test_the_picture_shows_every_step_of_the_table(machine, events):
    assert events
    lines = machine.as_mermaid().splitlines()
    assert lines[:2] == ["stateDiagram-v2", f"    [*] --> {machine.first}"]
    for (state, event), after in machine.table.items():
        arrow = next(line for line in lines if line.startswith(f"    {state} --> {after}: "))
        assert event in arrow.partition(": ")[2].split(" | ")
    assert {line.split()[0] for line in lines if line.endswith("--> [*]")} == machine.ends()


def test_nothing_leads_out_of_an_end():
    assert SESSION.ends() == {SessionState.ENDED, SessionState.FAILED}
    assert STANDING.ends() == {Standing.RETIRED}
    assert TICKET.ends() == {TicketState.SPENT}
    assert CLIENT.ends() == {ClientState.QUARANTINED}
    assert COMMAND.ends() == {
        CommandState.SUCCEEDED,
        CommandState.FAILED,
        CommandState.REJECTED,
        CommandState.EXPIRED,
    }


def test_a_session_holds_its_device_until_it_is_over():
    assert set(SessionState) - SESSION.ends() == LIVE


def test_what_has_run_cannot_have_failed_to_run():
    assert SESSION.step(SessionState.RUNNING, SessionEvent.FAIL) is None
    assert SESSION.step(SessionState.ENDING, SessionEvent.FAIL) is None


def test_a_spent_ticket_never_comes_back():
    assert all(TICKET.step(TicketState.SPENT, event) is None for event in TicketEvent)


def test_a_late_payment_revives_an_expired_hold_and_nothing_else():
    revived = {at for at, event in RESERVATION.table if event is ReservationEvent.REVIVE}
    assert revived == {ReservationState.EXPIRED}
    assert RESERVATION.ends() == {ReservationState.COMPLETED, ReservationState.NO_SHOW}


def test_a_payment_that_came_in_is_never_unpaid_and_what_went_back_is_back_for_good():
    paid = {PaymentState.PAID, PaymentState.PARTLY_REFUNDED, PaymentState.REFUNDED}
    for (before, _), after in PAYMENT.table.items():
        assert before not in paid or after in paid - {PaymentState.PAID}
    assert PAYMENT.ends() == {PaymentState.REFUNDED}
