"""Small worlds of seats in escrow, explored to their ends; `./dev prove escrow` goes far."""

from __future__ import annotations

import pytest

from tests.prove.escrow import SMALL, STATES_MAX, variant_found
from tests.prove.escrow_explorer import explore
from tests.prove.escrow_variants import GIVING_UP, TO_ONE, VARIANTS
from tests.prove.escrow_world import Scope, Shell

NAMED_BY_THE_PROMISES = (
    "periodic log sync without escrow",
    "grant not deduplicated",
    "client adds twice",
    "return not deduplicated",
    "send before lowering",
    "timeout reclaim",
)


@pytest.mark.parametrize("scope", SMALL, ids=lambda scope: scope.name)
def test_d11_in_no_state_of_a_small_world_is_a_seat_made_or_lost(scope: Scope):
    found = explore(Shell, scope)
    assert (found.breach, found.trace) == (None, ())
    assert found.states > 1_000


@pytest.mark.parametrize("name", VARIANTS)
def test_d11_every_broken_way_to_share_seats_is_caught_by_the_harm_it_does(name: str):
    found = variant_found(name)
    assert found.breach is not None
    assert found.breach.split()[0] == VARIANTS[name].harm
    assert found.trace
    assert found.states < STATES_MAX


@pytest.mark.parametrize("scope", [TO_ONE, GIVING_UP], ids=lambda scope: scope.name)
def test_the_world_of_a_variant_breaks_no_law_without_it(scope: Scope):
    assert explore(Shell, scope, states_max=STATES_MAX).breach is None


def test_each_variant_that_the_promises_name_is_among_them():
    assert tuple(VARIANTS)[: len(NAMED_BY_THE_PROMISES)] == NAMED_BY_THE_PROMISES
