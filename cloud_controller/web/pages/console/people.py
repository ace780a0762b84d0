"""Who runs the stores: inviting, roles, leaving; and programs' tokens with what each may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import accounts
from cloud_controller.ports import NotAllowed, Transaction
from cloud_controller.web.pages.console.entry import HOME, NameText
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page, Shape
from common.rules.accounts import EVERY_STORE, PERMISSIONS, OperatorRole, Permission

PEOPLE: Final = f"{HOME}/people"
TOKENS: Final = f"{HOME}/tokens"

DAY_MS: Final = 86_400_000
DAYS_MAX: Final = 731
"""The longest that a token is good: two years; who needs it longer makes another."""

SAID: Final = frozenset({"roles", "removed", "taken", "last", "ended", "yourself"})

StoreText = Annotated[str, Field(min_length=1, max_length=64)]


class InviteForm(Shape):
    """Who is invited, as what, where."""

    name: NameText
    role: OperatorRole
    store: StoreText


class RoleForm(Shape):
    """What an operator is in one store; an empty role is none."""

    role: Annotated[str, Field(pattern=r"^(owner|staff|viewer)?$")] = ""
    store: StoreText


class TokenForm(Shape):
    """A token: what it is called, what it may do in one store or all, for how many days."""

    name: NameText
    permission: Permission
    store: StoreText
    days: Annotated[int, Field(ge=1, le=DAYS_MAX)] = 365


async def show_people(call: Call[OfStore]) -> Page:
    """Show who runs the stores."""
    return Page(template="console/people.html", facts=await call.parts.books.read(_people, call))


async def invite(call: Call[InviteForm]) -> Page | web.Response:
    """Invite somebody; his link is on the page that answers, and never again.

    Raises:
        NotFound: the store is not the caller's to own.
    """
    books, asked = call.parts.books, call.asked
    try:
        roles = {asked.store: asked.role}
        made = await books.transact(accounts.invite, asked.name, roles, call.operator)
    except NotAllowed:
        return lead_to(PEOPLE, said="taken")
    return await _with_link(call, made)


async def renew_link(call: Call[None]) -> Page | web.Response:
    """Let somebody who has lost his proofs make others, by another link.

    Raises:
        NotFound: there is no such operator.
    """
    books = call.parts.books
    try:
        made = await books.transact(accounts.renew_link, call.names["operator"], call.operator)
    except NotAllowed:
        return lead_to(PEOPLE, said="yourself")
    return await _with_link(call, made)


async def set_role(call: Call[RoleForm]) -> web.Response:
    """Say what somebody is in a store.

    Raises:
        NotFound: there is no such operator or store.
    """

    def keep(books: Transaction) -> None:
        operator = call.names["operator"]
        known = {row["store_id"]: row["role"] for row in books.accounts.roles(operator_id=operator)}
        roles = {store: OperatorRole(role) for store, role in known.items()}
        roles.pop(call.asked.store, None)
        if call.asked.role:
            roles[call.asked.store] = OperatorRole(call.asked.role)
        accounts.set_roles(books, operator, roles, call.operator)

    try:
        await call.parts.books.transact(keep)
    except NotAllowed:
        return lead_to(PEOPLE, said="last")
    return lead_to(PEOPLE, said="roles")


async def remove(call: Call[None]) -> web.Response:
    """Let somebody run nothing any more.

    Raises:
        NotFound: there is no such operator.
    """
    try:
        await call.parts.books.transact(accounts.remove, call.names["operator"], call.operator)
    except NotAllowed:
        return lead_to(PEOPLE, said="last")
    return lead_to(PEOPLE, said="removed")


async def show_tokens(call: Call[OfStore]) -> Page:
    """Show programs' tokens."""
    return Page(template="console/tokens.html", facts=await call.parts.books.read(_tokens, call))


async def make_token(call: Call[TokenForm]) -> Page:
    """Make a token; its text is on the page that answers, and never again.

    Raises:
        NotFound: the store is not the caller's to own.
        NotAllowed: there are too many.
    """
    books, asked = call.parts.books, call.asked
    scopes = {(asked.store, each) for each in _up_to(asked.permission)}
    ends_at = call.parts.clock.now_ms() + asked.days * DAY_MS
    made = await books.transact(accounts.make_token, asked.name, scopes, ends_at, call.operator)
    facts = await books.read(_tokens, call)
    return Page(template="console/tokens.html", facts=facts | {"made": made, "said": ""})


async def end_token(call: Call[None]) -> web.Response:
    """Let a token open nothing any more.

    Raises:
        NotFound: there is no such token.
    """
    await call.parts.books.transact(accounts.end_token, call.names["token"], call.operator)
    return lead_to(TOKENS, said="ended")


def _up_to(permission: Permission) -> frozenset[Permission]:
    """Return a permission with those that go with it: nobody acts without looking."""
    for role in (OperatorRole.VIEWER, OperatorRole.STAFF):
        if permission in PERMISSIONS[role]:
            return PERMISSIONS[role]
    return PERMISSIONS[OperatorRole.STAFF] | {permission}


async def _with_link(call: Call[Any], made: accounts.Invited) -> Page:
    facts = await call.parts.books.read(_people, call)
    link = f"{call.parts.public_url}{HOME}/join/{made.link}"
    return Page(
        template="console/people.html", facts=facts | {"made": made, "invitation": link, "said": ""}
    )


def _people(books: Transaction, call: Call[Any]) -> dict[str, Any]:
    shell = shell_of(books, _looking(call), "people")
    return {
        "shell": shell,
        "people": accounts.people(books, call.operator),
        "me": call.operator.operator,
        "titles": {row["store_id"]: row["title"] for row in shell.stores},
        "owned": _owned(shell.stores, call),
        "roles": tuple(OperatorRole),
        "now": books.now,
        "said": _said(call),
        "made": None,
        "invitation": "",
    }


def _tokens(books: Transaction, call: Call[Any]) -> dict[str, Any]:
    shell = shell_of(books, _looking(call), "people")
    return {
        "shell": shell,
        "tokens": accounts.tokens(books, call.operator),
        "titles": {row["store_id"]: row["title"] for row in shell.stores},
        "owned": _owned(shell.stores, call),
        "permissions": tuple(Permission),
        "every": EVERY_STORE,
        "now": books.now,
        "said": _said(call),
        "made": None,
    }


def _owned(stores: Any, call: Call[Any]) -> list[Any]:  # noqa: ANN401 - rows of the shell
    return [row for row in stores if call.operator.may(Permission.OWN, row["store_id"])]


def _looking(call: Call[Any]) -> Call[Any]:
    """Return the call without the store that its form is about: the page shows all the same."""
    return (
        call if isinstance(call.asked, OfStore) else replace(call, asked=OfStore(store="", said=""))
    )


def _said(call: Call[Any]) -> str:
    said = getattr(call.asked, "said", "")
    return said if said in SAID else ""
