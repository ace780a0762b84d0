"""Who helps: made by an operator, known by a browser's key, there while his page says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cloud_controller.flows.help.calls import end_all
from cloud_controller.flows.help.telling import review, review_stores_of
from cloud_controller.ports import NotFound, Row, SetupChange, Transaction
from common.rules.help import (
    FORM_LEASE_SECONDS,
    HELPER,
    LEASE_SECONDS,
    CallEnd,
    HelperEvent,
    HelperState,
)
from common.rules.setup import SetupKind

LINK_DIGITS: Final = 32
"""Hex digits of a link and of a key: 128 bits, as those of tickets."""

LINK_SECONDS: Final = 7 * 86_400
"""How long a helper's first link opens: he reads his mail within the week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HelperMade:
    """A helper who was made, or given another link; the link is told here and never again."""

    helper: str
    name: str
    link: str
    link_until: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HelperTerms:
    """What a helper says of himself: with what he helps, in which languages, for how much."""

    title_ja: str
    title_en: str
    languages: tuple[str, ...]
    price_cents: int
    currency: str


def add(books: Transaction, name: str, stores: Sequence[str], actor: str) -> HelperMade:
    """Make a helper of these stores, with a link that lets one browser in, once.

    Raises:
        NotFound: there is no such store.
    """
    if not stores or not all(books.help.has_store(store_id=store) for store in stores):
        raise NotFound(what="store")
    helper, link = books.names.new("h"), books.names.hex_digits(LINK_DIGITS)
    until = books.now + LINK_SECONDS * 1000
    books.help.add_helper(
        helper_id=helper, name=name, link_digest=digest_of(link), link_until=until, now=books.now
    )
    for store in stores:
        books.help.place_helper(helper_id=helper, store_id=store)
    books.audit(actor, "helper.added", helper, name)
    said = {"name": name, "stores": sorted(stores)}
    change = SetupChange(kind=SetupKind.HELPER, subject=helper, after=said)
    books.keep_version(change, actor)
    return HelperMade(helper=helper, name=name, link=link, link_until=until)


def keep(
    books: Transaction,
    helper: str,
    name: str,
    stores: Sequence[str],
    actor: str,
    reason: str = "",
) -> None:
    """Have a helper be called so and help at these stores; whoever calls him elsewhere is let go.

    Raises:
        NotFound: there is no such helper, or no such store.
    """
    before = helper_document(books, helper)
    if not stores or not all(books.help.has_store(store_id=store) for store in stores):
        raise NotFound(what="store")
    after = {"name": name, "stores": sorted(set(stores))}
    if after == before:
        return
    books.help.rename_helper(helper_id=helper, name=name)
    for store in before["stores"]:
        if store not in after["stores"]:
            end_all(books, helper, CallEnd.HELPER_GONE)
            books.help.displace_helper(helper_id=helper, store_id=store)
            review(books, store)
    for store in after["stores"]:
        books.help.place_helper(helper_id=helper, store_id=store)
    books.audit(actor, "helper.kept", helper, reason or name)
    change = SetupChange(kind=SetupKind.HELPER, subject=helper, before=before, after=after)
    books.keep_version(change, actor, reason)
    review_stores_of(books, helper)


def helper_document(books: Transaction, helper: str) -> dict[str, Any]:
    """Return who a helper is and where he helps, as his versions say it.

    Raises:
        NotFound: there is no such helper.
    """
    row = books.help.helper(helper_id=helper)
    if row is None:
        raise NotFound(what="helper")
    stores = (each["store_id"] for each in books.help.stores_of(helper_id=helper))
    return {"name": row["name"], "stores": sorted(stores)}


def new_link(books: Transaction, helper: str, actor: str) -> HelperMade:
    """Give a helper another link; whichever browser opens it is his from then on, and no other.

    Raises:
        NotFound: there is no such helper.
    """
    row = books.help.helper(helper_id=helper)
    if row is None:
        raise NotFound(what="helper")
    link, until = books.names.hex_digits(LINK_DIGITS), books.now + LINK_SECONDS * 1000
    books.help.renew_link(helper_id=helper, link_digest=digest_of(link), link_until=until)
    books.audit(actor, "helper.link_made", helper)
    return HelperMade(helper=helper, name=row["name"], link=link, link_until=until)


