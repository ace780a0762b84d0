"""Who is told of a problem: once, not in the quiet hours, others when nobody comes, and its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.rules.problems import (
    NOT_BY_MAIL,
    SEVERITIES,
    WEBHOOKS,
    AlertRule,
    AlertStep,
    ProblemKind,
    Severity,
    Standing,
    Told,
    due,
    is_quiet,
)

TOKYO = "Asia/Tokyo"
NOON_AT = 1_795_748_400_000  # 2026-11-27 12:00 in Tokyo
HOUR_MS = 3_600_000
RULE = AlertRule(
    mails=("a@x.example",),
    escalates_to=("boss@x.example",),
    quiet_from_minute=22 * 60,
    quiet_until_minute=8 * 60,
    wait_seconds=60,
    escalate_seconds=900,
    uses_webhooks=False,
)
STALE = Standing(kind=ProblemKind.PACKAGES_STALE, raised_at=NOON_AT, taken_at=None, solved_at=None)
LATE = replace(STALE, kind=ProblemKind.START_LATE)


def told(step: AlertStep, recipient: str = "a@x.example", at: int = NOON_AT) -> Told:
    return Told(step=step, recipient=recipient, at=at)


def test_what_is_over_before_the_wait_is_told_to_nobody():
    assert due(RULE, STALE, (), TOKYO, NOON_AT + 59_999) == []
    assert due(RULE, replace(STALE, solved_at=NOON_AT + 9), (), TOKYO, NOON_AT + HOUR_MS) == []
    assert due(RULE, STALE, (), TOKYO, NOON_AT + 60_000) == [(AlertStep.RAISED, "a@x.example")]


def test_each_is_told_once():
    after = NOON_AT + HOUR_MS // 6
    assert due(RULE, STALE, (told(AlertStep.RAISED),), TOKYO, after) == []


def test_what_nobody_takes_on_is_told_to_others_once():
    first = (told(AlertStep.RAISED),)
    assert due(RULE, STALE, first, TOKYO, NOON_AT + 899_999) == []
    expected = [(AlertStep.ESCALATED, "boss@x.example")]
    assert due(RULE, STALE, first, TOKYO, NOON_AT + 900_000) == expected
    both = (*first, told(AlertStep.ESCALATED, "boss@x.example"))
    assert due(RULE, STALE, both, TOKYO, NOON_AT + HOUR_MS) == []


def test_what_somebody_has_taken_on_is_told_to_nobody_else():
    taken = replace(STALE, taken_at=NOON_AT + 1)
    assert due(RULE, taken, (told(AlertStep.RAISED),), TOKYO, NOON_AT + HOUR_MS) == []


def test_without_others_the_first_are_told_once_more():
    alone = replace(RULE, escalates_to=())
    found = due(alone, STALE, (told(AlertStep.RAISED),), TOKYO, NOON_AT + HOUR_MS)
    assert found == [(AlertStep.ESCALATED, "a@x.example")]


def test_whoever_was_told_of_it_is_told_once_that_it_is_over():
    over = replace(STALE, solved_at=NOON_AT + HOUR_MS)
    heard = (told(AlertStep.RAISED), told(AlertStep.ESCALATED, "boss@x.example"))
    now = NOON_AT + HOUR_MS
    expected = [(AlertStep.SOLVED, "a@x.example"), (AlertStep.SOLVED, "boss@x.example")]
    assert due(RULE, over, heard, TOKYO, now) == expected
    again = (*heard, *(Told(step=step, recipient=who, at=now) for step, who in expected))
    assert due(RULE, over, again, TOKYO, now) == []


def test_in_the_quiet_hours_only_what_is_urgent_is_told_and_the_rest_in_the_morning():
    night, morning = NOON_AT + 12 * HOUR_MS, NOON_AT + 20 * HOUR_MS
    assert due(RULE, STALE, (), TOKYO, night) == []
    assert due(RULE, LATE, (), TOKYO, night) == [(AlertStep.RAISED, "a@x.example")]
    assert due(replace(RULE, is_urgent_loud=False), LATE, (), TOKYO, night) == []
    assert due(RULE, STALE, (), TOKYO, morning) == [(AlertStep.RAISED, "a@x.example")]
    over = replace(STALE, solved_at=night)
    assert due(RULE, over, (told(AlertStep.RAISED),), TOKYO, night) == []
    assert due(RULE, over, (told(AlertStep.RAISED),), TOKYO, morning) != []


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        (22, 8, {22, 23, *range(8)}),
        (1, 5, set(range(1, 5))),
        (0, 0, set()),
        (13, 12, set(range(24)) - {12}),
    ],
)
def test_quiet_hours_are_those_of_the_store_s_clock(begins: int, ends: int, hours: set[int]):
    rule = AlertRule(quiet_from_minute=begins * 60, quiet_until_minute=ends * 60)
    for zone, ahead in ((TOKYO, 12), ("UTC", 3)):
        quiet = {
            (ahead + hour) % 24
            for hour in range(24)
            if is_quiet(rule, Severity.SOON, zone, NOON_AT + hour * HOUR_MS)
        }
        assert quiet == hours


def test_less_than_the_rule_asks_for_is_not_told():
    note = replace(STALE, kind=ProblemKind.COMPENSATION_MADE)
    now = NOON_AT + HOUR_MS
    assert due(RULE, note, (), TOKYO, now) == []
    assert due(replace(RULE, least=Severity.NOTE), note, (), TOKYO, now) != []
    assert due(replace(RULE, least=Severity.URGENT), STALE, (), TOKYO, now) == []


@pytest.mark.parametrize("kind", NOT_BY_MAIL)
def test_no_letter_tells_that_letters_are_refused(kind: ProblemKind):
    rule = replace(RULE, least=Severity.NOTE, uses_webhooks=True)
    found = due(rule, replace(STALE, kind=kind), (), TOKYO, NOON_AT + HOUR_MS)
    assert found == [(AlertStep.RAISED, WEBHOOKS)]


def test_each_kind_says_how_soon_somebody_has_to_look():
    assert set(SEVERITIES) == set(ProblemKind)
    assert set(SEVERITIES.values()) == set(Severity)
