"""Somebody is told of problems: what is due is noted, and its letters are queued with it."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from cloud_controller.flows import alerts, letters
from cloud_controller.flows.alerts import Alert
from cloud_controller.ports import Transaction
from common.rules.hooks import Happened, HookType
from common.rules.letters import LetterKind
from common.rules.problems import WEBHOOKS, AlertStep

LETTERS: Final = {
    AlertStep.RAISED: LetterKind.PROBLEM_RAISED,
    AlertStep.ESCALATED: LetterKind.PROBLEM_ESCALATED,
    AlertStep.SOLVED: LetterKind.PROBLEM_SOLVED,
}

EVENTS: Final = {
    AlertStep.RAISED: HookType.PROBLEM_RAISED,
    AlertStep.SOLVED: HookType.PROBLEM_SOLVED,
}
"""What programs elsewhere are told of; whom it escalates to is a person."""

IN_ONE_LETTER_MAX: Final = 10
"""Problems that one letter names: after a power cut a letter is read, fifty are not."""


def tell_problems(books: Transaction) -> None:
    """Tell who is to be told: one letter for all that is due to one address at once."""
    has_webhooks = bool(list(books.hooks.listening()))
    found = sorted(alerts.take(books, has_webhooks=has_webhooks), key=_alike)
    for (recipient, step, language), group in groupby(found, key=_alike):
        told = list(group)
        if recipient == WEBHOOKS:
            _tell_webhooks(books, told)
            continue
        facts = {
            "problems": [each.problem for each in told[:IN_ONE_LETTER_MAX]],
            "more": max(0, len(told) - IN_ONE_LETTER_MAX),
            "path": _path(told),
        }
        letters.queue(books, LETTERS[step], to=recipient, language=language, facts=facts)


def _tell_webhooks(books: Transaction, told: list[Alert]) -> None:
    for each in told:
        if each.step in EVENTS:
            happened = Happened(
                type=EVENTS[each.step], about=each.problem, facts={"kind": each.kind}
            )
            books.tell_hooks(happened, store=each.store)


def _alike(alert: Alert) -> tuple[str, AlertStep, str]:
    return alert.recipient, alert.step, alert.language


def _path(told: list[Alert]) -> str:
    return f"/operator/problems/{told[0].problem}" if len(told) == 1 else "/operator/problems"
