"""What is known of each package of this terminal, and what was found to be next about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.messages.modules import Receipt
from common.rules.modules import Asked, Lease, SeatAskState, Step
from edge_agent.ports import Identity, Row, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSeen:
    """Where one package stands, for whoever looks.

    Attributes:
        kind: `program` or `module`.
        step: a `common.rules.modules.Step`, or the state of its install.
        detail: why, where there is more to say.
        done_bytes: of its archive, which has `all_bytes`; 0 of 0: nothing is fetched.
    """

    package: str
    kind: str
    version: str
    step: str
    detail: str = ""
    done_bytes: int = 0
    all_bytes: int = 0


def note_step(journal: Transaction, seen: PackageSeen) -> None:
    """Keep where a package stands, in the place of what was kept before."""
    journal.rows.keep_package_step(
        package=seen.package,
        kind=seen.kind,
        version=seen.version,
        step=seen.step,
        detail=seen.detail,
        done_bytes=seen.done_bytes,
        all_bytes=seen.all_bytes,
        changed_at=journal.now,
    )


def forget_steps(journal: Transaction, wanted: Sequence[str]) -> None:
    """Forget the packages that nobody needs any more."""
    for row in journal.rows.steps():
        if row["package"] not in wanted:
            journal.rows.forget_step(package=row["package"])


def steps(journal: Transaction) -> Sequence[PackageSeen]:
    """Return where each package stands, programs first."""
    return [
        PackageSeen(**{name: row[name] for name in PackageSeen.__dataclass_fields__})
        for row in journal.rows.steps()
    ]


def asks(journal: Transaction, offered_at: int) -> Mapping[str, Asked]:
    """Return how each request for a module's right stands.

    `offered_at` is when the licence information at hand was taken, in UTC milliseconds.
    """
    return {
        row["module"]: Asked(
            sha256=row["sha256"],
            state=SeatAskState(row["state"]),
            ends_at=_ends_at(journal, row),
            is_new=row["changed_at"] >= offered_at,
        )
        for row in journal.rows.seat_asks()
    }


def leases(journal: Transaction, who: Identity) -> Mapping[tuple[str, str], Lease]:
    """Return the receipts of this very terminal, by module and archive."""
    return {
        (row["module"], row["sha256"]): Lease(issued_at=row["issued_at"], ends_at=row["ends_at"])
        for row in journal.rows.receipts()
        if row["terminal"] == who.terminal
    }


def receipt(journal: Transaction, module: str, sha256: str) -> Receipt | None:
    """Return the receipt for one archive, whoever this terminal was then; None: there is none."""
    row = journal.rows.receipt(module=module, sha256=sha256)
    if row is None:
        return None
    return Receipt(document=json.loads(row["document"]), signature=row["signature"])


def note_here(journal: Transaction, module: str, sha256: str) -> None:
    """Note that what a right was granted for is here: fetched again, it is asked for again (D4)."""
    journal.rows.forget_seat_ask(module=module, sha256=sha256)


def is_settled(step: str) -> bool:
    """Say whether nothing is under way about a package that stands like this."""
    return step in {Step.HERE, Step.ELSEWHERE, Step.NOT_ON_OFFER, Step.UNWISHED}


def _ends_at(journal: Transaction, row: Row) -> int:
    held = journal.rows.receipt(module=row["module"], sha256=row["sha256"])
    return 0 if held is None else int(held["ends_at"])
