"""Who is told of a problem, when, and how often: once of each, never in the quiet hours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from common.rules.problems.kinds import NOT_BY_MAIL, SEVERITIES, ProblemKind, Severity, is_at_least

MAILS_MAX: Final = 10
"""Addresses that one rule tells: who runs a store."""

WAIT_SECONDS_MAX: Final = 3_600
ESCALATE_SECONDS_MAX: Final = 86_400
"""Longer than a day nobody waits with telling somebody else."""

WEBHOOKS: Final = "webhooks"
"""The recipient that stands for all webhooks of the store; no mail address is so."""


class AlertStep(StrEnum):
    """What is told."""

    RAISED = "raised"
    ESCALATED = "escalated"
    """Nobody has taken it on in time: others are told."""
    SOLVED = "solved"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRule:
    """How one store's problems are told; quiet from and until are minutes of its day.

    Attributes:
        mails: who is told first.
        escalates_to: who is told when nobody takes it on; empty: the first once more.
        least: what is less pressing is not told.
        is_urgent_loud: whether what is urgent is told in the quiet hours as well.
        wait_seconds: what is over by itself so soon is never told.
        escalate_seconds: from the first word until others are told; 0: never.
    """

    mails: tuple[str, ...] = ()
    escalates_to: tuple[str, ...] = ()
    language: str = "en"
    least: Severity = Severity.SOON
    quiet_from_minute: int = 0
    quiet_until_minute: int = 0
    is_urgent_loud: bool = True
    wait_seconds: int = 60
    escalate_seconds: int = 0
    uses_webhooks: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """That somebody was told something."""

    step: AlertStep
    recipient: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a problem stands: instants in UTC milliseconds, None where that has not been."""

    kind: ProblemKind
    raised_at: int
    taken_at: int | None
    solved_at: int | None


def due(
    rule: AlertRule, problem: Standing, told: Collection[Told], zone: str, now: int
) -> list[tuple[AlertStep, str]]:
    """Return what is to be told now and to whom; each pair once, whenever it is asked."""
    severity = SEVERITIES[problem.kind]
    if is_quiet(rule, severity, zone, now):
        return []
    done = {(each.step, each.recipient) for each in told}
    if problem.solved_at is not None:
        heard = {each.recipient for each in told if each.step is not AlertStep.SOLVED}
        return [pair for pair in _pairs(AlertStep.SOLVED, sorted(heard)) if pair not in done]
    if not is_at_least(severity, rule.least):
        return []
    if now < problem.raised_at + rule.wait_seconds * 1000:
        return []
    pairs = _pairs(AlertStep.RAISED, _reached(rule, rule.mails, problem.kind))
    if _is_to_escalate(rule, problem, told, now):
        others = _reached(rule, rule.escalates_to or rule.mails, problem.kind)
        pairs += _pairs(AlertStep.ESCALATED, others)
    return [pair for pair in pairs if pair not in done]


def is_quiet(rule: AlertRule, severity: Severity, zone: str, now: int) -> bool:
    """Say whether nobody is to be told of such a thing at this hour of the store's clock."""
    if severity is Severity.URGENT and rule.is_urgent_loud:
        return False
    begins, ends = rule.quiet_from_minute, rule.quiet_until_minute
    wall = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone))
    minute = wall.hour * 60 + wall.minute
    if begins <= ends:
        return begins <= minute < ends
    return minute >= begins or minute < ends


def _is_to_escalate(rule: AlertRule, problem: Standing, told: Collection[Told], now: int) -> bool:
    first = min((each.at for each in told if each.step is AlertStep.RAISED), default=None)
    if not rule.escalate_seconds or first is None or problem.taken_at is not None:
        return False
    return now >= first + rule.escalate_seconds * 1000


def _reached(rule: AlertRule, mails: tuple[str, ...], kind: ProblemKind) -> tuple[str, ...]:
    by_mail = () if kind in NOT_BY_MAIL else mails
    return (*by_mail, WEBHOOKS) if rule.uses_webhooks else by_mail


def _pairs(step: AlertStep, recipients: Collection[str]) -> list[tuple[AlertStep, str]]:
    return [(step, each) for each in recipients]
