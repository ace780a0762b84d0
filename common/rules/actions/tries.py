"""How a switch is made to be what it should be: tried, waited for, tried again, and looked after.

Its law: a level is never given up, only its problem is told; a pulse is tried once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from common.rules.actions.levels import Level

TRIES: Final = 4
"""Tries in a row before it is a problem: a lamp that was just plugged in is there by then."""

FIRST_PAUSE_SECONDS: Final = 1.0
"""The pause after the first try that failed; each further one is twice as long."""


class Standing(StrEnum):
    """Whether a switch is what it should be, as far as is known."""

    ASKED = "asked"
    """It was told, or will be in a moment, and has not answered yet."""
    CONFIRMED = "confirmed"
    """It says that it is so; where it says nothing, whoever listens to it was told."""
    UNANSWERED = "unanswered"
    """It did not do so after `TRIES` tries: somebody must look. It is told again all the same."""


class Trouble(StrEnum):
    """Why a try came to nothing: a closed list, with words for whoever looks at it."""

    BROKER_AWAY = "broker_away"
    BROKER_REFUSES = "broker_refuses"
    NOBODY_LISTENS = "nobody_listens"
    """The broker took it, and nobody had asked it for that topic."""
    NO_ANSWER = "no_answer"
    CONTRADICTS = "contradicts"
    """It answered that it is the opposite."""
    UNREADABLE = "unreadable"
    """It answered what means neither on nor off."""
    RUNNER_AWAY = "runner_away"
    COMMAND_REFUSED = "command_refused"
    """The catalogue has no such command, or the runner does not run it."""
    COMMAND_FAILED = "command_failed"
    COMMAND_TIMED_OUT = "command_timed_out"
    """It could not be started, or has not ended in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long an answer is waited for, and how often what stands is looked after, in seconds."""

    answer_seconds: float
    again_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """How far a switch is on its way to a level; instants are seconds of a clock that only grows.

    Attributes:
        tries: tries since it was last confirmed, or since this level was wanted.
        due_at: when it is to be tried; while an answer is awaited, when that is overdue.
        trouble: what the last try met.
        is_once: a pulse: it is tried once, and not looked after.
    """

    level: Level
    due_at: float
    standing: Standing = Standing.ASKED
    awaits: bool = False
    tries: int = 0
    trouble: Trouble | None = None
    is_once: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchSeen:
    """Where a switch stands, as it is told to whoever looks at it.

    `tries` are those since it was last confirmed; `heard` is the word of its last status, as far
    as it can be shown.
    """

    switch: str
    title: str
    wanted: Level
    standing: Standing
    trouble: Trouble | None = None
    tries: int = 0
    heard: str = ""


def begin(level: Level, now: float, *, is_once: bool = False) -> Course:
    """Return the course to a level that is wanted from now on."""
    return Course(level=level, due_at=now, is_once=is_once)


def is_due(course: Course, now: float) -> bool:
    """Say whether it is to be tried now."""
    return not course.awaits and course.due_at <= now


def is_overdue(course: Course, now: float) -> bool:
    """Say whether the answer that is awaited should have come."""
    return course.awaits and course.due_at <= now


def tried(course: Course, patience: Patience, now: float) -> Course:
    """Return the course of a switch that was just told."""
    return replace(
        course, awaits=True, tries=course.tries + 1, due_at=now + patience.answer_seconds
    )


def confirmed(course: Course, patience: Patience, now: float) -> Course:
    """Return the course of a switch that is what it should be, until it is looked after again."""
    return Course(
        level=course.level,
        due_at=math.inf if course.is_once else now + patience.again_seconds,
        standing=Standing.CONFIRMED,
        is_once=course.is_once,
    )


def failed(
    course: Course, trouble: Trouble, patience: Patience, now: float, chance: float
) -> Course:
    """Return the course after a try that came to nothing; `chance` is a random number below 1.

    The pauses are drawn apart, so that all lamps of a store are not told at the same moment.
    """
    tries = course.tries + (not course.awaits)
    if course.is_once:
        due_at, standing = math.inf, Standing.UNANSWERED
    elif course.standing is Standing.UNANSWERED or tries >= TRIES:
        due_at, standing = now + patience.again_seconds * (1 - chance / 4), Standing.UNANSWERED
    else:
        pause_seconds = FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1)
        pause_seconds = min(pause_seconds, patience.again_seconds)
        due_at, standing = now + pause_seconds * (1 - chance / 2), Standing.ASKED
    return replace(
        course, awaits=False, tries=tries, trouble=trouble, due_at=due_at, standing=standing
    )


def contradicted(course: Course, trouble: Trouble) -> Course:
    """Return the course of a switch that says, asked or not, that it is something else.

    By hand, mostly: it is told again when it is looked after, and no sooner, so that two who want
    different things do not end in a quarrel at the speed of a wire.
    """
    if course.awaits or course.standing is Standing.UNANSWERED:
        return replace(course, trouble=trouble)
    return replace(course, trouble=trouble, standing=Standing.ASKED)


def hastened(course: Course, now: float) -> Course:
    """Return the course of a switch that may be told at once: its way is open again."""
    return course if course.is_once else replace(course, awaits=False, due_at=now)
