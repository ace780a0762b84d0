"""The client part first, then a right, then the module; and each of it only where it is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from common.rules.modules import (
    Asked,
    Basis,
    Here,
    Lease,
    OnOffer,
    PackageFacts,
    SeatAskState,
    Step,
    next_step,
)

NOW = 1_000
OLD, NEW = "0" * 64, "1" * 64
OFFERED = OnOffer(sha256=NEW, release_counter=2)
PROGRAM = PackageFacts(is_module=False, offered=OFFERED)
MODULE = PackageFacts(is_module=True, offered=OFFERED)
IT_IS_HERE = Here(sha256=NEW, release_counter=2)
AN_OLDER_ONE = Here(sha256=OLD, release_counter=1)
FRESH = Lease(issued_at=NOW - 100, ends_at=NOW + 900)
HALF_OVER = Lease(issued_at=NOW - 500, ends_at=NOW + 500)
GRANTED = Asked(sha256=NEW, state=SeatAskState.GRANTED, ends_at=NOW + 1)
REFUSED = Asked(sha256=NEW, state=SeatAskState.REFUSED)
IN_HAND = replace(MODULE, here=IT_IS_HERE)

EXPECTED: tuple[tuple[str, PackageFacts, Step], ...] = (
    ("a program that is not here", PROGRAM, Step.INSTALL),
    ("a program that is here", replace(PROGRAM, here=IT_IS_HERE), Step.HERE),
    ("an older program", replace(PROGRAM, here=AN_OLDER_ONE), Step.INSTALL),
    ("a program that failed", replace(PROGRAM, has_failed=True), Step.FAILED),
    ("a program not on offer", replace(PROGRAM, offered=None), Step.NOT_ON_OFFER),
    ("a module not on offer", replace(MODULE, offered=None), Step.NOT_ON_OFFER),
    ("a module before its program", replace(MODULE, client_is_here=False), Step.WAIT_FOR_CLIENT),
    ("a module not here", MODULE, Step.ASK),
    ("no seat is left", replace(MODULE, offered=replace(OFFERED, has_seats=False)), Step.NO_SEAT),
    ("it is granted", replace(MODULE, asked=GRANTED), Step.INSTALL),
    ("granted, no seat else", replace(MODULE, asked=GRANTED), Step.INSTALL),
    ("granted, and over", replace(MODULE, asked=replace(GRANTED, ends_at=NOW)), Step.ASK),
    ("another was granted", replace(MODULE, asked=replace(GRANTED, sha256=OLD)), Step.ASK),
    ("it is refused", replace(MODULE, asked=REFUSED), Step.REFUSED),
    ("refused before", replace(MODULE, asked=replace(REFUSED, is_new=False)), Step.ASK),
    ("granted and failed", replace(MODULE, asked=GRANTED, has_failed=True), Step.FAILED),
    ("it is here", replace(IN_HAND, lease=FRESH), Step.HERE),
    ("its lease is half over", replace(IN_HAND, lease=HALF_OVER), Step.RENEW),
    ("withdrawn, and half over", replace(IN_HAND, offered=None, lease=HALF_OVER), Step.RENEW),
    ("here without a receipt", IN_HAND, Step.RENEW),
    ("here, no licence, no receipt", replace(IN_HAND, offered=None), Step.HERE),
    ("not renewed just now", replace(IN_HAND, lease=HALF_OVER, asked=REFUSED), Step.HERE),
    ("put here by another", replace(MODULE, is_elsewhere=True), Step.ELSEWHERE),
    ("unwished", replace(MODULE, is_unwished=True), Step.UNWISHED),
    ("unwished and kept", replace(IN_HAND, lease=HALF_OVER, is_unwished=True), Step.RENEW),
    (
        "unwished, not updated",
        replace(MODULE, here=AN_OLDER_ONE, lease=FRESH, is_unwished=True),
        Step.HERE,
    ),
    (
        "a later one is here",
        replace(MODULE, here=Here(sha256=OLD, release_counter=3), lease=FRESH),
        Step.HERE,
    ),
    (
        "counted for ever",
        replace(IN_HAND, offered=replace(OFFERED, basis=Basis.EVER_ISSUED), lease=HALF_OVER),
        Step.HERE,
    ),
)


@pytest.mark.parametrize(
    ("facts", "step"), [case[1:] for case in EXPECTED], ids=[case[0] for case in EXPECTED]
)
def test_d1_d2_d3_each_package_has_one_next_step(facts: PackageFacts, step: Step):
    assert next_step(facts, NOW) is step


def any_facts() -> st.SearchStrategy[PackageFacts]:
    digests, counters, instants = st.sampled_from([OLD, NEW]), st.integers(1, 3), st.integers(0, 2)
    at = instants.map(lambda which: (NOW - 1, NOW, NOW + 1)[which])
    offers = st.builds(
        OnOffer,
        sha256=digests,
        release_counter=counters,
        basis=st.sampled_from(Basis),
        has_seats=st.booleans(),
    )
    return st.builds(
        PackageFacts,
        is_module=st.booleans(),
        offered=st.none() | offers,
        here=st.none() | st.builds(Here, sha256=digests, release_counter=counters),
        lease=st.none() | st.builds(Lease, issued_at=st.just(0), ends_at=at),
        asked=st.none()
        | st.builds(
            Asked,
            sha256=digests,
            state=st.sampled_from(SeatAskState),
            ends_at=at,
            is_new=st.booleans(),
        ),
        is_elsewhere=st.booleans(),
        is_unwished=st.booleans(),
        client_is_here=st.booleans(),
        has_failed=st.booleans(),
    )


@given(facts=any_facts())
def test_d3_a_module_is_installed_by_a_right_for_that_very_archive_alone(facts: PackageFacts):
    step = next_step(facts, NOW)
    if step is Step.INSTALL and facts.is_module:
        assert facts.asked is not None
        assert facts.offered is not None
        assert facts.asked.state is SeatAskState.GRANTED
        assert facts.asked.sha256 == facts.offered.sha256
        assert facts.asked.ends_at > NOW
        assert facts.client_is_here


@given(facts=any_facts())
def test_d2_nothing_is_fetched_nor_asked_for_that_is_not_on_offer(facts: PackageFacts):
    if facts.offered is None:
        assert next_step(facts, NOW) not in {Step.INSTALL, Step.ASK}


@given(facts=any_facts())
def test_d3_what_another_party_put_here_is_neither_fetched_nor_asked_for(facts: PackageFacts):
    assert next_step(replace(facts, is_elsewhere=True), NOW) is Step.ELSEWHERE
