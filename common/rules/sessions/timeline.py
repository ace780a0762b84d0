"""One timeline of a ticket: what the ledger says, as moments that a person can be told.

It is made from the lines and from nothing else, so that whoever has the ledger can check it. A line
that is not known here is told to the operator by its bare name, and to no customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

READ_BELIEVED_MS: Final = 3_600_000
"""An hour: a reader whose clock says that a scan was longer ago is not believed about when."""


class Sign(StrEnum):
    """How a moment is marked."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    BAD = "bad"
    MONEY = "money"


class MomentKind(StrEnum):
    """What can be told of a ticket: a closed list, each with its words."""

    HELD = "held"
    BOOKED = "booked"
    CHANGED = "changed"
    GIVEN_ON = "given_on"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_TOO_LATE = "cancel_too_late"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    MISSED = "missed"
    SCANNED = "scanned"
    DENIED = "denied"
    OPENED = "opened"
    OPENED_ALONE = "opened_alone"
    MOVED = "moved"
    STARTING = "starting"
    STARTED = "started"
    NOT_STARTED = "not_started"
    ALIVE = "alive"
    UNWATCHED = "unwatched"
    INTERRUPTED = "interrupted"
    RESUMED = "resumed"
    EXTENDED = "extended"
    EXTENSION_TAKEN = "extension_taken"
    WARNED = "warned"
    WARNING_UNSEEN = "warning_unseen"
    STOP_INSTRUCTED = "stop_instructed"
    STOP_ANSWERED = "stop_answered"
    ENDING = "ending"
    STOPPED = "stopped"
    PRESUMED = "presumed"
    SETTLED = "settled"
    TURNED_OVER = "turned_over"
    READY_AGAIN = "ready_again"
    OUT_OF_ORDER = "out_of_order"
    SWITCHED = "switched"
    COMPLETED = "completed"
    UNDELIVERED = "undelivered"
    PAID_BACK = "paid_back"
    CORRECTED = "corrected"
    HELP_CALLED = "help_called"
    HELP_OPENED = "help_opened"
    HELP_ENDED = "help_ended"
    HELP_MISSED = "help_missed"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the ledger about a reservation; `at` is when it happened, by who reported it."""

    entry: int
    at: int
    type: str
    facts: Mapping[str, Any]
    session: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened to a ticket; `evidence` are the lines of the ledger that say so."""

    at: int
    kind: MomentKind
    sign: Sign
    is_for_customer: bool
    evidence: tuple[int, ...] = ()
    session: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """The heartbeats of a session that runs: how many, since when, and the last."""

    session: str
    first_at: int
    last_at: int
    number: int
    delivered_seconds: float


def timeline_of(lines: Iterable[Line], watched: Iterable[Watched] = ()) -> tuple[Moment, ...]:
    """Return the moments of a ticket, the earliest first; at one instant as the ledger has them."""
    known = list(lines)
    moments = [moment for line in known for moment in _moments(line, known)]
    moments += [_alive(each) for each in watched]
    return tuple(sorted(moments, key=lambda moment: (moment.at, moment.evidence)))


