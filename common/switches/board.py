"""One loop that makes each switch what it should be, looks after it, and says where it does not.

Its law: what should be is asked of the books or the journal, again and again; nothing is remembered
here that a restart would miss, but for what was just tried.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from common.errors import RusubanError
from common.rules.actions import (
    Course,
    Level,
    Pulse,
    PulseState,
    Sight,
    Standing,
    SwitchSeen,
    Trouble,
    begin,
    confirmed,
    contradicted,
    failed,
    hastened,
    is_due,
    is_overdue,
    tried,
)
from common.switches.doers import Doer
from common.switches.settings import MqttSwitch

LOOK_SECONDS: Final = 5.0
"""The longest sleep: how late a change is seen that nobody has told of."""

DUE_LOOK_SECONDS: Final = 0.5
"""The longest sleep while a pulse waits for its way to be open."""

PAUSE_SECONDS: Final = 0.01
"""The shortest sleep, and the one after a change: a crowd of them is looked at together."""

AFTER_A_FAULT_SECONDS: Final = 1.0


class Keeper(Protocol):
    """Where it is known what should be, and where what became of it is kept."""

    async def look(self) -> tuple[Sight, float]:
        """Return what is to be true of all switches, and `now` by the same clock.

        What has to outlive us of it is durable.
        """
        ...

    async def begin_pulse(self, pulse: Pulse) -> bool:
        """Note durably that a pulse is made; False when it was, or has become too late."""
        ...

    async def note(self, seen: SwitchSeen) -> None:
        """Keep where a switch stands, and tell of it where that has changed."""
        ...


class Board:
    """Every switch of a program; `nudge` it when what should be may have changed."""

    def __init__(
        self,
        switches: Sequence[MqttSwitch],
        keeper: Keeper,
        *,
        seconds: Callable[[], float],
        random: Callable[[], float],
        new_run: Callable[[], str],
    ) -> None:
        """Take the switches and what says of them what should be; `doers` are given before `run`.

        Args:
            switches: those of the settings.
            keeper: says what should be, and keeps what became of it.
            seconds: a clock that only grows.
            random: draws numbers from 0 up to 1.
            new_run: makes a new name for an act.
        """
        self.doers: Mapping[str, Doer] = {}
        self._posts = {switch.switch: _Post(switch) for switch in switches}
        self._keeper = keeper
        self._seconds = seconds
        self._random = random
        self._new_run = new_run
        self._nudged = asyncio.Event()
        self._log = structlog.get_logger("switches")

    def nudge(self) -> None:
        """Look again at what should be."""
        self._nudged.set()

    def seen(self) -> list[SwitchSeen]:
        """Return where each switch stands; of one that is left alone there is nothing to say."""
        found = [post.seen() for post in self._posts.values()]
        return [each for each in found if each is not None]

    async def run(self) -> None:
        """Close differences for ever."""
        while self._posts:
            self._nudged.clear()
            try:
                wait_seconds = await self._round()
            except RusubanError as fault:
                self._log.warning("switches stay as they are", why=str(fault))
                wait_seconds = AFTER_A_FAULT_SECONDS
            except Exception:  # noqa: BLE001 - customers are served whatever a lamp's round has met
                self._log.exception("switches could not be looked after")
                wait_seconds = AFTER_A_FAULT_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(PAUSE_SECONDS, wait_seconds)):
                    await self._nudged.wait()
                    await asyncio.sleep(PAUSE_SECONDS)

    # --- what doers tell, see `doers.Hearing` -----------------------------------------------------

    def on_way(self, switches: Sequence[str]) -> None:
        """Tell them again what they should be: nobody knows what they were told meanwhile."""
        now = self._seconds()
        for name in switches:
            self._posts[name].haste(now)
        self.nudge()

    def on_taken(self, switch: str, level: Level) -> None:
        """Take it as done, where the switch itself says nothing to that."""
        self._posts[switch].take(level, self._seconds())
        self.nudge()

    def on_failed(self, switch: str, level: Level, trouble: Trouble) -> None:
        """Have it tried again."""
        self._posts[switch].fail(level, trouble, self._seconds(), self._random())
        self.nudge()

    def on_status(self, switch: str, level: Level | None, heard: str, *, is_new: bool) -> None:
        """Compare what a switch says that it is with what it should be.

        One that says the same without end, as cheap ones do, turns no loop.
        """
        if self._posts[switch].hear(level, heard, self._seconds(), is_new=is_new):
            self.nudge()

    # --- one round --------------------------------------------------------------------------------

    async def _round(self) -> float:
        """Do what is due; return the seconds until something is again."""
        sight, by_keeper = await self._keeper.look()
        for pulse in sight.pulses:
            if pulse.state is PulseState.MISSED:
                self._note_missed(pulse)
        now = self._seconds()
        for name, level in sight.levels.items():
            self._posts[name].want(level, now)
        for pulse in sight.due:
            await self._make(pulse)
        now = self._seconds()
        for post in self._posts.values():
            self._move(post, now)
        await self._tell()
        waits = [LOOK_SECONDS if not sight.due else DUE_LOOK_SECONDS]
        waits += [post.due_at - self._seconds() for post in self._posts.values()]
        if sight.next_at is not None:
            waits.append(sight.next_at - by_keeper)
        return min(waits)

    async def _make(self, pulse: Pulse) -> None:
        """Make a pulse, if its way is open; it is durably made before it is.

        Raises:
            RusubanError: that cannot be kept, so nothing was done.
        """
        doer, post = self.doers[pulse.switch], self._posts[pulse.switch]
        if doer.in_the_way() is not None or not await self._keeper.begin_pulse(pulse):
            return
        self.nudge()  # its end is known now
        post.pulse(self._seconds())
        self._try(post, f"{pulse.switch}.{pulse.session}")

    def _note_missed(self, pulse: Pulse) -> None:
        trouble = self.doers[pulse.switch].in_the_way()
        self._log.warning("a pulse came too late", switch=pulse.switch, session=pulse.session)
        if trouble is not None:
            self._posts[pulse.switch].miss(trouble, self._seconds())

    def _move(self, post: _Post, now: float) -> None:
        if post.course is None:
            return
        if is_overdue(post.course, now):
            post.fail(post.course.level, post.silence(), now, self._random())
        if is_due(post.course, now) and not post.course.is_once:
            self._try(post, self._new_run())

    def _try(self, post: _Post, run: str) -> None:
        assert post.course is not None, "what is tried is on its way"
        now, level = self._seconds(), post.course.level
        trouble = self.doers[post.switch.switch].do(post.switch.switch, level, run)
        if trouble is None:
            post.course = tried(post.course, post.switch.patience, now)
            post.answered = None
        else:
            post.course = failed(post.course, trouble, post.switch.patience, now, self._random())

    async def _tell(self) -> None:
        """Keep where switches stand that have settled since.

        Raises:
            RusubanError: it cannot be kept now; it is told later.
        """
        for post in self._posts.values():
            seen = post.seen()
            if seen is None or seen.standing is Standing.ASKED or post.has_told(seen):
                continue
            await self._keeper.note(seen)
            post.told = seen
            if seen.trouble is not None:
                self._log.warning("a switch did not answer", switch=seen.switch, why=seen.trouble)


class _Post:
    """One switch: its course, and what it last said."""

    def __init__(self, switch: MqttSwitch) -> None:
        self.switch = switch
        self.course: Course | None = None
        self.told: SwitchSeen | None = None
        self.answered: Trouble | None = None
        """What is wrong with what it said since it was last told."""
        self._is: Level | None = None
        self._heard = ""

    @property
    def due_at(self) -> float:
        return math.inf if self.course is None else self.course.due_at

    def seen(self) -> SwitchSeen | None:
        if self.course is None:
            return None
        return SwitchSeen(
            switch=self.switch.switch,
            title=self.switch.title or self.switch.switch,
            wanted=self.course.level,
            standing=self.course.standing,
            trouble=self.course.trouble,
            tries=self.course.tries,
            heard=self._heard,
        )

    def has_told(self, seen: SwitchSeen) -> bool:
        """Say whether this is told already, its count of tries and its latest word apart."""
        told = self.told
        return told is not None and (told.wanted, told.standing, told.trouble) == (
            seen.wanted,
            seen.standing,
            seen.trouble,
        )

    def want(self, level: Level | None, now: float) -> None:
        """Take a course to this level; None leaves alone what may be a pulse under way."""
        if level is None:
            if self.course is not None and not self.course.is_once:
                self.course = None
        elif self.course is None or self.course.is_once or self.course.level is not level:
            self.course = begin(level, now)

    def pulse(self, now: float) -> None:
        self.course = begin(Level.ON, now, is_once=True)

    def miss(self, trouble: Trouble, now: float) -> None:
        course = begin(Level.ON, now, is_once=True)
        self.course = failed(course, trouble, self.switch.patience, now, 0.0)

    def haste(self, now: float) -> None:
        if self.course is not None:
            self.course = hastened(self.course, now)

    def take(self, level: Level, now: float) -> None:
        """Take its word for told: confirmed, unless it has to say so itself."""
        is_enough = not self.switch.speaks or (
            self.switch.speaks_on_change_only and self._is is level
        )
        if is_enough and self._awaits(level):
            self._confirm(now)

    def fail(self, level: Level, trouble: Trouble, now: float, chance: float) -> None:
        if self.course is not None and self._awaits(level):
            self.course = failed(self.course, trouble, self.switch.patience, now, chance)

    def hear(self, level: Level | None, heard: str, now: float, *, is_new: bool) -> bool:
        """Take in what it says; say whether that changes how it stands."""
        self._is, self._heard = level, heard
        before = self.course
        if before is None or not is_new:
            return False
        if level is before.level:
            self.course = after = confirmed(before, self.switch.patience, now)
        else:
            self.answered = Trouble.UNREADABLE if level is None else Trouble.CONTRADICTS
            self.course = after = contradicted(before, self.answered)
        return (before.standing, before.trouble) != (after.standing, after.trouble)

    def silence(self) -> Trouble:
        """Return what it means that the answer has not come in time."""
        return self.answered or Trouble.NO_ANSWER

    def _awaits(self, level: Level) -> bool:
        return self.course is not None and self.course.awaits and self.course.level is level

    def _confirm(self, now: float) -> None:
        assert self.course is not None, "what is confirmed is on its way"
        self.course = confirmed(self.course, self.switch.patience, now)
