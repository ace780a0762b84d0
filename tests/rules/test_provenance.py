"""A module may go if it came from one of us and is still what came; a guess is a no (D7-D9)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from common.rules.modules import CLOCKS_APART_MS, OnDisk, Provenance, UninstallRefusal, judge

NOW = 10_000_000
ASKED_AT = NOW - CLOCKS_APART_MS
LATE_ENOUGH = ASKED_AT + CLOCKS_APART_MS


NOTHING_OF_OURS = Provenance(
    is_logged=False,
    has_receipt=False,
    on_disk=OnDisk.OURS,
    asked_at=ASKED_AT,
    known_up_to=NOW,
    now=NOW,
)


def found(**facts: Any) -> Provenance:
    return replace(NOTHING_OF_OURS, **facts)


@pytest.mark.parametrize(("is_logged", "has_receipt"), [(True, False), (False, True), (True, True)])
def test_d8_what_came_from_us_and_is_still_that_may_go_whoever_is_unheard(is_logged, has_receipt):
    assert judge(found(is_logged=is_logged, has_receipt=has_receipt, known_up_to=0)) is None


def test_d9_what_never_came_from_us_may_not_go_whatever_lies_there():
    for on_disk in OnDisk:
        assert judge(found(on_disk=on_disk)) is UninstallRefusal.NOT_FROM_HERE


def test_d9_what_was_put_in_the_place_of_ours_may_not_go():
    assert judge(found(is_logged=True, on_disk=OnDisk.ANOTHER)) is UninstallRefusal.REPLACED


def test_d7_a_copy_whose_digest_nobody_knows_is_undecided():
    assert judge(found(has_receipt=True, on_disk=OnDisk.UNKNOWN)) is UninstallRefusal.UNDECIDED


@pytest.mark.parametrize("known_up_to", [0, 1, ASKED_AT, LATE_ENOUGH - 1])
def test_d7_while_a_log_may_hold_a_line_that_is_not_here_nothing_is_decided(known_up_to):
    assert judge(found(known_up_to=known_up_to)) is UninstallRefusal.UNDECIDED


def test_d9_all_that_was_written_before_the_question_is_enough_and_clocks_may_differ():
    later = NOW + 3_600_000
    assert judge(found(known_up_to=LATE_ENOUGH, now=later)) is UninstallRefusal.NOT_FROM_HERE


def test_d9_who_writes_alone_knows_at_once():
    assert judge(found(asked_at=NOW)) is UninstallRefusal.NOT_FROM_HERE


def test_d7_nothing_goes_without_a_line_or_a_receipt_and_a_digest_of_ours():
    for is_logged, has_receipt, on_disk, known_up_to in product(
        (True, False), (True, False), OnDisk, (0, ASKED_AT, NOW)
    ):
        facts = found(
            is_logged=is_logged, has_receipt=has_receipt, on_disk=on_disk, known_up_to=known_up_to
        )
        may_go = (is_logged or has_receipt) and on_disk is OnDisk.OURS
        assert (judge(facts) is None) == may_go
