"""Webhooks over the API: who is told what, with which secret, and what became of each word."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from cloud_controller.flows import hooks
from cloud_controller.flows.hooks import Endpoint, EndpointWanted
from cloud_controller.ports import NotAllowed, NotFound, NotPermitted, Row, Transaction
from cloud_controller.web.routes import Call, InstantText, Shape
from common.messages.base import Name, ShortText
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.hooks import URL_LENGTH_MAX, DeliveryState, target_of

DELIVERIES_MAX: Final = 50
"""Deliveries listed at once; what follows is another call, before the last of them."""

NUMBER_MAX: Final = 1 << 62
"""Past every number that the books give a delivery."""

Subject = Literal["reservation", "session", "device", "payment", "problem"]


def _sorted(types: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(types)))


class HookChanged(Shape):
    """What an endpoint is to be: its address, a title, and what it hears; no types are all."""

    url: Annotated[str, Field(min_length=1, max_length=URL_LENGTH_MAX)]
    title: ShortText = ""
    types: Annotated[tuple[Subject, ...], Field(max_length=20), AfterValidator(_sorted)] = ()


class HookWanted(HookChanged):
    """A new endpoint; without a store it hears of all stores."""

    store: Name | None = None


class HookSwitched(Shape):
    """Whether an endpoint is to be told."""

    is_on: bool


class ReplayWanted(Shape):
    """Since when what did not arrive is to be said again."""

    since: InstantText


class DeliveriesWanted(Shape):
    """Which deliveries to list: those before this number, the latest first."""

    before: Annotated[int, Field(ge=1, le=NUMBER_MAX)] = NUMBER_MAX


class Hook(Shape):
    """An endpoint that is told of events.

    Attributes:
        state: `on`; `off`; or `gone`, where it wanted no more or too much waited.
        why: it is gone: `410` or `too_much_waiting`.
        waiting: how many events wait to be told.
        failing_since: since when nothing arrives; None: it answers.
        delivered_at: when something arrived last.
        old_secret_until: until when the secret before signs as well.
    """

    hook: str
    store: str | None
    title: str
    url: str
    types: tuple[str, ...]
    state: str
    why: str
    waiting: int
    failing_since: InstantText | None
    delivered_at: InstantText | None
    old_secret_until: InstantText | None
    made_at: InstantText


class HookMade(Hook):
    """An endpoint with the secret that what it is told is signed with; it is shown only now."""

    secret: str


class Hooks(Shape):
    """Every endpoint, the oldest first."""

    hooks: tuple[Hook, ...]


class HookDelivery(Shape):
    """One event on its way to an endpoint.

    Attributes:
        delivery: its number; events of one thing are told in this order.
        event: the event's id, the same at every try: by it receivers know it again.
        about: the id of what it is about.
        answer: the status of the last answer, or a word for why there was none.
        data: what is said of it.
    """

    delivery: int
    event: str
    type: str
    about: str
    state: DeliveryState
    attempts: int
    answer: str
    at: InstantText
    next_at: InstantText | None
    closed_at: InstantText | None
    data: dict[str, Any]


class HookDeliveries(Shape):
    """Deliveries, the latest first; `next` is what to say as `before` if there are more."""

    deliveries: tuple[HookDelivery, ...]
    next: int | None


class Replayed(Shape):
    """How many events are said again."""

    replayed: int


async def list_hooks(call: Call[None]) -> Hooks:
    """Return the endpoints of the stores that the caller owns."""
    rows = await call.parts.books.read(hooks_of, call)
    return Hooks(hooks=tuple(hook_of(row) for row in rows))


async def add_hook(call: Call[HookWanted]) -> HookMade:
    """Have an address told of events, and return its secret, this once.

    Raises:
        NotAllowed: the address may not be told, or there are too many.
        NotFound: there is no such store.
        NotPermitted: the caller does not own that store, or all where none is named.
    """
    return made_of(await call.parts.books.transact(add, call, call.asked))


async def show_hook(call: Call[None]) -> Hook:
    """Return an endpoint.

    Raises:
        NotFound: there is none of this name.
    """
    return hook_of(await call.parts.books.read(hooks.endpoint, call.names["hook"]))


async def change_hook(call: Call[HookChanged]) -> Hook:
    """Say what an endpoint is.

    Raises:
        NotAllowed: the address may not be told.
        NotFound: there is none of this name.
    """
    asked = call.asked
    check_url(call, asked.url)
    wanted = EndpointWanted(url=asked.url, title=asked.title, types=asked.types)
    change, name = hooks.change, call.names["hook"]
    return hook_of(await call.parts.books.transact(change, name, wanted, call.operator.name))


async def remove_hook(call: Call[None]) -> Hook:
    """Tell an endpoint nothing any more, and return what it was.

    Raises:
        NotFound: there is none of this name.
    """
    remove, name = hooks.remove, call.names["hook"]
    return hook_of(await call.parts.books.transact(remove, name, call.operator.name))


async def make_secret(call: Call[None]) -> HookMade:
    """Give an endpoint a new secret, shown this once; for a day both sign.

    Raises:
        NotFound: there is none of this name.
    """
    rotate, name = hooks.rotate, call.names["hook"]
    return made_of(await call.parts.books.transact(rotate, name, call.operator.name))


async def switch_hook(call: Call[HookSwitched]) -> Hook:
    """Switch an endpoint on or off; what waits for one that goes off is dropped.

    Raises:
        NotFound: there is none of this name.
    """
    switch, name, is_on = hooks.switch, call.names["hook"], call.asked.is_on
    row = await call.parts.books.transact(switch, name, call.operator.name, is_on=is_on)
    return hook_of(row)


async def test_hook(call: Call[None]) -> HookDelivery:
    """Tell an endpoint a word that means nothing.

    Raises:
        NotFound: there is none of this name.
        NotAllowed: it is off.
    """
    test, name = hooks.test, call.names["hook"]
    return delivery_of(await call.parts.books.transact(test, name, call.operator.name))


async def list_deliveries(call: Call[DeliveriesWanted]) -> HookDeliveries:
    """Return what was to be told to an endpoint.

    Raises:
        NotFound: there is none of this name.
    """
    list_, name, before = hooks.deliveries, call.names["hook"], call.asked.before
    rows = await call.parts.books.read(list_, name, before, DELIVERIES_MAX + 1)
    shown = tuple(delivery_of(row) for row in rows[:DELIVERIES_MAX])
    more = shown[-1].delivery if len(rows) > len(shown) else None
    return HookDeliveries(deliveries=shown, next=more)


async def replay_delivery(call: Call[None]) -> HookDelivery:
    """Say an event to an endpoint again, under the same id.

    Raises:
        NotFound: there is no such endpoint, or it was not to be told of that.
        NotAllowed: it is off.
    """
    replay, name, number = hooks.replay, call.names["hook"], number_of(call)
    row = await call.parts.books.transact(replay, name, number, call.operator.name)
    return delivery_of(row)


async def replay_deliveries(call: Call[ReplayWanted]) -> Replayed:
    """Say again what since then was given up, or dropped.

    Raises:
        NotFound: there is none of this name.
        NotAllowed: it is off.
    """
    replay, name, since = hooks.replay_since, call.names["hook"], call.asked.since
    count = await call.parts.books.transact(replay, name, since, call.operator.name)
    return Replayed(replayed=count)


def hooks_of(books: Transaction, call: Call[Any]) -> list[Row]:
    """Return the endpoints that are the caller's to see: of stores that are his."""
    may = call.operator.stores(Permission.OWN)
    rows = hooks.endpoints(books)
    return [row for row in rows if EVERY_STORE in may or row["store_id"] in may]


