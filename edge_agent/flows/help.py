"""Somebody before a screen needs a person: the operator is called, or a helper is written with.

Law: a call is open on a device for one customer at most; who comes next reads nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.messages.help import (
    LINE_LENGTH_MAX,
    LINES_MAX,
    HelpChosen,
    HelperThere,
    HelpHeard,
    HelpJoined,
    HelpLeft,
    HelpLine,
    HelpThere,
    HelpTold,
    LineTold,
)
from common.messages.problems import HelpAsked
from edge_agent.ports import Row, Transaction

QUIET_SECONDS: Final = 180.0
"""How long a call lives in which nobody writes, where no session says that somebody is there.

Whoever has walked away from an open screen leaves it to the next one in three minutes at most.
"""

SHOWN_SECONDS: Final = 60.0
"""How long a call that the other side has ended can still be read, by the same customer."""


FORWARD: Final = ("waiting", "open", "ended")
"""The states of a call in their order: none leads back."""


class Refused(StrEnum):
    """Why a helper cannot be called, or written to, just now."""

    NOT_THERE = "not_there"
    """He has gone, or asks for more by now."""
    FULL = "full"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Whom somebody has chosen, for the price that he was shown, and in which language."""

    helper: str
    price_cents: int
    language: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One text of a call; `is_told` is false while the controller has it not."""

    by: str
    text: str
    is_told: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call as the screen of its device shows it.

    Attributes:
        name: the helper's.
        state: `waiting`, `open` or `ended`; `why` it has ended.
        place: how many the helper sees to before.
        is_told: whether the controller knows of it.
    """

    call: str
    name: str
    state: str = "waiting"
    why: str = ""
    place: int = 0
    is_told: bool = True
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """Who helps now, and the call of each device."""

    helpers: tuple[HelperThere, ...] = ()
    calls: Mapping[str, Call]


def call(journal: Transaction, device: str, session: str | None, about: str) -> None:
    """Tell the operator that somebody at this device needs him; one call waits for the line."""
    if not journal.rows.has_to_tell_a_call(device=device):
        journal.say(
            HelpAsked.model_validate(
                {"device": device, "at": journal.now, "about": about, "session": session}
            )
        )


def is_told(journal: Transaction) -> bool:
    """Say whether the controller has every call that was made here."""
    return not journal.rows.has_to_tell_a_call(device=None)


def take_there(journal: Transaction, told: HelpThere) -> None:
    """Take over who is there; an older list changes nothing."""
    helpers = json.dumps([each.model_dump() for each in told.helpers], ensure_ascii=False)
    journal.rows.keep_there(number=told.number, helpers=helpers)


def forget_there(journal: Transaction) -> None:
    """Know nobody who helps, until it is told anew: what was said before the line broke is old.

    A controller that was put back to an old backup counts its lists from lower numbers again.
    """
    journal.rows.forget_there()


def take_told(journal: Transaction, told: HelpTold) -> None:
    """Take in where a call stands and what was written, and confirm it; repeated it is no harm.

    One that is not known here any more, or was left, is confirmed as well: nobody repeats it then.
    """
    row = journal.rows.call_of(call=told.call)
    if row is None or row["device"] != told.device or row["is_left"]:
        last = max((each.number for each in told.lines), default=0)  # none of them is kept
        _confirm(journal, told.call, last, told.state)
        return
    heard = _take_lines(journal, row, told.lines)
    after = max(row["state"], told.state, key=FORWARD.index)
    if after != row["state"]:
        journal.rows.move_call(call=told.call, before=row["state"], state=after, why=told.why)
    journal.rows.note_place(call=told.call, place=told.place)
    if heard > row["heard"] or after != row["state"]:
        _touch(journal, told.call)
    _confirm(journal, told.call, heard, after)


def choose(journal: Transaction, device: str, session: str | None, wish: Wish) -> Refused | None:
    """Call a helper for whoever stands at this device; asked twice, it is one call.

    Never for more than was shown; whoever asks for more by now is looked at again.
    """
    if journal.rows.live_call_on(device=device) is not None:
        return None
    found = next((each for each in _helpers(journal) if each.helper == wish.helper), None)
    if found is None or found.price_cents > wish.price_cents:
        return Refused.NOT_THERE
    name = journal.names.new("h")
    journal.rows.add_call(
        call=name,
        device=device,
        session=session,
        helper=wish.helper,
        name=found.name,
        touched_boot_seconds=journal.boot_seconds,
        boot_id=journal.boot_id,
    )
    journal.say(
        HelpChosen(
            call=name,
            helper=wish.helper,
            device=device,
            session=session,
            language=wish.language,
            price_cents=found.price_cents,
            currency=found.currency,
            at=journal.now,
        )
    )
    return None


