"""Programs' tokens: each may do what its scopes say in their stores, until its end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.accounts.sessions import KEY_DIGITS, TOKEN_PREFIX, digest_of
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from common.rules.accounts import EVERY_STORE, Operator, Permission

TOKENS_MAX: Final = 200
"""Tokens that are listed, and that can be good at once: a few for each program of fifty stores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenMade:
    """A new token; its text is told here and never again."""

    token: str
    text: str
    name: str
    ends_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSeen:
    """A token as it is listed, with what it may do where."""

    row: Row
    scopes: tuple[tuple[str, Permission], ...]


def make_token(
    books: Transaction,
    name: str,
    scopes: Collection[tuple[str, Permission]],
    ends_at: int,
    actor: Operator,
) -> TokenMade:
    """Make a token that may do no more than who makes it.

    Raises:
        NotFound: one of the stores is not the actor's to own.
        NotAllowed: its end is over already, it may do nothing, or there are too many.
    """
    for store, _ in scopes:
        is_there = store == EVERY_STORE or list(books.accounts.store_of_store(name=store))
        if not is_there or not actor.may(Permission.OWN, store):
            raise NotFound(what="store")
    if ends_at <= books.now or not scopes:
        raise NotAllowed(why="it could do nothing")
    rows = books.accounts.tokens(now=books.now, most=TOKENS_MAX)
    if sum(row["is_good"] for row in rows) >= TOKENS_MAX:
        raise NotAllowed(why="there are as many tokens as there can be")
    token, text = books.names.new("at"), TOKEN_PREFIX + books.names.hex_digits(KEY_DIGITS)
    books.accounts.add_token(
        token_id=token,
        digest=digest_of(text),
        name=name,
        made_by=actor.name,
        now=books.now,
        ends_at=ends_at,
    )
    for store, permission in scopes:
        books.accounts.add_scope(token_id=token, store_id=store, permission=permission)
    said = ", ".join(f"{permission} in {store}" for store, permission in sorted(scopes))
    books.audit(actor.name, "token.made", token, f"{name}: {said}")
    return TokenMade(token=token, text=text, name=name, ends_at=ends_at)


def end_token(books: Transaction, token: str, actor: Operator) -> None:
    """Let a token open nothing any more; ended again, it stays so.

    Raises:
        NotFound: there is no such token.
    """
    if not list(books.accounts.scopes(token_id=token)):
        raise NotFound(what="token")
    if books.accounts.end_token(token_id=token, now=books.now):
        books.audit(actor.name, "token.ended", token)


def tokens(books: Transaction, seer: Operator) -> list[TokenSeen]:
    """Return the tokens of the stores that somebody owns, the good ones first."""
    scopes: dict[str, list[tuple[str, Permission]]] = {}
    for each in books.accounts.all_scopes():
        known = scopes.setdefault(each["token_id"], [])
        known.append((each["store_id"], Permission(each["permission"])))
    owned = seer.stores(Permission.OWN)
    return [
        TokenSeen(row=row, scopes=tuple(scopes[row["token_id"]]))
        for row in books.accounts.tokens(now=books.now, most=TOKENS_MAX)
        if EVERY_STORE in owned or owned >= {store for store, _ in scopes[row["token_id"]]}
    ]
