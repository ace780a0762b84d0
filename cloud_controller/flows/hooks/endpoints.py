"""Who is told of events: an address in a store or in all, its secret, and whether it is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.hooks import ENDPOINTS_MAX, OVERLAP_SECONDS
from common.rules.problems import ProblemKind

SECRET_MADE: Final = 1
"""Which secret an endpoint begins with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointWanted:
    """What an endpoint is: where it is, what of it hears, and of which store; None: of all."""

    url: str
    store: str | None = None
    title: str = ""
    types: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """An endpoint as it stands, with the secret that it is told with where that was just made.

    Attributes:
        row: as `hooks.sql` has it.
        secret: whoever made it is shown it once; else empty.
    """

    row: Row
    secret: str = ""


def endpoints(books: Transaction) -> list[Row]:
    """Return every endpoint, the oldest first."""
    return list(books.hooks.endpoints())


def endpoint(books: Transaction, name: str) -> Row:
    """Return an endpoint.

    Raises:
        NotFound: there is none of this name.
    """
    row = books.hooks.endpoint(endpoint_id=name)
    if row is None:
        raise NotFound(what="hook")
    return row


def add(books: Transaction, wanted: EndpointWanted, actor: str) -> Endpoint:
    """Have an address told of events from now on, and return it with its secret.

    Raises:
        NotFound: there is no such store.
        NotAllowed: each event would be written too often.
    """
    if len(endpoints(books)) >= ENDPOINTS_MAX:
        raise NotAllowed(why=f"there are {ENDPOINTS_MAX} endpoints already: remove one first")
    if wanted.store is not None and wanted.store not in {
        row["store_id"] for row in books.console.stores()
    }:
        raise NotFound(what="store")
    name = books.names.new("h")
    books.hooks.add_endpoint(
        endpoint_id=name,
        store_id=wanted.store,
        title=wanted.title,
        url=wanted.url,
        types=" ".join(sorted(wanted.types)),
        at=books.now,
    )
    books.audit(actor, "hook.added", name, wanted.title)
    return Endpoint(row=endpoint(books, name), secret=books.keys.hook_secret(name, SECRET_MADE))


def change(books: Transaction, name: str, wanted: EndpointWanted, actor: str) -> Row:
    """Say what an endpoint is; its store stays.

    Raises:
        NotFound: there is none of this name.
    """
    endpoint(books, name)
    books.hooks.change_endpoint(
        endpoint_id=name, title=wanted.title, url=wanted.url, types=" ".join(sorted(wanted.types))
    )
    books.audit(actor, "hook.changed", name, wanted.title)
    return endpoint(books, name)


def rotate(books: Transaction, name: str, actor: str) -> Endpoint:
    """Give an endpoint a new secret; for `OVERLAP_SECONDS` it is told with both.

    Raises:
        NotFound: there is none of this name.
    """
    endpoint(books, name)
    books.hooks.rotate(endpoint_id=name, until=books.now + OVERLAP_SECONDS * 1000)
    books.audit(actor, "hook.secret_made", name)
    row = endpoint(books, name)
    return Endpoint(row=row, secret=books.keys.hook_secret(name, row["secret_number"]))


def switch(books: Transaction, name: str, actor: str, *, is_on: bool) -> Row:
    """Switch an endpoint on or off; what waits for one that goes off is dropped.

    Raises:
        NotFound: there is none of this name.
    """
    known = endpoint(books, name)
    if (known["state"] == "on") != is_on:
        switch_to(books, name, "on" if is_on else "off", "")
        books.audit(actor, f"hook.switched_{'on' if is_on else 'off'}", name)
    return endpoint(books, name)


def switch_to(books: Transaction, name: str, state: str, why: str) -> None:
    """Have an endpoint be on, off or gone; only one that is on has anything wait for it."""
    books.hooks.switch(endpoint_id=name, state=state, why=why)
    if state != "on":
        books.hooks.drop_waiting(endpoint_id=name, at=books.now)
    if state != "gone":
        books.solve_problem(ProblemKind.HOOK_FAILING, name)


def remove(books: Transaction, name: str, actor: str) -> Row:
    """Forget an endpoint; what was told to it is kept as long as everything else.

    Raises:
        NotFound: there is none of this name.
    """
    known = endpoint(books, name)
    switch_to(books, name, "off", "removed")
    books.hooks.remove(endpoint_id=name, at=books.now)
    books.audit(actor, "hook.removed", name)
    return known
