"""What each side sees of the other: a customer his helper, a helper his customer's device (E5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.help.calls import may_call
from cloud_controller.flows.help.telling import helpers_there, place_of
from cloud_controller.ports import NotFound, Row, Transaction
from common.messages.help import LINES_MAX, HelperThere
from common.rules.devices import DeviceState, Seen, Stage, shown_state
from common.rules.help import HelperState, is_there
from common.rules.presence import Presence

HELPERS_MAX: Final = 200
"""Helpers that are listed at once: a chain has fewer."""

CALLS_MAX: Final = 100
"""Calls that are listed at once, the latest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallLine:
    """One line of a call; `by` is `customer` or `helper`."""

    number: int
    by: str
    text: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Helper:
    """A helper as the operator sees him; `is_there` is whether he can be chosen now."""

    row: Row
    stores: tuple[str, ...]
    is_there: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """A call with its lines.

    Attributes:
        row: the call, with the helper's name.
        place: how many the helper has before it, while it waits.
        helper_is_there: whether its helper is heard of just now.
    """

    row: Row
    lines: tuple[CallLine, ...]
    place: int
    helper_is_there: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """A call as its helper sees it, with what the customer's device does at this moment (E5).

    Attributes:
        row: the call with its store, device and reservation.
        device_state: as an operator is shown it; empty: no device is known.
        left_seconds: what is left of the customer's own session; None: none of his runs.
        unread: lines that the helper has not seen.
    """

    row: Row
    device_state: str
    left_seconds: int | None
    unread: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AtTicket:
    """What a ticket's page of help shows: `talk` is its latest call, if it ever had one."""

    may_call: bool
    helpers: tuple[HelperThere, ...]
    talk: Talk | None
    time_zone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What a helper's desk shows; `is_there` is whether he can be chosen now."""

    stores: tuple[str, ...]
    customers: tuple[Customer, ...]
    is_there: bool


def at_ticket(books: Transaction, link: str) -> AtTicket:
    """Return whether a ticket may call, who is there, and its latest call, if it ever had one.

    Raises:
        NotFound: there is no such ticket.
    """
    ticket = books.help.reservation(link=link)
    if ticket is None:
        raise NotFound(what="ticket")
    latest = books.help.latest_of_reservation(reservation_id=ticket["reservation_id"])
    found = None if latest is None else talk(books, latest["call_id"])
    helpers = helpers_there(books, ticket["store_id"])
    return AtTicket(
        may_call=may_call(ticket, books.now),
        helpers=helpers,
        talk=found,
        time_zone=ticket["time_zone"],
    )


def desk(books: Transaction, helper: Row) -> Desk:
    """Return a helper's desk: where he helps, and who waits for him or talks to him."""
    return Desk(
        stores=tuple(row["title"] for row in books.help.stores_of(helper_id=helper["helper_id"])),
        customers=customers_of(books, helper["helper_id"]),
        is_there=is_there(HelperState(helper["state"]), helper["lease_until"], books.now),
    )


def talk(books: Transaction, call: str) -> Talk:
    """Return a call with its lines.

    Raises:
        NotFound: there is no such call.
    """
    row = books.help.call(call_id=call)
    if row is None:
        raise NotFound(what="call")
    state = HelperState(row["helper_state"])
    return Talk(
        row=row,
        lines=lines_of(books, call),
        place=place_of(books, row),
        helper_is_there=is_there(state, row["lease_until"], books.now),
    )


def lines_of(books: Transaction, call: str) -> tuple[CallLine, ...]:
    """Return what was said in a call, in its order."""
    return tuple(
        CallLine(number=row["number"], by=row["side"], text=row["text"], at=row["at"])
        for row in books.help.lines(call_id=call, after=0, most=LINES_MAX)
    )


def customers_of(books: Transaction, helper: str) -> tuple[Customer, ...]:
    """Return a helper's calls that are not over, whoever waits longest first."""
    rows = books.help.calls_of_helper(helper_id=helper, now=books.now)
    return tuple(_customer(row, books.now) for row in rows)


def helpers(books: Transaction) -> tuple[Helper, ...]:
    """Return the helpers of all stores."""
    return tuple(
        Helper(
            row=row,
            stores=tuple(
                each["store_id"] for each in books.help.stores_of(helper_id=row["helper_id"])
            ),
            is_there=is_there(HelperState(row["state"]), row["lease_until"], books.now),
        )
        for row in list(books.help.all_helpers(now=books.now, most=HELPERS_MAX))
    )


def latest_calls(
    books: Transaction, store: str = "", reservation: str = "", before: int | None = None
) -> list[Row]:
    """Return calls, the latest first: of a store or a reservation, if one is named."""
    rows = books.help.latest_calls(
        store_id=store,
        reservation_id=reservation,
        before=books.now + 1 if before is None else before,
        most=CALLS_MAX,
    )
    return list(rows)


def talks_of(books: Transaction, reservation: str) -> tuple[Talk, ...]:
    """Return the calls of a reservation with what was said in them, the earliest first."""
    rows = reversed(latest_calls(books, reservation=reservation))
    return tuple(talk(books, row["call_id"]) for row in rows)


def _customer(row: Row, now: int) -> Customer:
    is_his = row["live_session_id"] is not None and (
        row["live_reservation_id"] == row["reservation_id"]
    )
    left = max(0, (row["deadline_at"] - now) // 1000) if is_his else None
    return Customer(
        row=row,
        device_state="" if row["device_id"] is None else shown_state(_seen(row)),
        left_seconds=left,
        unread=row["lines"] - row["seen"],
    )


def _seen(row: Row) -> Seen:
    stage = row["session_state"]
    return Seen(
        state=DeviceState(row["device_state"]) if row["device_state"] else None,
        stage=None if stage is None else Stage(stage),
        is_out_of_order=bool(row["is_out_of_order"]),
        is_claimed=False,
        is_here=row["presence"] not in {None, Presence.GONE},
    )
