"""A session goes on: room, claim, session, money and word to its terminal in one transaction.

Its law: whoever comes next is never kept waiting by it, and nothing is granted that is not paid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from cloud_controller.flows import extensions, payments, reservations, rights, sessions
from cloud_controller.flows.extensions import Found
from cloud_controller.flows.rights import Extended
from cloud_controller.ports import Received, Row, Transaction
from common.errors import RusubanError
from common.ids import TerminalId
from common.messages.extensions import ExtensionAsk, ExtensionChoice, ExtensionOffer
from common.messages.rights import ExtensionRequest
from common.rules.payments import Method, PaymentState, Quote
from common.rules.reservations import Range
from common.rules.rights import RightKind
from common.rules.sessions import (
    EXTENSION_LATEST_SECONDS,
    EXTENSION_SECONDS_MIN,
    ExtensionNo,
    possible_seconds,
)
from common.topics import Channel

BY_TERMINAL: Final = "terminal"
BY_ITSELF: Final = "itself"
BY_PAGE: Final = "page"
BY_OPERATOR: Final = "operator"
"""By what a session was extended, as the ledger says it."""


@dataclass(frozen=True, slots=True)
class Till:
    """How this controller is paid: by which provider, None: outside; and where its pages are."""

    provider: Method | None = None
    public_url: Callable[[], str] = lambda: ""

    def has_to_be_paid_first(self, quote: Quote) -> bool:
        """Say whether what is quoted is paid on a provider's page, before anything is granted."""
        return quote.total_cents > 0 and self.provider is Method.STRIPE_CHECKOUT


AT_THE_COUNTER: Final = Till()
"""Nobody is asked for money by us."""


