"""The reservation port on books of our own: for stores of our own, or for those of one peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cloud_controller import bookings
from cloud_controller.flows import directory, reservations, rights, sessions
from cloud_controller.flows.reservations import Wish
from cloud_controller.ports import Books, NotFound, Row, Transaction
from common.ids import OfferingId, TerminalId
from common.messages.reservations import (
    GiveBack,
    GivenBack,
    IssueAsked,
    Report,
    Reported,
    ReservationAsked,
    ReservationKept,
    StoreHeard,
    StoreSaid,
    TicketAsked,
    TicketFound,
    UseAsked,
)
from common.rules.presence import Presence
from common.rules.reservations import Range
from common.seals import digest_of

OURSELVES: Final = ""
"""Whose stores are our own."""

CREATED: Final = 201
"""What the web says of a booking; its answers are kept with the web's own."""


class BuiltinReservations:
    """Keeps the reservations of one peer's stores; see `reservation_port.Reservations`."""

    def __init__(
        self,
        books: Books,
        peer: str = OURSELVES,
        on_here: Callable[[list[str]], None] = lambda _terminals: None,
    ) -> None:
        """Take the books, and who speaks; `on_here` hears which of its terminals are here."""
        self._books = books
        self._peer = peer
        self._on_here = on_here

    async def issue(self, asked: IssueAsked) -> ReservationKept:
        """Book a time, once for its key, and return it with its ticket."""
        return await self._books.transact(_issue, self._peer, asked)

    async def look_up(self, asked: ReservationAsked) -> ReservationKept:
        """Return a reservation as it stands."""
        return await self._books.read(_kept, self._peer, asked.reservation)

    async def verify(self, asked: TicketAsked) -> TicketFound:
        """Say what a ticket is for and why it would not open."""
        return await self._books.read(rights.verify, self._peer, asked)

    async def mark_used(self, asked: UseAsked) -> TicketFound:
        """Lend a ticket for a use, or say why not."""
        return await self._books.transact(rights.lend, self._peer, asked)

    async def give_back(self, said: GiveBack) -> GivenBack:
        """Take a ticket back."""
        return await self._books.transact(rights.take_back, self._peer, said)

    async def report(self, report: Report) -> Reported:
        """Keep what has become of tickets that were lent."""
        return await self._books.transact(_report, self._peer, report)

    async def cancel(self, asked: ReservationAsked) -> ReservationKept:
        """Give a reservation up."""
        return await self._books.transact(_cancel, self._peer, asked.reservation)

    async def tell_store(self, said: StoreSaid) -> StoreHeard:
        """Keep what is told of a store, and hear who of it is here."""
        heard = await self._books.transact(directory.hear_store, self._peer, said)
        self._on_here(await self._books.read(directory.here, self._peer, said))
        return heard


def kept_for(
    books: Books, heard: Callable[[TerminalId, Presence, str], None], peer: str
) -> BuiltinReservations:
    """Return the port to what is kept for a peer; `heard` is told which terminals are here."""

    def note(terminals: list[str]) -> None:
        for terminal in terminals:
            heard(TerminalId(terminal), Presence.HERE, "")

    return BuiltinReservations(books, peer, on_here=note)


def _issue(books: Transaction, peer: str, asked: IssueAsked) -> ReservationKept:
    """Book once for a key: its answer is kept with the booking, and given again."""
    if not books.lending.sells_for(offering_id=asked.offering, peer=peer):
        raise NotFound(what="offering")
    route = f"reservations.issue {peer}"
    digest = digest_of(asked.model_dump(mode="json"))
    given = books.reservations.answer_given(key=asked.key, route=route)
    if given is not None and given["body_digest"] == digest:
        return ReservationKept.model_validate_json(given["body"])
    ends_at = asked.starts_at + asked.length_seconds * 1000
    slot = Range(starts_at=asked.starts_at, ends_at=ends_at)
    wish = Wish(offering=OfferingId(asked.offering), slot=slot, device=asked.device)
    order = bookings.place(books, [wish], reservations.ANYBODY, bookings.Paying())
    (claim,) = reservations.claims_of(books, order)
    kept = _kept(books, peer, claim["reservation_id"])
    if given is None:
        books.reservations.keep_answer(
            key=asked.key,
            route=route,
            body_digest=digest,
            status=CREATED,
            body=kept.model_dump_json(),
            made_at=books.now,
        )
    return kept


def _cancel(books: Transaction, peer: str, reservation: str) -> ReservationKept:
    """Give up what the peer may, as its store does: no cut-off stands against that."""
    row = _row(books, peer, reservation)
    bookings.give_up(books, row["link"], by_customer=False)
    return _kept(books, peer, reservation)


def _report(books: Transaction, peer: str, report: Report) -> Reported:
    known = books.rights.peer(name=peer)
    epoch = "" if known is None else known["epoch"]
    return sessions.note_report(books, peer, epoch, report)


def _row(books: Transaction, peer: str, reservation: str) -> Row:
    row = books.lending.reservation_of(reservation_id=reservation, peer=peer)
    if row is None:
        raise NotFound(what="reservation")
    return row


def _kept(books: Transaction, peer: str, reservation: str) -> ReservationKept:
    row = _row(books, peer, reservation)
    return ReservationKept(
        reservation=row["reservation_id"],
        link=row["link"],
        ticket=row["ticket_id"],
        token=row["token"],
        state=row["state"],
        ticket_state=row["ticket_state"],
        store=row["store_id"],
        offering=row["offering_id"],
        device=row["device_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
    )
