"""The reservation port: all that is asked of whoever keeps reservations, wherever that is (C1)."""

from __future__ import annotations

from typing import Protocol

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


class Reservations(Protocol):
    """Who keeps reservations and issues their tickets: here, or another system elsewhere (C1).

    What is to be the same however often it is said, says so by what it carries: a `key`, a `claim`,
    the number of a line. So each call may be said again when its answer was lost. Besides what is
    named, each raises a RusubanError where there is no answer.
    """

    async def issue(self, asked: IssueAsked) -> ReservationKept:
        """Book a time and return it with its ticket.

        Raises:
            NotFound, NotAllowed, SlotIsTaken: it cannot be had.
        """
        ...

    async def look_up(self, asked: ReservationAsked) -> ReservationKept:
        """Return a reservation with its ticket as it stands.

        Raises:
            NotFound: there is no such one.
        """
        ...

    async def verify(self, asked: TicketAsked) -> TicketFound:
        """Say what a ticket is for and why it would not open; nothing changes."""
        ...

    async def mark_used(self, asked: UseAsked) -> TicketFound:
        """Take a ticket for a use, so that nobody else can, or hear why it is not to be had."""
        ...

    async def give_back(self, said: GiveBack) -> GivenBack:
        """Give a ticket back that was not used after all.

        Raises:
            NotAllowed: a use of it has begun and is not reported over.
        """
        ...

    async def report(self, report: Report) -> Reported:
        """Say what has become of tickets that were taken."""
        ...

    async def cancel(self, asked: ReservationAsked) -> ReservationKept:
        """Give a reservation up.

        Raises:
            NotFound: there is no such one.
            NotAllowed: it is in use, over or given up already.
        """
        ...

    async def tell_store(self, said: StoreSaid) -> StoreHeard:
        """Say what a store has and who of it is here.

        Raises:
            NotAllowed: the store is not taken from us.
        """
        ...
