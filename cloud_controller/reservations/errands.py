"""What is owed to who keeps our reservations is said again and again until it is answered (C1).

Three loops, so that a customer before a scanner waits for nothing else: questions for tickets; what
has become of them; and what our stores have and who is here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import structlog

from cloud_controller.bundle import Bundle
from cloud_controller.flows import directory, rights, sessions
from cloud_controller.ports import Books, Clock, NotAllowed, Problem, Transaction
from cloud_controller.reservation_port import Reservations
from cloud_controller.reservations.remote import RemoteReservations
from cloud_controller.settings import ReservationSettings
from common.errors import RusubanError
from common.messages.reservations import (
    GiveBack,
    GivenBack,
    KeyTold,
    Report,
    StoreSaid,
    TicketAsked,
    TicketFound,
    UseAsked,
)
from common.rules.problems import ProblemKind
from common.system import SystemNames

QUESTION_SECONDS: Final = 1.3
"""How long a question for a ticket may take: the reader gives up after 3 s and is told before."""

LOOK_SECONDS: Final = 1.0
"""How often it is looked whether something is owed that nobody has nudged for."""

TELL_SECONDS: Final = 4.0
"""How often a store is told of though nothing has changed: its terminals' lease there is 15 s."""

SHORTEST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 30.0
"""The first pause before something is said again, and the longest: each is twice the one before."""

LOOKED_AHEAD_MAX: Final = 10_000
"""Lines of the ledger without anything to tell, after which that is noted."""


Question = TypeVar("Question", UseAsked, TicketAsked)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Questions:
    """Tickets that somebody waits for, and scans of entrances that nobody here can place."""

    uses: dict[str, UseAsked]
    stale: dict[str, int]
    shown: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Owed:
    """What is to be told, and what goes back."""

    has_unused: bool
    untold: rights.Untold
    returns: list[GiveBack]


@dataclass(kw_only=True)
class _Loop:
    """A loop's bell, and how often in a row it found nobody."""

    nudged: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0


