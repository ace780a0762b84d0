"""More time, asked for by whoever sits there or by itself: offer, wish, and what came of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

import structlog

from common.errors import StorageIsFull
from common.messages.extensions import ExtensionAsk, ExtensionOffer
from common.rules.sessions import ExtensionNo, WishState
from common.topics import Channel
from edge_agent.flows import rights, sessions
from edge_agent.ports import (
    Asked,
    ExtensionAnswer,
    ExtensionChoice,
    ExtensionOffered,
    Identity,
    Journal,
    Transaction,
)

OFFER_WITHIN_SECONDS: Final = 5.0
"""How long an offer is waited for: whoever has touched the screen looks at it."""

ANSWER_WITHIN_SECONDS: Final = 15.0
"""How long an answer is waited for: the wish itself is given up after ten."""

LOOK_SECONDS: Final = 1.0
"""How often a wish is looked at while it is waited for."""

OFFERS_MAX: Final = 64
"""Offers that are remembered: one for each device that a terminal may have."""


class Line(Protocol):
    """The line to the controller."""

    is_connected: bool

    def post(self, asked: Sequence[Asked]) -> None:
        """Send a question, which may get lost."""
        ...


class Extensions:
    """See `ports.Extending`; nothing of it moves a deadline: that a right does, in the journal."""

    def __init__(
        self, who: Identity, journal: Journal, line: Line, warn_before_seconds: Sequence[int]
    ) -> None:
        """Take whose sessions these are, where wishes and rights are, and who can be asked.

        At the last of the warnings a session goes on by itself whose customer has agreed to that.
        """
        self._who = who
        self._journal = journal
        self._line = line
        self._last_warning_seconds = min(warn_before_seconds, default=0)
        self._offers: OrderedDict[str, ExtensionOffered] = OrderedDict()
        self._under_way: dict[str, asyncio.Future[ExtensionAnswer]] = {}
        self._changed = asyncio.Event()
        self._due: asyncio.Queue[str] = asyncio.Queue(OFFERS_MAX)
        self._log = structlog.get_logger("agent")

    async def run(self) -> None:
        """Let go on by itself what was agreed to, one session after the other, for ever."""
        while True:
            session = await self._due.get()
            with suppress(StorageIsFull):
                answer = await self._go_on(session)
                self._log.info(
                    "extension by itself",
                    session=session,
                    added_seconds=answer.added_seconds,
                    refused=answer.refused and answer.refused.value,
                )

    async def offer(self, session: str) -> ExtensionOffered:
        """Return by how much a session can be extended, and for how much; changes nothing."""
        device = self._journal.transact(sessions.may_go_on, session)
        if device is None:
            return ExtensionOffered(session=session, refused=ExtensionNo.SESSION_IS_ENDING)
        if not self._line.is_connected:
            return ExtensionOffered(session=session, refused=ExtensionNo.NO_LINE)
        self._offers.pop(session, None)
        ask = ExtensionAsk(session=session, device=device)
        self._line.post([Asked(channel=Channel.REQUESTS, message=ask)])
        with suppress(TimeoutError):
            async with asyncio.timeout(OFFER_WITHIN_SECONDS):
                while session not in self._offers:
                    await self._next_change()
        unanswered = ExtensionOffered(session=session, refused=ExtensionNo.NO_ANSWER)
        return self._offers.get(session, unanswered)

    async def extend(self, session: str, seconds: int) -> ExtensionAnswer:
        """Extend a session by what was offered for these seconds; once, however often touched."""
        under_way = self._under_way.get(session)
        if under_way is not None:
            return await asyncio.shield(under_way)
        answered: asyncio.Future[ExtensionAnswer] = asyncio.get_running_loop().create_future()
        self._under_way[session] = answered
        answer = ExtensionAnswer(session=session, refused=ExtensionNo.NO_ANSWER)
        try:
            answer = await self._extend(session, seconds)
        finally:
            del self._under_way[session]
            answered.set_result(answer)
        return answer

    def take_offer(self, told: ExtensionOffer) -> None:
        """Take what the controller offers for one of our sessions."""
        self._offers[told.session] = ExtensionOffered(
            session=told.session,
            choices=tuple(
                ExtensionChoice(seconds=each.seconds, price_cents=each.price_cents)
                for each in told.choices
            ),
            currency=told.currency,
            longest_seconds=told.longest_seconds,
            bound=_reason(told.bound),
            refused=_reason(told.refused),
            pay_url=told.pay_url,
        )
        self._offers.move_to_end(told.session)
        while len(self._offers) > OFFERS_MAX:
            self._offers.popitem(last=False)
        self._changed.set()

    def look(self) -> None:
        """Go on with what is wanted: an exchange has got further, or more was granted elsewhere."""
        if self._line.is_connected:
            with suppress(StorageIsFull):  # it is looked at again
                self._journal.transact(rights.look, self._who)
        self._changed.set()

    def on_warned(self, session: str, seconds_left: float) -> None:
        """Let a session go on by itself at its last warning, if its customer has agreed to that."""
        is_last = seconds_left <= self._last_warning_seconds
        if is_last and self._journal.transact(sessions.extends_itself, session):
            with suppress(asyncio.QueueFull):
                self._due.put_nowait(session)

    async def _extend(self, session: str, seconds: int) -> ExtensionAnswer:
        offered = self._offers.get(session) or await self.offer(session)
        choice = _choice_of(offered, seconds)
        if choice is None:
            offered = await self.offer(session)
            choice = _choice_of(offered, seconds)
        if choice is None:
            reason = offered.refused or offered.bound or ExtensionNo.NOT_ALLOWED
            return ExtensionAnswer(session=session, refused=reason)
        return await self._wish(session, choice)

    async def _go_on(self, session: str) -> ExtensionAnswer:
        offered = await self.offer(session)
        if offered.refused is not None or not offered.choices:
            reason = offered.refused or offered.bound
            return ExtensionAnswer(session=session, refused=reason)
        return await self._wish(session, offered.choices[0], is_by_itself=True)

    async def _wish(
        self, session: str, choice: ExtensionChoice, *, is_by_itself: bool = False
    ) -> ExtensionAnswer:
        """Want it and wait for what comes of it; a second touch meanwhile waits for the first."""
        if not self._line.is_connected:
            return ExtensionAnswer(session=session, refused=ExtensionNo.NO_LINE)
        if self._journal.transact(sessions.may_go_on, session) is None:
            return ExtensionAnswer(session=session, refused=ExtensionNo.SESSION_IS_ENDING)
        wanted = rights.Wish(
            session=session,
            seconds=choice.seconds,
            price_cents=choice.price_cents,
            is_by_itself=is_by_itself,
        )
        self._journal.transact(rights.wish, wanted)
        self._offers.pop(session, None)
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                return await self._answer(session)
        return ExtensionAnswer(session=session, refused=ExtensionNo.NO_ANSWER)

    async def _answer(self, session: str) -> ExtensionAnswer:
        while True:
            self._journal.transact(rights.look, self._who)
            answer = self._journal.transact(partial(_answer_in, session=session))
            if answer is not None:
                return answer
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._next_change()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _answer_in(journal: Transaction, session: str) -> ExtensionAnswer | None:
    """Return what came of the wish for a session, or None: nothing yet."""
    row = rights.wish_of(journal, session)
    if row is None:
        return ExtensionAnswer(session=session, refused=ExtensionNo.NO_ANSWER)
    if row["state"] == WishState.GRANTED:
        return ExtensionAnswer(session=session, added_seconds=row["added_seconds"])
    if row["state"] == WishState.REFUSED:
        return ExtensionAnswer(session=session, refused=ExtensionNo(row["reason"]))
    return None


def _choice_of(offered: ExtensionOffered, seconds: int) -> ExtensionChoice | None:
    return next((each for each in offered.choices if each.seconds == seconds), None)


def _reason(text: str | None) -> ExtensionNo | None:
    if text is None:
        return None
    return ExtensionNo(text) if text in set(ExtensionNo) else ExtensionNo.NOT_ALLOWED
