"""Two faults at any hook points of both sides, on real files: nothing is lost and nothing twice."""

from __future__ import annotations

import pytest

from tests.prove.crash import a_world, is_caught, walked
from tests.prove.crash_explorer import Exploration
from tests.prove.crash_stories import STORIES
from tests.prove.crash_variants import VARIANTS

FAULTS_MAX = 2
BY_ONE = "extension"
"""A story that is as long as two: two faults in it are tried by `./dev prove crash` alone."""

BY_TWO = sorted(set(STORIES) - {BY_ONE})


def test_b11_every_schedule_of_two_faults_comes_to_rest_and_breaks_nothing(seed):
    """Of one story, which one the dice say: `./dev prove crash` tries them all."""
    with a_world(BY_TWO[seed % len(BY_TWO)]) as world:
        found = Exploration(world, FAULTS_MAX).run()
    assert found.violations == []
    assert found.is_whole
    assert found.points > 200
    assert found.schedules > found.points**2 / 2


def test_b11_more_time_is_had_once_whatever_one_fault_strikes_at_any_step():
    with a_world(BY_ONE) as world:
        found = Exploration(world, 1).run()
    assert found.violations == []
    assert found.is_whole
    assert found.schedules > found.points > 200


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_broken_variant_is_caught_within_two_faults(variant):
    assert is_caught(variant)


@pytest.mark.parametrize("story", STORIES)
def test_a_schedule_that_runs_alone_comes_to_the_same_end(story, seed):
    assert walked(story, seed, walks=5) == []
