"""A call: chosen, taken up, written in by both sides, and over for one reason that is kept.

Its law: a call goes forward only; a line has one number in it, whoever wrote it, and a terminal's
own line is kept once, however often it comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from cloud_controller.flows.help.telling import of_terminal, tell, tell_waiting
from cloud_controller.ports import NotAllowed, NotFound, Received, Row, Transaction
from common.messages.help import (
    LINES_MAX,
    HelpChosen,
    HelpJoined,
    HelpLeft,
    HelpLine,
    HelpTold,
)
from common.rules.help import (
    CALL,
    CallEnd,
    CallEvent,
    CallState,
    Choice,
    HelperState,
    clean_line,
    refusal_of,
)
from common.topics import Channel

CALLS_AN_HOUR_MAX: Final = 60
"""Calls of one device or ticket: nobody needs more than one a minute for an hour."""

AFTER_THE_END_SECONDS: Final = 86_400
"""How long after its time a ticket can still call: something was forgotten, a question is open."""

_HOUR_MS: Final = 3_600_000

_MAY_CALL: Final = frozenset({"held", "confirmed", "in_use", "completed"})
"""States of a reservation whose customer may call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A helper chosen by a customer.

    Attributes:
        call: its random id, made by whoever opens it.
        terminal: where it was chosen, if at a device's screen; None: on a ticket's page.
        agreed_cents: what the customer was shown and has agreed to, in `agreed_currency`.
    """

    call: str
    helper: str
    language: str
    agreed_cents: int
    agreed_currency: str
    store: str = ""
    terminal: str | None = None
    device: str | None = None
    reservation: str | None = None
    session: str | None = None


def note_chosen(books: Transaction, said: Received) -> None:
    """Open a call that was chosen at a device of this terminal; at another's none is."""
    message: HelpChosen = said.message
    device = books.help.device(device_id=message.device, terminal_id=said.terminal)
    if device is None:
        return
    session = None
    if message.session is not None:
        session = books.help.session(session_id=message.session, terminal_id=said.terminal)
    wanted = Wanted(
        call=message.call,
        helper=message.helper,
        language=message.language,
        agreed_cents=message.price_cents,
        agreed_currency=message.currency,
        store=device["store_id"],
        terminal=said.terminal,
        device=message.device,
        reservation=session["reservation_id"] if session is not None else None,
        session=session["session_id"] if session is not None else None,
    )
    why = _open(books, wanted)
    if why is not None:
        over = HelpTold(call=message.call, device=message.device, state="ended", why=why)
        books.say(said.terminal, Channel.DESIRED, over)


def note_joined(books: Transaction, said: Received) -> None:
    """Keep a call with the session that its customer has begun meanwhile, and with its timeline."""
    message: HelpJoined = said.message
    session = books.help.session(session_id=message.session, terminal_id=said.terminal)
    if session is not None and of_terminal(books, said, message.call) is not None:
        books.help.join(
            call_id=message.call,
            session_id=session["session_id"],
            reservation_id=session["reservation_id"],
        )


def note_line(books: Transaction, said: Received) -> None:
    """Keep a line that was written at a device, once."""
    message: HelpLine = said.message
    call = of_terminal(books, said, message.call)
    if call is None or books.help.has_own(call_id=message.call, own=message.number):
        return
    if not _write(books, call, "customer", message.text, own=message.number):
        tell(books, message.call)


def note_left(books: Transaction, said: Received) -> None:
    """End a call that its customer has left at a device."""
    message: HelpLeft = said.message
    call = of_terminal(books, said, message.call)
    if call is not None:
        end(books, call, CallEnd.CUSTOMER_LEFT)


def choose(books: Transaction, link: str, wanted: Wanted) -> None:
    """Open a call from a ticket's page.

    Raises:
        NotFound: there is no such ticket, or no such helper.
        NotAllowed: the ticket was given up, its time is long over, or it has called too often.
    """
    row = books.help.reservation(link=link)
    if row is None:
        raise NotFound(what="ticket")
    if not may_call(row, books.now):
        raise NotAllowed(why="this ticket is over: nobody can be called with it any more")
    why = _open(
        books,
        replace(
            wanted,
            store=row["store_id"],
            device=row["device_id"],
            reservation=row["reservation_id"],
            session=row["session_id"],
        ),
    )
    if why is CallEnd.TOO_MANY:
        raise NotAllowed(why="too many calls were made with this ticket within the hour")
    if why is not None:
        raise NotFound(what="helper")