class IsNotExtended(RusubanError):
    """This session is not extended: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class More:
    """What an extension has come to: its end where it is granted, else the payment waited for."""

    seconds: int
    price_cents: int
    currency: str
    ends_at: int
    is_granted: bool


def take(books: Transaction, received: Received, *, till: Till = AT_THE_COUNTER) -> None:
    """Take one message of an exchange with a terminal, those about extensions among them."""
    issuing = rights.extension_rights(partial(_extend_for, till=till), extensions.restore)
    rights.take(books, received, {RightKind.EXTENSION: issuing})


def answer(books: Transaction, said: Received, *, till: Till = AT_THE_COUNTER) -> None:
    """Tell a terminal by how much one of its sessions can be extended, and for how much."""
    ask: ExtensionAsk = said.message
    found = extensions.of_session(books, ask.session, said.terminal)
    if found is None or found.row["device_id"] != ask.device:
        offered = ExtensionOffer(session=ask.session, refused=ExtensionNo.SESSION_IS_ENDING)
    else:
        offered = offer(books, found, till)
    books.say(said.terminal, Channel.REPLIES, offered, corr=said.corr)


def offer(books: Transaction, found: Found, till: Till) -> ExtensionOffer:
    """Return by how much a session can be extended as things stand, what that costs, or why not."""
    quotes = {} if found.refused else {each: _quote(books, found, each) for each in found.choices}
    is_paid_elsewhere = any(till.has_to_be_paid_first(quote) for quote in quotes.values())
    return ExtensionOffer(
        session=found.row["session_id"],
        ends_at=found.room.ends_at,
        choices=tuple(
            ExtensionChoice(seconds=seconds, price_cents=quote.total_cents)
            for seconds, quote in quotes.items()
        ),
        currency=found.row["currency"],
        longest_seconds=found.longest.seconds,
        bound=found.longest.bound,
        refused=found.refused,
        pay_url=f"{till.public_url()}/t/{found.row['link']}" if is_paid_elsewhere else None,
    )


def extend(
    books: Transaction, link: str, seconds: int, most_cents: int, till: Till, voucher: str = ""
) -> More:
    """Extend the session of a ticket, or have what it costs asked for first.

    Raises:
        NotFound: there is no such ticket.
        IsNotExtended: `why` is an `ExtensionNo`.
        VoucherIsRefused: nothing is taken off with this code.
        SlotIsTaken: somebody has taken that time this very moment.
    """
    found = extensions.of_ticket(books, link)
    if found is None:
        raise IsNotExtended(why=ExtensionNo.SESSION_IS_ENDING)
    fitting = _fitting(found, seconds)
    if isinstance(fitting, ExtensionNo):
        raise IsNotExtended(why=fitting)
    quote = _quote(books, found, fitting, voucher)
    unpaid = _why_not_charged(found, quote, most_cents)
    if unpaid is not None:
        raise IsNotExtended(why=unpaid)
    is_granted = not till.has_to_be_paid_first(quote)
    if is_granted:
        ends_at = _grant(books, found, fitting, quote, BY_PAGE)
        _tell(books, found)
    else:
        ends_at = found.room.ends_at + fitting * 1000
        _ask_for(books, found, fitting, quote, till)
    return More(
        seconds=fitting,
        price_cents=quote.total_cents,
        currency=quote.currency,
        ends_at=ends_at,
        is_granted=is_granted,
    )


def give_more(books: Transaction, link: str, seconds: int) -> int:
    """Extend the session of a ticket by a gift of its operator's; return when it ends then (ms).

    Raises:
        NotFound: there is no such ticket.
        IsNotExtended: `why` is an `ExtensionNo`.
        SlotIsTaken: somebody has taken that time this very moment.
    """
    found = extensions.of_ticket(books, link)
    if found is None:
        raise IsNotExtended(why=ExtensionNo.SESSION_IS_ENDING)
    fitting = _fitting(found, seconds)
    if isinstance(fitting, ExtensionNo):
        raise IsNotExtended(why=fitting)
    _clear(books, found, fitting)
    ends_at = extensions.extend(books, found, fitting, 0, BY_OPERATOR)
    _tell(books, found)
    return ends_at


def grant_paid(books: Transaction, order: str) -> bool:
    """Grant the extensions of an order that are paid by now; say whether any were.

    One that came too late, or whose time somebody else has taken, is refused, and paid back by
    whoever calls this: the claim is not worth more than it was.
    """
    rows = extensions.paid(books, order)
    for row in rows:
        found = extensions.of_session(books, row["session_id"], row["terminal_id"])
        fits = found is not None and _fitting(found, row["seconds"]) == row["seconds"]
        if found is not None and fits:
            _clear(books, found, row["seconds"])
            extensions.extend(books, found, row["seconds"], row["cents"], BY_PAGE)
            _tell(books, found)
        extensions.settle(books, row["payment_id"], is_granted=fits)
    return bool(rows)


def agree(books: Transaction, link: str, *, is_agreed: bool) -> None:
    """Note whether a session is to go on by itself, and have its terminal hear it.

    Raises:
        NotFound: there is no such ticket, or it is over.
    """
    extensions.agree(books, link, is_agreed=is_agreed)
    found = extensions.of_ticket(books, link)
    if found is not None:
        _tell(books, found)


def agree_order(books: Transaction, order: str) -> None:
    """Note that every session of an order is to go on by itself while nobody waits."""
    extensions.agree_order(books, order)


def _extend_for(
    books: Transaction, terminal: str, asked: ExtensionRequest, *, till: Till
) -> Extended | ExtensionNo:
    """Extend a session as its terminal asks, or say why not."""
    found = extensions.of_session(books, asked.session, terminal)
    if found is None or found.row["device_id"] != asked.device:
        return ExtensionNo.SESSION_IS_ENDING
    if asked.seconds == 0:
        return _extended(found.row) if found.row["extended_seconds"] else ExtensionNo.NOT_ALLOWED
    no = extensions.why_not_by_itself_now(books, found) if asked.is_by_itself else None
    fitting = no or _fitting(found, asked.seconds)
    if isinstance(fitting, ExtensionNo):
        return fitting
    quote = _quote(books, found, fitting)
    unpaid = _why_not_charged(found, quote, asked.price_cents)
    if unpaid is None and till.has_to_be_paid_first(quote):
        unpaid = ExtensionNo.NOT_PAID
    if unpaid is not None:
        return unpaid
    _grant(books, found, fitting, quote, BY_ITSELF if asked.is_by_itself else BY_TERMINAL)
    now = extensions.of_session(books, asked.session, terminal)
    assert now is not None, "it was extended just now"
    return _extended(now.row, added_seconds=fitting)


def _extended(row: Row, *, added_seconds: float = 0.0) -> Extended:
    return Extended(
        session=row["session_id"],
        device=row["device_id"],
        extended_seconds=row["extended_seconds"],
        added_seconds=added_seconds,
        ends_at=row["ends_at"],
    )


def _fitting(found: Found, asked_seconds: int) -> int | ExtensionNo:
    """Return by how much of what is asked a session can go on, or why by next to nothing."""
    if found.refused is not None:
        return found.refused
    seconds = possible_seconds(asked_seconds, found.room)
    if seconds < min(EXTENSION_SECONDS_MIN, found.choices[0]):
        return found.longest.bound or ExtensionNo.NOT_ALLOWED
    return seconds


def _why_not_charged(found: Found, quote: Quote, most_cents: int) -> ExtensionNo | None:
    """Return why what is quoted cannot be charged, or None; what has no order has no account."""
    if quote.total_cents > most_cents:
        return ExtensionNo.COSTS_MORE
    has_account = found.row["order_id"] is not None
    return None if has_account or not quote.total_cents else ExtensionNo.NOT_ALLOWED


def _grant(books: Transaction, found: Found, seconds: int, quote: Quote, by: str) -> int:
    """Extend claim and session and charge for it, where that is paid at once."""
    _clear(books, found, seconds)
    ends_at = extensions.extend(books, found, seconds, quote.total_cents, by)
    if found.row["order_id"] is not None and (quote.total_cents or quote.discount_cents):
        method = Method.FREE if quote.total_cents else Method.VOUCHER
        payments.charge(books, found.row["order_id"], quote, method)
    return ends_at


def _ask_for(books: Transaction, found: Found, seconds: int, quote: Quote, till: Till) -> None:
    """Have it paid on the provider's page, until so shortly before the end that it still counts."""
    assert till.provider is not None, "somebody has to take the money"
    until = found.room.ends_at - int(EXTENSION_LATEST_SECONDS * 1000)
    order = found.row["order_id"]
    if extensions.is_asked_for_another(books, found):
        payments.expire(books, order)  # what looks the same is not: it is another seat's time
    charge = payments.charge(books, order, quote, till.provider, expires_at=until)
    assert charge.state is PaymentState.PENDING, "it costs something, and is paid elsewhere"
    extensions.ask_for_pay(books, found, charge.payment, seconds, quote.total_cents)


def _clear(books: Transaction, found: Found, seconds: int) -> None:
    """End what is over by now and still blocks the time after a session."""
    row, more_ms = found.row, seconds * 1000
    place = Range(starts_at=row["ends_at"], ends_at=row["blocked_until"] + more_ms)
    reservations.clear(books, row["device_id"], place, but=row["reservation_id"])


def _tell(books: Transaction, found: Found) -> None:
    """Have a session's terminal hear what is granted, so that it asks for the right to it."""
    sessions.tell_desired(books, TerminalId(found.row["terminal_id"]))


def _quote(books: Transaction, found: Found, seconds: int, voucher: str = "") -> Quote:
    row = found.row
    item = payments.Item(
        offering_id=row["offering_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        party_size=row["party_size"],
    )
    return payments.quote_more(books, item, row["ends_at"] + seconds * 1000, voucher)
