"""Who can be called, and what becomes of a call: a helper provides, while he is there (E6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.machine import Machine

LEASE_SECONDS: Final = 15.0
"""A helper's page says that he is there each 5 s; two such words may be lost, and no third."""

FORM_LEASE_SECONDS: Final = 120.0
"""The same without script, where each thing he does says it, and his page each 20 s by itself."""

GRACE_SECONDS: Final = 30.0
"""After his lease nobody new is offered him; whoever talks to him waits so long for him to be back:
a phone that changes networks, a page that is read anew."""

WAIT_SECONDS_MAX: Final = 900.0
"""A quarter of an hour: whoever has waited so long is told that nobody comes."""

SILENCE_SECONDS_MAX: Final = 1_800.0
"""Half an hour without a line: the call is over, and its helper free for others."""

WAITING_MAX: Final = 20
"""Calls that may wait for one helper: more than he can answer in `WAIT_SECONDS_MAX`."""


class HelperState(StrEnum):
    """Whether a helper can be chosen: he is registered first, like an offering, then on or off."""

    REGISTERED = "registered"
    ON = "on"
    OFF = "off"


class HelperEvent(StrEnum):
    """What he, or his silence, says."""

    LOG_IN = "log_in"
    LOG_OUT = "log_out"


HELPER: Final = Machine(
    name="helper",
    first=HelperState.REGISTERED,
    table={
        (HelperState.REGISTERED, HelperEvent.LOG_IN): HelperState.ON,
        (HelperState.ON, HelperEvent.LOG_IN): HelperState.ON,
        (HelperState.OFF, HelperEvent.LOG_IN): HelperState.ON,
        (HelperState.ON, HelperEvent.LOG_OUT): HelperState.OFF,
        (HelperState.OFF, HelperEvent.LOG_OUT): HelperState.OFF,
    },
)


class CallState(StrEnum):
    """Where one customer's talk with one helper stands."""

    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"


class CallEvent(StrEnum):
    """What either side does, or time."""

    TAKE_UP = "take_up"
    SAY = "say"
    END = "end"


CALL: Final = Machine(
    name="call",
    first=CallState.WAITING,
    table={
        (CallState.WAITING, CallEvent.TAKE_UP): CallState.OPEN,
        (CallState.WAITING, CallEvent.SAY): CallState.WAITING,
        (CallState.WAITING, CallEvent.END): CallState.ENDED,
        (CallState.OPEN, CallEvent.TAKE_UP): CallState.OPEN,
        (CallState.OPEN, CallEvent.SAY): CallState.OPEN,
        (CallState.OPEN, CallEvent.END): CallState.ENDED,
    },
)


class CallEnd(StrEnum):
    """Why a call is over: a closed list, each with its words for the customer."""

    CUSTOMER_LEFT = "customer_left"
    HELPER_ENDED = "helper_ended"
    HELPER_GONE = "helper_gone"
    NOT_THERE = "not_there"
    NOT_ANSWERED = "not_answered"
    SILENT = "silent"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    CHOSE_ANOTHER = "chose_another"
    PRICE_CHANGED = "price_changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is known when a customer has chosen a helper.

    Attributes:
        state: the helper's, or None: there is none of that name at this store.
        lease_until: until when he is there without another word of his.
        waiting: calls that wait for him now.
        price_cents: what he takes for a call now, in `currency`.
        agreed_cents: what the customer was shown and has agreed to, in `agreed_currency`.
    """

    state: HelperState | None
    lease_until: int
    waiting: int
    price_cents: int
    currency: str
    agreed_cents: int
    agreed_currency: str


def is_there(state: HelperState | None, lease_until: int, now: int) -> bool:
    """Say whether a helper can be chosen now: logged in, and heard of within his lease."""
    return state is HelperState.ON and now < lease_until


def refusal_of(choice: Choice, now: int) -> CallEnd | None:
    """Return why this choice opens no call, or None: it does.

    Nobody is taken at a higher price than he has agreed to, nor in other money; a lower one that
    came meanwhile is taken.
    """
    if not is_there(choice.state, choice.lease_until, now):
        return CallEnd.NOT_THERE
    costs_more = choice.price_cents > choice.agreed_cents
    other_money = choice.price_cents > 0 and choice.currency != choice.agreed_currency
    if costs_more or other_money:
        return CallEnd.PRICE_CHANGED
    return CallEnd.TOO_MANY if choice.waiting >= WAITING_MAX else None


def overdue(state: CallState, chosen_at: int, last_line_at: int | None, now: int) -> CallEnd | None:
    """Return why a call ends by time alone, or None: it goes on."""
    if state is CallState.WAITING and now >= chosen_at + WAIT_SECONDS_MAX * 1000:
        return CallEnd.NOT_ANSWERED
    last = max(chosen_at, last_line_at or 0)
    if state is CallState.OPEN and now >= last + SILENCE_SECONDS_MAX * 1000:
        return CallEnd.SILENT
    return None


def clean_line(text: str) -> str:
    """Return a line as it is kept: without what is not to be seen, and nothing around it.

    Controls would end up in logs, and the marks that turn the direction of reading show another
    text than was written.
    """
    return _UNSEEN.sub("", text.replace("\t", " ")).strip()


_UNSEEN: Final = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
