"""Time in: wakes the flows at their next moment; judges who is here by the last heartbeat."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import structlog

from cloud_controller import bookings
from cloud_controller.flows import (
    acts,
    devices,
    enrolment,
    help as calls,
    payments,
    photos,
    problems,
    registration,
    reservations,
    rights,
    sessions,
    watches,
)
from cloud_controller.ports import Books, Clock, Transaction
from common.ids import TerminalId
from common.rules.presence import Presence, presence_after, seconds_to_next_change
from common.rules.tickets import RecallWhy

TIDY_SECONDS: Final = 10.0
"""How often what nobody waits for is looked after: quarantine, leases, claims, codes."""

HOLD_SECONDS: Final = 2.0
"""The longest sleep: how often tickets are looked for that no terminal holds yet, and recalls that
had no answer. A ticket that was just bought can be used without the line after so long."""

PAUSE_SECONDS: Final = 0.02
"""The shortest sleep, and the one after a change: a crowd of them is looked at together, and the
answer to a customer leaves before it is."""

ANSWERS_KEPT_SECONDS: Final = 86_400
"""How long an answer to an idempotent call is kept: a day of a customer's retries."""

AFTER_A_FAULT_SECONDS: Final = 1.0


class Timers:
    """One loop that does what is due."""

    def __init__(self, books: Books, clock: Clock, *, has_terminals: bool = True) -> None:
        """Take the books and the clock; `run` is the loop.

        Without terminals of its own, one that keeps reservations for others instructs nobody.
        """
        self._has_terminals = has_terminals
        self._books = books
        self._clock = clock
        self._heard: dict[TerminalId, float] = {}
        self._presence: dict[TerminalId, Presence] = {}
        self._connections: dict[TerminalId, str] = {}
        self._nudged = asyncio.Event()
        self._tidy_at = 0.0
        self._hold_at = 0.0
        self._keys_revision = 0
        self._log = structlog.get_logger("timers")

    def heard(self, terminal: TerminalId, presence: Presence, connection: str) -> None:
        """Note a sign of life, or the word that a terminal has gone.

        The will of an older connection than the one a terminal has named since is not about now.
        """
        if presence is Presence.GONE:
            if connection != self._connections.get(terminal, connection):
                return
            self._heard.pop(terminal, None)
        else:
            self._heard[terminal] = self._clock.steady_seconds()
            if connection and connection != self._connections.get(terminal):
                self._connections[terminal] = connection
                self._presence.pop(terminal, None)  # enrolled anew, it is gone in the books
        if self._presence.get(terminal) is not presence:
            self._nudged.set()

    def nudge(self) -> None:
        """Look again at what is due when: something has changed."""
        self._nudged.set()

    async def run(self) -> None:
        """Do what is due, for ever; a fault is logged and the work tried again."""
        await self._remember()
        while True:
            self._nudged.clear()
            try:
                wait_seconds = await self._do_what_is_due()
            except Exception:  # noqa: BLE001 - time goes on whatever one round met
                self._log.exception("what is due could not be done")
                wait_seconds = AFTER_A_FAULT_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(PAUSE_SECONDS, wait_seconds)):
                    await self._nudged.wait()
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _remember(self) -> None:
        """Give everybody who was here before a restart time to be heard again.

        Who comes back is told the keys with its hello: only later changes are told unasked.
        """
        self._keys_revision = await self._books.read(_keys_revision)
        await self._books.transact(calls.begin)
        now = self._clock.steady_seconds()
        for terminal, presence in await self._books.read(_presences):
            self._presence[terminal] = presence
            if presence is not Presence.GONE:
                self._heard[terminal] = now

    async def _do_what_is_due(self) -> float:
        """Return the seconds until something is due again."""
        await self._note_presence()
        if not self._has_terminals:
            return await self._tidy_apart()
        next_at = await self._books.read(sessions.next_moment)
        if next_at is not None and next_at <= self._clock.now_ms():
            next_at = await self._books.transact(_do_sessions)
        if self._clock.steady_seconds() >= self._hold_at:
            self._hold_at = self._clock.steady_seconds() + HOLD_SECONDS
            await self._hold()
        if self._clock.steady_seconds() >= self._tidy_at:
            self._tidy_at = self._clock.steady_seconds() + TIDY_SECONDS
            await self._books.transact(_tidy)
        waits = [HOLD_SECONDS, self._seconds_to_next_silence()]
        if next_at is not None:
            waits.append((next_at - self._clock.now_ms()) / 1000)
        return max(0.0, min(waits))

    async def _tidy_apart(self) -> float:
        """Look after what is sold; return the seconds until something is due again."""
        if self._clock.steady_seconds() >= self._tidy_at:
            self._tidy_at = self._clock.steady_seconds() + TIDY_SECONDS
            await self._books.transact(_tidy_sold)
        return max(0.0, min(HOLD_SECONDS, self._seconds_to_next_silence()))

    async def _hold(self) -> None:
        """See that each coming ticket is held by its terminal; mostly there is nothing to do."""
        if await self._books.read(rights.has_to_look_after_held):
            await self._books.transact(_hold)
        if await self._books.read(sessions.has_to_tell_revoked):
            await self._books.transact(sessions.tell_revoked)
        if await self._books.read(acts.has_to_settle):
            await self._books.transact(bookings.settle_acts)
        if await self._books.read(calls.has_to_look):
            await self._books.transact(calls.look_after)
        if await self._books.read(_keys_revision) != self._keys_revision:
            self._keys_revision = await self._books.transact(sessions.tell_keys)

    async def _note_presence(self) -> None:
        now = self._clock.steady_seconds()
        judged = {
            terminal: presence_after(now - self._heard[terminal])
            if terminal in self._heard
            else Presence.GONE
            for terminal in self._presence.keys() | self._heard.keys()
        }
        changes = {t: p for t, p in judged.items() if self._presence.get(t) is not p}
        if changes:
            await self._books.transact(registration.note_presence, changes)
            self._presence.update(changes)

    def _seconds_to_next_silence(self) -> float:
        now = self._clock.steady_seconds()
        waits = [seconds_to_next_change(now - heard_at) for heard_at in self._heard.values()]
        return min((wait for wait in waits if wait is not None), default=HOLD_SECONDS)


