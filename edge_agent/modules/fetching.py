"""Brings an archive here, however often the line is cut: patient within a budget, then not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import structlog

from common.rules.modules import InstallFailure, wait_seconds
from edge_agent.modules.download import Attempt, CannotBeHad, CutOff, DownloadTerms, Line, Source
from edge_agent.modules.part import AnswerIsWrong, Part
from edge_agent.modules.ports import Chance, Steady
from edge_agent.ports import Package
from edge_agent.threads import in_own_thread

T = TypeVar("T")

WRONG_MAX: Final = 2
"""Wrong answers in a row, without a chunk between them: the fault is not the line's."""

CUT_SECONDS_MAX: Final = 2.0
"""How long we wait for the thread of an attempt that was given up; it cannot write any more."""


class Signatures(Protocol):
    """Who knows what is signed: `edge_agent.modules.metadata.Trust`."""

    def find(self, package: Package, source: Source, at: int, line: Line) -> Any:  # noqa: ANN401 - its type would load the library; see `installer`
        """Return what is signed of a package."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchTerms:
    """How patient a download is in all."""

    budget_seconds: float = 86_400.0
    attempt: DownloadTerms = field(default_factory=DownloadTerms)


class Patience:
    """How often and how long has been tried in vain."""

    def __init__(self, terms: FetchTerms, clock: Steady, names: Chance) -> None:
        """Begin to count now."""
        self._terms, self._clock, self._names = terms, clock, names
        self._began = clock.steady_seconds()
        self._cuts = self._wrongs = 0

    def on_progress(self) -> None:
        """A chunk came: what was in vain before it counts no more."""
        self._cuts = self._wrongs = 0

    async def wait(self, fault: CutOff | AnswerIsWrong, no_longer: asyncio.Event) -> None:
        """Wait as long as is due after this fault, or until nobody wants it any more.

        Raises:
            CannotBeHad: it was the last one.
        """
        self._cuts += 1
        self._wrongs += isinstance(fault, AnswerIsWrong)
        if self._wrongs >= WRONG_MAX:
            raise CannotBeHad(InstallFailure.DAMAGED, str(fault.facts["why"])) from fault
        seconds = wait_seconds(self._cuts, self._names.fraction())
        spent = self._clock.steady_seconds() - self._began
        if spent + seconds > self._terms.budget_seconds:
            raise CannotBeHad(InstallFailure.UNREACHABLE, str(fault.facts["why"])) from fault
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await no_longer.wait()


async def threaded(name: str, work: Callable[[], T], line: Line | None = None) -> T:
    """Work in a thread; who waits no longer cuts its line, so that the thread ends too."""
    going = in_own_thread(name, work)
    try:
        return await asyncio.shield(going)
    except asyncio.CancelledError:
        if line is not None:
            line.cut()
        await asyncio.wait({going}, timeout=CUT_SECONDS_MAX)
        if going.done():
            going.exception()  # it is seen, and nobody's
        raise


class Fetching:
    """One archive on its way here."""

    def __init__(
        self,
        source: Source,
        file: Path,
        terms: FetchTerms,
        *,
        clock: Steady,
        names: Chance,
        told: Callable[[int], None],
    ) -> None:
        """Take from whom it comes, where it goes, and whom to tell how much of it is here."""
        self._source, self._file, self._terms = source, file, terms
        self._clock, self._told = clock, told
        self._patience = Patience(terms, clock, names)
        self._line = Line()
        self._is_given_up = asyncio.Event()
        self._log = structlog.get_logger("packages")

    def give_up(self) -> None:
        """Fetch no longer: whoever waits for it hears that it is not wanted."""
        self._is_given_up.set()
        self._line.cut()

    async def find(self, trust: Signatures, package: Package, at: int) -> Any:  # noqa: ANN401 - see `Signatures`
        """Return what is signed of the package.

        Raises:
            CannotBeHad: nothing that fits, or nobody could be asked in time.
            OSError: the disk does not take the lists.
        """
        while True:
            line = self._new_line(Line())
            look = partial(trust.find, package, self._source, at, line)
            try:
                return await threaded("signed lists", look, line)
            except CutOff as fault:
                self._note(fault, {"package": package.package})
                await self._patience.wait(fault, self._is_given_up)

    async def fetch(self, open_part: Callable[[Path], Part]) -> None:
        """Have the whole archive here, durably and verified.

        Raises:
            CannotBeHad: it does not come, and why.
            OSError: the disk does not take it.
        """
        part = await threaded("package part", partial(open_part, self._file))
        try:
            self._told(part.verified)
            while True:
                try:
                    await self._attempt(part)
                except (CutOff, AnswerIsWrong) as fault:
                    self._note(fault, {"verified_bytes": part.verified})
                    await self._patience.wait(fault, self._is_given_up)
                else:
                    return
        finally:
            part.close()

    async def _attempt(self, part: Part) -> None:
        """Ask once for what is missing."""
        before = part.verified
        attempt = Attempt(self._source, part, self._terms.attempt, self._clock, self._on_verified)
        try:
            if not part.is_whole:
                await threaded("package", attempt.go, self._new_line(attempt.line))
        finally:
            if part.verified > before:
                self._patience.on_progress()

    def _new_line(self, line: Line) -> Line:
        """Take the line of the next attempt, to be cut if it is given up.

        Raises:
            CannotBeHad: it is given up.
        """
        if self._is_given_up.is_set():
            raise CannotBeHad(InstallFailure.NOT_WANTED, "it is not wanted any more")
        self._line = line
        return line

    def _on_verified(self, verified: int) -> None:
        self._told(verified)

    def _note(self, fault: CutOff | AnswerIsWrong, facts: Mapping[str, object]) -> None:
        self._log.info("download interrupted", why=str(fault), **facts)
