"""One loop that carries out what the journal says is to be done with the devices.

Its law: the runner does it, the journal says that it is to be done; whatever is cut off is asked
for again under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.messages.devices import DevicesDesired
from common.rules.devices import Confirmation, DeviceState, is_cleaner_code
from edge_agent.flows import devices
from edge_agent.flows.devices import DeviceNow, Hosted, Served, ToDo
from edge_agent.ports import Clock, CommandSeen, Journal, RunnerIsAway, WipeSeen

AGAIN_SECONDS: Final = 1.0
"""How much later something is tried again that could not be done."""

LOOK_SECONDS_MAX: Final = 60.0
"""The longest sleep: a step's time limit is met within its own second all the same."""


IS_BUSY: Final = frozenset({"still_live", "too_many_run", "not_journalled"})
"""Refusals of the runner that pass: what is refused for them is asked for again."""


class Cleaner(Protocol):
    """The runner beside the agent, as far as it makes devices ready; every call returns at once.

    Raises:
        RunnerIsAway: there is no answer.
    """

    async def mend(self, device: str, program: str) -> bool:
        """Have a program that was broken on a device taken for whole again; say whether it is."""
        ...

    async def wipe(self, run: str, program: str) -> WipeSeen | str:
        """Begin to empty the folders of a program, or learn how it stands; a text: why not."""
        ...

    async def run_command(self, run: str, command: str) -> CommandSeen | None:
        """Begin a command of the catalogue, or learn how it stands; None: it is refused."""
        ...

    def when_wiped(self, hear: Callable[[WipeSeen], None]) -> None:
        """Have `hear` called with how far each wipe has come."""
        ...

    def when_command_done(self, hear: Callable[[CommandSeen], None]) -> None:
        """Have `hear` called with each command that ends."""
        ...


class OnOrder(Protocol):
    """Called when a device has fallen out of order, and when it is back and ready."""

    def __call__(self, device: str, *, is_out: bool) -> object:
        """Take it in."""
        ...


