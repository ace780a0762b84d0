"""A hint that is shown stays until another has been seen for a while: nothing flickers."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from random import Random

from common.rules.scanners import HINT_LOOKS, READS_LOOKS, ScannerHint, Steadied, steadied

FAR, NEAR, NOTHING, READS = (
    *(ScannerHint.TOO_FAR, ScannerHint.TOO_NEAR, ScannerHint.NOTHING, ScannerHint.READS),
)


def shown_after(*seen: ScannerHint) -> ScannerHint:
    return reduce(steadied, seen, Steadied()).shown


def test_a_hint_shows_when_it_was_seen_a_few_times_in_a_row():
    assert shown_after(*[FAR] * (HINT_LOOKS - 1)) is NOTHING
    assert shown_after(*[FAR] * HINT_LOOKS) is FAR


def test_hints_that_alternate_show_nothing_new():
    assert shown_after(*[FAR, NEAR] * 20) is NOTHING
    assert shown_after(*[FAR] * HINT_LOOKS, *[NEAR, FAR] * 20) is FAR


def test_a_code_that_is_read_and_a_scanner_that_goes_show_at_once():
    assert shown_after(READS) is READS
    assert shown_after(FAR, ScannerHint.AWAY) is ScannerHint.AWAY
    assert shown_after(ScannerHint.AWAY, READS) is READS


def test_a_code_that_was_read_is_told_for_a_second():
    assert shown_after(READS, *[NOTHING] * (READS_LOOKS - 1)) is READS
    assert shown_after(READS, *[NOTHING] * READS_LOOKS) is NOTHING


def test_no_hint_but_these_two_comes_in_less_than_its_looks(seed):

    dice = Random(seed)
    states = [Steadied()]
    for _ in range(2_000):
        states.append(steadied(states[-1], dice.choice(list(ScannerHint))))
    at_once = {READS, ScannerHint.AWAY}
    changes = [
        number
        for number, (before, after) in enumerate(pairwise(states))
        if before.shown is not after.shown and after.shown not in at_once
    ]
    assert all(states[number].looks >= HINT_LOOKS - 1 for number in changes)
    assert changes
