"""What the nightly audit looks for: promises that the books themselves can show to be broken.

Its law: what is found is told, and nothing is changed by looking. What only a program, a wire or a
disk can break is not among it; tests try that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

QUIET_HOUR: Final = 4
"""The hour at which the audit runs, by a store's own clock: the last guest has gone, and the first
one's booking is hours away."""

LATE_SECONDS: Final = 36 * 3_600
"""An audit that is older than this is made up for at once, whatever the hour."""

FINDINGS_MAX: Final = 100
"""Findings of one kind that an audit keeps: more of them have one cause, and are counted."""

OVERRUN_SECONDS: Final = 1.0
"""What a session may have run past what it was granted: we promise to be exact by so much."""

OWED_TOLERANCE_SECONDS: Final = 0.001
"""By how much two sums of the same seconds may differ, as they were added in another order."""

STUCK_SECONDS: Final = 86_400
"""An event that waits for an earlier one for longer is waiting for one that never comes."""

LEAK_AFTER_SECONDS: Final = 120.0
"""How long a device and the books may disagree: what a start, an end and a slow wire take."""

SILENT_AFTER_SECONDS: Final = 600.0
"""A session without a heartbeat for so long, on a terminal that is here, has no program."""

HELD_STATES: Final = frozenset({"preparing", "in_use", "finishing"})
"""States in which a device says that somebody has it."""

IDLE_STATES: Final = frozenset({"available", "turnover", "out_of_order"})


class Invariant(StrEnum):
    """What must always hold, by what it is called where it does not."""

    SOLD_TWICE = "sold_twice"
    """Two reservations claim one device at the same time."""
    RAN_TWICE = "ran_twice"
    """A ticket has opened two sessions that ran, or a device has two at once."""
    STARTED_WITHOUT_RIGHT = "started_without_right"
    """A session ran for which no right was issued, or on another store's device."""
    RAN_TOO_LONG = "ran_too_long"
    """A session got more time than was granted, or is not over long after its deadline."""
    DEVICE_WITHOUT_SESSION = "device_without_session"
    """A leak: a device is on, and nobody's session is."""
    SESSION_WITHOUT_DEVICE = "session_without_device"
    """A leak the other way: a session is paid for, and its device is not on."""
    NOT_PAID_BACK = "not_paid_back"
    """What is paid back for lost time is not what is owed by what ran."""
    RIGHT_ISSUED_TWICE = "right_issued_twice"
    """One exchange, or one session, has two rights."""
    SEATS_OVER_LIMIT = "seats_over_limit"
    """More seats of a module are out than are owned, or than are counted."""
    EVENTS_STUCK = "events_stuck"
    """A terminal's events wait for one that does not come."""
    SERVED_UNCONFIRMED = "served_unconfirmed"
    """A terminal that is not confirmed has the broker's service role."""
    LEDGER_UNBALANCED = "ledger_unbalanced"
    """An entry of the ledger does not sum to nought."""
    MORE_BACK_THAN_PAID = "more_back_than_paid"
    """More of a payment went back than had come in."""
    RECEIPT_MISSING = "receipt_missing"
    """A number of a store's receipts is left out."""
    ACT_UNRECORDED = "act_unrecorded"
    """A privileged act has left no audit row."""


PROMISES: Final[Mapping[Invariant, int]] = {
    Invariant.SOLD_TWICE: 1,
    Invariant.RAN_TWICE: 2,
    Invariant.STARTED_WITHOUT_RIGHT: 3,
    Invariant.RAN_TOO_LONG: 4,
    Invariant.DEVICE_WITHOUT_SESSION: 5,
    Invariant.SESSION_WITHOUT_DEVICE: 5,
    Invariant.NOT_PAID_BACK: 6,
    Invariant.RIGHT_ISSUED_TWICE: 7,
    Invariant.SEATS_OVER_LIMIT: 8,
    Invariant.EVENTS_STUCK: 9,
    Invariant.SERVED_UNCONFIRMED: 10,
    Invariant.LEDGER_UNBALANCED: 6,
    Invariant.MORE_BACK_THAN_PAID: 6,
    Invariant.RECEIPT_MISSING: 9,
    Invariant.ACT_UNRECORDED: 14,
}
"""Which of the fifteen promises each one is of. The storefront (11), trees of processes (12),
what is acknowledged (13) and what the wire names (15) leave no row that could show it."""

LEAKS: Final = frozenset({Invariant.DEVICE_WITHOUT_SESSION, Invariant.SESSION_WITHOUT_DEVICE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One case in which a promise does not hold.

    Attributes:
        subject: what it is about: the id of a reservation, session, device, terminal, entry, …
        store: whose it is; empty: no store's.
        facts: what was read, so that a person can follow it.
    """

    invariant: Invariant
    subject: str
    store: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceNow:
    """A device as its terminal tells it, beside what the books think runs on it.

    Attributes:
        state: by its terminal's word; empty: none yet.
        state_seconds: how long it has been in it.
        is_here: whether its terminal is heard.
        session_state: of its live session; empty: it has none.
        running_seconds: since when that runs; None: it does not.
        silent_seconds: since its last heartbeat, or its beginning; None: it does not run.
    """

    state: str
    state_seconds: float
    is_here: bool
    session_state: str = ""
    running_seconds: float | None = None
    silent_seconds: float | None = None


def leak_of(device: DeviceNow) -> Invariant | None:
    """Say whether a device and the books disagree; of a silent terminal nothing is known."""
    if not device.is_here:
        return None
    is_settled = device.state_seconds >= LEAK_AFTER_SECONDS
    if device.state in HELD_STATES and not device.session_state and is_settled:
        return Invariant.DEVICE_WITHOUT_SESSION
    if device.running_seconds is None or device.running_seconds < LEAK_AFTER_SECONDS:
        return None
    is_idle = device.state in IDLE_STATES and is_settled
    is_silent = (device.silent_seconds or 0.0) >= SILENT_AFTER_SECONDS
    return Invariant.SESSION_WITHOUT_DEVICE if is_idle or is_silent else None


def differs(told_seconds: float, owed_seconds: float, told_cents: int, owed_cents: int) -> bool:
    """Say whether what was entered as owed is not what is owed, in seconds or in minor units."""
    return abs(told_seconds - owed_seconds) > OWED_TOLERANCE_SECONDS or told_cents != owed_cents


def quiet_zone(zones: Iterable[str]) -> str:
    """Return the zone by whose clock an audit of all stores runs: that of most of them."""
    counted = Counter(zones)
    return min(counted, key=lambda zone: (-counted[zone], zone), default="UTC")


def next_quiet_at(time_zone: str, after: int) -> int:
    """Return the first quiet hour after an instant, by the clock of a zone (UTC ms)."""
    zone = ZoneInfo(time_zone)
    today = datetime.fromtimestamp(after / 1000, zone).date()
    days = (today + timedelta(days=days) for days in range(3))
    hours = (datetime(day.year, day.month, day.day, QUIET_HOUR, tzinfo=zone) for day in days)
    return next(at for at in (int(hour.timestamp() * 1000) for hour in hours) if at > after)


def next_audit_at(time_zone: str, last: int | None, now: int) -> int:
    """Return when the next audit is due; the last one began at `last` (UTC ms).

    One that was missed, as the controller was not there, is made up for now.
    """
    if last is not None and now - last > LATE_SECONDS * 1000:
        return now
    return next_quiet_at(time_zone, now if last is None else last)