def for_customer(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """Return what a customer is told of it."""
    return tuple(moment for moment in moments if moment.is_for_customer)


def _moments(line: Line, lines: Sequence[Line]) -> Iterator[Moment]:
    match line.type:
        case "right.issued":
            yield _scanned(line)
            yield _moment(line, MomentKind.OPENED)
        case "session.interrupted":
            yield _interrupted(line, lines)
        case "session.warned":
            yield _warned(line, lines)
        case "session.warning_shown":
            return  # told with its warning
        case "session.ended":
            was_presumed = any(_is_before(each, line, "session.presumed_stopped") for each in lines)
            yield _moment(line, MomentKind.SETTLED if was_presumed else MomentKind.STOPPED)
        case "reservation.compensated":
            is_first = not any(_is_before(each, line, line.type) for each in lines)
            yield _moment(line, MomentKind.PAID_BACK if is_first else MomentKind.CORRECTED)
        case "device.told" | "help.ended":
            yield _moment(line, _kind_by_facts(line))
        case _:
            yield _moment(line, _KINDS.get(line.type, MomentKind.OTHER))


def _kind_by_facts(line: Line) -> MomentKind:
    """Return as what a line is told that can be several things."""
    if line.type == "help.ended":
        was_open = line.facts.get("was_open") is True
        return MomentKind.HELP_ENDED if was_open else MomentKind.HELP_MISSED
    return _DEVICE_KINDS.get(str(line.facts.get("state")), MomentKind.OTHER)


def _moment(line: Line, kind: MomentKind) -> Moment:
    return Moment(
        at=line.at,
        kind=kind,
        sign=_SIGNS.get(kind, Sign.NOTE),
        is_for_customer=kind not in FOR_OPERATORS,
        evidence=(line.entry,),
        session=line.session,
        facts={**line.facts, "type": line.type},
    )


def _scanned(line: Line) -> Moment:
    read_at = line.facts.get("read_at")
    moment = _moment(line, MomentKind.SCANNED)
    if isinstance(read_at, int) and 0 <= line.at - read_at <= READ_BELIEVED_MS:
        return replace(moment, at=read_at)
    return moment


def _interrupted(line: Line, lines: Sequence[Line]) -> Moment:
    """Tell what was lost this time; the line says what was lost in all."""
    before = [_lost(each) for each in lines if _is_before(each, line, line.type)]
    seconds = max(0.0, _lost(line) - max(before, default=0.0))
    moment = _moment(line, MomentKind.INTERRUPTED)
    return replace(moment, facts={**moment.facts, "seconds": seconds})


def _lost(line: Line) -> float:
    seconds = line.facts.get("lost_seconds")
    return float(seconds) if isinstance(seconds, int | float) else 0.0


def _warned(line: Line, lines: Sequence[Line]) -> Moment:
    """Tell a warning with the word that it was shown: the first one behind it that says as much."""
    left = line.facts.get("seconds_left")
    for each in lines:
        if (each.session, each.type) != (line.session, "session.warning_shown"):
            continue
        if each.entry > line.entry and each.facts.get("seconds_left") == left:
            shown = _moment(line, MomentKind.WARNED)
            return replace(shown, evidence=(line.entry, each.entry))
    return _moment(line, MomentKind.WARNING_UNSEEN)


def _alive(watched: Watched) -> Moment:
    return Moment(
        at=watched.last_at,
        kind=MomentKind.ALIVE,
        sign=Sign.GOOD,
        is_for_customer=False,
        session=watched.session,
        facts={
            "heartbeats": watched.number,
            "first_heartbeat_at": watched.first_at,
            "delivered_seconds": watched.delivered_seconds,
        },
    )


def _is_before(each: Line, line: Line, kind: str) -> bool:
    """Say whether a line is of this type, and stands before another about the same session."""
    return (each.type, each.session) == (kind, line.session) and each.entry < line.entry


_KINDS: Final[Mapping[str, MomentKind]] = {
    "reservation.held": MomentKind.HELD,
    "reservation.confirmed": MomentKind.BOOKED,
    "reservation.changed": MomentKind.CHANGED,
    "reservation.transferred": MomentKind.GIVEN_ON,
    "cancellation.asked": MomentKind.CANCEL_ASKED,
    "cancellation.too_late": MomentKind.CANCEL_TOO_LATE,
    "reservation.cancelled": MomentKind.CANCELLED,
    "reservation.expired": MomentKind.LAPSED,
    "reservation.no_show": MomentKind.MISSED,
    "scan.denied": MomentKind.DENIED,
    "session.admitted": MomentKind.OPENED_ALONE,
    "reservation.moved": MomentKind.MOVED,
    "session.starting": MomentKind.STARTING,
    "session.running": MomentKind.STARTED,
    "session.failed": MomentKind.NOT_STARTED,
    "session.unwatched": MomentKind.UNWATCHED,
    "session.resumed": MomentKind.RESUMED,
    "session.extension_granted": MomentKind.EXTENDED,
    "session.extended": MomentKind.EXTENSION_TAKEN,
    "stop.instructed": MomentKind.STOP_INSTRUCTED,
    "command.state": MomentKind.STOP_ANSWERED,
    "session.ending": MomentKind.ENDING,
    "session.presumed_stopped": MomentKind.PRESUMED,
    "switch.pulsed": MomentKind.SWITCHED,
    "help.called": MomentKind.HELP_CALLED,
    "help.opened": MomentKind.HELP_OPENED,
    "reservation.completed": MomentKind.COMPLETED,
    "reservation.undelivered": MomentKind.UNDELIVERED,
}
"""What each line of the ledger is told as, where one alone says it."""

_DEVICE_KINDS: Final[Mapping[str, MomentKind]] = {
    "turnover": MomentKind.TURNED_OVER,
    "available": MomentKind.READY_AGAIN,
    "out_of_order": MomentKind.OUT_OF_ORDER,
}
"""What became of the device after the use, by the state that its terminal told."""

_SIGNS: Final[Mapping[MomentKind, Sign]] = {
    MomentKind.BOOKED: Sign.GOOD,
    MomentKind.SCANNED: Sign.GOOD,
    MomentKind.OPENED: Sign.GOOD,
    MomentKind.OPENED_ALONE: Sign.GOOD,
    MomentKind.STARTED: Sign.GOOD,
    MomentKind.RESUMED: Sign.GOOD,
    MomentKind.EXTENDED: Sign.GOOD,
    MomentKind.STOPPED: Sign.GOOD,
    MomentKind.SETTLED: Sign.GOOD,
    MomentKind.READY_AGAIN: Sign.GOOD,
    MomentKind.OUT_OF_ORDER: Sign.BAD,
    MomentKind.COMPLETED: Sign.GOOD,
    MomentKind.HELP_OPENED: Sign.GOOD,
    MomentKind.HELP_MISSED: Sign.WARNING,
    MomentKind.UNWATCHED: Sign.WARNING,
    MomentKind.INTERRUPTED: Sign.WARNING,
    MomentKind.WARNING_UNSEEN: Sign.WARNING,
    MomentKind.PRESUMED: Sign.WARNING,
    MomentKind.CANCEL_TOO_LATE: Sign.WARNING,
    MomentKind.DENIED: Sign.BAD,
    MomentKind.NOT_STARTED: Sign.BAD,
    MomentKind.UNDELIVERED: Sign.BAD,
    MomentKind.MISSED: Sign.BAD,
    MomentKind.PAID_BACK: Sign.MONEY,
    MomentKind.CORRECTED: Sign.MONEY,
}

FOR_OPERATORS: Final = frozenset(
    {
        MomentKind.STARTING,
        MomentKind.UNWATCHED,
        MomentKind.EXTENSION_TAKEN,
        MomentKind.STOP_INSTRUCTED,
        MomentKind.STOP_ANSWERED,
        MomentKind.ENDING,
        MomentKind.TURNED_OVER,
        MomentKind.READY_AGAIN,
        MomentKind.OUT_OF_ORDER,
        MomentKind.SWITCHED,
        MomentKind.COMPLETED,
        MomentKind.OTHER,
    }
)
"""What says nothing to a customer that another moment does not."""
