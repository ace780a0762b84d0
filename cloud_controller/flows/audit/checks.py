"""Each promise as a check: a slice of rows is read, and what breaks the promise is a finding.

Its law: a check only reads, a slice at a time, each on a snapshot of its own; so nobody who writes
waits for it, however large the books are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.audit.leaks import devices_of
from cloud_controller.ports import Row, Transaction
from common.rules.audit import (
    LEAKS,
    OVERRUN_SECONDS,
    STUCK_SECONDS,
    Finding,
    Invariant,
    differs,
    leak_of,
)
from common.rules.modules import module_of_run
from common.rules.payments import Account
from common.rules.rights import RightKind, subject_in
from common.rules.sessions import owed_cents, owed_seconds, use_in

SLICE_MAX: Final = 500
"""Rows of one slice: some milliseconds of a reading thread."""

REACH_MS: Final = 3 * 86_400_000
"""How long a claim is with its buffer, at the most: a day, two of turnover."""

LATE_REPORT_MS: Final = 60_000
"""How long after the end that we know a heartbeat may still have been measured."""

Key = str | int


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What came of one slice; `last` is the key that the next one follows, None after the end."""

    rows: int
    last: Key | None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that is looked at in slices, from the key `first` on.

    Attributes:
        name: what the rows are called where their number is told.
        finds: what can come of it.
        look: reads the slice after a key.
    """

    name: str
    first: Key
    finds: frozenset[Invariant]
    look: Callable[[Transaction, Key], Looked]


def _sliced(
    slice_of: Callable[[Transaction, Key], Row],
    find: Callable[[Transaction, Key, Key], Iterator[Finding]],
) -> Callable[[Transaction, Key], Looked]:
    def look(books: Transaction, after: Key) -> Looked:
        part = slice_of(books, after)
        if not part["looked"]:
            return Looked(rows=0, last=None)
        found = tuple(find(books, after, part["last"]))
        is_over = part["looked"] < SLICE_MAX
        return Looked(rows=part["looked"], last=None if is_over else part["last"], findings=found)

    return look


def _found(invariant: Invariant, row: Row, *facts: str, **more: float) -> Finding:
    return Finding(
        invariant=invariant,
        subject=str(row["subject"]),
        store=row["store_id"],
        facts={name: row[name] for name in facts} | more,
    )


def _claims(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    told = ("other", "device_id", "starts_at", "ends_at", "other_starts_at", "other_ends_at")
    for row in books.findings.sold_twice(after=after, last=last):
        yield _found(Invariant.SOLD_TWICE, row, *told)
    for row in books.findings.used_twice(after=after, last=last, reach_ms=REACH_MS):
        yield _found(Invariant.SOLD_TWICE, row, *told)


def _debts(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    """What is owed by what ran, beside what was entered, and what the ledger has moved."""
    for row in list(books.findings.debts(after=after, last=last, account=Account.CREDIT)):
        uses = [use_in(each) for each in books.sessions.uses(reservation_id=row["subject"])]
        booked_seconds = (row["ends_at"] - row["starts_at"]) / 1000
        seconds = owed_seconds(uses)
        cents = owed_cents(row["price_cents"], booked_seconds, uses)
        is_wrong = differs(row["entered_seconds"], seconds, row["entered_cents"], cents)
        if is_wrong or row["moved_cents"] != row["entered_cents"]:
            told = ("entered_seconds", "entered_cents", "moved_cents", "currency")
            owed = {"owed_seconds": round(seconds, 3), "owed_cents": cents}
            yield _found(Invariant.NOT_PAID_BACK, row, *told, **owed)


def _sessions(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    long_ago = books.now - STUCK_SECONDS * 1000
    for row in books.findings.ran_twice(after=after, last=last):
        yield _found(Invariant.RAN_TWICE, row, "other", "device_id", "ticket_id")
    for row in books.findings.live_twice(after=after, last=last):
        yield _found(Invariant.RAN_TWICE, row, "other", "device_id", "ticket_id")
    for row in books.findings.without_right(after=after, last=last):
        told = ("device_id", "ticket_id", "admission", "store_of_device", "store_of_reservation")
        yield _found(Invariant.STARTED_WITHOUT_RIGHT, row, *told)
    before = books.now - LATE_REPORT_MS
    for row in books.findings.ran_too_long(
        after=after, last=last, tolerance_seconds=OVERRUN_SECONDS, before=before
    ):
        told = ("device_id", "granted_seconds", "delivered_seconds", "deadline_at", "state")
        yield _found(Invariant.RAN_TOO_LONG, row, *told)
    for row in books.findings.beat_after_end(after=after, last=last, most_ms=LATE_REPORT_MS):
        yield _found(Invariant.DEVICE_WITHOUT_SESSION, row, "device_id", "ended_at", "last_at")
    for row in books.findings.never_told(after=after, last=last, before=long_ago):
        yield _found(
            Invariant.SESSION_WITHOUT_DEVICE, row, "device_id", "running_at", "deadline_at"
        )


def _rights(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    for row in books.findings.issued_twice(after=after, last=last):
        facts = {name: row[name] for name in ("other", "party", "kind", "comm_id", "session_id")}
        yield Finding(invariant=Invariant.RIGHT_ISSUED_TWICE, subject=row["subject"], facts=facts)


def _terminals(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    for row in books.findings.served_unconfirmed(after=after, last=last):
        yield _found(Invariant.SERVED_UNCONFIRMED, row, "standing", "broker_role")
    for row in books.findings.standing_unrecorded(after=after, last=last):
        yield _found(Invariant.ACT_UNRECORDED, row, "standing")
    for row in books.findings.events_stuck(
        after=after, last=last, before=books.now - STUCK_SECONDS * 1000
    ):
        yield _found(Invariant.EVENTS_STUCK, row, "epoch", "seq", "received_at", "events")


def _entries(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    for row in books.findings.unbalanced(after=after, last=last):
        yield _found(Invariant.LEDGER_UNBALANCED, row, "kind", "cents", "currency")
    for row in books.findings.without_postings(after=after, last=last):
        yield _found(Invariant.LEDGER_UNBALANCED, row, "kind")


def _payments(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    for row in books.findings.overdrawn(after=after, last=last):
        yield _found(Invariant.MORE_BACK_THAN_PAID, row, "account", "cents", "currency")


def _vouchers(books: Transaction, after: Key, last: Key) -> Iterator[Finding]:
    for row in books.findings.vouchers_unrecorded(after=after, last=last):
        yield _found(Invariant.ACT_UNRECORDED, row)


def _pools(books: Transaction, after: Key) -> Looked:
    rows = list(books.findings.pools(after=after, most=SLICE_MAX))
    out: Counter[str] = Counter()
    for row in books.findings.seats_out():
        subject = subject_in(row["kind"])
        is_run = row["kind"].startswith(f"{RightKind.RUN}:")
        out[module_of_run(subject) if is_run else subject] += row["seats"]
    found = tuple(
        Finding(
            invariant=Invariant.SEATS_OVER_LIMIT,
            subject=row["module"],
            facts={name: row[name] for name in ("owned", "used", "short")}
            | {"out": out[row["module"]]},
        )
        for row in rows
        if row["used"] > row["owned"] or out[row["module"]] > row["used"] + row["short"]
    )
    return _all_of(rows, "module", found)


def _receipts(books: Transaction, after: Key) -> Looked:
    rows = list(books.findings.numbered(after=after, most=SLICE_MAX))
    found = tuple(
        Finding(
            invariant=Invariant.RECEIPT_MISSING,
            subject=f"{row['store_id']}/{row['year']}",
            store=row["store_id"],
            facts={name: row[name] for name in ("last", "number", "highest")},
        )
        for row in rows
        if not row["last"] == row["number"] == row["highest"]
    )
    stores = len({row["store_id"] for row in rows})
    last = rows[-1]["store_id"] if stores >= SLICE_MAX else None
    return Looked(rows=len(rows), last=last, findings=found)


def _devices(books: Transaction, after: Key) -> Looked:
    rows = list(books.findings.devices_now(after=after, most=SLICE_MAX))
    found = tuple(
        Finding(
            invariant=invariant,
            subject=row["device_id"],
            store=row["store_id"],
            facts={name: row[name] for name in ("state", "state_at", "session_id", "last_at")},
        )
        for row, now in devices_of(books, rows)
        if (invariant := leak_of(now)) is not None
    )
    return _all_of(rows, "device_id", found)


def _all_of(rows: list[Row], key: str, findings: tuple[Finding, ...]) -> Looked:
    last = rows[-1][key] if len(rows) >= SLICE_MAX else None
    return Looked(rows=len(rows), last=last, findings=findings)


CHECKS: Final = (
    Check(
        name="reservations",
        first="",
        finds=frozenset({Invariant.SOLD_TWICE}),
        look=_sliced(
            lambda books, after: books.findings.claims(after=after, most=SLICE_MAX), _claims
        ),
    ),
    Check(
        name="sessions",
        first="",
        finds=LEAKS
        | {Invariant.RAN_TWICE, Invariant.STARTED_WITHOUT_RIGHT, Invariant.RAN_TOO_LONG},
        look=_sliced(
            lambda books, after: books.findings.sessions(after=after, most=SLICE_MAX), _sessions
        ),
    ),
    Check(name="devices", first="", finds=LEAKS, look=_devices),
    Check(
        name="debts",
        first="",
        finds=frozenset({Invariant.NOT_PAID_BACK}),
        look=_sliced(
            lambda books, after: books.findings.claims(after=after, most=SLICE_MAX), _debts
        ),
    ),
    Check(
        name="rights",
        first="",
        finds=frozenset({Invariant.RIGHT_ISSUED_TWICE}),
        look=_sliced(
            lambda books, after: books.findings.rights(after=after, most=SLICE_MAX), _rights
        ),
    ),
    Check(name="pools", first="", finds=frozenset({Invariant.SEATS_OVER_LIMIT}), look=_pools),
    Check(
        name="terminals",
        first="",
        finds=frozenset(
            {Invariant.SERVED_UNCONFIRMED, Invariant.EVENTS_STUCK, Invariant.ACT_UNRECORDED}
        ),
        look=_sliced(
            lambda books, after: books.findings.terminals(after=after, most=SLICE_MAX), _terminals
        ),
    ),
    Check(
        name="entries",
        first=0,
        finds=frozenset({Invariant.LEDGER_UNBALANCED}),
        look=_sliced(
            lambda books, after: books.findings.entries(after=after, most=SLICE_MAX), _entries
        ),
    ),
    Check(
        name="payments",
        first="",
        finds=frozenset({Invariant.MORE_BACK_THAN_PAID}),
        look=_sliced(
            lambda books, after: books.findings.payments(after=after, most=SLICE_MAX), _payments
        ),
    ),
    Check(name="receipts", first="", finds=frozenset({Invariant.RECEIPT_MISSING}), look=_receipts),
    Check(
        name="vouchers",
        first="",
        finds=frozenset({Invariant.ACT_UNRECORDED}),
        look=_sliced(
            lambda books, after: books.findings.vouchers(after=after, most=SLICE_MAX), _vouchers
        ),
    ),
)
"""Everything that is looked at, in this order: what costs customers money first."""
