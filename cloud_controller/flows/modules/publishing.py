"""What is published, in the books: a picture of the signed lists, which alone are believed.

Its law: nothing is on offer that the lists do not name, and what they name no more stays known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from cloud_controller.ports import Problem, Published, Row, Transaction
from common.rules.problems import ProblemKind

SUBJECT: Final = "packages"
"""What the one problem of all lists is about."""


def project(books: Transaction, published: Sequence[Published]) -> None:
    """Have the books say what the signed lists say; done again, it changes nothing."""
    for each in sorted(published, key=lambda one: one.release.release_counter):
        release = each.release
        books.modules.keep_package(
            package=release.package,
            kind=release.kind,
            title=release.title,
            vendor=release.vendor,
            spdx=release.spdx,
            basis=release.basis,
            over_limit=release.over_limit,
            royalty_basis=release.royalty_basis,
            royalty_cents=release.royalty_cents,
            currency=release.currency,
            published_at=books.now,
        )
        books.modules.keep_version(
            package=release.package,
            version=release.version,
            release_counter=release.release_counter,
            target=each.target,
            sha256=each.sha256,
            length=each.length,
            digest=release.contents or "",
            requires=json.dumps(release.requires),
            published_at=books.now,
        )
    listed = {(each.release.package, each.release.version) for each in published}
    for row in versions(books):
        if (row["package"], row["version"]) not in listed and row["withdrawn_at"] is None:
            books.modules.withdraw_version(
                package=row["package"], version=row["version"], withdrawn_at=books.now
            )


def versions(books: Transaction) -> list[Row]:
    """Return every release there ever was, the newest of each package first."""
    return list(books.modules.versions())


def note_lists(books: Transaction, whys: Sequence[str]) -> None:
    """Have somebody look at signed lists that run out or cannot be signed anew; none: nobody."""
    if not whys:
        books.solve_problem(ProblemKind.PACKAGES_STALE, SUBJECT)
        return
    books.raise_problem(
        Problem(
            kind=ProblemKind.PACKAGES_STALE,
            subject=SUBJECT,
            why="Terminals will not install from these lists any more, or soon will not.",
            evidence={"whys": list(whys)},
            proposals=({"do": "renew"},),
        )
    )
