"""A customer says later where letters go, and is sent his ticket there."""

from __future__ import annotations

from cloud_controller.bookings.letters import write
from cloud_controller.flows import letters, reservations
from cloud_controller.ports import NotAllowed, Transaction
from common.rules.letters import LetterKind, address_of


def may_address(books: Transaction, order: str | None, reservation: str) -> bool:
    """Say whether nobody has said yet where letters about this reservation go."""
    if order is None or letters.was_given(books, reservation):
        return False
    return not reservations.order_by_id(books, order)["mail"]


def address(books: Transaction, link: str, mail: str, language: str) -> None:
    """Note where letters about a ticket's order go, and send its tickets there.

    Raises:
        NotFound: there is no such ticket.
        NotAllowed: that is no address, or letters go to another one already.
    """
    known = reservations.ticket(books, link)
    order, recipient = known["order_id"], address_of(mail)
    if recipient is None:
        raise NotAllowed(why="this is no mail address")
    if order is None or not may_address(books, order, known["reservation_id"]):
        raise NotAllowed(why="letters about this ticket go to another address")
    holder = reservations.order_by_id(books, order)["holder"]
    customer = reservations.Customer(holder=holder, mail=recipient, language=language)
    reservations.address(books, order, customer)
    write(books, LetterKind.CONFIRMED, order)
