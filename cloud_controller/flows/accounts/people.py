"""Who runs the stores: invited by a link, ready with two proofs, each with a role in his stores.

Its law: somebody who is ready owns every store, from the first one on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.accounts.proving import Browser
from cloud_controller.flows.accounts.sessions import (
    KEY_DIGITS,
    TOKEN_ACTOR,
    begin_session,
    digest_of,
)
from cloud_controller.ports import Actor, NotAllowed, NotFound, Row, Transaction
from common.rules.accounts import EVERY_STORE, Operator, OperatorRole, Permission

LINK_SECONDS: Final = 3 * 86_400
"""How long an invitation opens: it is read within days, and lies in a mailbox after."""

FIRST_LINK_SECONDS: Final = 86_400
"""How long the link of the first owner opens: he stands before the machine."""

FIRST: Final = "owner"
"""What the first owner is called until he says otherwise."""

OPERATORS_MAX: Final = 500
"""Operators that are listed, and that there can be: those of fifty stores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invited:
    """Somebody who can become an operator by a link, which is told here and never again."""

    operator: str
    name: str
    link: str
    link_until: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An operator as others see him."""

    row: Row
    roles: tuple[tuple[str, OperatorRole], ...]


def first_link(books: Transaction, actor: str) -> Invited:
    """Return a link for the first owner; an older one that was not used opens nothing any more.

    Raises:
        NotAllowed: there is an owner already.
    """
    if list(books.accounts.owners_of_all()):
        raise NotAllowed(why="there is an owner already, who can invite others")
    row = books.accounts.operator_by_name(name=FIRST)
    operator = books.names.new("op") if row is None else row["operator_id"]
    if row is None:
        books.accounts.add_operator(operator_id=operator, name=FIRST, now=books.now)
    books.accounts.give_role(operator_id=operator, store_id=EVERY_STORE, role=OperatorRole.OWNER)
    return _invite(books, operator, FIRST, FIRST_LINK_SECONDS, actor)


def invite(
    books: Transaction, name: str, roles: Mapping[str, OperatorRole], actor: Operator
) -> Invited:
    """Make somebody an operator of these stores as soon as he opens his link.

    Raises:
        NotFound: one of the stores is not the actor's to own.
        NotAllowed: somebody is called so already, or there are too many.
    """
    _own(books, roles, actor)
    _see_name(name)
    operator = books.names.new("op")
    if len(list(books.accounts.operators(most=OPERATORS_MAX))) >= OPERATORS_MAX:
        raise NotAllowed(why="there are as many operators as there can be")
    if not books.accounts.add_operator(operator_id=operator, name=name, now=books.now):
        raise NotAllowed(why="somebody is called so already")
    for store, role in roles.items():
        books.accounts.give_role(operator_id=operator, store_id=store, role=role)
    return _invite(books, operator, name, LINK_SECONDS, actor.name)


def renew_link(books: Transaction, operator: str, actor: Operator) -> Invited:
    """Let somebody prove himself anew by another link: his password and proofs are forgotten then.

    Raises:
        NotFound: there is no such operator.
        NotAllowed: it is the actor himself, who is signed in.
    """
    row = _row(books, operator)
    if operator == actor.operator:
        raise NotAllowed(why="your own proofs are changed on your own page")
    return _invite(books, operator, row["name"], LINK_SECONDS, actor.name)


def set_roles(
    books: Transaction, operator: str, roles: Mapping[str, OperatorRole], actor: Operator
) -> None:
    """Say what somebody is in which stores, from now on.

    Raises:
        NotFound: there is no such operator, or a store is not the actor's to own.
        NotAllowed: nobody would own every store then.
    """
    row = _row(books, operator)
    _own(books, roles, actor)
    books.accounts.drop_roles(operator_id=operator)
    for store, role in roles.items():
        books.accounts.give_role(operator_id=operator, store_id=store, role=role)
    _see_owner(books)
    said = ", ".join(f"{role} in {store}" for store, role in sorted(roles.items()))
    books.audit(actor.name, "operator.roles_set", operator, f"{row['name']}: {said}")


def remove(books: Transaction, operator: str, actor: Operator) -> None:
    """Let somebody run nothing any more, from this moment on; the tokens that he made end with him.

    Raises:
        NotFound: there is no such operator.
        NotAllowed: nobody would own every store then.
    """
    row = _row(books, operator)
    books.accounts.remove_operator(operator_id=operator, name=f"{operator} (gone)", now=books.now)
    books.accounts.drop_roles(operator_id=operator)
    books.accounts.end_tokens_of(made_by=row["name"], now=books.now)
    _forget_proofs(books, operator)
    _see_owner(books)
    books.audit(actor.name, "operator.removed", operator, row["name"])


def by_link(books: Transaction, link: str) -> Row:
    """Return whose an open link is.

    Raises:
        NotFound: nobody's, or not any more.
    """
    row = books.accounts.operator_by_link(link_digest=digest_of(link), now=books.now)
    if row is None:
        raise NotFound(what="page")
    return row


def join(books: Transaction, link: str, name: str, password: str, browser: Browser) -> str:
    """Take the first proof of whoever opens a link, and return the key of his half session.

    What he was known by before opens nothing any more, so he is not ready until he has shown a
    second step. The link opens on until then.

    Raises:
        NotFound: it is no open link.
        NotAllowed: somebody else is called so.
    """
    row = by_link(books, link)
    operator: str = row["operator_id"]
    _see_name(name)
    other = books.accounts.operator_by_name(name=name)
    if other is not None and other["operator_id"] != operator:
        raise NotAllowed(why="somebody is called so already")
    _forget_proofs(books, operator)
    books.accounts.rename(operator_id=operator, name=name)
    books.accounts.keep_password(operator_id=operator, password=password)
    books.accounts.make_unready(operator_id=operator)
    books.audit(name, "operator.joined", operator)
    return begin_session(books, operator, is_whole=False, peer=browser.peer, browser=browser.name)


def keep_password(books: Transaction, operator: Operator, password: str, session: str) -> None:
    """Take another password of an operator's own; his other sessions end."""
    books.accounts.keep_password(operator_id=operator.operator, password=password)
    books.accounts.end_sessions(operator_id=operator.operator, but=session)
    books.audit(operator.name, "operator.password_changed", operator.operator)