def _presences(books: Transaction) -> list[tuple[TerminalId, Presence]]:
    return [
        (row["terminal_id"], Presence(row["presence"])) for row in books.registration.presences()
    ]


def _keys_revision(books: Transaction) -> int:
    return books.keys.revision


def _do_sessions(books: Transaction) -> int | None:
    """Do what is due of sessions; return when there is more."""
    for ticket in sessions.held_by_who_failed(books):
        rights.recall(books, ticket, RecallWhy.MOVE)
    sessions.do_what_is_due(books)
    return sessions.next_moment(books)


def _hold(books: Transaction) -> None:
    rights.settle_held(books)
    rights.hold_what_comes(books)


def _tidy(books: Transaction) -> None:
    registration.shut_out_quarantined(books)
    registration.close_settled(books)
    rights.free_leases(books)
    devices.tell_untold(books)
    photos.forget_old(books)
    acts.forget_messages(books)
    calls.forget_old(books)
    sessions.call_for_unconfirmed(books)
    watches.look_after(books)
    _tidy_sold(books)
    enrolment.forget_codes(books)


def _tidy_sold(books: Transaction) -> None:
    problems.solve_reservations(books)
    sessions.give_up_undelivered(books)
    bookings.lapse_what_is_over(books)
    reservations.solve_shut_out(books)
    bookings.call_for_devices(books)
    reservations.forget_blackouts(books)
    bookings.offer_what_is_free(books)
    reservations.forget_answers(books, ANSWERS_KEPT_SECONDS)
    payments.expire_what_is_over(books)
    payments.pay_credits(books)
    rights.call_for_overdue(books)
    bookings.tell_problems(books)
