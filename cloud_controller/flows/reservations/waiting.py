"""The waiting list: who is first gets a place that becomes free, held for him for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.reservations.orders import LINK_DIGITS, Customer, place, release
from cloud_controller.flows.reservations.slots import Wish, fit
from cloud_controller.ports import NotAllowed, NotFound, Row, SlotIsTaken, Transaction
from common.ids import OfferingId
from common.rules.letters import address_of
from common.rules.reservations import WAITING, Range, WaitingEvent, WaitingState

WAITING_MAX: Final = 100
"""Who may wait for one slot: with more there is no hope left to be given."""

WAITS_MAX: Final = 5
"""Times that one address may wait for at once: nobody keeps a day from others by waiting for it."""

OFFERED_BATCH_MAX: Final = 50
"""Places offered in one transaction, so that it stays short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offered:
    """A place that was offered to somebody who waits, to be told to him."""

    waiting: str
    order: str
    mail: str
    language: str


def join(books: Transaction, wish: Wish, customer: Customer) -> str:
    """Wait for a slot that is full; return the link of the place in the list.

    Raises:
        NotFound: there is no such offering.
        NotAllowed: the slot is free, or none, or too many wait for it, or there is no address.
    """
    if address_of(customer.mail) is None:
        raise NotAllowed(why="whoever waits has to be written to: an address is needed")
    try:
        fit(books, wish)
    except SlotIsTaken:
        pass
    else:
        raise NotAllowed(why="this time is free: it can be booked at once")
    mail = address_of(customer.mail) or ""
    own = books.reservations.waiting_of(mail=mail)
    here = [row for row in own if row["offering_id"] == wish.offering]
    if any(row["starts_at"] == wish.slot.starts_at for row in here):
        raise NotAllowed(why="you wait for this time already")
    if len(own) >= WAITS_MAX:
        raise NotAllowed(why=f"one address may wait for {WAITS_MAX} times at once")
    waiting = books.reservations.count_waiting(
        offering_id=wish.offering, starts_at=wish.slot.starts_at
    )
    if waiting >= WAITING_MAX:
        raise NotAllowed(why="too many wait for this time")
    link = books.names.hex_digits(LINK_DIGITS)
    books.reservations.join_waiting(
        waiting_id=books.names.new("w"),
        offering_id=wish.offering,
        link=link,
        starts_at=wish.slot.starts_at,
        ends_at=wish.slot.ends_at,
        party_size=wish.party_size,
        mail=mail,
        language=customer.language,
        made_at=books.now,
    )
    return link


def place_in_list(books: Transaction, link: str) -> Row:
    """Return a place in the list, with how many are before it and the order that is held for it.

    Raises:
        NotFound: there is no such place.
    """
    row = books.reservations.waiting_by_link(link=link)
    if row is None:
        raise NotFound(what="place in the waiting list")
    return row


def withdraw(books: Transaction, link: str) -> None:
    """Wait no longer; what is held for it is free again.

    Raises:
        NotFound: there is no such place.
        NotAllowed: it is taken or over already.
    """
    row = place_in_list(books, link)
    after = WAITING.step(WaitingState(row["state"]), WaitingEvent.WITHDRAW)
    if after is None:
        raise NotAllowed(why="this waiting is over")
    if row["order_link"] is not None:
        release(books, row["order_link"])
    _turn(books, row, after)


def settle(books: Transaction) -> None:
    """Note which offers were taken and which were let go, and drop those whose time has come."""
    for row in books.reservations.waiting_to_settle(now=books.now, most=OFFERED_BATCH_MAX):
        event = WaitingEvent.TAKE if row["is_taken"] else WaitingEvent.LAPSE
        after = WAITING.step(WaitingState(row["state"]), event)
        if after is not None:
            _turn(books, row, after)


def offer_freed(books: Transaction) -> list[Offered]:
    """Hold what has become free for those who wait for it, the first first; return the offers."""
    offered = []
    for row in books.reservations.waiting_and_possible(now=books.now, most=OFFERED_BATCH_MAX):
        wish = Wish(
            offering=OfferingId(row["offering_id"]),
            slot=Range(starts_at=row["starts_at"], ends_at=row["ends_at"]),
            party_size=row["party_size"],
        )
        customer = Customer(holder=row["waiting_id"], mail=row["mail"], language=row["language"])
        try:
            fit(books, wish)
        except (SlotIsTaken, NotFound, NotAllowed):
            continue
        order = place(books, [wish], customer, is_held=True)
        after = WAITING.step(WaitingState(row["state"]), WaitingEvent.OFFER)
        assert after is not None, "only those who wait are looked at"
        books.reservations.offer_place(
            waiting_id=row["waiting_id"], order_id=order, state=after, changed_at=books.now
        )
        offered.append(
            Offered(waiting=row["link"], order=order, mail=row["mail"], language=row["language"])
        )
    return offered


def _turn(books: Transaction, row: Row, after: WaitingState) -> None:
    books.reservations.turn_waiting(
        waiting_id=row["waiting_id"], before=row["state"], state=after, changed_at=books.now
    )
