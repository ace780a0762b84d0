"""A ticket whose reservation another controller keeps: it lends it, one borrower at a time.

Its law: a borrowed ticket is redeemed by its borrower's books alone; before it is given back,
nobody else redeems it and it cannot be given up (C1).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.machine import Machine


class LoanState(StrEnum):
    """One claim to a ticket, where its reservation is kept."""

    ASKED = "asked"
    LENT = "lent"
    DENIED = "denied"
    GIVEN_BACK = "given_back"


class LoanEvent(StrEnum):
    """What happens to a claim. `GIVE_BACK` may come before the question that it takes back."""

    LEND = "lend"
    DENY = "deny"
    GIVE_BACK = "give_back"


LOAN: Final = Machine(
    name="loan",
    first=LoanState.ASKED,
    table={
        (LoanState.ASKED, LoanEvent.LEND): LoanState.LENT,
        (LoanState.ASKED, LoanEvent.DENY): LoanState.DENIED,
        (LoanState.ASKED, LoanEvent.GIVE_BACK): LoanState.GIVEN_BACK,
        (LoanState.LENT, LoanEvent.GIVE_BACK): LoanState.GIVEN_BACK,
    },
)


class BorrowingState(StrEnum):
    """A ticket of another controller's, where its terminal is."""

    ASKED = "asked"
    BORROWED = "borrowed"
    RETURNING = "returning"
    RETURNED = "returned"
    USED = "used"


class BorrowingEvent(StrEnum):
    """What happens to it.

    `ASK`: it is shown; `RETURN`: nothing came of it, or no answer did; `HEARD`: its return was;
    `USE`: it is spent, and who keeps its reservation knows.
    """

    ASK = "ask"
    LEND = "lend"
    DENY = "deny"
    RETURN = "return"
    HEARD = "heard"
    USE = "use"


BORROWING: Final = Machine(
    name="borrowing",
    first=BorrowingState.ASKED,
    table={
        (BorrowingState.ASKED, BorrowingEvent.ASK): BorrowingState.ASKED,
        (BorrowingState.ASKED, BorrowingEvent.LEND): BorrowingState.BORROWED,
        (BorrowingState.ASKED, BorrowingEvent.DENY): BorrowingState.RETURNED,
        (BorrowingState.ASKED, BorrowingEvent.RETURN): BorrowingState.RETURNING,
        (BorrowingState.BORROWED, BorrowingEvent.RETURN): BorrowingState.RETURNING,
        (BorrowingState.BORROWED, BorrowingEvent.USE): BorrowingState.USED,
        (BorrowingState.RETURNING, BorrowingEvent.ASK): BorrowingState.ASKED,
        (BorrowingState.RETURNING, BorrowingEvent.HEARD): BorrowingState.RETURNED,
        (BorrowingState.RETURNED, BorrowingEvent.ASK): BorrowingState.ASKED,
    },
)
