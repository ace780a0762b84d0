"""Webhooks for a person: who is told, whether it arrives, and each word that was said."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import hooks
from cloud_controller.ports import NotAllowed, Transaction
from cloud_controller.web import hooks as api
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page, Shape
from common.messages.base import ShortText
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.hooks import SUBJECTS, URL_LENGTH_MAX

HOOKS: Final = "/operator/hooks"

SHOWN_MAX: Final = 30
"""Deliveries that a page shows: what a person looks through; the API lists all."""

SAID: Final = frozenset({"refused", "tested", "on", "off", "removed", "replayed", "not_on"})
"""What has just been done, or why not."""


class HookForm(Shape):
    """A new endpoint: where it is, what it is called, of which store and of what it hears."""

    url: Annotated[str, Field(min_length=1, max_length=URL_LENGTH_MAX)]
    title: ShortText = ""
    store: Annotated[str, Field(min_length=1, max_length=64)]
    subject: Literal["", "reservation", "session", "device", "payment", "problem"] = ""


async def show_hooks(call: Call[OfStore]) -> Page:
    """Show who is told of events, and add somebody."""
    return Page(template="console/hooks.html", facts=await call.parts.books.read(_hooks, call))


async def add_hook(call: Call[HookForm]) -> Page | web.Response:
    """Have an address told; its secret is on the page that answers, and never again.

    Raises:
        NotFound: there is no such store.
        NotPermitted: the caller does not own that store, or all of them.
    """
    asked = call.asked
    wanted = api.HookWanted(
        url=asked.url.strip(),
        title=asked.title,
        store=None if asked.store == EVERY_STORE else asked.store,
        types=(asked.subject,) if asked.subject else (),
    )
    try:
        made = await call.parts.books.transact(api.add, call, wanted)
    except NotAllowed:
        return lead_to(HOOKS, said="refused")
    facts = await call.parts.books.read(_hook, call, made.row["endpoint_id"])
    return Page(template="console/hook.html", facts=facts | {"secret": made.secret})


async def show_hook(call: Call[OfStore]) -> Page:
    """Show an endpoint, and what was said to it of late.

    Raises:
        NotFound: there is none of this name.
    """
    facts = await call.parts.books.read(_hook, call, call.names["hook"])
    return Page(template="console/hook.html", facts=facts)


async def make_secret(call: Call[None]) -> Page:
    """Give an endpoint a new secret, on the page that answers, and never again.

    Raises:
        NotFound: there is none of this name.
    """
    name = call.names["hook"]
    made = await call.parts.books.transact(hooks.rotate, name, call.operator.name)
    facts = await call.parts.books.read(_hook, call, name)
    return Page(template="console/hook.html", facts=facts | {"secret": made.secret})


async def test(call: Call[None]) -> web.Response:
    """Say a word that means nothing.

    Raises:
        NotFound: there is none of this name.
    """
    name = call.names["hook"]
    try:
        await call.parts.books.transact(hooks.test, name, call.operator.name)
    except NotAllowed:
        return _back(name, "not_on")
    return _back(name, "tested")


async def turn_on(call: Call[None]) -> web.Response:
    """Tell an endpoint again.

    Raises:
        NotFound: there is none of this name.
    """
    return await _switch(call, is_on=True)


async def turn_off(call: Call[None]) -> web.Response:
    """Tell an endpoint nothing for now.

    Raises:
        NotFound: there is none of this name.
    """
    return await _switch(call, is_on=False)


async def remove(call: Call[None]) -> web.Response:
    """Tell an endpoint nothing any more.

    Raises:
        NotFound: there is none of this name.
    """
    await call.parts.books.transact(hooks.remove, call.names["hook"], call.operator.name)
    return lead_to(HOOKS, said="removed")


async def replay_all(call: Call[None]) -> web.Response:
    """Say again all that is known still and did not arrive.

    Raises:
        NotFound: there is none of this name.
    """
    name = call.names["hook"]
    try:
        await call.parts.books.transact(hooks.replay_since, name, 0, call.operator.name)
    except NotAllowed:
        return _back(name, "not_on")
    return _back(name, "replayed")


async def replay(call: Call[None]) -> web.Response:
    """Say one event again.

    Raises:
        NotFound: there is no such endpoint, or it was not to be told of that.
    """
    name, number = call.names["hook"], api.number_of(call)
    try:
        await call.parts.books.transact(hooks.replay, name, number, call.operator.name)
    except NotAllowed:
        return _back(name, "not_on")
    return _back(name, "replayed")


async def _switch(call: Call[None], *, is_on: bool) -> web.Response:
    name = call.names["hook"]
    await call.parts.books.transact(hooks.switch, name, call.operator.name, is_on=is_on)
    return _back(name, "on" if is_on else "off")


def _back(name: str, said: str) -> web.Response:
    return lead_to(f"{HOOKS}/{name}", said=said)


def _hooks(books: Transaction, call: Call[Any]) -> dict[str, Any]:
    shell = shell_of(books, call, "people")
    rows = [row for row in api.hooks_of(books, call) if shell.store in ("", row["store_id"])]
    return _around(books, call, shell) | {
        "hooks": [api.hook_of(row) for row in rows],
        "owned": [
            row for row in shell.stores if call.operator.may(Permission.OWN, row["store_id"])
        ],
        "subjects": SUBJECTS,
        "every": EVERY_STORE,
    }


def _hook(books: Transaction, call: Call[Any], name: str) -> dict[str, Any]:
    asked = call.asked if isinstance(call.asked, OfStore) else OfStore(store="", said="")
    shell = shell_of(books, replace(call, asked=asked), "people")
    rows = hooks.deliveries(books, name, api.NUMBER_MAX, SHOWN_MAX)
    return _around(books, call, shell) | {
        "hook": api.hook_of(hooks.endpoint(books, name)),
        "deliveries": [api.delivery_of(row) for row in rows],
        "secret": "",
    }


def _around(books: Transaction, call: Call[Any], shell: Shell) -> dict[str, Any]:
    said = getattr(call.asked, "said", "")
    return {
        "shell": shell,
        "titles": {row["store_id"]: row["title"] for row in shell.stores},
        "now": books.now,
        "said": said if said in SAID else "",
    }
