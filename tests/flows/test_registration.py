"""A terminal says what it is, is confirmed or not, and only then is given service (A1-A8)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration
from cloud_controller.ports import NotAllowed, NotFound, RoleGiven
from common.messages.base import Message
from common.messages.problems import ProblemTold
from common.messages.registration import Hello, Presence, StandingTold
from common.messages.service import ServiceProfile, ServiceRefused, ServiceRequest
from common.messages.specification import Specification
from common.rules.problems import TOLD_BY_TERMINALS, ProblemKind
from common.rules.registration import Policy, Standing, StandingEvent
from common.rules.specification import new_specification
from common.topics import BrokerRole, Channel
from edge_agent.flows import enrolment, registration as own, service
from tests.fakes.house import HouseInHand, a_specification, standing_of
from tests.fakes.terminal import TerminalInHand, an_answer, say_number
from tests.flows.conftest import MakeHouse

OURS, CHANGED = a_specification("vr"), a_specification("vr", memory_bytes=1 << 34)
MOVED = new_specification(
    agent_version="1",
    machine=OURS.machine.model_copy(update={"serial": "S-2"}),
    devices=OURS.devices,
    programs=OURS.programs,
)


def specify(
    house: HouseInHand, terminal: TerminalInHand, specification: Specification = OURS
) -> Standing:
    return standing_of(house.take(terminal, specification, Channel.SPECIFICATION))


def tell(house: HouseInHand, terminal: TerminalInHand, specification: Specification = OURS) -> None:
    """Let the terminal find itself to be this, say it, and hear where it stands."""
    terminal.is_now(specification)
    for told in house.take(terminal, specification, Channel.SPECIFICATION):
        terminal.hear(told, Channel.REGISTRATION)


def ask_for_service(
    house: HouseInHand, terminal: TerminalInHand, specification: Specification = OURS
) -> Message:
    request = ServiceRequest(gate_digest=specification.gate_digest)
    answers = house.ask(terminal, request)
    return answers[-1]


def decide(house: HouseInHand, terminal: TerminalInHand, event: StandingEvent) -> Standing:
    house.books.do(registration.decide, terminal.who.terminal, event, "owner", "because")
    return standing_of(house.books.heard())


def problems(house: HouseInHand) -> list[str]:
    return [row["kind"] for row in house.books.rows("problems")]


def test_a1_a2_the_specification_is_kept_bound_to_its_terminal(house: HouseInHand):
    terminal, other = house.enrol(), house.enrol("pc-2")
    (sent,) = terminal.is_now(OURS)
    house.take(terminal, sent, Channel.SPECIFICATION)
    kept = house.books.one("specifications")
    assert kept["terminal_id"] == terminal.who.terminal != other.who.terminal
    assert Specification.model_validate_json(kept["body"]) == sent == OURS


@pytest.mark.parametrize("policy", Policy)
def test_a3_the_terminal_is_told_where_it_stands_each_time_it_asks(make_house: MakeHouse, policy):
    house = make_house(policy)
    terminal = house.enrol()
    expected = Standing.PENDING if policy is Policy.MANUAL else Standing.CONFIRMED
    assert [specify(house, terminal) for _ in range(3)] == [expected] * 3
    assert len(house.books.rows("specifications")) == 1


def test_a3_a_standing_says_nothing_but_where_the_registration_stands(house: HouseInHand):
    fields = {"standing", "gate_digest", "epoch", "revision", "reason"}
    assert set(StandingTold.model_fields) == fields
    (told,) = house.take(house.enrol(), OURS, Channel.SPECIFICATION)
    assert isinstance(told, StandingTold)


def test_a4_with_the_gate_closed_nothing_is_taken(house: HouseInHand):
    """The rest of it is in `test_gate.py`: every message, every standing, and after a restart."""
    ready, terminal = house.confirmed("vr"), house.enrol("pc-2")
    profile = ask_for_service(house, ready)
    terminal.is_now(OURS)
    terminal.hear(profile)
    assert isinstance(profile, ServiceProfile)
    assert not terminal.rows("profile")
    assert terminal.listener.dropped["gate_is_closed"] == 1


def test_a4_a_profile_that_comes_before_the_word_is_not_taken(house: HouseInHand):
    ready, terminal = house.confirmed("vr"), house.enrol("pc-2")
    terminal.is_now(OURS)
    assert terminal.do(service.take_profile, ask_for_service(house, ready)) is None
    assert not terminal.rows("profile")


def test_a4_the_gate_closes_again_when_the_terminal_is_no_longer_confirmed(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.books.do(
        registration.decide, terminal.who.terminal, StandingEvent.SUSPEND, "owner", "cleaning"
    )
    for told in house.books.heard():
        terminal.hear(told, Channel.REGISTRATION)
    assert not terminal.listener.gate_is_open
    assert terminal.do(service.profile) is None
    terminal.restart()
    assert not terminal.listener.gate_is_open


def test_a4_a_new_identity_begins_with_the_gate_closed(house: HouseInHand):
    terminal = house.confirmed("vr")
    answer = an_answer(house.keys.public_keys(), terminal=terminal.who.terminal, epoch="e9")
    terminal.do(enrolment.keep_identity, answer)
    terminal.restart()
    assert not terminal.listener.gate_is_open
    assert not terminal.rows("profile")


def test_a5_service_is_asked_for_only_after_the_word(house: HouseInHand):
    terminal = house.enrol()
    terminal.is_now(OURS)
    terminal.do(service.ask_for_service)
    assert not terminal.asks()
    tell(house, terminal)
    terminal.do(service.ask_for_service)
    assert terminal.asks() == [ServiceRequest(gate_digest=OURS.gate_digest)]


def test_a6_service_information_is_made_on_the_request_and_not_before(house: HouseInHand):
    terminal = house.enrol()
    specify(house, terminal)
    assert not house.books.rows("profiles")
    assert not house.books.rows("devices")
    profile = ask_for_service(house, terminal)
    assert isinstance(profile, ServiceProfile)
    assert [device.key for device in profile.devices] == ["vr"]
    assert house.books.one("profiles")["profile_digest"] == profile.profile_digest


@pytest.mark.parametrize("event", [StandingEvent.REJECT, StandingEvent.RETIRE, None])
def test_a7_nothing_is_given_without_confirmation(make_house: MakeHouse, event):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    if event is not None:
        decide(house, terminal, event)
    before = house.books.everything()
    for message in house.ask(terminal, ServiceRequest(gate_digest=OURS.gate_digest)):
        assert isinstance(message, StandingTold | ServiceRefused)
    assert house.books.everything() == before


def test_a7_nothing_is_given_for_a_digest_that_was_not_confirmed(house: HouseInHand):
    terminal = house.confirmed("vr")
    assert isinstance(ask_for_service(house, terminal, CHANGED), ServiceRefused)


def test_a7_an_older_epoch_is_answered_nothing_and_a_new_one_starts_again(house: HouseInHand):
    old = house.confirmed("vr")
    new = house.enrol(again=old.who.terminal)
    assert new.who.terminal == old.who.terminal
    before = house.books.everything()
    assert not house.ask(old, ServiceRequest(gate_digest=OURS.gate_digest))
    assert not house.take(old, CHANGED, Channel.SPECIFICATION)
    assert house.books.everything() == before
    tell(house, new)
    assert new.listener.gate_is_open


def test_a8_a_changed_specification_starts_again(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    tell(house, terminal)
    assert decide(house, terminal, StandingEvent.CONFIRM) is Standing.CONFIRMED
    tell(house, terminal)
    assert terminal.listener.gate_is_open, "the same again closes nothing"
    tell(house, terminal, CHANGED)
    assert not terminal.do(own.is_open)
    for digest in (OURS, CHANGED):
        assert not isinstance(ask_for_service(house, terminal, digest), ServiceProfile)
    assert decide(house, terminal, StandingEvent.CONFIRM) is Standing.CONFIRMED
    tell(house, terminal, CHANGED)
    assert terminal.listener.gate_is_open
    assert isinstance(ask_for_service(house, terminal, CHANGED), ServiceProfile)


def test_a8_a_terminal_that_has_changed_closes_its_own_gate(house: HouseInHand):
    terminal = house.confirmed("vr")
    assert terminal.do(own.is_open)
    terminal.is_now(CHANGED)
    assert not terminal.do(own.is_open)
    assert terminal.do(service.profile) is None


def test_a_replayed_confirmation_of_what_it_was_opens_nothing_and_is_told(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    tell(house, terminal)
    house.books.do(
        registration.decide, terminal.who.terminal, StandingEvent.CONFIRM, "owner", "looked at"
    )
    (confirmed,) = house.books.heard()
    terminal.hear(confirmed, Channel.REGISTRATION)
    tell(house, terminal, CHANGED)
    terminal.is_now(OURS)
    terminal.hear(confirmed, Channel.REGISTRATION)
    assert not terminal.listener.gate_is_open
    assert terminal.told_types() == [ProblemTold.type]


def test_a_specification_with_the_digest_of_another_is_not_registered(house: HouseInHand):
    terminal = house.confirmed("vr")
    before = house.books.one("specifications")
    forged = CHANGED.model_copy(update={"gate_digest": OURS.gate_digest})
    assert specify(house, terminal, forged) is Standing.CONFIRMED
    assert house.books.one("specifications") == before
    assert problems(house) == [ProblemKind.SPECIFICATION_FORGED]


def test_a_specification_of_another_pc_waits_for_an_operator_whatever_the_policy(
    house: HouseInHand,
):
    terminal = house.confirmed("vr")
    assert specify(house, terminal, MOVED) is Standing.PENDING
    assert problems(house) == [ProblemKind.TERMINAL_MOVED]
    decide(house, terminal, StandingEvent.CONFIRM)
    assert [row["solved_at"] is not None for row in house.books.rows("problems")] == [True]


def test_what_is_sold_on_a_terminal_that_is_rejected_waits_for_somebody(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.book()
    specify(house, terminal, MOVED)
    assert problems(house) == [ProblemKind.TERMINAL_MOVED], "it may be confirmed in a minute"
    decide(house, terminal, StandingEvent.REJECT)
    open_kinds = [row["kind"] for row in house.books.rows("problems") if row["solved_at"] is None]
    assert open_kinds == [ProblemKind.RESERVATION_WITHOUT_DEVICE]


def test_two_agents_that_take_turns_under_one_name_are_both_shut_out(house: HouseInHand):
    terminal = house.confirmed("vr")
    said = [
        house.take(terminal, Presence(state="here", connection=connection), Channel.PRESENCE)
        for connection in ("one", "two", "one")
    ]
    assert standing_of(said[-1]) is Standing.SUSPENDED
    assert problems(house) == [ProblemKind.IDENTITY_COPIED]


def test_an_agent_that_starts_again_and_again_is_nobodys_copy(house: HouseInHand):
    terminal = house.confirmed("vr")
    for connection in ("one", "one", "two", "two", "three"):
        house.take(terminal, Presence(state="here", connection=connection), Channel.PRESENCE)
        house.take(terminal, Presence(state="gone", connection=connection), Channel.PRESENCE)
    assert problems(house) == []


def test_hello_names_the_connection(house: HouseInHand):
    terminal = house.confirmed("vr")
    terminal.do(own.greet, "c-1")
    (hello,) = terminal.asks()
    assert isinstance(hello, Hello)
    assert hello.connection == "c-1"


@pytest.mark.parametrize("kind", ProblemKind)
def test_a_terminal_may_tell_of_what_it_meets_itself_and_of_nothing_else(house, kind):
    terminal = house.confirmed("vr")
    terminal.do(own.tell_problem, kind, "once", "of it")
    terminal.do(own.tell_problem, kind, "once", "of it")
    house.tell_all(terminal)
    assert problems(house) == ([kind] if kind in TOLD_BY_TERMINALS else [])


@pytest.mark.parametrize("end", ["enrolled again", "retired"])
def test_what_was_wrong_with_an_identity_ends_with_it(house: HouseInHand, end: str):
    terminal = house.confirmed("vr")
    for kind in TOLD_BY_TERMINALS:
        terminal.do(own.tell_problem, kind, "once", "of it")
    house.tell_all(terminal)
    specify(house, terminal, CHANGED.model_copy(update={"gate_digest": OURS.gate_digest}))
    assert len(problems(house)) == len(TOLD_BY_TERMINALS) + 1
    if end == "retired":
        decide(house, terminal, StandingEvent.RETIRE)
    else:
        house.enrol(again=terminal.who.terminal)
    assert all(row["solved_at"] is not None for row in house.books.rows("problems"))


def test_the_broker_is_told_the_role_that_goes_with_each_standing(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    events = (StandingEvent.CONFIRM, StandingEvent.SUSPEND, StandingEvent.RETIRE)
    house.take(terminal, OURS, Channel.SPECIFICATION)
    for event in events:
        house.books.do(registration.decide, terminal.who.terminal, event, "owner", "")
    roles = [each.role for each in house.books.said if isinstance(each, RoleGiven)]
    assert roles == [BrokerRole.SERVICE, BrokerRole.GATE, None]


def test_what_an_operator_may_not_do_changes_nothing(house: HouseInHand):
    terminal = house.confirmed("vr")
    before = house.books.everything()
    with pytest.raises(NotAllowed):
        decide(house, terminal, StandingEvent.REJECT)
    with pytest.raises(NotFound):
        house.books.do(registration.decide, "t-99", StandingEvent.CONFIRM, "owner", "")
    assert house.books.everything() == before


def test_an_operator_confirms_what_was_looked_at_and_not_what_came_since(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    specify(house, terminal, CHANGED)
    word = (registration.decide, terminal.who.terminal, StandingEvent.CONFIRM, "owner", "")
    with pytest.raises(NotAllowed):
        house.books.do(*word, seen=OURS.gate_digest)
    house.books.do(*word, seen=CHANGED.gate_digest)
    assert house.books.one("terminals")["standing"] == Standing.CONFIRMED


def test_every_word_of_an_operator_leaves_one_audit_row(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    decide(house, terminal, StandingEvent.CONFIRM)
    acts = [row["act"] for row in house.books.rows("audit") if row["actor"] == "owner"]
    assert acts == ["registration.confirmed"]


def test_a_new_epoch_counts_its_events_and_exchanges_from_one(house: HouseInHand):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    house.announce(terminal, device)
    terminal.do(say_number, 1)
    answer = an_answer(house.keys.public_keys(), terminal=terminal.who.terminal, epoch="e9")
    terminal.do(enrolment.keep_identity, answer)
    terminal.do(say_number, 1)
    assert [seq for seq, _, _ in terminal.tells()] == [1]
    assert not terminal.rows("exchanges")
