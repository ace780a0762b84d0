"""Who may have service information: confirmed, for exactly what the terminal is now (A1-A8)."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from common.rules.registration import (
    REASON_LENGTH_MAX,
    STANDING,
    KnownStanding,
    Policy,
    Standing,
    StandingEvent,
    after_specification,
    gate_is_open,
    role_for,
)
from common.topics import BrokerRole

OURS, ANOTHER = "a" * 64, "b" * 64


def after(
    standing: Standing,
    known: str | None,
    policy: Policy,
    unmet: tuple[str, ...] = (),
    *,
    is_moved: bool = False,
) -> tuple[Standing, str] | None:
    """Return what becomes of a terminal in this standing that says it is `OURS`."""
    registered = KnownStanding(standing=standing, gate_digest=known)
    return after_specification(registered, OURS, policy, unmet, is_moved=is_moved)


@given(standing=st.sampled_from([None, *Standing]), told=st.sampled_from([None, OURS, ANOTHER]))
def test_a4_the_gate_is_open_only_when_confirmed_for_what_the_terminal_is(standing, told):
    assert gate_is_open(standing, told, OURS) is (standing == "confirmed" and told == OURS)


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("standing", [each for each in Standing if each is not Standing.CLAIMED])
def test_the_same_specification_again_changes_nothing(standing: Standing, policy: Policy):
    assert after(standing, OURS, policy) is None


@pytest.mark.parametrize("standing", [Standing.CONFIRMED, Standing.REJECTED, Standing.PENDING])
def test_a8_a_changed_specification_has_to_be_confirmed_again(standing: Standing):
    changed = after(standing, ANOTHER, Policy.MANUAL)
    assert changed is not None
    assert changed[0] is Standing.PENDING


@pytest.mark.parametrize(
    ("policy", "unmet", "standing"),
    [
        (Policy.MANUAL, (), Standing.PENDING),
        (Policy.MANUAL, ("no GPU",), Standing.PENDING),
        (Policy.AUTOMATIC, ("no GPU",), Standing.CONFIRMED),
        (Policy.RULES, (), Standing.CONFIRMED),
        (Policy.RULES, ("no GPU",), Standing.PENDING),
    ],
)
def test_a2_a_first_specification_goes_where_the_policy_says(policy, unmet, standing):
    first = after(Standing.CLAIMED, None, policy, unmet)
    assert first is not None
    assert first[0] is standing
    assert first[1], "the terminal is told why"


def test_what_a_stores_rules_miss_is_said_and_fits_the_message():
    missing = tuple(f"requirement {number} is not met" for number in range(100))
    waiting = after(Standing.CLAIMED, None, Policy.RULES, missing)
    assert waiting is not None
    assert missing[0] in waiting[1]
    assert len(waiting[1]) <= REASON_LENGTH_MAX


@pytest.mark.parametrize("policy", Policy)
def test_no_policy_overrules_an_operators_rejection(policy: Policy):
    changed = after(Standing.REJECTED, ANOTHER, policy)
    assert changed is not None
    assert changed[0] is Standing.PENDING


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("known", [OURS, ANOTHER])
def test_another_pc_under_the_same_identity_is_never_confirmed_by_itself(policy, known):
    moved = after(Standing.CONFIRMED, known, policy, is_moved=True)
    assert moved is not None
    assert moved[0] is Standing.PENDING


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.RETIRED])
def test_no_specification_brings_back_what_an_operator_has_closed(standing, policy):
    assert after(standing, ANOTHER, policy) is None


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("busy", [True, False])
def test_only_a_confirmed_terminal_has_the_role_of_service(standing: Standing, busy):
    role = role_for(standing, has_to_settle=busy)
    assert (role is BrokerRole.SERVICE) is (standing is Standing.CONFIRMED)
    if standing is not Standing.CONFIRMED:
        assert role is (BrokerRole.SETTLING if busy else BrokerRole.GATE)


@pytest.mark.parametrize("standing", Standing)
def test_whoever_enrols_again_begins_again_unless_it_has_retired(standing: Standing):
    begun = STANDING.step(standing, StandingEvent.ENROL)
    assert begun is (None if standing is Standing.RETIRED else Standing.CLAIMED)


def test_no_way_leads_back_from_retired():
    assert Standing.RETIRED in STANDING.ends()


def test_only_a_word_of_somebody_leads_to_confirmed():
    ways = {event for (_, event), after in STANDING.table.items() if after is Standing.CONFIRMED}
    assert ways == {StandingEvent.CONFIRM, StandingEvent.RESUME}