def say(books: Transaction, link: str, text: str) -> None:
    """Write into the call of a ticket, if it has one that is not over.

    Raises:
        NotFound: there is no such ticket.
    """
    call = live_of_ticket(books, link)
    if call is not None:
        _write(books, call, "customer", text)


def leave(books: Transaction, link: str) -> None:
    """End the call of a ticket, if it has one that is not over.

    Raises:
        NotFound: there is no such ticket.
    """
    call = live_of_ticket(books, link)
    if call is not None:
        end(books, call, CallEnd.CUSTOMER_LEFT)


def give_away(books: Transaction, reservation: str) -> None:
    """End the call of a ticket that is given to somebody else; he reads nothing of it."""
    for row in list(books.help.live_of_reservation(reservation_id=reservation)):
        end(books, books.help.call(call_id=row["call_id"]), CallEnd.CUSTOMER_LEFT)


def take_up(books: Transaction, helper: str, call: str) -> None:
    """Open a call that waits for this helper.

    Raises:
        NotFound: he has no such call.
    """
    _take_up(books, of_helper(books, helper, call))


def answer(books: Transaction, helper: str, call: str, text: str) -> None:
    """Write into a call as its helper; one that waited is open by it.

    Raises:
        NotFound: he has no such call.
    """
    row = of_helper(books, helper, call)
    if row["state"] == CallState.WAITING:
        _take_up(books, row)
        row = of_helper(books, helper, call)
    _write(books, row, "helper", text)


def finish(books: Transaction, helper: str, call: str) -> None:
    """End a call as its helper.

    Raises:
        NotFound: he has no such call.
    """
    end(books, of_helper(books, helper, call), CallEnd.HELPER_ENDED)


def note_seen(books: Transaction, helper: str, call: str) -> None:
    """Note that a helper has read all that is written in a call so far.

    Raises:
        NotFound: he has no such call.
    """
    row = of_helper(books, helper, call)
    books.help.note_seen(call_id=call, seen=row["lines"])


def end_all(books: Transaction, helper: str, why: CallEnd) -> None:
    """End every call of a helper that is not over."""
    for row in list(books.help.live_of_helper(helper_id=helper)):
        end(books, books.help.call(call_id=row["call_id"]), why)


def end(books: Transaction, call: Row, why: CallEnd) -> None:
    """End a call for a reason; one that is over stays as it is."""
    before = CallState(call["state"])
    if CALL.step(before, CallEvent.END) is None:
        return
    books.help.end_call(call_id=call["call_id"], before=before, why=why, now=books.now)
    since = call["opened_at"]
    _enter(
        books,
        "help.ended",
        call,
        {
            "why": why,
            "was_open": since is not None,
            "seconds": 0 if since is None else (books.now - since) // 1000,
            "lines": call["lines"],
        },
    )
    tell(books, call["call_id"])
    if before is CallState.WAITING:
        tell_waiting(books, call["helper_id"])


def of_helper(books: Transaction, helper: str, call: str) -> Row:
    """Return a call of this helper's.

    Raises:
        NotFound: he has no such call.
    """
    row = books.help.call(call_id=call)
    if row is None or row["helper_id"] != helper:
        raise NotFound(what="call")
    return row


def live_of_ticket(books: Transaction, link: str) -> Row | None:
    """Return the call of a ticket that is not over, or None.

    Raises:
        NotFound: there is no such ticket.
    """
    ticket = books.help.reservation(link=link)
    if ticket is None:
        raise NotFound(what="ticket")
    rows = list(books.help.live_of_reservation(reservation_id=ticket["reservation_id"]))
    return books.help.call(call_id=rows[0]["call_id"]) if rows else None


def may_call(reservation: Row, now: int) -> bool:
    """Say whether whoever has this reservation may call somebody."""
    is_recent = now < reservation["ends_at"] + AFTER_THE_END_SECONDS * 1000
    return reservation["state"] in _MAY_CALL and is_recent