def keep_codes(books: Transaction, operator: Operator, secret: str, step: int) -> None:
    """Take the secret of codes that change as the second step; it has shown the code of a step."""
    books.accounts.keep_totp(operator_id=operator.operator, secret=secret, step=step)
    books.accounts.make_ready(operator_id=operator.operator, now=books.now)
    books.audit(operator.name, "operator.codes_kept", operator.operator)


def keep_passkey(
    books: Transaction, operator: Operator, made: tuple[str, str, int], title: str
) -> None:
    """Take a passkey as a second step: its name, its public key, how often it has signed.

    Raises:
        NotAllowed: it is known already.
    """
    credential, public_key, signs = made
    kept = books.accounts.add_passkey(
        passkey_id=books.names.new("pk"),
        operator_id=operator.operator,
        credential=credential,
        public_key=public_key,
        signs=signs,
        title=title,
        now=books.now,
    )
    if not kept:
        raise NotAllowed(why="this passkey is known already")
    books.accounts.make_ready(operator_id=operator.operator, now=books.now)
    books.audit(operator.name, "operator.passkey_kept", operator.operator, title)


def remove_passkey(books: Transaction, operator: Operator, passkey: str) -> None:
    """Take a passkey no more.

    Raises:
        NotFound: he has no such passkey.
        NotAllowed: it is his only second step.
    """
    row = _row(books, operator.operator)
    kept = list(books.accounts.passkeys(operator_id=operator.operator))
    if passkey not in {each["passkey_id"] for each in kept}:
        raise NotFound(what="passkey")
    if len(kept) == 1 and not row["totp_secret"]:
        raise NotAllowed(why="it is your only second step")
    books.accounts.remove_passkey(passkey_id=passkey, operator_id=operator.operator)
    books.audit(operator.name, "operator.passkey_removed", operator.operator)


def end_other(books: Transaction, operator: Operator, session: str) -> None:
    """End one of an operator's own sessions; one that is over stays so."""
    if books.accounts.end_session(session_id=session, operator_id=operator.operator):
        books.audit(operator.name, "operator.session_ended", session)


def people(books: Transaction, seer: Operator) -> list[Person]:
    """Return the operators whom somebody who owns stores may see: those who have a role in one."""
    roles: dict[str, list[tuple[str, OperatorRole]]] = {}
    for each in books.accounts.all_roles():
        known = roles.setdefault(each["operator_id"], [])
        known.append((each["store_id"], OperatorRole(each["role"])))
    owned = seer.stores(Permission.OWN)
    return [
        Person(row=row, roles=tuple(roles.get(row["operator_id"], ())))
        for row in books.accounts.operators(most=OPERATORS_MAX)
        if EVERY_STORE in owned or owned & {store for store, _ in roles.get(row["operator_id"], ())}
    ]


def _invite(books: Transaction, operator: str, name: str, seconds: int, actor: str) -> Invited:
    link, until = books.names.hex_digits(KEY_DIGITS), books.now + seconds * 1000
    books.accounts.keep_link(operator_id=operator, link_digest=digest_of(link), link_until=until)
    books.audit(actor, "operator.invited", operator, name)
    return Invited(operator=operator, name=name, link=link, link_until=until)


def _forget_proofs(books: Transaction, operator: str) -> None:
    books.accounts.end_sessions(operator_id=operator, but="")
    books.accounts.keep_password(operator_id=operator, password="")
    books.accounts.keep_totp(operator_id=operator, secret="", step=0)
    books.accounts.drop_passkeys(operator_id=operator)
    books.accounts.drop_recovery_codes(operator_id=operator)


def _row(books: Transaction, operator: str) -> Row:
    row = books.accounts.operator(operator_id=operator)
    if row is None:
        raise NotFound(what="operator")
    return row


def _own(books: Transaction, stores: Sequence[str] | Mapping[str, object], actor: Operator) -> None:
    """See that stores are there, and the actor's to own."""
    for store in stores:
        is_there = store == EVERY_STORE or list(books.accounts.store_of_store(name=store))
        if not is_there or not actor.may(Permission.OWN, store):
            raise NotFound(what="store")


def _see_name(name: str) -> None:
    """See that nobody is called as the audit calls who is no operator."""
    is_taken = name.casefold() in {each.value for each in Actor}
    if is_taken or name.casefold().startswith(TOKEN_ACTOR):
        raise NotAllowed(why="the audit calls others so")


def _see_owner(books: Transaction) -> None:
    if not list(books.accounts.owners_of_all()):
        raise NotAllowed(why="somebody has to own every store")
