"""A terminal says what it is, is confirmed or not, and only then is given service (A1-A8)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import registration
from cloud_controller.ports import CodeIsSpent, NotAllowed, NotFound, RoleGiven
from common.messages.base import Message
from common.messages.registration import (
    Acknowledged,
    ServiceProfile,
    ServiceRefused,
    ServiceRequest,
    Specification,
    StandingTold,
    Welcome,
)
from common.messages.rights import Announced, Completed, Refused
from common.messages.sessions import Desired, StopSession
from common.rules.registration import BrokerRole, Policy, Standing, StandingEvent
from common.topics import Channel
from edge_agent.flows import registration as own
from tests.fakes.house import SALTED, STORE, HouseInHand, a_specification, standing_of
from tests.fakes.terminal import GATE_DIGEST, TerminalInHand, an_answer
from tests.flows.conftest import MakeHouse

OTHER_DIGEST = "b" * 64
KEY, OTHER_KEY = "00" * 32, "11" * 32


def specify(house: HouseInHand, terminal: TerminalInHand, **changed: str) -> Standing:
    specification = a_specification("vr", **changed)
    return standing_of(house.take(terminal, specification, Channel.SPECIFICATION))


def ask_for_service(house: HouseInHand, terminal: TerminalInHand, digest: str) -> Message:
    (answer,) = house.ask(terminal, ServiceRequest(gate_digest=digest))
    return answer


def decide(house: HouseInHand, terminal: TerminalInHand, event: StandingEvent) -> Standing:
    house.books.do(registration.decide, terminal.who.terminal, event, "owner", "because")
    return standing_of(house.books.heard())


def test_a1_a2_the_specification_is_kept_bound_to_its_terminal(house: HouseInHand):
    terminal, other = house.enrol(), house.enrol("pc-2")
    terminal.do(own.specify, a_specification("vr"))
    (sent,) = terminal.asks()
    house.take(terminal, sent, Channel.SPECIFICATION)
    kept = house.books.one("specifications")
    assert kept["terminal_id"] == terminal.who.terminal != other.who.terminal
    assert Specification.model_validate_json(kept["body"]) == sent


@pytest.mark.parametrize("policy", Policy)
def test_a3_the_terminal_is_told_where_it_stands_each_time_it_asks(make_house: MakeHouse, policy):
    house = make_house(policy)
    terminal = house.enrol()
    expected = Standing.CONFIRMED if policy is Policy.AUTOMATIC else Standing.PENDING
    assert [specify(house, terminal) for _ in range(3)] == [expected] * 3
    assert len(house.books.rows("specifications")) == 1


def test_a3_a_standing_says_nothing_but_where_the_registration_stands(house: HouseInHand):
    assert set(StandingTold.model_fields) == {"standing", "gate_digest", "reason"}
    (told,) = house.take(house.enrol(), a_specification("vr"), Channel.SPECIFICATION)
    assert isinstance(told, StandingTold)


SERVICE = (
    (Channel.REPLIES, ServiceRefused(reason="not_registered")),
    (Channel.REPLIES, Announced(comm_id="x")),
    (Channel.REPLIES, Refused(comm_id="x", reason="expired")),
    (Channel.REPLIES, Completed(comm_id="x")),
    (Channel.WELCOME, Welcome(acknowledged_up_to=9, desired_revision=9, server_at=1)),
    (Channel.ACKS, Acknowledged(epoch="e0", up_to=9)),
    (Channel.DESIRED, Desired(revision=9)),
)


@pytest.mark.parametrize(("channel", "message"), SERVICE, ids=lambda part: str(part)[:20])
def test_a4_with_the_gate_closed_nothing_is_taken(house: HouseInHand, channel, message):
    terminal = house.enrol()
    before = terminal.everything()
    terminal.hear(message, channel)
    stop = StopSession(command="c-1", session="s-1", reason="time_up", accept_by=1)
    terminal.hear(stop, Channel.COMMANDS, tail="c-1")
    assert terminal.everything() == before
    assert not terminal.asks()
    assert terminal.listener.dropped["gate_is_closed"] == 2


def test_a4_a_profile_that_comes_before_the_word_is_not_taken(house: HouseInHand):
    ready, terminal = house.confirmed("vr"), house.enrol("pc-2")
    profile = ask_for_service(house, ready, GATE_DIGEST)
    assert isinstance(profile, ServiceProfile)
    terminal.hear(profile)
    assert not terminal.rows("profile")
    assert not terminal.do(own.take_profile, profile, GATE_DIGEST)


def test_a4_a_word_about_another_specification_opens_nothing(house: HouseInHand):
    terminal = house.enrol()
    told = StandingTold(standing="confirmed", gate_digest=OTHER_DIGEST)
    terminal.hear(told, Channel.REGISTRATION)
    assert not terminal.listener.gate_is_open


def test_a4_the_gate_closes_again_when_the_terminal_is_no_longer_confirmed(house: HouseInHand):
    terminal = house.confirmed("vr")
    terminal.hear(StandingTold(standing="suspended", gate_digest=GATE_DIGEST), Channel.REGISTRATION)
    assert not terminal.listener.gate_is_open
    assert terminal.do(own.profile, GATE_DIGEST) is None
    terminal.restart()
    assert not terminal.listener.gate_is_open


def test_a4_a_new_identity_begins_with_the_gate_closed(house: HouseInHand):
    terminal = house.confirmed("vr")
    keys = house.keys.public_keys()
    terminal.do(own.keep_identity, an_answer(keys, terminal="t-9", epoch="e9"))
    terminal.restart()
    assert not terminal.listener.gate_is_open
    assert not terminal.rows("profile")


def test_a5_service_is_asked_for_only_after_the_word(house: HouseInHand):
    terminal = house.enrol()
    terminal.do(own.ask_for_service, GATE_DIGEST)
    assert not terminal.asks()
    for told in house.take(terminal, a_specification("vr"), Channel.SPECIFICATION):
        terminal.hear(told, Channel.REGISTRATION)
    terminal.do(own.ask_for_service, GATE_DIGEST)
    assert terminal.asks() == [ServiceRequest(gate_digest=GATE_DIGEST)]


def test_a6_service_information_is_made_on_the_request_and_not_before(house: HouseInHand):
    terminal = house.enrol()
    specify(house, terminal)
    assert not house.books.rows("profiles")
    assert not house.books.rows("devices")
    profile = ask_for_service(house, terminal, GATE_DIGEST)
    assert isinstance(profile, ServiceProfile)
    assert [device.key for device in profile.devices] == ["vr"]
    assert house.books.one("profiles")["profile_digest"] == profile.profile_digest


def test_a6_asked_again_it_is_the_same_service_information(house: HouseInHand):
    terminal = house.confirmed("tv", "vr")
    first, again = (ask_for_service(house, terminal, GATE_DIGEST) for _ in range(2))
    assert first == again
    assert [row["number"] for row in house.books.rows("devices")] == [1, 2]


def test_a6_a_device_keeps_its_number_when_others_come_and_go(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.take(terminal, a_specification("aa", "vr"), Channel.SPECIFICATION)
    profile = ask_for_service(house, terminal, GATE_DIGEST)
    assert isinstance(profile, ServiceProfile)
    assert {device.key: device.number for device in profile.devices} == {"vr": 1, "aa": 2}


@pytest.mark.parametrize("event", [StandingEvent.REJECT, StandingEvent.RETIRE, None])
def test_a7_nothing_is_given_without_confirmation(make_house: MakeHouse, event):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    if event is not None:
        decide(house, terminal, event)
    before = house.books.everything()
    refusal = ask_for_service(house, terminal, GATE_DIGEST)
    assert refusal == ServiceRefused(reason="not_registered")
    assert house.books.everything() == before


def test_a7_nothing_is_given_for_a_digest_that_was_not_confirmed(house: HouseInHand):
    terminal = house.confirmed("vr")
    assert isinstance(ask_for_service(house, terminal, OTHER_DIGEST), ServiceRefused)


def test_a7_nothing_is_given_to_an_older_epoch_or_a_stranger(house: HouseInHand):
    terminal = house.confirmed("vr")
    house.books.connection.execute("UPDATE terminals SET epoch = 'ffff'")
    assert isinstance(ask_for_service(house, terminal, GATE_DIGEST), ServiceRefused)
    assert not house.take(terminal, a_specification("x"), Channel.SPECIFICATION)


def test_a8_a_changed_specification_starts_again(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    assert decide(house, terminal, StandingEvent.CONFIRM) is Standing.CONFIRMED
    assert specify(house, terminal) is Standing.CONFIRMED, "the same again closes nothing"
    assert specify(house, terminal, gate_digest=OTHER_DIGEST) is Standing.PENDING
    for digest in (GATE_DIGEST, OTHER_DIGEST):
        assert isinstance(ask_for_service(house, terminal, digest), ServiceRefused)
    decide(house, terminal, StandingEvent.CONFIRM)
    assert isinstance(ask_for_service(house, terminal, OTHER_DIGEST), ServiceProfile)


def test_a8_a_terminal_that_has_changed_closes_its_own_gate(house: HouseInHand):
    terminal = house.confirmed("vr")
    assert terminal.do(own.is_open, GATE_DIGEST)
    assert not terminal.do(own.is_open, OTHER_DIGEST)
    assert terminal.do(own.profile, OTHER_DIGEST) is None


def test_the_broker_is_told_the_role_that_goes_with_each_standing(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    events = (StandingEvent.CONFIRM, StandingEvent.SUSPEND, StandingEvent.RETIRE)
    house.take(terminal, a_specification("vr"), Channel.SPECIFICATION)
    for event in events:
        house.books.do(registration.decide, terminal.who.terminal, event, "owner", "")
    roles = [each.role for each in house.books.said if isinstance(each, RoleGiven)]
    assert roles == [BrokerRole.SERVICE, BrokerRole.GATE, None]
    kept = [row["body"] for row in house.books.rows("outbox")]
    assert len(kept) == 4, "each role word is kept until the broker has it"


def test_what_an_operator_may_not_do_changes_nothing(house: HouseInHand):
    terminal = house.confirmed("vr")
    before = house.books.everything()
    with pytest.raises(NotAllowed):
        house.books.do(
            registration.decide, terminal.who.terminal, StandingEvent.REJECT, "owner", ""
        )
    with pytest.raises(NotFound):
        house.books.do(registration.decide, "t-99", StandingEvent.CONFIRM, "owner", "")
    assert house.books.everything() == before


def test_every_word_of_an_operator_leaves_one_audit_row(make_house: MakeHouse):
    house = make_house(Policy.MANUAL)
    terminal = house.enrol()
    specify(house, terminal)
    decide(house, terminal, StandingEvent.CONFIRM)
    acts = [row["act"] for row in house.books.rows("audit") if row["actor"] == "owner"]
    assert acts == ["registration.confirm"]


def test_an_enrolment_code_is_good_once_and_for_one_key(house: HouseInHand):
    code = house.books.do(registration.make_code, STORE, "owner")
    first = house.books.do(registration.enrol, code, KEY, "pc", SALTED)
    again = house.books.do(registration.enrol, code, KEY, "pc", SALTED)
    assert (again.terminal, again.epoch) == (first.terminal, first.epoch)
    with pytest.raises(CodeIsSpent):
        house.books.do(registration.enrol, code, OTHER_KEY, "pc", SALTED)
    assert len(house.books.rows("terminals")) == 1


@pytest.mark.parametrize("seconds", [1, 2, 1e9])
def test_an_enrolment_code_ends_also_for_the_key_that_used_it(house: HouseInHand, seconds):
    code = house.books.do(registration.make_code, STORE, "owner")
    house.clock.move(899)
    house.books.do(registration.enrol, code, KEY, "pc", SALTED)
    house.clock.move(seconds)
    with pytest.raises(CodeIsSpent):
        house.books.do(registration.enrol, code, KEY, "pc", SALTED)


@pytest.mark.parametrize("code", ["", "WRONG", "XXXXXXXXX2", "'; DROP TABLE terminals"])
def test_an_unknown_code_enrols_nobody(house: HouseInHand, code: str):
    house.books.do(registration.make_code, STORE, "owner")
    with pytest.raises(CodeIsSpent):
        house.books.do(registration.enrol, code, KEY, "pc", SALTED)
    assert not house.books.rows("terminals")


def test_a_code_may_be_typed_in_groups_and_small_letters(house: HouseInHand):
    code = house.books.do(registration.make_code, STORE, "owner")
    typed = f" {code[:5].lower()}-{code[5:].lower()} "
    assert house.books.do(registration.enrol, typed, KEY, "pc", SALTED).store == STORE


def test_neither_a_code_nor_a_secret_is_kept_anywhere(house: HouseInHand):
    code = house.books.do(registration.make_code, STORE, "owner")
    house.books.do(registration.enrol, code, KEY, "pc", SALTED)
    everything = "\n".join(house.books.everything())
    assert code not in everything
    assert SALTED.secret not in everything
    secrets = [each.secret for each in house.books.said if isinstance(each, RoleGiven)]
    assert secrets == [SALTED.secret]


def test_a_new_epoch_counts_its_events_and_exchanges_from_one(house: HouseInHand):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    house.announce(terminal, device)
    terminal.do(lambda journal: journal.say(Acknowledged(epoch="e", up_to=1)))
    keys = house.keys.public_keys()
    terminal.do(own.keep_identity, an_answer(keys, terminal="t-9", epoch="e9"))
    terminal.do(lambda journal: journal.say(Acknowledged(epoch="e", up_to=1)))
    assert [seq for seq, _, _ in terminal.tells()] == [1]
    assert not terminal.rows("exchanges")


def test_the_same_identity_again_keeps_what_it_was_told_and_said(house: HouseInHand):
    terminal = house.confirmed("vr")
    who = terminal.who
    answer = an_answer(house.keys.public_keys(), terminal=who.terminal, epoch=who.epoch)
    before = terminal.everything()
    terminal.do(own.keep_identity, answer)
    assert terminal.everything() == before
