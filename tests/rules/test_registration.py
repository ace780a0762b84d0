"""Who may have service information: confirmed, for exactly what the terminal is now (A1-A8)."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, strategies as st

from common.messages.registration import DeviceFound, Specification
from common.rules.registration import (
    STANDING,
    BrokerRole,
    Policy,
    Registered,
    Standing,
    after_specification,
    gate_is_open,
    may_have_service,
    profile_of,
    role_for,
    watched_fields,
)

OURS, ANOTHER = "a" * 64, "b" * 64


def a_specification(*keys: str, programs: tuple[str, ...] = ("game", "film")) -> Specification:
    devices = [
        DeviceFound(key=key, title=key.title(), program=programs[number % len(programs)])
        for number, key in enumerate(sorted(keys))
    ]
    Random(len(keys)).shuffle(devices)
    return Specification(
        digest=ANOTHER,
        gate_digest=OURS,
        agent_version="1",
        machine={},
        devices=tuple(devices),
        programs=programs,
    )


@given(standing=st.sampled_from(Standing), registered=st.sampled_from([None, OURS, ANOTHER]))
def test_a7_service_is_given_only_when_confirmed_for_the_digest_asked(standing, registered):
    allowed = may_have_service(standing, registered, OURS)
    assert allowed is (standing is Standing.CONFIRMED and registered == OURS)


@given(standing=st.sampled_from([None, *Standing]), told=st.sampled_from([None, OURS, ANOTHER]))
def test_a4_the_gate_is_open_only_when_confirmed_for_what_the_terminal_is(standing, told):
    assert gate_is_open(standing, told, OURS) is (standing == "confirmed" and told == OURS)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.CLAIMED])
def test_the_same_specification_again_changes_nothing(standing: Standing, policy: Policy):
    known = Registered(standing=standing, gate_digest=OURS)
    assert after_specification(known, OURS, policy) is None


@pytest.mark.parametrize("standing", [Standing.CONFIRMED, Standing.REJECTED, Standing.PENDING])
def test_a8_a_changed_specification_has_to_be_confirmed_again(standing: Standing):
    known = Registered(standing=standing, gate_digest=ANOTHER)
    after = after_specification(known, OURS, Policy.MANUAL)
    assert after is not None
    assert after[0] is Standing.PENDING


@pytest.mark.parametrize(
    ("policy", "standing"),
    [(Policy.MANUAL, Standing.PENDING), (Policy.AUTOMATIC, Standing.CONFIRMED)],
)
def test_a2_a_first_specification_goes_where_the_policy_says(policy: Policy, standing: Standing):
    known = Registered(standing=Standing.CLAIMED, gate_digest=None)
    after = after_specification(known, OURS, policy)
    assert after is not None
    assert after[0] is standing
    assert after[1], "the terminal is told why"


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.RETIRED])
def test_no_specification_brings_back_what_an_operator_has_closed(standing, policy):
    known = Registered(standing=standing, gate_digest=ANOTHER)
    assert after_specification(known, OURS, policy) is None


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("busy", [True, False])
def test_only_a_confirmed_terminal_has_the_role_of_service(standing: Standing, busy):
    role = role_for(standing, has_running_sessions=busy)
    assert (role is BrokerRole.SERVICE) is (standing is Standing.CONFIRMED)
    if standing is not Standing.CONFIRMED:
        assert role is (BrokerRole.SETTLING if busy else BrokerRole.GATE)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8), st.randoms())
def test_a6_the_same_specification_gives_the_same_bytes(keys: list[str], random: Random):
    numbers = {key: (f"d-{key}", number) for number, key in enumerate(keys, start=1)}
    made = a_specification(*keys)
    devices = list(made.devices)
    random.shuffle(devices)
    again = made.model_copy(update={"devices": tuple(devices)})
    first = profile_of(made, store="s", store_number=1, numbers=numbers)
    assert profile_of(again, store="s", store_number=1, numbers=numbers) == first
    assert {device.key for device in first.devices} == set(keys)


def test_a6_a_device_without_its_program_is_not_in_the_profile():
    made = a_specification("vr", "tv")
    without = made.model_copy(update={"programs": ("game",)})
    numbers = {"vr": ("d-1", 1), "tv": ("d-2", 2)}
    both = profile_of(made, store="s", store_number=1, numbers=numbers)
    one = profile_of(without, store="s", store_number=1, numbers=numbers)
    assert {device.program for device in both.devices} == {"game", "film"}
    assert {device.program for device in one.devices} == {"game"}
    assert one.profile_digest != both.profile_digest


def test_only_watched_fields_close_the_gate_again():
    machine = {"memory_bytes": 8, "gpus": ["one"], "uptime_seconds": 5}
    watched = watched_fields(machine, (), ("b", "a"))
    assert watched == watched_fields({**machine, "uptime_seconds": 6}, (), ("a", "b"))
    assert watched != watched_fields({**machine, "gpus": ["one", "two"]}, (), ("a", "b"))
    assert json.dumps(watched)


def test_no_way_leads_back_from_retired():
    assert Standing.RETIRED in STANDING.ends()
