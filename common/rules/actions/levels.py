"""What each switch should be now, computed from what devices and terminals are.

Its law: a level follows from the facts and from when they last changed, from nothing else; whoever
asks again gets the same. Only a pulse is an act: one a session, whatever happens in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LATE_SECONDS: Final = 30.0
"""How long a pulse may be held up, by a broker that is away, say: a door that opens later opens
for nobody."""

FRESH_SECONDS: Final = 300.0
"""How old a session may be that is seen for the first time and still gets its pulse: longer than
any start, and shorter than what a switch that was added in the middle of it should act upon."""


class Level(StrEnum):
    """What a switch is, or should be."""

    ON = "on"
    OFF = "off"


class Kind(StrEnum):
    """How a switch is used."""

    LEVEL = "level"
    """It stays as it should be, whoever turns it by hand."""
    PULSE = "pulse"
    """It is on once a session, for a while, such as a door."""


class When(StrEnum):
    """What a switch is on for."""

    IN_USE = "in_use"
    """A customer's program runs."""
    FROM_PREPARING = "from_preparing"
    """From the moment a ticket opened the device until its program is gone."""
    UNTIL_CLEAN = "until_clean"
    """The same, and until whatever comes after a customer is done."""
    AVAILABLE = "available"
    """The device waits for a customer."""
    OUT_OF_ORDER = "out_of_order"
    """The device serves nobody."""
    PRESENCE_HERE = "presence_here"
    """The terminal and its controller hear each other."""


_WHILE_SERVED: Final = frozenset({"preparing", "in_use", "finishing"})

STATES: Final[Mapping[When, frozenset[str]]] = {
    When.IN_USE: frozenset({"in_use"}),
    When.FROM_PREPARING: _WHILE_SERVED,
    When.UNTIL_CLEAN: _WHILE_SERVED | {"turnover"},
    When.AVAILABLE: frozenset({"available"}),
    When.OUT_OF_ORDER: frozenset({"out_of_order"}),
}
"""The states of a device in which it needs such a switch; presence is no device's."""

PULSES_WHEN: Final = frozenset({When.IN_USE, When.FROM_PREPARING})
"""What begins once a session, so that there can be a pulse for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Switch:
    """A switch as the rule sees it.

    `places` are devices, or terminals with all of theirs; none means every one. `after_seconds` is
    how long a level stays on when nobody needs it any more, and how long a pulse is.
    """

    name: str
    kind: Kind = Kind.LEVEL
    when: When
    places: frozenset[str] = frozenset()
    after_seconds: float = 0.0
    has_off: bool = True
    """Whether it is told to be off; a pulse that ends by itself is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What is true of one place; `age_seconds` is how long ago its session began."""

    place: str
    terminal: str = ""
    state: str = ""
    session: str = ""
    age_seconds: float = 0.0
    is_here: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Whether a switch was needed when it was last looked at, and when that ended, in seconds."""

    is_needed: bool = False
    fell_at: float | None = None


class PulseState(StrEnum):
    """How far a pulse has got; it is noted as `sent` before it is: no crash makes a second one."""

    DUE = "due"
    SENT = "sent"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulse:
    """The one pulse of a switch for a session, and since when it is in its state, in seconds."""

    switch: str
    session: str
    state: PulseState
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What is to be true of all switches, and what has to be kept of it.

    Attributes:
        levels: what each switch should be; None: it is to be left alone.
        held: those of `Held` that have changed.
        pulses: those of `Pulse` that are new, or have become too late.
        due: pulses to be made now, if they can be.
        next_at: when the passing of time alone changes any of this, in seconds.
    """

    levels: Mapping[str, Level | None]
    held: Mapping[str, Held] = field(default_factory=dict)
    pulses: Sequence[Pulse] = ()
    due: Sequence[Pulse] = ()
    next_at: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is remembered of switches from one look to the next, restarts between them included."""

    held: Mapping[str, Held] = field(default_factory=dict)
    pulses: Sequence[Pulse] = ()


