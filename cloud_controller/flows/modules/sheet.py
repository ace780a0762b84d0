"""Royalty reports as a sheet: a row for each of their lines, for whoever reckons with them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from common.seals import digest_of

COLUMNS: Final = (
    *("module", "report", "line", "of_report", "starts_at", "ends_at"),
    *("basis", "counted", "royalty_cents", "cents", "currency"),
    *("issued", "users", "via_this_system", "obtained_elsewhere", "issued_never_used"),
    *("runs_over_limit", "is_complete", "sha256"),
)
"""`line` is `period`, or `correction` of the period of the report that `of_report` names; money is
in whole minor units; what the first report begins at is empty: it has everything before."""


def sheet_of(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return reports as CSV (RFC 4180), the numbers of each in every one of its rows."""
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    rows.writeheader()
    for document in documents:
        whole = {
            "module": document["module"],
            **document["match"],
            "runs_over_limit": document["runs_over_limit"],
            "is_complete": int(document["is_complete"]),
            "sha256": digest_of(document),
        }
        for line in document["lines"]:
            is_own = line["report"] == document["number"]
            told = {
                "report": document["number"],
                "line": "period" if is_own else "correction",
                "of_report": line["report"],
                "starts_at": _iso(line["starts_at"]) if line["starts_at"] else "",
                "ends_at": _iso(line["ends_at"]),
            }
            rows.writerow({**whole, **line, **told})
    return text.getvalue()


def _iso(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{at % 1000:03}Z"