class Errands:
    """Says what is owed, and takes in what is answered."""

    def __init__(
        self,
        books: Books,
        reservations: Reservations,
        clock: Clock,
        fraction: Callable[[], float],
        *,
        keys: Mapping[int, str] = MappingProxyType({}),
        line: AbstractAsyncContextManager[object] | None = None,
    ) -> None:
        """Take what it speaks to.

        Args:
            books: where all of it is kept.
            reservations: the port that is spoken through.
            clock: by which a store is told of again.
            fraction: random numbers from 0 up to 1.
            keys: by which tickets are signed, until the server tells: it may be away at our start.
            line: what is open while anything is said.
        """
        self._books = books
        self._reservations = reservations
        self._clock = clock
        self._fraction = fraction
        self._asking, self._telling, self._showing = _Loop(), _Loop(), _Loop()
        self._looked_up_to = 0
        self._told: dict[str, tuple[str, tuple[str, ...], float]] = {}
        self._keys: tuple[KeyTold, ...] = ()
        self._bundled = tuple(KeyTold(key_id=key, public_key=raw) for key, raw in keys.items())
        self._line = line or contextlib.nullcontext()
        self._log = structlog.get_logger("errands")

    def nudge(self) -> None:
        """Look again at what is owed: something has changed."""
        for loop in (self._asking, self._telling, self._showing):
            loop.nudged.set()

    async def run(self) -> None:
        """Say what is owed, for ever."""
        await self._books.transact(rights.keep_keys, self._bundled)
        async with self._line, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep(self._asking, self._ask_all), name="questions")
            tasks.create_task(self._keep(self._telling, self._tell), name="reports")
            tasks.create_task(self._keep(self._showing, self._tell_stores), name="stores")

    async def _keep(self, loop: _Loop, step: Callable[[], Awaitable[None]]) -> None:
        """Do one loop's step at each nudge and look; a fault is logged and the work tried again."""
        while True:
            loop.nudged.clear()
            try:
                await step()
                loop.attempts = 0
                await self._wait(loop, LOOK_SECONDS)
            except RusubanError as fault:
                pause = self._pause(loop)
                self._log.warning("said again later", why=str(fault), seconds=round(pause, 1))
                await asyncio.sleep(pause)
            except Exception:  # noqa: BLE001 - what is owed stays owed whatever one round met
                self._log.exception("what is owed could not be said")
                await asyncio.sleep(self._pause(loop))

    async def _wait(self, loop: _Loop, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await loop.nudged.wait()

    def _pause(self, loop: _Loop) -> float:
        """Return how long to wait before saying it again: a random half of a doubling time."""
        ceiling = min(LONGEST_SECONDS, SHORTEST_SECONDS * 2.0**loop.attempts)
        loop.attempts += ceiling < LONGEST_SECONDS
        return ceiling * (1 + self._fraction()) / 2

    async def _ask_all(self) -> None:
        """Ask for every ticket that somebody waits for, all at once."""
        found = await self._books.read(_questions)
        for ticket, claim in found.stale.items():
            await self._books.transact(rights.hear_use, ticket, claim, None)
        async with asyncio.TaskGroup() as tasks:
            for ticket, asked in found.uses.items():
                tasks.create_task(self._ask(ticket, asked), name=f"question for {ticket}")
            for scan, token in found.shown:
                tasks.create_task(self._verify(scan, token), name=f"question of {scan}")

    async def _ask(self, ticket: str, asked: UseAsked) -> None:
        found = await self._answer(self._reservations.mark_used, asked)
        await self._books.transact(rights.hear_use, ticket, asked.claim, found)
        self._telling.nudged.set()

    async def _verify(self, scan: str, token: str) -> None:
        found = await self._answer(self._reservations.verify, TicketAsked(token=token))
        await self._books.transact(rights.hear_shown, scan, found)

    async def _answer(
        self, ask: Callable[[Question], Awaitable[TicketFound]], asked: Question
    ) -> TicketFound | None:
        """Return the answer, or None: there is none in time, and whoever waits is told so."""
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                return await ask(asked)
        except (RusubanError, TimeoutError) as fault:
            self._log.warning("no answer for a ticket", why=str(fault) or type(fault).__name__)
            return None

    async def _tell(self) -> None:
        """Report what is new, then give back what is unused: in this order, so that it fits."""
        while True:
            owed = await self._books.read(_owed, self._looked_up_to)
            if owed.has_unused:
                await self._books.transact(rights.return_unused)
                continue
            if owed.untold.report is not None:
                await self._report(owed.untold.report)
                continue
            await self._note_looked(owed.untold.looked_up_to)
            for said in owed.returns:
                given = await self._reservations.give_back(said)
                await self._books.transact(_hear_given_back, said, given)
            return

    async def _report(self, report: Report) -> None:
        heard = await self._reservations.report(report)
        await self._books.transact(rights.note_told, report, heard)
        self._looked_up_to = heard.up_to

    async def _note_looked(self, looked_up_to: int) -> None:
        """Remember what was looked at; and durably, where that is much."""
        if looked_up_to // LOOKED_AHEAD_MAX > self._looked_up_to // LOOKED_AHEAD_MAX:
            await self._books.transact(rights.note_looked, looked_up_to)
        self._looked_up_to = max(self._looked_up_to, looked_up_to)

    async def _tell_stores(self) -> None:
        """Tell of each store that has changed, or that was not told of for a while."""
        now = self._clock.steady_seconds()
        for said in await self._books.read(directory.stores_to_tell):
            digest, here, at = self._told.get(said.store, ("", (), 0.0))
            if (digest, here) != (said.digest, said.here) or now - at >= TELL_SECONDS:
                await self._tell_store(said, is_known=digest == said.digest)

    async def _tell_store(self, said: StoreSaid, *, is_known: bool) -> None:
        try:
            heard = await self._reservations.tell_store(
                directory.without_directory(said) if is_known else said
            )
            if not heard.is_known:
                heard = await self._reservations.tell_store(said)
        except NotAllowed as refusal:
            await self._books.transact(_raise_not_taken, said.store, str(refusal))
            raise
        if heard.keys != self._keys:
            await self._books.transact(rights.keep_keys, heard.keys)
            self._keys = heard.keys
        if not is_known:
            await self._books.transact(_solve_not_taken, said.store)
        self._told[said.store] = (said.digest, said.here, self._clock.steady_seconds())


def errands_of(
    told: ReservationSettings | None,
    books: Books,
    folder: Path,
    clock: Clock,
    names: SystemNames,
) -> Errands | None:
    """Return who speaks with the server that the settings name, if they name one.

    `folder` keeps our certificate.

    Raises:
        CannotStart: the bundle cannot be read, or is none.
    """
    if told is None:
        return None
    bundle = Bundle.load(told.bundle)
    remote = RemoteReservations(bundle.model_copy(update={"url": told.url or bundle.url}), folder)
    return Errands(books, remote, clock, names.fraction, keys=bundle.keys, line=remote)


def _questions(books: Transaction) -> _Questions:
    return _Questions(
        uses=rights.questions(books),
        stale=rights.stale_questions(books),
        shown=rights.shown(books),
    )


def _owed(books: Transaction, looked_up_to: int) -> _Owed:
    return _Owed(
        has_unused=rights.has_unused(books),
        untold=rights.untold(books, looked_up_to),
        returns=rights.returns(books),
    )


def _hear_given_back(books: Transaction, said: GiveBack, given: GivenBack) -> None:
    failed = rights.note_returned(books, said)
    if failed is not None:
        sessions.tell_moved(books, failed, given.moved_to)


def _raise_not_taken(books: Transaction, store: str, why: str) -> None:
    books.raise_problem(
        Problem(
            kind=ProblemKind.STORE_NOT_TAKEN,
            subject=store,
            why=why,
            proposals=({"do": "number_store", "store": store}, {"do": "look_at_server"}),
        )
    )


def _solve_not_taken(books: Transaction, store: str) -> None:
    books.solve_problem(ProblemKind.STORE_NOT_TAKEN, store)
