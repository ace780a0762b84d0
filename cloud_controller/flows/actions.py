"""What is switched: what the controller's own switches should be, and where every switch stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cloud_controller.ports import Problem, Received, Row, Transaction
from common.ids import TerminalId
from common.messages.actions import SwitchTold
from common.rules.actions import (
    Held,
    Known,
    Level,
    Pulse,
    PulseState,
    Scene,
    Sight,
    Standing,
    Switch,
    SwitchSeen,
    Trouble,
    sight,
)
from common.rules.presence import Presence
from common.rules.problems import ProblemKind
from common.rules.sessions import SessionState

CONTROLLER: Final = "controller"
"""Whose the switches are that the controller moves itself; no terminal is called so."""

PULSES_KEPT_SECONDS: Final = 7 * 86_400
"""How long it is known that a session has had its pulse: longer than any session."""

SWITCHES_OF_ONE_MAX: Final = 128
"""Switches of one terminal that are kept: twice what one can have."""

_STATE_OF: Final = {
    SessionState.GRANTED: "preparing",
    SessionState.STARTING: "preparing",
    SessionState.RUNNING: "in_use",
    SessionState.ENDING: "finishing",
}
"""The state of a device by that of its session."""

_AFTERWARDS: Final = frozenset({"turnover", "out_of_order"})
"""States that a device may have without a session; others the session says, or they are late."""

_WHY: Final[Mapping[str, str]] = {
    Trouble.BROKER_AWAY: "The broker that it listens to does not answer.",
    Trouble.BROKER_REFUSES: "The broker that it listens to does not let us in, or not do this.",
    Trouble.NOBODY_LISTENS: "Nobody listens at the broker for what it is told.",
    Trouble.NO_ANSWER: "It was told, and has not said that it did so.",
    Trouble.CONTRADICTS: "It was told, and says that it is the opposite.",
    Trouble.UNREADABLE: "It was told, and what it says of itself means neither on nor off.",
    Trouble.RUNNER_AWAY: "The runner that its command is run by does not answer.",
    Trouble.COMMAND_REFUSED: "The runner does not run its command: is it in the catalogue?",
    Trouble.COMMAND_FAILED: "Its command was run and has failed.",
    Trouble.COMMAND_TIMED_OUT: "Its command could not be started, or has not ended in time.",
}
"""What was found, in a sentence, by trouble."""


def glance(books: Transaction, switches: Sequence[Switch]) -> tuple[Sight, float]:
    """Return what is to be true of the controller's switches, and now, in seconds since 1970 UTC.

    It writes nothing: what has to be kept of it, `look` keeps.
    """
    now = books.now / 1000
    return sight(switches, _scenes(books), _known(books), now), now


def look(books: Transaction, switches: Sequence[Switch]) -> tuple[Sight, float]:
    """Return the same, and keep of it what has to outlive us."""
    seen, now = glance(books, switches)
    for name, held in seen.held.items():
        fell_at = None if held.fell_at is None else round(held.fell_at * 1000)
        books.actions.keep_need(switch=name, is_needed=int(held.is_needed), fell_at=fell_at)
    for pulse in seen.pulses:
        books.actions.keep_pulse(
            switch=pulse.switch,
            session_id=pulse.session,
            state=pulse.state,
            at=round(pulse.at * 1000),
        )
    return seen, now


def begin_pulse(books: Transaction, pulse: Pulse) -> bool:
    """Note that a session gets its pulse now; False when it has had it, or it is too late."""
    moved = books.actions.send_pulse(switch=pulse.switch, session_id=pulse.session, at=books.now)
    if moved:
        reservation = books.actions.reservation_of(session_id=pulse.session)
        facts = {"switch": pulse.switch}
        books.enter("switch.pulsed", facts, reservation=reservation, session=pulse.session)
    return bool(moved)


def note_own(books: Transaction, seen: SwitchSeen) -> None:
    """Keep where a switch of the controller's own stands."""
    told = SwitchTold(
        switch=seen.switch,
        title=seen.title,
        wanted=seen.wanted,
        standing=seen.standing,
        trouble=seen.trouble or "",
        tries=seen.tries,
        heard=seen.heard,
        at=books.now,
    )
    _keep(books, CONTROLLER, None, told)