class Turnovers:
    """One loop; `nudge` it when something may have changed."""

    def __init__(
        self,
        journal: Journal,
        cleaner: Cleaner,
        served: Callable[[Hosted], Served],
        clock: Clock,
        on_order: OnOrder,
    ) -> None:
        """Take what it works with.

        Args:
            journal: what is to be done, and where devices stand.
            cleaner: who does it.
            served: says what a device of our profile needs.
            clock: the clock since boot, which its limits are on.
            on_order: told when a device falls out of order, and when it is back.
        """
        self._journal = journal
        self._cleaner = cleaner
        self._served_by = served
        self._clock = clock
        self._on_order = on_order
        self._nudged = asyncio.Event()
        self._asked: set[str] = set()
        self._out: set[str] | None = None
        self._log = structlog.get_logger("turnover")
        cleaner.when_wiped(self._on_wiped)
        cleaner.when_command_done(self._on_command)

    def review(self) -> None:
        """Take in what sessions did; at the start, before anybody is let in.

        Without room the loop does it a little later; until then the door goes by the sessions.
        """
        try:
            self._journal.transact(devices.review, self._served())
            self._note_order()
        except StorageIsFull as fault:
            self._log.warning("devices are not looked at", why=str(fault))
        self._nudged.set()

    def states(self) -> dict[str, DeviceNow]:
        """Return where each device stands, by its id."""
        return self._journal.transact(devices.states)

    def confirm(self, device: str, code: str) -> Confirmation:
        """Take a cleaner's code for a device that waits for one; it takes some 25 ms.

        Raises:
            StorageIsFull: nothing has happened.
        """
        taken = self._journal.transact(devices.confirm, self._served(), device, code)
        self._log.info("code entered", device=device, taken=taken.is_taken, why=taken.why_not)
        self._note_order()
        self._nudged.set()
        return taken

    def take_code(self, text: str) -> bool:
        """Take a code that was typed at a scanner; say whether it was one, and waited for."""
        if not is_cleaner_code(text):
            return False
        device = self._journal.transact(devices.waits_for_code, self._served())
        if device is not None:
            self.confirm(device, text)
        return device is not None

    def take_desired(self, told: DevicesDesired) -> None:
        """Do what an operator wants of our devices."""
        self._journal.transact(devices.take_desired, self._served(), told)
        self._note_order()
        self._nudged.set()

    def on_connected(self) -> None:
        """Ask for everything again: what became of it may have been missed."""
        self._asked.clear()
        self._nudged.set()

    async def run(self) -> None:
        """Do what is to be done, for ever."""
        while True:
            wait_seconds = LOOK_SECONDS_MAX
            self._nudged.clear()
            try:
                wait_seconds = await self._do_what_is_due()
            except (RunnerIsAway, StorageIsFull) as fault:
                self._log.warning("a device is not made ready yet", why=str(fault))
                wait_seconds = AGAIN_SECONDS
            try:
                async with asyncio.timeout(wait_seconds):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def _do_what_is_due(self) -> float:
        """Ask for what is to be done now; return the seconds until something is due again."""
        served = self._served()
        self._journal.transact(devices.review, served)
        self._journal.transact(devices.note_overdue, served)
        is_busy = False
        for each in self._journal.transact(devices.to_mend, served):
            if await self._cleaner.mend(each.device, each.program):
                self._journal.transact(devices.note_mended, each.device)
            else:
                is_busy = True
        self._note_order()
        to_do = self._journal.transact(devices.to_do, served)
        self._asked &= {each.run for each in to_do}
        for step in to_do:
            if step.run not in self._asked:
                is_busy |= not await self._ask(step)
        next_at = self._journal.transact(devices.next_look, served)
        waits = [LOOK_SECONDS_MAX, *([AGAIN_SECONDS] if is_busy else [])]
        if next_at is not None:
            waits.append(next_at - self._clock.boot_seconds())
        return max(0.0, min(waits))

    async def _ask(self, to_do: ToDo) -> bool:
        """Ask for a step; say whether it was answered, and not only put off."""
        if to_do.command is None:
            wiping = await self._cleaner.wipe(to_do.run, to_do.program)
            if isinstance(wiping, str):
                return wiping not in IS_BUSY and self._note_done(to_do.run, wiping)
            self._asked.add(to_do.run)
            self._on_wiped(wiping)
            return True
        running = await self._cleaner.run_command(to_do.run, to_do.command)
        if running is None:
            return self._note_done(to_do.run, f"{to_do.command} is refused", is_known=False)
        self._asked.add(to_do.run)
        self._on_command(running)
        return True

    def _on_wiped(self, seen: WipeSeen) -> None:
        if seen.is_done:
            self._take(seen.run, seen.fault or None)

    def _on_command(self, seen: CommandSeen) -> None:
        if seen.is_done and seen.exit_code is None:
            why_not = f"{seen.command} could not be started, took too long or was cut off"
            self._take(seen.run, why_not, is_known=False)
        elif seen.is_done:
            ended = f"{seen.command} ended with {seen.exit_code}"
            self._take(seen.run, None if seen.exit_code == 0 else ended)

    def _take(self, run: str, why_not: str | None, *, is_known: bool = True) -> None:
        """Take in what the runner says of a step; without room it is asked for again."""
        try:
            self._note_done(run, why_not, is_known=is_known)
        except StorageIsFull:
            self._asked.discard(run)
            self._nudged.set()

    def _note_done(self, run: str, why_not: str | None, *, is_known: bool = True) -> bool:
        """Take in what became of a step; say whether it was one of ours."""
        take = partial(devices.note_done, run=run, why_not=why_not, is_known=is_known)
        is_ours = self._journal.transact(take, self._served())
        if is_ours:
            self._log.info("step over", run=run, why_not=why_not)
            self._note_order()
            self._nudged.set()
        return is_ours

    def _served(self) -> list[Served]:
        return [self._served_by(each) for each in self._journal.transact(devices.hosted)]

    def _note_order(self) -> None:
        """Say which devices have fallen out of order, and which are back and ready."""
        now = self.states()
        out = {each.device for each in now.values() if each.state is DeviceState.OUT_OF_ORDER}
        if self._out is None:
            self._out = out
            return
        ready = {each.device for each in now.values() if each.state is DeviceState.AVAILABLE}
        for device in sorted(out - self._out):
            self._out.add(device)
            self._on_order(device, is_out=True)
        for device in sorted(self._out & ready):
            self._out.discard(device)
            self._on_order(device, is_out=False)