def write(journal: Transaction, device: str, call: str, text: str) -> Refused | None:
    """Write a line to the helper; with the line down it is kept, and told in its order."""
    assert 0 < len(text) <= LINE_LENGTH_MAX, "the rim has looked at it"
    row = journal.rows.live_call_on(device=device)
    if row is None or row["call"] != call:
        return Refused.OVER
    if journal.rows.line_count(call=call) >= LINES_MAX:
        return Refused.FULL
    own = journal.rows.last_own_line(call=call) + 1
    journal.rows.add_own_line(call=call, own=own, text=text)
    journal.say(HelpLine(call=call, number=own, text=text, at=journal.now))
    _touch(journal, call)
    return None


def leave(journal: Transaction, device: str, call: str) -> bool:
    """End a call by its customer's wish; False when it is over anyway."""
    row = journal.rows.live_call_on(device=device)
    if row is None or row["call"] != call:
        return False
    _leave(journal, row)
    return True


def look(journal: Transaction) -> Around:
    """Return who is there and each device's call; a call whose customer has gone is left now."""
    calls = {}
    for row in list(journal.rows.calls()):
        if row["state"] == "ended":
            if not _is_still_read(journal, row):
                _forget(journal, row["call"])
                continue
        elif not _is_still_there(journal, row):
            _leave(journal, row)
            continue
        if not row["is_left"]:
            calls[row["device"]] = _call(journal, row)
    return Around(helpers=tuple(_helpers(journal)), calls=calls)


def _is_still_there(journal: Transaction, row: Row) -> bool:
    """Say whether a call's customer is there: in his session, or else not quiet for long.

    Whoever was helped to begin goes on in the session that begins: it becomes the call's.
    """
    session = journal.rows.live_session_on(device=row["device"])
    if row["session"] is not None:
        return bool(session == row["session"])
    if not _is_within(journal, row, QUIET_SECONDS):
        return False
    if session is not None:
        journal.rows.adopt_call(call=row["call"], session=session)
        journal.say(HelpJoined(call=row["call"], session=session))
    return True


def _is_still_read(journal: Transaction, row: Row) -> bool:
    if row["is_left"] or not _is_within(journal, row, SHOWN_SECONDS):
        return False
    return bool(journal.rows.live_session_on(device=row["device"]) == row["session"])


def _is_within(journal: Transaction, row: Row, seconds: float) -> bool:
    """Say whether anything was written so lately; another boot is another customer's."""
    passed_seconds = journal.boot_seconds - row["touched_boot_seconds"]
    return bool(row["boot_id"] == journal.boot_id and passed_seconds < seconds)


def _take_lines(journal: Transaction, row: Row, lines: tuple[LineTold, ...]) -> int:
    """Keep the lines that come next, and return the number of the last that is kept."""
    heard: int = row["heard"]
    for each in lines:
        if each.number != heard + 1:
            continue  # known, or after a gap: it is told again
        heard = each.number
        if each.own and each.by == "customer":
            journal.rows.place_own_line(call=row["call"], own=each.own, number=each.number)
        else:
            journal.rows.add_line(call=row["call"], number=each.number, by=each.by, text=each.text)
    journal.rows.note_heard(call=row["call"], heard=heard)
    return heard


def _confirm(journal: Transaction, call: str, number: int, state: str) -> None:
    if not journal.rows.has_to_tell_heard(call=call, number=number, state=state):
        journal.say(HelpHeard.model_validate({"call": call, "number": number, "state": state}))


def _leave(journal: Transaction, row: Row) -> None:
    call: str = row["call"]
    journal.rows.move_call(call=call, before=row["state"], state="ended", why="")
    journal.rows.leave_call(call=call)
    journal.rows.forget_lines(call=call)
    journal.say(HelpLeft(call=call, at=journal.now))


def _forget(journal: Transaction, call: str) -> None:
    """Keep nothing of a call that is over and read: its lines are with the controller."""
    journal.rows.forget_lines(call=call)
    journal.rows.forget_call(call=call)


def _touch(journal: Transaction, call: str) -> None:
    journal.rows.touch_call(
        call=call, touched_boot_seconds=journal.boot_seconds, boot_id=journal.boot_id
    )


def _helpers(journal: Transaction) -> Iterator[HelperThere]:
    row = journal.rows.there()
    for each in json.loads(row["helpers"]) if row is not None else ():
        yield HelperThere.model_validate(each)


def _call(journal: Transaction, row: Row) -> Call:
    lines = tuple(
        Line(by=each["by"], text=each["text"], is_told=not each["is_untold"])
        for each in journal.rows.lines_of(call=row["call"])
    )
    return Call(
        call=row["call"],
        name=row["name"],
        state=row["state"],
        why=row["why"],
        place=row["place"],
        is_told=not row["is_untold"],
        lines=lines,
    )