def forget_others(books: Transaction, switches: Sequence[str]) -> None:
    """Forget own switches that the settings do not have any more, and what is long over."""
    for row in _of(books, CONTROLLER):
        if row["switch"] not in switches:
            _forget(books, CONTROLLER, row["switch"])
            books.actions.forget_need(switch=row["switch"])
    books.actions.forget_pulses(before=books.now - PULSES_KEPT_SECONDS * 1000)


def all_seen(books: Transaction) -> list[tuple[str, SwitchSeen]]:
    """Return whose switch is whose, and where each stood when that last changed."""
    return [(row["owner"], _seen(row)) for row in books.actions.switches()]


def note_told(books: Transaction, said: Received) -> None:
    """Keep where a switch of a terminal stands; words that we do not know are no standing."""
    told: SwitchTold = said.message
    if told.standing not in set(Standing) or told.wanted not in set(Level):
        _forget(books, said.terminal, told.switch)
        return
    known = {row["switch"] for row in _of(books, said.terminal)}
    if told.switch in known or len(known) < SWITCHES_OF_ONE_MAX:
        _keep(books, said.terminal, said.terminal, told)


def _keep(books: Transaction, owner: str, terminal: TerminalId | None, told: SwitchTold) -> None:
    books.actions.keep(
        owner=owner,
        terminal_id=terminal,
        switch=told.switch,
        title=told.title,
        wanted=told.wanted,
        standing=told.standing,
        trouble=told.trouble,
        tries=told.tries,
        heard=told.heard,
        told_at=told.at,
    )
    if told.standing == Standing.UNANSWERED:
        books.raise_problem(
            Problem(
                kind=ProblemKind.SWITCH_DID_NOT_ANSWER,
                subject=f"{owner}/{told.switch}",
                terminal=terminal,
                why=_WHY.get(told.trouble, "It does not do what it is told."),
                evidence=told.model_dump(),
            )
        )
    elif told.standing == Standing.CONFIRMED:
        books.solve_problem(ProblemKind.SWITCH_DID_NOT_ANSWER, f"{owner}/{told.switch}")


def _forget(books: Transaction, owner: str, switch: str) -> None:
    books.actions.forget(owner=owner, switch=switch)
    books.solve_problem(ProblemKind.SWITCH_DID_NOT_ANSWER, f"{owner}/{switch}")


def _of(books: Transaction, owner: str) -> list[Row]:
    return [row for row in books.actions.switches() if row["owner"] == owner]


def _seen(row: Row) -> SwitchSeen:
    return SwitchSeen(
        switch=row["switch"],
        title=row["title"],
        wanted=Level(row["wanted"]),
        standing=Standing(row["standing"]),
        trouble=Trouble(row["trouble"]) if row["trouble"] in set(Trouble) else None,
        tries=row["tries"],
        heard=row["heard"],
    )


def _scenes(books: Transaction) -> list[Scene]:
    return [_scene(row, books.now) for row in books.actions.places()]


def _scene(row: Row, now: int) -> Scene:
    terminal, is_here = row["terminal_id"], row["presence"] != Presence.GONE
    if row["key"] is None:
        return Scene(place=terminal, terminal=terminal, is_here=is_here)
    place = f"{terminal}/{row['key']}"
    if row["session_id"] is None:
        state = row["device_state"] if row["device_state"] in _AFTERWARDS else "available"
        state = "out_of_order" if row["is_out_of_order"] else state
        return Scene(place=place, terminal=terminal, state=state, is_here=is_here)
    return Scene(
        place=place,
        terminal=terminal,
        state=_STATE_OF[SessionState(row["session_state"])],
        session=row["session_id"],
        age_seconds=(now - row["granted_at"]) / 1000,
        is_here=is_here,
    )


def _known(books: Transaction) -> Known:
    held = {
        row["switch"]: Held(
            is_needed=bool(row["is_needed"]),
            fell_at=None if row["fell_at"] is None else row["fell_at"] / 1000,
        )
        for row in books.actions.needs()
    }
    pulses = [
        Pulse(
            switch=row["switch"],
            session=row["session_id"],
            state=PulseState(row["state"]),
            at=row["at"] / 1000,
        )
        for row in books.actions.pulses()
    ]
    return Known(held=held, pulses=pulses)
