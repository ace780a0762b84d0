"""Who is told of problems: by each store's rule, once of each problem, and when it is over.

Its law: that somebody is told, and the row that says so, are one commit; what was told once is
never told again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from cloud_controller.ports import Row, Transaction
from common.rules.accounts import EVERY_STORE
from common.rules.problems import (
    AlertRule,
    AlertStep,
    ProblemKind,
    Severity,
    Standing,
    Told,
    due,
)

OPEN_MAX: Final = 500
"""Open problems that are looked through: more than a store of fifty PCs has at once."""

SOLVED_WITHIN_SECONDS: Final = 2 * 86_400
"""How long it is told that something is over: longer than any quiet hours."""


UNSAID: Final = AlertRule(least=Severity.NOTE, wait_seconds=0)
"""The rule where there is none: webhooks hear everything at once, and nobody is written to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """What is to be told, to whom, and in which language.

    Attributes:
        store: the problem's own; None where it is no store's.
    """

    problem: str
    kind: ProblemKind
    step: AlertStep
    recipient: str
    language: str
    store: str | None
    time_zone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A rule with its store, or `EVERY_STORE`; who changed it last, and when."""

    store: str
    rule: AlertRule
    changed_by: str = ""
    changed_at: int = 0


def take(books: Transaction, *, has_webhooks: bool) -> list[Alert]:
    """Return what is to be told now, and note that it is; without webhooks only mails are sent."""
    rules = {each.store: each.rule for each in kept(books)}
    if not rules and not has_webhooks:
        return []
    if not has_webhooks:
        rules = {store: replace(rule, uses_webhooks=False) for store, rule in rules.items()}
    everywhere = rules.get(EVERY_STORE, replace(UNSAID, uses_webhooks=has_webhooks))
    since = books.now - SOLVED_WITHIN_SECONDS * 1000
    zone = books.alerts.zone() or "UTC"
    found = [*books.alerts.open(most=OPEN_MAX), *books.alerts.solved(since=since, most=OPEN_MAX)]
    taken: list[Alert] = []
    for row in found:
        taken += _take(books, row, rules.get(row["store_id"], everywhere), row["time_zone"] or zone)
    return taken


def kept(books: Transaction) -> list[Kept]:
    """Return all rules; what has none is told by that of every store, else to webhooks alone."""
    return [_kept(row) for row in books.alerts.rules()]


def keep_rule(books: Transaction, store: str, rule: AlertRule, actor: str) -> None:
    """Keep how a store's problems are told, or those of `EVERY_STORE`; audited."""
    books.alerts.keep_rule(
        store_id=store,
        mails=json.dumps(rule.mails),
        escalates_to=json.dumps(rule.escalates_to),
        language=rule.language,
        least=rule.least,
        quiet_from_minute=rule.quiet_from_minute,
        quiet_until_minute=rule.quiet_until_minute,
        is_urgent_loud=int(rule.is_urgent_loud),
        wait_seconds=rule.wait_seconds,
        escalate_seconds=rule.escalate_seconds,
        uses_webhooks=int(rule.uses_webhooks),
        changed_by=actor,
        changed_at=books.now,
    )
    books.audit(actor, "alerts.changed", store)


def forget_rule(books: Transaction, store: str, actor: str) -> None:
    """Have a store told as every store is; audited."""
    books.alerts.forget_rule(store_id=store)
    books.audit(actor, "alerts.forgotten", store)


def told(books: Transaction, problem: str) -> list[Told]:
    """Return who was told what of a problem, the earliest first."""
    return [
        Told(step=AlertStep(row["step"]), recipient=row["recipient"], at=row["made_at"])
        for row in books.alerts.told(problem_id=problem)
    ]


def _take(books: Transaction, row: Row, rule: AlertRule, zone: str) -> list[Alert]:
    problem = row["problem_id"]
    kind = ProblemKind(row["kind"])
    standing = Standing(
        kind=kind,
        raised_at=row["raised_at"],
        taken_at=row["taken_at"],
        solved_at=row["solved_at"],
    )
    taken = []
    for step, recipient in due(rule, standing, told(books, problem), zone, books.now):
        books.alerts.tell(problem_id=problem, step=step, recipient=recipient, made_at=books.now)
        alert = Alert(
            problem=problem,
            kind=kind,
            step=step,
            recipient=recipient,
            language=rule.language,
            store=row["store_id"],
            time_zone=zone,
        )
        taken.append(alert)
    return taken


def _kept(row: Row) -> Kept:
    rule = AlertRule(
        mails=tuple(json.loads(row["mails"])),
        escalates_to=tuple(json.loads(row["escalates_to"])),
        language=row["language"],
        least=Severity(row["least"]),
        quiet_from_minute=row["quiet_from_minute"],
        quiet_until_minute=row["quiet_until_minute"],
        is_urgent_loud=row["is_urgent_loud"] == 1,
        wait_seconds=row["wait_seconds"],
        escalate_seconds=row["escalate_seconds"],
        uses_webhooks=row["uses_webhooks"] == 1,
    )
    return Kept(
        store=row["store_id"],
        rule=rule,
        changed_by=row["changed_by"],
        changed_at=row["changed_at"],
    )
