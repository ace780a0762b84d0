"""What an audit has found is kept, and each finding is a problem until one finds it no more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import Problem, Row, Transaction
from common.rules.audit import FINDINGS_MAX, PROMISES, Finding, Invariant, quiet_zone
from common.rules.problems import ProblemKind

KEPT_SECONDS: Final = 400 * 86_400
"""How long audits are kept: a year can be shown, and some."""

AUDITS_MAX: Final = 60
"""Audits that are listed: two months of nights."""

OF_RESERVATIONS: Final = frozenset({Invariant.SOLD_TWICE, Invariant.NOT_PAID_BACK})
"""What these find is a reservation: its problem shows the timeline."""

NIGHTLY: Final = "timer"
"""Who has asked for an audit that nobody did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Audited:
    """An audit as it was: when, by whom, how many rows of what, and what it found.

    `found` counts every finding, of which at most `FINDINGS_MAX` of a kind are kept.
    """

    audit: str
    asked_by: str
    began_at: int
    ended_at: int
    looked: Mapping[str, int]
    found: int
    findings: Sequence[Finding]


def keep(
    books: Transaction,
    began_at: int,
    asked_by: str,
    looked: Mapping[str, int],
    findings: Sequence[Finding],
) -> str:
    """Keep an audit that is over, and return its id.

    Each finding is a problem from now on; one that an earlier audit had found, and this one not,
    is solved.
    """
    audit = books.names.new("audit")
    kept = _at_most(findings)
    books.findings.keep_audit(
        audit_id=audit,
        asked_by=asked_by,
        began_at=began_at,
        ended_at=books.now,
        looked=json.dumps(dict(looked), sort_keys=True),
        found=len(findings),
    )
    for line, each in enumerate(kept, start=1):
        books.findings.keep_finding(
            audit_id=audit,
            line=line,
            invariant=each.invariant,
            subject=each.subject,
            store_id=each.store,
            facts=json.dumps(dict(each.facts), sort_keys=True),
        )
    _raise(books, audit, kept)
    if asked_by != NIGHTLY:
        books.audit(asked_by, "books.audited", audit, f"{len(findings)} findings")
    before = books.now - KEPT_SECONDS * 1000
    books.findings.forget_findings(before=before)
    books.findings.forget_audits(before=before)
    return audit


def audits(books: Transaction, most: int = AUDITS_MAX) -> list[Audited]:
    """Return the latest audits, the last one first."""
    return [_audited(books, row) for row in list(books.findings.audits(most=most))]


def last_began_at(books: Transaction) -> int | None:
    """Return when the last audit began (UTC ms); None: there was none."""
    at: int | None = books.findings.last_began_at()
    return at


def zone_of_quiet(books: Transaction) -> str:
    """Return the zone by whose clock the night is."""
    return quiet_zone(row["time_zone"] for row in books.findings.zones())


def _raise(books: Transaction, audit: str, findings: Sequence[Finding]) -> None:
    still = {_subject(each) for each in findings}
    for each in findings:
        books.raise_problem(
            Problem(
                kind=ProblemKind.PROMISE_BROKEN,
                subject=_subject(each),
                store=each.store or None,
                reservation=each.subject if each.invariant in OF_RESERVATIONS else None,
                why=f"The audit of the books found {each.invariant} at {each.subject}.",
                evidence={
                    "audit": audit,
                    "promise": PROMISES[each.invariant],
                    "store": each.store,
                    **each.facts,
                },
            )
        )
    kind = ProblemKind.PROMISE_BROKEN
    for row in list(books.findings.open_subjects(kind=kind)):
        if row["subject"] not in still:
            books.solve_problem(kind, row["subject"])


def _subject(finding: Finding) -> str:
    return f"{finding.invariant}/{finding.subject}"


def _at_most(findings: Sequence[Finding]) -> list[Finding]:
    """Return the first of each kind, as many as are kept."""
    counted: dict[str, int] = {}
    kept = []
    for each in findings:
        counted[each.invariant] = counted.get(each.invariant, 0) + 1
        if counted[each.invariant] <= FINDINGS_MAX:
            kept.append(each)
    return kept


def _audited(books: Transaction, row: Row) -> Audited:
    findings: list[Any] = list(books.findings.found(audit_id=row["audit_id"]))
    return Audited(
        audit=row["audit_id"],
        asked_by=row["asked_by"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        looked=json.loads(row["looked"]),
        found=row["found"],
        findings=tuple(
            Finding(
                invariant=Invariant(each["invariant"]),
                subject=each["subject"],
                store=each["store_id"],
                facts=json.loads(each["facts"]),
            )
            for each in findings
        ),
    )
