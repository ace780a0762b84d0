"""What this terminal's switches should be, from what runs here; and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

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
from common.rules.sessions import SessionState
from edge_agent.ports import Row, Transaction

GONE: Final = "gone"
"""What is told of a switch that the settings do not have any more."""

PULSES_KEPT_SECONDS: Final = 7 * 86_400
"""How long it is known that a session has had its pulse: as long as a session is."""

LONG_AGO: Final = -1e9
"""When something was that happened before this PC was started: seconds of another clock."""

_STATE_OF: Final = {
    SessionState.STARTING: "preparing",
    SessionState.RUNNING: "in_use",
    SessionState.ENDING: "finishing",
}
"""The state of a device by that of its session."""

_AFTERWARDS: Final = frozenset({"turnover", "out_of_order"})
"""States that a device may have without a session; others the session says, or they are late."""


def look(
    journal: Transaction, switches: Sequence[Switch], devices: Iterable[str], *, is_here: bool
) -> tuple[Sight, float]:
    """Return what is to be true of all switches, and now, in seconds since boot.

    `is_here` says whether this terminal and its controller hear each other. What has to outlive us
    is kept: since when a switch is not needed any more, and which session has had its pulse.
    """
    seen = sight(
        switches, _scenes(journal, devices, is_here=is_here), _known(journal), journal.boot_seconds
    )
    for name, held in seen.held.items():
        journal.rows.keep_need(
            switch=name,
            is_needed=held.is_needed,
            fell_boot_seconds=held.fell_at,
            boot_id=journal.boot_id,
        )
    for pulse in seen.pulses:
        journal.rows.keep_pulse(
            switch=pulse.switch,
            session=pulse.session,
            state=pulse.state,
            at_boot_seconds=pulse.at,
            boot_id=journal.boot_id,
            made_at=journal.now,
        )
    return seen, journal.boot_seconds


def begin_pulse(journal: Transaction, pulse: Pulse) -> bool:
    """Note that a session gets its pulse now; False when it has had it, or it is too late."""
    moved = journal.rows.move_pulse(
        switch=pulse.switch,
        session=pulse.session,
        before=PulseState.DUE,
        state=PulseState.SENT,
        at_boot_seconds=journal.boot_seconds,
        boot_id=journal.boot_id,
    )
    return bool(moved)


def note(journal: Transaction, seen: SwitchSeen) -> None:
    """Keep where a switch stands; tell it where that is something else than was told before."""
    before = journal.rows.switch(switch=seen.switch)
    trouble = seen.trouble or ""
    now = (seen.wanted, seen.standing, trouble)
    is_known = before is not None and now == (
        before["wanted"],
        before["standing"],
        before["trouble"],
    )
    journal.rows.keep_switch(
        switch=seen.switch,
        title=seen.title,
        wanted=seen.wanted,
        standing=seen.standing,
        trouble=trouble,
        tries=seen.tries,
        heard=seen.heard,
        told_at=before["told_at"] if is_known else journal.now,
    )
    if not is_known:
        journal.say(
            SwitchTold(
                switch=seen.switch,
                title=seen.title,
                wanted=seen.wanted,
                standing=seen.standing,
                trouble=trouble,
                tries=seen.tries,
                heard=seen.heard,
                at=journal.now,
            )
        )


def forget_others(journal: Transaction, switches: Sequence[str]) -> None:
    """Tell of switches that the settings have no more; drop what is long over."""
    for row in list(journal.rows.switches()):
        if row["switch"] not in switches:
            journal.rows.forget_switch(switch=row["switch"])
            journal.rows.forget_need(switch=row["switch"])
            journal.say(
                SwitchTold(
                    switch=row["switch"],
                    title=row["title"],
                    wanted=row["wanted"],
                    standing=GONE,
                    at=journal.now,
                )
            )
    journal.rows.forget_pulses(before=journal.now - PULSES_KEPT_SECONDS * 1000)


def seen(journal: Transaction) -> list[SwitchSeen]:
    """Return where each switch stood when that last changed."""
    return [
        SwitchSeen(
            switch=row["switch"],
            title=row["title"],
            wanted=Level(row["wanted"]),
            standing=Standing(row["standing"]),
            trouble=Trouble(row["trouble"]) if row["trouble"] else None,
            tries=row["tries"],
            heard=row["heard"],
        )
        for row in journal.rows.switches()
    ]


def _scenes(journal: Transaction, devices: Iterable[str], *, is_here: bool) -> list[Scene]:
    """Return the scene of each device, and one of the terminal, which may have none."""
    known = {row["key"]: row for row in journal.rows.devices_of_profile()}
    scenes = [_scene(journal, device, known.get(device), is_here=is_here) for device in devices]
    return [*scenes, Scene(place="", is_here=is_here)]


def _scene(journal: Transaction, device: str, row: Row, *, is_here: bool) -> Scene:
    if row is None or row["session"] is None:
        said = row["device_state"] if row is not None else ""
        state = said if said in _AFTERWARDS else "available"
        return Scene(place=device, state=state, is_here=is_here)
    return Scene(
        place=device,
        state=_STATE_OF[SessionState(row["session_state"])],
        session=row["session"],
        age_seconds=(journal.now - row["made_at"]) / 1000,
        is_here=is_here,
    )


def _known(journal: Transaction) -> Known:
    """Return what is remembered; what was before this PC was started was long ago."""
    held = {
        row["switch"]: Held(
            is_needed=bool(row["is_needed"]),
            fell_at=row["fell_boot_seconds"] if row["boot_id"] == journal.boot_id else None,
        )
        for row in journal.rows.needs()
    }
    pulses = [
        Pulse(
            switch=row["switch"],
            session=row["session"],
            state=PulseState(row["state"]),
            at=row["at_boot_seconds"] if row["boot_id"] == journal.boot_id else LONG_AGO,
        )
        for row in journal.rows.pulses()
    ]
    return Known(held=held, pulses=pulses)
