"""What stands on the screens now: facts come in from everywhere, pictures go out, newest only.

Law: nothing waits for whoever looks. A change is a number; who was away asks for all after his own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from common.errors import StorageIsFull
from common.messages.help import HelperThere
from common.rules.presence import LineMode
from common.rules.sessions import EndReason, SessionState
from common.words import Here
from edge_agent.display.around import Surroundings
from edge_agent.display.faces import Face, Facts, Over, Picture, Told, Warned
from edge_agent.display.picture import picture_of
from edge_agent.flows.help import Call
from edge_agent.ports import (
    Clock,
    DeviceOnScreen,
    NoticeShown,
    ProgramSeen,
    ScannerSeen,
    Shown,
    Verdict,
    Viewfinder,
)

HALL: Final = ""
"""The key of the place where tickets are read: it has a picture of its own."""

LOOK_SECONDS: Final = 30.0
"""How often the facts are looked at without a word that they have changed; words may be lost."""


READS: Final = frozenset({Face.IDLE, Face.ASKING, Face.TURNED_AWAY})
"""What is shown where somebody may hold up a ticket next."""

REMEMBERED_MAX: Final = 256
"""Sessions whose device is remembered: each device's last, and some more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What there is to show: the devices, and whether customers are served on them now."""

    devices: Sequence[DeviceOnScreen]
    serves: bool
    help_told: bool = True
    """Whether the controller has every call for help that was made here."""
    helpers: tuple[HelperThere, ...] = ()
    """Who can be written with now."""
    calls: Mapping[str, Call] = field(default_factory=dict)
    """The call of each device that has one."""


@dataclass(kw_only=True)
class Ear:
    """Somebody who looks: woken by a change; however many there were, it is one waking."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    has_new_scanner: bool = True

    async def wait(self, seconds: float) -> None:
        """Return at the next change, or after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.woken.wait()
        self.woken.clear()


@dataclass(frozen=True, slots=True)
class _Version:
    """A picture, and the number of the change that made it."""

    number: int
    picture: Picture


