"""What this terminal proves itself with is renewed in time, and when nobody hears us any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from cryptography import x509

from common.errors import RusubanError
from common.mqtt import LossReason
from common.rules.enrolment import RENEWED_WITH_LEFT
from edge_agent.enrolment.asking import renew
from edge_agent.enrolment.calls import ControllerIsAway
from edge_agent.enrolment.keys import kept_key
from edge_agent.flows import enrolment
from edge_agent.ports import Clock, Identity, Journal
from edge_agent.threads import in_own_thread

NOT_HEARD: Final = frozenset({LossReason.NOT_AUTHORISED, LossReason.NETWORK})
"""Losses that other credentials, or another address of the broker, may mend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewalTerms:
    """When to ask for a renewal, and how rarely."""

    look_seconds: float = 60.0
    """How often we look whether it is time: one wake-up a minute."""

    failures_max: int = 10
    """So many attempts in a row were in vain: the fault may be ours."""

    failing_seconds: float = 300.0
    """So long nobody has heard us, however few the attempts: the same."""

    rest_seconds: float = 600.0
    """The least time between two askings; up to half as much again, so that a chain spreads."""

    away_seconds: float = 20.0
    """The same where nobody was there to be asked: a controller that starts again is back sooner.
    It doubles with each asking in vain, up to `rest_seconds`."""

    by_date_seconds: float = 86_400.0
    """The least time between two renewals by date: a wrong clock costs one a day, and no more."""


class Dice(Protocol):
    """Where chance comes from."""

    def fraction(self) -> float:
        """Return a random number from 0 up to 1."""
        ...

    def secret_bytes(self, count: int) -> bytes:
        """Return random bytes."""
        ...


class Credentials:
    """Asks for a renewal when it is time; the link is told what is new, and goes on."""

    def __init__(  # noqa: PLR0913 - what it reads, what it keeps, whom it tells, and the test's terms
        self,
        who: Identity,
        folder: Path,
        journal: Journal,
        *,
        clock: Clock,
        names: Dice,
        on_renewed: Callable[[Identity], None],
        terms: RenewalTerms | None = None,
    ) -> None:
        """Take what it works with; `folder` holds the key."""
        self._who, self._folder, self._journal = who, folder, journal
        self._clock, self._names = clock, names
        self._on_renewed = on_renewed
        self._terms = terms or RenewalTerms()
        self._renewed_from_ms = _renewed_from(who.certificate)
        self._failures = 0
        self._failing_since: float | None = None
        self._rests_until = 0.0
        self._away = 0
        self._rests_by_date_until = 0.0
        self._has_failed = asyncio.Event()
        self._is_wanted = False
        self._log = structlog.get_logger("credentials")

    def on_connected(self) -> None:
        """Note that the broker hears us."""
        self._failures, self._failing_since = 0, None

    def on_lost(self, reason: LossReason) -> None:
        """Note that it does not, or not any more."""
        if reason in NOT_HEARD:
            self._failures += 1
            self._failing_since = self._failing_since or self._clock.boot_seconds()
            self._has_failed.set()

    def want(self) -> None:
        """Ask as soon as we may: what we have does not fit what we are told."""
        self._is_wanted = True
        self._has_failed.set()

    async def run(self) -> None:
        """Look each minute, and after each attempt in vain, whether it is time, and ask."""
        while True:
            if self._who.url and (why := self._why_now()) is not None:
                await self._ask(why)
            self._has_failed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._terms.look_seconds):
                    await self._has_failed.wait()

    def _why_now(self) -> str | None:
        """Return why it is time to ask, or None."""
        now, terms = self._clock.boot_seconds(), self._terms
        if now < self._rests_until:
            return None
        is_failing = self._failing_since is not None and (
            self._failures >= terms.failures_max
            or now - self._failing_since >= terms.failing_seconds
        )
        if is_failing:
            return "not_heard"
        if self._is_wanted:
            return "strange_keys"
        is_ending = (
            self._renewed_from_ms is not None and self._clock.now_ms() >= self._renewed_from_ms
        )
        return "ending" if is_ending and now >= self._rests_by_date_until else None

    async def _ask(self, why: str) -> None:
        now = self._clock.boot_seconds()
        self._rest(now, self._terms.rest_seconds)
        try:
            renewed = await in_own_thread("renewal", self._renewed)
            is_still_us = self._journal.transact(enrolment.keep_renewed, renewed)
        except RusubanError as fault:
            if isinstance(fault, ControllerIsAway):
                terms = self._terms
                self._rest(now, min(terms.away_seconds * 2.0**self._away, terms.rest_seconds))
                self._away += 1
            self._log.warning("credentials not renewed", because=why, why=str(fault))
            return
        if not is_still_us:
            self._log.warning("credentials not renewed", because=why, why="enrolled anew meanwhile")
            return
        self._away = 0
        self._rests_by_date_until = now + self._terms.by_date_seconds
        self._is_wanted = False
        is_new, self._who = renewed != self._who, renewed
        self._renewed_from_ms = _renewed_from(renewed.certificate)
        self._log.info("credentials renewed", because=why, ladder=int(renewed.ladder))
        if is_new:
            self._on_renewed(renewed)

    def _rest(self, now: float, seconds: float) -> None:
        self._rests_until = now + seconds * (1 + self._names.fraction() / 2)

    def _renewed(self) -> Identity:
        return renew(self._who, kept_key(self._folder, self._names.secret_bytes))


def _renewed_from(certificate: str) -> int | None:
    """Return the instant from which a certificate is renewed; None: there is none."""
    if not certificate:
        return None
    read = x509.load_pem_x509_certificate(certificate.encode())
    life = read.not_valid_after_utc - read.not_valid_before_utc
    return round((read.not_valid_after_utc - life * RENEWED_WITH_LEFT).timestamp() * 1000)