def remove(books: Transaction, helper: str, actor: str) -> None:
    """Let a helper help no more; his calls end, and what was said stays where it belongs.

    Raises:
        NotFound: there is no such helper.
    """
    if books.help.helper(helper_id=helper) is None:
        raise NotFound(what="helper")
    end_all(books, helper, CallEnd.HELPER_GONE)
    books.help.remove_helper(helper_id=helper, now=books.now)
    books.audit(actor, "helper.removed", helper)
    review_stores_of(books, helper)


def enter(books: Transaction, link: str) -> str:
    """Spend a helper's link, and return the key by which this browser is his.

    Raises:
        NotFound: it is no such link, it was opened already, or its time is over.
    """
    row = by_link(books, link)
    key = books.names.hex_digits(LINK_DIGITS)
    entered = books.help.enter(
        helper_id=row["helper_id"], link_digest=digest_of(link), key_digest=digest_of(key)
    )
    if not entered:
        raise NotFound(what="page")
    books.audit(row["helper_id"], "helper.entered", row["helper_id"])
    return key


def by_link(books: Transaction, link: str) -> Row:
    """Return whose a helper's link is, before it is spent.

    Raises:
        NotFound: nobody's, or its time is over.
    """
    row = books.help.helper_by_link(digest=digest_of(link), now=books.now)
    if row is None:
        raise NotFound(what="page")
    return row


def known(books: Transaction, key: str) -> Row | None:
    """Return the helper whose browser shows this key, or None: nobody's."""
    return books.help.helper_by_key(digest=digest_of(key)) if key else None


def set_terms(books: Transaction, helper: str, terms: HelperTerms) -> None:
    """Keep what a helper says of himself; whoever was shown another price has to agree anew."""
    books.help.keep_terms(
        helper_id=helper,
        title_ja=terms.title_ja,
        title_en=terms.title_en,
        languages=" ".join(terms.languages),
        price_cents=terms.price_cents,
        currency=terms.currency,
    )
    review_stores_of(books, helper)


def log_in(books: Transaction, helper: Row, *, by_form: bool) -> None:
    """Let a helper be chosen, for as long as he is heard of."""
    _step(books, helper, HelperEvent.LOG_IN, _lease(books, by_form=by_form))


def log_out(books: Transaction, helper: Row) -> None:
    """Let a helper be chosen no more; whoever talks to him is told that he has gone."""
    _step(books, helper, HelperEvent.LOG_OUT, 0)
    end_all(books, helper["helper_id"], CallEnd.HELPER_GONE)


def stay(books: Transaction, helper: Row, *, by_form: bool) -> None:
    """Take a helper's word that he is there; one that has logged out stays out."""
    was_there = helper["lease_until"] > books.now
    until = _lease(books, by_form=by_form)
    books.help.keep_lease(helper_id=helper["helper_id"], lease_until=until)
    if not was_there:
        review_stores_of(books, helper["helper_id"])


def digest_of(secret: str) -> str:
    """Return by what a link or a key is known; a random one needs no salt."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def _lease(books: Transaction, *, by_form: bool) -> int:
    return books.now + int((FORM_LEASE_SECONDS if by_form else LEASE_SECONDS) * 1000)


def _step(books: Transaction, helper: Row, event: HelperEvent, lease_until: int) -> None:
    before = HelperState(helper["state"])
    state = HELPER.step(before, event)
    if state is None:
        return
    books.help.keep_state(
        helper_id=helper["helper_id"], before=before, state=state, lease_until=lease_until
    )
    if state is not before:
        books.enter(f"helper.{state}", {"helper": helper["helper_id"], "name": helper["name"]})
    review_stores_of(books, helper["helper_id"])
