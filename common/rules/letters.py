"""Letters to customers: which there are, when one is tried again, and what is an address at all."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from common.machine import Machine

ADDRESS_LENGTH_MAX: Final = 254
"""Characters of a mail address: what SMTP carries (RFC 5321)."""

ATTEMPTS_MAX: Final = 12
"""Times that a letter is tried: with the waits below, most of a day."""

_WAITS_SECONDS: Final = (30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800)
"""Between two attempts; a mail server that puts off strangers wants some minutes."""

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_LOCAL_LENGTH_MAX = 64


class LetterKind(StrEnum):
    """What a letter is about; each has words in every language."""

    CONFIRMED = "confirmed"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    """To whom a reservation was given: the ticket is in it."""
    GIVEN_AWAY = "given_away"
    """To whom had it before: it says so, and shows no ticket."""
    FOUND_AGAIN = "found_again"
    WAITING_OFFER = "waiting_offer"
    NO_SHOW = "no_show"
    REFUNDED = "refunded"
    RECEIPT = "receipt"
    REMINDER = "reminder"
    PROBLEM_RAISED = "problem_raised"
    """To who runs a store, as the next two: there is something to look at."""
    PROBLEM_ESCALATED = "problem_escalated"
    PROBLEM_SOLVED = "problem_solved"


OF_PROBLEMS: Final = frozenset(
    {LetterKind.PROBLEM_RAISED, LetterKind.PROBLEM_ESCALATED, LetterKind.PROBLEM_SOLVED}
)
"""Letters to who runs a store, about what is wrong there."""

WITH_TICKETS: Final = frozenset(
    {
        LetterKind.CONFIRMED,
        LetterKind.CHANGED,
        LetterKind.TRANSFERRED,
        LetterKind.FOUND_AGAIN,
        LetterKind.REMINDER,
    }
)
"""Letters that hand tickets out: with none left that opens anything they are not sent."""

WITHOUT_TICKETS: Final = frozenset(
    {
        LetterKind.GIVEN_AWAY,
        LetterKind.WAITING_OFFER,
        LetterKind.NO_SHOW,
        LetterKind.REFUNDED,
        *OF_PROBLEMS,
    }
)
"""Letters that show no ticket, whatever has become of it."""


class LetterState(StrEnum):
    """Where a letter stands."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    NOT_CONFIGURED = "not_configured"
    """Nobody said by which mail server: it is kept, and not sent later, when it is old."""
    WITHDRAWN = "withdrawn"
    """What it would say was not true any more when its turn came."""


class LetterEvent(StrEnum):
    """What happens to a letter."""

    PUT_OFF = "put_off"
    SEND = "send"
    FAIL = "fail"
    SET_ASIDE = "set_aside"
    WITHDRAW = "withdraw"


LETTER: Final = Machine(
    name="letter",
    first=LetterState.QUEUED,
    table={
        (LetterState.QUEUED, LetterEvent.PUT_OFF): LetterState.QUEUED,
        (LetterState.QUEUED, LetterEvent.SEND): LetterState.SENT,
        (LetterState.QUEUED, LetterEvent.FAIL): LetterState.FAILED,
        (LetterState.QUEUED, LetterEvent.SET_ASIDE): LetterState.NOT_CONFIGURED,
        (LetterState.QUEUED, LetterEvent.WITHDRAW): LetterState.WITHDRAWN,
    },
)


def wait_seconds(attempts: int) -> int:
    """Return how long a letter rests after so many attempts, one or more."""
    assert attempts >= 1
    return _WAITS_SECONDS[min(attempts, len(_WAITS_SECONDS)) - 1]


def address_of(text: str) -> str | None:
    """Return a mail address as it is kept and compared: in small letters; None: it is none.

    Only ASCII, so that nothing in it can end a header or begin another.
    """
    address = text.strip().lower()
    if len(address) > ADDRESS_LENGTH_MAX or _ADDRESS.fullmatch(address) is None:
        return None
    return address if address.index("@") <= _LOCAL_LENGTH_MAX else None
