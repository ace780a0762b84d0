"""Small worlds of the rights exchange, explored to their ends; `./dev prove rights` goes far."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

import pytest
from typing_extensions import override

from common.rules.rights import CLIENT, ClientState, Said, Verdict
from tests.prove.rights import SMALL, variant_found
from tests.prove.rights_explorer import Found, explore
from tests.prove.rights_laws import LAWS
from tests.prove.rights_variants import VARIANTS
from tests.prove.rights_world import Books, Disk, Heard, Keep, Move, Scope, Shell

Way: TypeAlias = tuple[ClientState, ClientState]

STATES_MAX = 15_000
"""States after which the world of a variant is left; each variant is caught in fewer."""

NAMED_BY_THE_PROMISES = (
    "forget at completion",
    "time-limited memory of the record",
    "answer before commit",
    "id not saved before sending",
    "completion before storing",
    "no lock",
    "no tombstone",
    "ledger and record in two transactions",
    "new id per retry",
    "seq-only id",
    "abort that does not raise the mark",
)


@pytest.mark.parametrize("scope", SMALL, ids=lambda scope: scope.name)
def test_b11_no_state_of_a_small_world_breaks_a_law(scope: Scope):
    found, _, _ = _explored(scope)
    assert (found.breach, found.trace) == (None, ())
    assert found.states > 100


def test_the_small_worlds_go_every_way_that_the_tables_name():
    gone = frozenset().union(*(_explored(scope)[1] for scope in SMALL))
    verdicts = frozenset().union(*(_explored(scope)[2] for scope in SMALL))
    assert {(state, after) for (state, _), after in CLIENT.table.items()} <= gone
    assert set(Verdict) - verdicts == {Verdict.MISPLACED}, "no client says what is misplaced"


@pytest.mark.parametrize("name", VARIANTS)
def test_b11_every_broken_variant_is_caught_by_a_law_with_a_way_to_it(name: str):
    found = variant_found(name)
    assert found.breach is not None
    assert found.breach.split()[0] in LAWS
    assert found.trace
    assert found.states < STATES_MAX


def test_each_variant_that_the_promises_name_is_among_them():
    assert tuple(VARIANTS)[: len(NAMED_BY_THE_PROMISES)] == NAMED_BY_THE_PROMISES


@pytest.mark.parametrize("name", VARIANTS)
def test_the_world_of_a_variant_breaks_no_law_without_it(name: str):
    scope = VARIANTS[name].scope
    assert explore(Shell, scope, states_max=STATES_MAX).breach is None


@cache
def _explored(scope: Scope) -> tuple[Found, frozenset[Way], frozenset[Verdict]]:
    """Explore a world; return also every way its clients went, and every verdict in it."""
    gone: set[Way] = set()
    verdicts: set[Verdict] = set()

    class Watched(Shell):
        @override
        def own_moves(self, disk: Disk) -> Iterator[Move]:
            return self._noted(disk, super().own_moves(disk))

        @override
        def hear(self, disk: Disk, heard: Heard) -> Iterator[Move]:
            return self._noted(disk, super().hear(disk, heard))

        @override
        def judge(self, books: Books, said: Said) -> Verdict:
            verdict = super().judge(books, said)
            verdicts.add(verdict)
            return verdict

        def _noted(self, disk: Disk, moves: Iterator[Move]) -> Iterator[Move]:
            for move in moves:
                for stage in move.stages:
                    if isinstance(stage, Keep) and isinstance(stage.durable, Disk):
                        gone.add((disk.record.state, stage.durable.record.state))
                yield move

    return explore(Watched, scope), frozenset(gone), frozenset(verdicts)
