"""Somebody is told of problems: what is due is noted, and its letters are queued with it."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from cloud_controller.flows import alerts, letters
from cloud_controller.flows.alerts import Alert
from cloud_controller.ports import Transaction
from common.rules.letters import LetterKind
from common.rules.problems import WEBHOOKS, AlertStep

LETTERS: Final = {
    AlertStep.RAISED: LetterKind.PROBLEM_RAISED,
    AlertStep.ESCALATED: LetterKind.PROBLEM_ESCALATED,
    AlertStep.SOLVED: LetterKind.PROBLEM_SOLVED,
}

IN_ONE_LETTER_MAX: Final = 10
"""Problems that one letter names: after a power cut a letter is read, fifty are not."""


def tell_problems(books: Transaction) -> None:
    """Tell who is to be told: one letter for all that is due to one address at once."""
    found = sorted(alerts.take(books, has_webhooks=False), key=_alike)
    for (recipient, step, language), group in groupby(found, key=_alike):
        if recipient == WEBHOOKS:
            continue
        told = list(group)
        facts = {
            "problems": [each.problem for each in told[:IN_ONE_LETTER_MAX]],
            "more": max(0, len(told) - IN_ONE_LETTER_MAX),
            "path": _path(told),
        }
        letters.queue(books, LETTERS[step], to=recipient, language=language, facts=facts)


def _alike(alert: Alert) -> tuple[str, AlertStep, str]:
    return alert.recipient, alert.step, alert.language


def _path(told: list[Alert]) -> str:
    return f"/operator/problems/{told[0].problem}" if len(told) == 1 else "/operator/problems"
