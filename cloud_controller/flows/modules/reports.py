"""Royalty reports: drafted from the log as it is known, closed once, corrected by the next (D6).

Its law: a report begins where the one before it ended, says from which lines of whose log it was
computed, and carries the digest of the one before it; what is closed and signed never changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.modules import (
    ClientSeen,
    Match,
    Matched,
    Period,
    RoyaltyBasis,
    RoyaltyLine,
    Terms,
    due_of,
    royalty_lines,
)
from common.seals import digest_of

KIND: Final = "modules.royalty_report"
"""What a report's document calls itself, so that its signature is good for nothing else."""

RANGE: Final = ("origin", "first_lseq", "last_lseq", "lines", "complete_at")
"""What a report says of each controller's log: whoever has these lines computes the same."""


def draft_report(books: Transaction, module: str, until: int | None = None) -> dict[str, Any]:
    """Return what the next report of a module would say, up to an instant, or up to now.

    Raises:
        NotFound: no such module was ever published here.
        NotAllowed: the period is not over, or was over before the last report.
    """
    row = books.royalties.terms(module=module)
    if row is None:
        raise NotFound(what="module")
    ends_at = books.now if until is None else until
    before = reports(books, module)
    starts_at = before[-1]["ends_at"] if before else 0
    if not starts_at < ends_at <= books.now:
        raise NotAllowed(why="a report's period begins where the last one ended, and is over")
    terms = Terms(
        basis=RoyaltyBasis(row["royalty_basis"]),
        royalty_cents=row["royalty_cents"],
        currency=row["currency"],
    )
    period = Period(report=len(before) + 1, starts_at=starts_at, ends_at=ends_at, terms=terms)
    return _document(books, row, period, [json.loads(each["document"]) for each in before])


def close_report(books: Transaction, document: dict[str, Any], actor: str) -> Row:
    """Sign a draft and keep it for good; return its row. Closed twice, it is closed once.

    Raises:
        NotAllowed: another report was closed since it was drafted.
    """
    module, number = document["module"], document["number"]
    known = reports(books, module)
    if len(known) >= number and known[number - 1]["ends_at"] == document["ends_at"]:
        return known[number - 1]
    follows = digest_of(json.loads(known[-1]["document"])) if known else None
    if document["follows"] != follows or not _kept(books, document):
        raise NotAllowed(why="another report of this module was closed meanwhile")
    books.audit(actor, "modules.report_closed", module, str(number))
    return reports(books, module)[-1]


def reports(books: Transaction, module: str) -> list[Row]:
    """Return the closed reports of a module, the first one first."""
    return list(books.royalties.reports(module=module))


def licensed(books: Transaction) -> list[Row]:
    """Return every module that is published or has seats here, with its newest version if any."""
    return list(books.royalties.licensed())


def matches(books: Transaction, module: str, instants: Sequence[int]) -> list[Match]:
    """Return the match of a module as it is known now, of all lines before each instant."""
    matched = _matched(books, module)
    return [matched.before(instant) for instant in instants]


def _kept(books: Transaction, document: dict[str, Any]) -> bool:
    return bool(
        books.royalties.add_report(
            module=document["module"],
            number=document["number"],
            starts_at=document["starts_at"],
            ends_at=document["ends_at"],
            closed_at=books.now,
            document=json.dumps(document, sort_keys=True),
            signature=books.keys.seal_document(document),
        )
    )


def _matched(books: Transaction, module: str) -> Matched:
    return Matched(
        ClientSeen(issued_at=row["issued_at"], used_at=row["used_at"])
        for row in books.royalties.clients_seen(module=module)
    )


def _document(
    books: Transaction, row: Row, period: Period, before: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    module = row["package"]
    matched = _matched(books, module)
    said = [_line_in(line) for document in before for line in document["lines"]]
    closed = [_line_in(document["lines"][0]).period for document in before]
    lines = royalty_lines(matched, period, closed, said)
    known_up_to = int(books.provenance.known_up_to(now=books.now))
    return {
        "kind": KIND,
        "module": module,
        "title": row["title"],
        "vendor": row["vendor"],
        "number": period.report,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
        "drafted_at": books.now,
        "match": _match_said(matched.before(period.ends_at)),
        "match_before": _match_said(matched.before(period.starts_at)),
        "runs_over_limit": books.royalties.runs_over_limit(module=module, until=period.ends_at),
        "lines": [_line_said(line) for line in lines],
        "due_cents": dict(due_of(lines)),
        "events": [
            {name: each[name] for name in RANGE} for each in books.royalties.ranges(now=books.now)
        ],
        "known_up_to": known_up_to,
        "is_complete": known_up_to >= period.ends_at,
        "follows": digest_of(before[-1]) if before else None,
    }


def _match_said(match: Match) -> dict[str, int]:
    return {
        "issued": match.issued,
        "users": match.users,
        "via_this_system": match.via_this_system,
        "obtained_elsewhere": match.obtained_elsewhere,
        "issued_never_used": match.issued_never_used,
    }


def _line_said(line: RoyaltyLine) -> dict[str, Any]:
    period = line.period
    return {
        "report": period.report,
        "starts_at": period.starts_at,
        "ends_at": period.ends_at,
        "basis": str(period.terms.basis),
        "royalty_cents": period.terms.royalty_cents,
        "currency": period.terms.currency,
        "counted": line.counted,
        "cents": line.cents,
    }


def _line_in(said: Mapping[str, Any]) -> RoyaltyLine:
    terms = Terms(
        basis=RoyaltyBasis(said["basis"]),
        royalty_cents=said["royalty_cents"],
        currency=said["currency"],
    )
    period = Period(
        report=said["report"], starts_at=said["starts_at"], ends_at=said["ends_at"], terms=terms
    )
    return RoyaltyLine(period=period, counted=said["counted"])