class Stage:
    """Keeps what was told, makes the pictures anew when something changes, and wakes who looks."""

    def __init__(
        self,
        look: Callable[[], Look],
        clock: Clock,
        here: Callable[[], Here],
        viewfinder: Viewfinder,
    ) -> None:
        """Take where the facts are found, what time it is in the store, and who sees scanners."""
        self.scanner: ScannerSeen | None = None
        self._viewfinder = viewfinder
        self._watching = ExitStack()
        self._is_watching = False
        self._look = look
        self.surroundings = Surroundings()
        self._clock = clock
        self._here = here
        self._mode: LineMode | None = None
        self._told: dict[str | None, Told] = {}
        self._asked_at: float | None = None
        self._warned: dict[str, Warned] = {}
        self._over: dict[str, Over] = {}
        self._called: set[str] = set()
        self._shown: dict[str, _Version] = {}
        self._devices: dict[str, DeviceOnScreen] = {}
        self._where: OrderedDict[str, str] = OrderedDict()
        self._number = 0
        self._ears: list[Ear] = []
        self._changed = asyncio.Event()
        self._log = structlog.get_logger("display")

    @property
    def number(self) -> int:
        """Return the number of the last change."""
        return self._number

    def now(self) -> float:
        """Return the seconds since boot, on which every countdown is kept."""
        return self._clock.boot_seconds()

    def pictures(self, since: int = -1) -> list[Picture]:
        """Return the pictures that have changed after this number, the hall's first."""
        return [each.picture for each in self._shown.values() if each.number > since]

    def device(self, key: str) -> DeviceOnScreen | None:
        """Return a device as it was last seen, or None: there is none of this key."""
        return self._devices.get(key)

    def nudge(self) -> None:
        """Make the pictures anew soon: something may have changed."""
        self._changed.set()

    def tell(self, shown: Shown) -> None:
        """Show a verdict or a notice to whoever stands there."""
        self._asked_at = None
        self._number += 1
        moment = shown.scan if isinstance(shown, Verdict) and shown.scan else f"{self._number}"
        told = Told(shown=shown, at=self.now(), moment=moment)
        self._told[shown.device] = told
        if isinstance(shown, NoticeShown) and shown.said is not None and len(self._devices) > 1:
            self.nudge()  # what the store says is for that device, and for nobody beside it
            return
        self._told[HALL] = told
        if isinstance(shown, NoticeShown) or shown.device is None:
            self._told[None] = told
        self.nudge()

    def tell_reading(self) -> None:
        """Show at once that a code was read: its verdict may take a while."""
        self._asked_at = self.now()
        self.nudge()

    def tell_mode(self, mode: LineMode) -> None:
        """Show what this terminal can do now."""
        self._mode = mode
        self.nudge()

    def tell_warned(self, session: str, seconds_left: int) -> None:
        """Warn whoever uses a device; only a session's last warning is kept."""
        device = self._device_of(session)
        if device is not None:
            self._warned[device] = Warned(session=session, seconds_left=seconds_left, at=self.now())
            self.nudge()

    def tell_seen(self, seen: ProgramSeen) -> None:
        """Take in what the runner says of a session: at its end somebody is thanked."""
        device = self._device_of(seen.session)
        if device is not None and seen.state is SessionState.ENDED:
            self._over[device] = Over(
                session=seen.session,
                reason=seen.end_reason or EndReason.UNKNOWN,
                delivered_seconds=seen.delivered_seconds,
                at=self.now(),
            )
            self._called.discard(device)
        self.nudge()

    def tell_called(self, device: str) -> None:
        """Remember that somebody has called for help, until his session is over."""
        self._called.add(device)
        self.nudge()

    def tell_scanner(self, seen: ScannerSeen) -> None:
        """Show what a scanner sees now; whoever is slow misses what is between."""
        self.scanner = seen
        for ear in self._ears:
            ear.has_new_scanner = True
            ear.woken.set()

    @contextmanager
    def listening(self) -> Iterator[Ear]:
        """Have somebody woken by each change as long as he looks."""
        ear = Ear()
        self._ears.append(ear)
        self.nudge()
        self._mind_scanners()
        try:
            yield ear
        finally:
            self._ears.remove(ear)
            self._mind_scanners()

    async def run(self) -> None:
        """Make the pictures anew when something has changed, or changes by itself, for ever."""
        while True:
            try:
                until = self.refresh()
            except StorageIsFull as fault:
                self._log.warning("the journal cannot be read", why=str(fault))
                until = None
            wait = LOOK_SECONDS if until is None else max(0.0, until - self.now())
            with suppress(TimeoutError):
                async with asyncio.timeout(min(wait, LOOK_SECONDS)):
                    await self._changed.wait()
            self._changed.clear()

    def refresh(self) -> float | None:
        """Make every picture anew; return when one of them changes by itself, if one does."""
        look, now, here = self._look(), self.now(), self._here()
        self._devices = {each.key: each for each in look.devices}
        self._note_where(look.devices)
        if self._ears:
            self.surroundings.look(look.devices, now)
        hall = DeviceOnScreen(key=HALL, title="")
        facts = [self._facts_of(hall, look), *(self._facts_of(each, look) for each in look.devices)]
        made = {each.seen.key: picture_of(each, now, here) for each in facts}
        changed = {key for key, picture in made.items() if self._is_new(key, picture)}
        if changed or made.keys() != self._shown.keys():
            self._number += 1
            self._shown = {
                key: _Version(self._number, picture) if key in changed else self._shown[key]
                for key, picture in made.items()
            }
            for ear in self._ears:
                ear.woken.set()
            self._mind_scanners()
        return min((each.until for each in made.values() if each.until is not None), default=None)

    def _mind_scanners(self) -> None:
        """Have scanners make their small pictures only while somebody sees them: they cost."""
        faces = {each.picture.face for each in self._shown.values() if each.picture.key != HALL}
        wanted = bool(self._ears) and (not faces or bool(faces & READS))
        if wanted is self._is_watching:
            return
        self._is_watching = wanted
        if wanted:
            self._watching.enter_context(self._viewfinder.looking(self.tell_scanner))
        else:
            self._watching.close()
            self.scanner = None

    def _is_new(self, key: str, picture: Picture) -> bool:
        before = self._shown.get(key)
        return before is None or before.picture != picture

    def _facts_of(self, seen: DeviceOnScreen, look: Look) -> Facts:
        """Gather what is known of a device; whoever uses one is not told what another is."""
        is_alone = len(look.devices) == 1
        is_hall = seen.key == HALL
        told = self._told.get(HALL if is_hall or is_alone else seen.device)
        if not is_hall and not is_alone and seen.session is None:
            told = max(
                (each for each in (told, self._told.get(None)) if each is not None),
                key=lambda each: each.at,
                default=None,
            )
        if is_hall and not is_alone and told is not None:
            titles = {each.device: each.title for each in look.devices}
            told = replace(told, to=titles.get(told.shown.device))
        reads_here = is_hall or (is_alone and seen.session is None)
        called = seen.device is not None and seen.device in self._called
        return Facts(
            seen=seen,
            mode=self._mode,
            serves=look.serves,
            told=told,
            asked_at=self._asked_at if reads_here else None,
            warned=self._warned.get(seen.device or ""),
            over=self._over.get(seen.device or ""),
            help_told=look.help_told if called else None,
            around=self.surroundings.told.get(seen.device or ""),
            helpers=() if is_hall else look.helpers,
            call=look.calls.get(seen.device or ""),
        )

    def _device_of(self, session: str) -> str | None:
        """Return the device on which a session was last seen."""
        return self._where.get(session)

    def _note_where(self, devices: Sequence[DeviceOnScreen]) -> None:
        for each in devices:
            if each.session is not None and each.device is not None:
                self._where[each.session.session] = each.device
        while len(self._where) > REMEMBERED_MAX:
            self._where.popitem(last=False)
