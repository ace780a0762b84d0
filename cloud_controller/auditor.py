"""Reads the books against the promises: each night as a whole, each minute for leaks.

Its law: it only reads, in slices with rests between them, and writes once, what it found; nobody
waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final

import structlog

from cloud_controller.flows import audit
from cloud_controller.ports import Books, Clock
from common.rules.audit import FINDINGS_MAX, Finding, next_audit_at

LOOK_SECONDS: Final = 60.0
"""How often devices are compared with the books: a leak is seen twice before it is one."""

REST_SECONDS: Final = 0.01
"""Between two slices: a page that is asked for meanwhile has its turn."""

FOUND_MAX: Final = 50 * FINDINGS_MAX
"""Findings that one audit holds in its hands; books that have more are looked at no further."""


class Auditor:
    """The loop that audits: at the quiet hour, and for leaks each minute."""

    def __init__(self, books: Books, clock: Clock) -> None:
        """Take the books and the clock; `run` is the loop."""
        self._books = books
        self._clock = clock
        self._suspects: set[str] = set()
        self._due_at = 0
        self._log = structlog.get_logger("auditor")

    async def run(self) -> None:
        """Look, for ever; a look that fails is logged, and the next one is made."""
        await self.begin()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the next look is as good
                self._log.exception("the books could not be audited")

    async def begin(self) -> None:
        """Find out when the next audit is due."""
        last = await self._books.read(audit.last_began_at)
        zone = await self._books.read(audit.zone_of_quiet)
        self._due_at = next_audit_at(zone, last, self._clock.now_ms())

    async def look(self) -> None:
        """Look for leaks, and make the audit that is due."""
        await self.look_for_leaks()
        if self._clock.now_ms() >= self._due_at:
            await audit_all(self._books, self._clock, audit.NIGHTLY)
            await self.begin()

    async def look_for_leaks(self) -> None:
        """Compare every device with its session; what two looks see is a leak."""
        seen = await self._books.read(audit.leaks_now)
        certain, self._suspects = self._suspects, {each.subject for each in seen}
        known = await self._books.read(audit.open_leaks)
        now = {each.subject: str(each.invariant) for each in seen if each.subject in certain}
        if now != known:
            await self._books.transact(audit.note_leaks, seen, certain)


async def audit_all(books: Books, clock: Clock, asked_by: str) -> str:
    """Look for everything that a promise forbids, keep what is found, and return the audit's id.

    Raises:
        StorageIsAway: the database does not answer; nothing is kept then.
    """
    began_at = clock.now_ms()
    looked: Counter[str] = Counter()
    findings: list[Finding] = []
    for check in audit.CHECKS:
        after: Any = check.first
        looked[check.name] += 0
        while after is not None and len(findings) < FOUND_MAX:
            part = await books.read(check.look, after)
            looked[check.name] += part.rows
            findings += part.findings
            after = part.last
            await asyncio.sleep(REST_SECONDS)
    kept: str = await books.transact(audit.keep, began_at, asked_by, looked, findings)
    return kept