def _open(books: Transaction, wanted: Wanted) -> CallEnd | None:
    """Open a call, or keep it with why it was not.

    Returns:
        Why nothing is kept of it, or None: there is no such helper here, or whoever calls so often
        would fill the books.
    """
    if books.help.call(call_id=wanted.call) is not None:
        tell(books, wanted.call)  # it was said again: whoever says it has not heard how it stands
        return None
    helper = books.help.helper(helper_id=wanted.helper)
    helps = books.help.helps_there(helper_id=wanted.helper, store_id=wanted.store)
    if helper is None or not helps:
        return CallEnd.NOT_THERE
    if _calls_too_often(books, wanted):
        return CallEnd.TOO_MANY
    _end_what_was_before(books, wanted)
    why = _refusal(books, wanted, helper)
    books.help.open_call(
        call_id=wanted.call,
        helper_id=wanted.helper,
        store_id=wanted.store,
        terminal_id=wanted.terminal,
        device_id=wanted.device,
        reservation_id=wanted.reservation,
        session_id=wanted.session,
        language=wanted.language,
        price_cents=helper["price_cents"],
        currency=helper["currency"],
        state=CallState.WAITING if why is None else CallState.ENDED,
        why=why or "",
        now=books.now,
    )
    if why is None:
        row = books.help.call(call_id=wanted.call)
        facts = {"price_cents": row["price_cents"], "currency": row["currency"]}
        _enter(books, "help.called", row, facts)
    tell(books, wanted.call)
    return None


def _end_what_was_before(books: Transaction, wanted: Wanted) -> None:
    before = []
    if wanted.terminal is not None:
        before += list(books.help.live_of_device(device_id=wanted.device))
    if wanted.reservation is not None:
        before += list(books.help.live_of_reservation(reservation_id=wanted.reservation))
    for call in {row["call_id"] for row in before}:
        end(books, books.help.call(call_id=call), CallEnd.CHOSE_ANOTHER)


def _calls_too_often(books: Transaction, wanted: Wanted) -> bool:
    lately = books.help.calls_since(
        device_id=wanted.device if wanted.terminal is not None else None,
        reservation_id=wanted.reservation,
        since=books.now - _HOUR_MS,
    )
    return bool(lately >= CALLS_AN_HOUR_MAX)


def _refusal(books: Transaction, wanted: Wanted, helper: Row) -> CallEnd | None:
    choice = Choice(
        state=HelperState(helper["state"]),
        lease_until=helper["lease_until"],
        waiting=books.help.waiting_count(helper_id=wanted.helper),
        price_cents=helper["price_cents"],
        currency=helper["currency"],
        agreed_cents=wanted.agreed_cents,
        agreed_currency=wanted.agreed_currency,
    )
    return refusal_of(choice, books.now)


def _take_up(books: Transaction, call: Row) -> None:
    before = CallState(call["state"])
    if CALL.step(before, CallEvent.TAKE_UP) is None or before is CallState.OPEN:
        return
    books.help.take_up(call_id=call["call_id"], now=books.now)
    waited = (books.now - call["chosen_at"]) // 1000
    _enter(books, "help.opened", call, {"seconds": waited})
    tell(books, call["call_id"])
    tell_waiting(books, call["helper_id"])


def _write(books: Transaction, call: Row, side: str, text: str, *, own: int = 0) -> bool:
    """Add a line to a call; say whether it was: not to one that is over, and nothing empty."""
    line = clean_line(text)
    if not line or CALL.step(CallState(call["state"]), CallEvent.SAY) is None:
        return False
    number = call["lines"] + 1
    books.help.note_line(call_id=call["call_id"], before=call["lines"], at=books.now)
    books.help.add_line(
        call_id=call["call_id"], number=number, side=side, own=own, text=line, at=books.now
    )
    if number >= LINES_MAX:
        end(books, books.help.call(call_id=call["call_id"]), CallEnd.TOO_LONG)
    else:
        tell(books, call["call_id"])
    return True


def _enter(books: Transaction, kind: str, call: Row, facts: dict[str, Any]) -> None:
    """Add to the ledger that somebody was called; what was said stands in the lines alone."""
    named = {"call": call["call_id"], "helper": call["helper_id"], "name": call["helper_name"]}
    books.enter(
        kind,
        {**named, **facts},
        terminal=call["terminal_id"],
        reservation=call["reservation_id"],
        session=call["session_id"],
    )