def sight(switches: Iterable[Switch], scenes: Sequence[Scene], known: Known, now: float) -> Sight:
    """Return what is to be true of these switches at `now`, in seconds of any clock."""
    levels: dict[str, Level | None] = {}
    held: dict[str, Held] = {}
    pulses: list[Pulse] = []
    due: list[Pulse] = []
    changes: list[float] = []
    for switch in switches:
        if switch.kind is Kind.LEVEL:
            before = known.held.get(switch.name, Held())
            after = held_after(before, is_needed(switch, scenes), now)
            levels[switch.name] = level_of(switch, after, now)
            if after != before:
                held[switch.name] = after
            if after.fell_at is not None and levels[switch.name] is Level.ON:
                changes.append(after.fell_at + switch.after_seconds)
            continue
        old = [pulse for pulse in known.pulses if pulse.switch == switch.name]
        new = _pulses_after(switch, scenes, old, now)
        pulses += new
        waiting = [pulse for pulse in _latest(old, new) if pulse.state is PulseState.DUE]
        due += waiting
        changes += [pulse.at + LATE_SECONDS for pulse in waiting]
        ends = [end for pulse in old if (end := _ends_at(switch, pulse, now)) is not None]
        changes += ends
        levels[switch.name] = None if ends or waiting or not switch.has_off else Level.OFF
    return Sight(
        levels=levels,
        held=held,
        pulses=tuple(pulses),
        due=tuple(due),
        next_at=min(changes, default=None),
    )


def is_needed(switch: Switch, scenes: Iterable[Scene]) -> bool:
    """Say whether any place of a switch needs it: one that is shared is on for whoever needs it."""
    return any(_needs(switch, scene) for scene in scenes if _concerns(switch, scene))


def held_after(before: Held, needed: bool, now: float) -> Held:  # noqa: FBT001 - one of two facts
    """Return what is remembered of a switch that is needed now, or not."""
    if needed:
        return Held(is_needed=True)
    return Held(fell_at=now) if before.is_needed else before


def level_of(switch: Switch, held: Held, now: float) -> Level:
    """Return what a switch should be; a clock that was set back prolongs nothing."""
    if held.is_needed:
        return Level.ON
    if held.fell_at is not None and _is_within(held.fell_at, switch.after_seconds, now):
        return Level.ON
    return Level.OFF


def _needs(switch: Switch, scene: Scene) -> bool:
    if switch.when is When.PRESENCE_HERE:
        return scene.is_here
    return scene.state in STATES[switch.when]


def _concerns(switch: Switch, scene: Scene) -> bool:
    return not switch.places or not switch.places.isdisjoint({scene.place, scene.terminal})


def _pulses_after(
    switch: Switch, scenes: Sequence[Scene], old: Sequence[Pulse], now: float
) -> list[Pulse]:
    """Return the pulses that are new, and those that are too late by now."""
    known = {pulse.session for pulse in old}
    new = {
        scene.session: Pulse(
            switch=switch.name,
            session=scene.session,
            state=PulseState.DUE if scene.age_seconds < FRESH_SECONDS else PulseState.MISSED,
            at=now,
        )
        for scene in scenes
        if scene.session and scene.session not in known
        if _concerns(switch, scene) and _needs(switch, scene)
    }
    late = [
        Pulse(switch=switch.name, session=pulse.session, state=PulseState.MISSED, at=now)
        for pulse in old
        if pulse.state is PulseState.DUE and not _is_within(pulse.at, LATE_SECONDS, now)
    ]
    return [*new.values(), *late]


def _latest(old: Sequence[Pulse], new: Sequence[Pulse]) -> list[Pulse]:
    return list({pulse.session: pulse for pulse in (*old, *new)}.values())


def _ends_at(switch: Switch, pulse: Pulse, now: float) -> float | None:
    """Return when a pulse that is on ends, or None: it is not on."""
    is_sent = pulse.state is PulseState.SENT
    is_on = is_sent and _is_within(pulse.at, switch.after_seconds, now)
    return pulse.at + switch.after_seconds if is_on else None


def _is_within(since: float, seconds: float, now: float) -> bool:
    """Say whether it is at most so long ago; what seems to be still to come was never."""
    return since <= now < since + seconds