def add(books: Transaction, call: Call[Any], asked: HookWanted) -> Endpoint:
    """Have an address told of events, where the caller may say so.

    Raises:
        NotAllowed: the address may not be told, or there are too many.
        NotFound: there is no such store.
        NotPermitted: the caller does not own that store, or all where none is named.
    """
    store = asked.store
    if not call.operator.may(Permission.OWN, EVERY_STORE if store is None else store):
        raise NotPermitted
    check_url(call, asked.url)
    wanted = EndpointWanted(url=asked.url, store=store, title=asked.title, types=asked.types)
    return hooks.add(books, wanted, call.operator.name)


def check_url(call: Call[Any], url: str) -> None:
    """See that an address is one that may be told.

    Raises:
        NotAllowed: it is none of the public Internet, or without TLS, or no address at all.
    """
    if target_of(url, call.parts.hook_hosts) is None:
        raise NotAllowed(why="an endpoint is a public https address, without a name or password")


def number_of(call: Call[Any]) -> int:
    """Return the number of the delivery that a path names.

    Raises:
        NotFound: it is none.
    """
    text = call.names["delivery"]
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= NUMBER_MAX):
        raise NotFound(what="delivery")
    return int(text[:20])


def hook_of(row: Row) -> Hook:
    """Return an endpoint as it is told."""
    return Hook(
        hook=row["endpoint_id"],
        store=row["store_id"],
        title=row["title"],
        url=row["url"],
        types=tuple(row["types"].split()),
        state=row["state"],
        why=row["why"],
        waiting=row["waiting"],
        failing_since=row["failing_since"],
        delivered_at=row["delivered_at"],
        old_secret_until=row["old_secret_until"] or None,
        made_at=row["made_at"],
    )


def made_of(made: Endpoint) -> HookMade:
    """Return an endpoint with the secret it was just given."""
    return HookMade(**dict(hook_of(made.row)), secret=made.secret)


def delivery_of(row: Row) -> HookDelivery:
    """Return a delivery as it is told."""
    is_waiting = row["state"] == DeliveryState.WAITING
    return HookDelivery(
        delivery=row["number"],
        event=row["event_id"],
        type=row["type"],
        about=row["about"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        answer=row["answer"],
        at=row["at"],
        next_at=row["next_at"] if is_waiting else None,
        closed_at=row["closed_at"],
        data=json.loads(row["body"]),
    )
