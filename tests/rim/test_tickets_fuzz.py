"""A short run of `./dev prove tickets`: nothing is accepted that no key signed (C3)."""

from __future__ import annotations

from random import Random

import pytest

from tests.prove import tickets
from tests.prove.tickets_fuzz import VARIANTS, Fuzz, drawn, variant_found, vectors

EXECUTIONS = 30_000


def test_c3_no_mutated_ticket_is_accepted_and_nothing_else_is_raised(seed):
    fuzz, dice = Fuzz(vectors()), Random(seed)
    for _ in range(EXECUTIONS):
        fuzz(drawn(dice))
    assert fuzz.tally.violations == []
    assert fuzz.tally.executions == EXECUTIONS
    assert fuzz.tally.well_formed > EXECUTIONS // 4
    assert fuzz.tally.accepted > 0


@pytest.mark.parametrize("name", VARIANTS)
def test_a_broken_variant_of_the_parser_is_found(name, seed):
    assert variant_found(name, vectors(), seed).violations


async def test_c3_the_long_proof_runs_and_holds_for_a_second():
    counts = await tickets.prove(1.0, 1)
    assert counts.holds, counts.violations
    assert counts.executions > 1_000
    assert len(counts.caught) == len(VARIANTS)
