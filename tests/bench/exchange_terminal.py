"""A terminal's own parts for the exchange on a journal of its own, and bare round trips beside."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from common.mqtt import Delivery, Link, LinkCallbacks, LinkSettings, Token
from common.rules.registration import Standing
from common.system import SystemClock, SystemNames
from common.topics import Address, BrokerRole, Channel, filters_for, topic_of
from edge_agent.courier import Courier
from edge_agent.flows import enrolment, rights
from edge_agent.gate import Gate
from edge_agent.journal import SqliteJournal
from edge_agent.listener import Hearing, Listener
from edge_agent.ports import Identity, Transaction
from tests.bench.exchange_controller import COMMIT, ECHO, keep, kept_in
from tests.rim.broker_kit import secret_of
from tests.waiting import until

ANSWER_SECONDS_MAX = 10.0

Round = Callable[[], Coroutine[Any, Any, None]]


class TerminalOfABench:
    """Renews its authority over the coming tickets of its device, again and again."""

    def __init__(self, folder: Path, who: Identity, device: str) -> None:
        self.who = replace(who, secret=secret_of(who.terminal))
        self.sizes: list[tuple[int, int]] = []
        """Bytes asked and answered in each round trip of the last exchange."""
        self._device = device
        self._sent: list[int] = []
        self._over: asyncio.Future[None]
        self.link: Link
        self._kept = kept_in(folder / f"{who.terminal}-kept.sqlite")
        self._join(folder / f"{who.terminal}.sqlite")

    def rounds(self) -> dict[str, Round]:
        """Return what can be done from beginning to end, by name."""
        bare, committed = (partial(self._bare, tail=tail) for tail in (ECHO, COMMIT))
        return {"exchange": self._exchange, "bare": bare, "committed": committed}

    async def start(self) -> None:
        await self.link.start()
        await until(lambda: self._is_subscribed)

    async def stop(self) -> None:
        await self.link.stop()
        self.journal.close()
        self._kept.close()

    async def _exchange(self) -> None:
        """Cross one right: announced, asked for, granted, stored and closed on both sides."""
        self._sent.clear()
        self.sizes.clear()
        await self._answered(partial(self.journal.transact, rights.hold, self.who, self._device))

    async def _bare(self, *, tail: str) -> None:
        """Ask as often and with as many bytes, each way; with a commit on each side, or none."""
        address = Address(terminal=self.who.terminal, channel=Channel.REQUESTS, tail=tail)
        for asked, answered in self.sizes:
            payload = f"{answered} ".encode().ljust(asked, b".")
            if tail == COMMIT:
                keep(self._kept, payload)
            await self._answered(partial(self.link.publish, topic_of(address), payload, 1))

    async def _answered(self, ask: Callable[[], object]) -> None:
        self._over = asyncio.get_running_loop().create_future()
        ask()
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await self._over

    def _hear(self, delivery: Delivery) -> None:
        if delivery.payload.startswith(b"."):
            self.link.acknowledge(delivery)
            self._over.set_result(None)
        else:
            self.sizes.append((self._sent[-1], len(delivery.payload)))
            self.listener.take(delivery)

    def _publish(self, topic: str, payload: bytes, qos: int, *, retain: bool) -> Token | None:
        self._sent.append(len(payload))
        return self.link.publish(topic, payload, qos, retain=retain)

    def _come(self, _session_present: object) -> None:
        filters = filters_for(self.who.terminal, BrokerRole.SERVICE).subscribe
        self._is_subscribed = self.link.subscribe(filters)

    # --- how each part is made, as the agent makes it ---------------------------------------------

    def _join(self, file: Path) -> None:
        clock, names = SystemClock(), SystemNames()
        self._is_subscribed = False
        self.journal = SqliteJournal(file, clock=clock, names=names, boot_id="0" * 36)
        self.journal.transact(enrolment.keep_identity, self.who)
        self.journal.transact(_confirm, self._device)
        gate = Gate(self.journal)
        gate.has_looked = True
        gate.review()
        courier = Courier(
            self.who, self.journal, gate, publish=self._publish, clock=clock, names=names
        )
        self.journal.on_asked = courier.post
        self.link = Link(
            LinkSettings(
                host=self.who.broker_host,
                port=self.who.broker_port,
                name=self.who.terminal,
                password=self.who.secret,
            ),
            LinkCallbacks(on_message=self._hear, on_connected=self._come),
            random=random.random,
            report=lambda where, fault: print(where, fault, file=sys.stderr),
        )
        self.listener = Listener(
            self.who,
            self.journal,
            gate,
            hearing=_only_free(lambda _: self._over.set_result(None)),
            acknowledge=self.link.acknowledge,
            questions=courier,
        )


async def taken(terminals: Sequence[TerminalOfABench], what: str, count: int) -> list[float]:
    """Do it so often with each, all at once; return the milliseconds of each time."""

    async def one_after_another(terminal: TerminalOfABench) -> list[float]:
        once, times = terminal.rounds()[what], []
        for _ in range(count):
            began = time.perf_counter()
            await once()
            times.append((time.perf_counter() - began) * 1000)
        return times

    found = await asyncio.gather(*(one_after_another(terminal) for terminal in terminals))
    return [each for times in found for each in times]


def _confirm(journal: Transaction, device: str) -> None:
    """Note that this PC is what was confirmed, so that the gate is open, and has this device."""
    digest = "0" * 64
    journal.rows.remember(gate_digest=digest, body="{}", missing_since="{}")
    journal.rows.keep_registration(
        standing=Standing.CONFIRMED, gate_digest=digest, reason="", revision=1
    )
    profile = json.dumps({"devices": [{"device": device}]})
    journal.rows.keep_profile(gate_digest=digest, body=profile)


def _only_free(on_free: Callable[[str], None]) -> Hearing:
    return Hearing(
        on_standing=lambda: None,
        on_profile=lambda _told, _gone: None,
        on_free=on_free,
        on_sessions=lambda: None,
        on_acknowledged=lambda _: None,
        on_quarantined=lambda: None,
        on_scan=lambda *_: None,
        on_told=lambda *_: None,
        on_devices=lambda _: None,
        on_strange_keys=lambda: None,
        on_offer=lambda _: None,
        on_extensions=lambda: None,
        on_modules=lambda: None,
        on_help=lambda: None,
        on_around=lambda _: None,
    )
