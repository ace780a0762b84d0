"""Many want the same thing at the same instant: exactly one gets it, and everybody is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from common.rules.tickets import DenialReason
from tests.demo.world import SlotTerms, World
from tests.e2e.customer import picture_of
from tests.e2e.worlds import a_world

RACES = 60
"""Over real processes; `./dev prove redeem_race` has thousands over the flows of both programs."""

DEVICES = 24
"""On each of two terminals, and as many uses at a time: both have a device for the next ticket."""

AT_ONCE = SlotTerms(lengths_seconds=(1,), grid_seconds=1, early_seconds=60)
"""A ticket that opens when it is bought, for a use that is over when its second is."""

CLIENTS = 16
SLOTS = 100
"""`./dev test` has 200 more on each engine, without the web: `tests/contracts/test_burst.py`."""

SCANS_AGAIN_MAX = 20
"""A customer who is told to scan again is served after a few times, or something is wrong."""

LOSERS_ARE_TOLD = {"in_use_elsewhere", "already_used"}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store whose two terminals share one offering."""
    with a_world(AT_ONCE) as made:
        for _ in range(2):
            made.add_terminal(offering="shared", devices=DEVICES)
        made.wait_until_on_offer(2 * DEVICES)
        yield made


@pytest.mark.alone
def test_a_ticket_before_two_readers_at_once_starts_exactly_one_program(world: World):
    """Promise 2: 60 times, the two terminals ask at the same instant; one start each time."""
    (offering,) = world.wait_until_on_offer(2 * DEVICES)
    denials: dict[str, int] = {}
    for race in range(RACES):
        if race >= DEVICES:
            world.wait_for_line(list(denials)[race - DEVICES], "reservation.completed")
        link = world.book(offering["offering"])["link"]
        denials[link] = _denials_of_a_race(world, picture_of(world, link), f"race-{race}")
    for link, denied in denials.items():
        world.wait_for_line(link, "reservation.completed")
        lines = Counter(line["type"] for line in world.story(link))
        assert lines["right.issued"] == lines["session.running"] == lines["session.ended"] == 1
        assert lines["scan.denied"] == denied
    assert world.processes("program.py") == []
    told = sum(len(world.verdicts(terminal)) for terminal in world.terminals)
    assert told == RACES + sum(denials.values())


async def test_a_slot_that_many_want_is_sold_to_exactly_one(world: World):
    """Promise 1: 16 clients want the same slot of a device, 100 slots; the others are told when."""
    (offering,) = await asyncio.to_thread(world.wait_until_on_offer, 2 * DEVICES)
    begin_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    device = await asyncio.to_thread(_a_device, world, offering["offering"])
    sold = []
    async with _clients(world) as clients:
        for slot in range(SLOTS):
            wish = {
                "offering": offering["offering"],
                "starts_at": (begin_at + timedelta(seconds=slot)).isoformat(),
                "length_seconds": 1,
                "device": device,
            }
            answers = await asyncio.gather(
                *(
                    _book(client, wish, f"slot-{slot:03}-client-{number:02}")
                    for number, client in enumerate(clients)
                )
            )
            assert sorted(status for status, _ in answers) == [201] + [409] * (CLIENTS - 1)
            sold.append(next(answer for status, answer in answers if status == 201))
            refused = [answer for status, answer in answers if status == 409]
            assert {problem["code"] for problem in refused} == {"slot_is_taken"}
            assert all(problem["alternatives"] for problem in refused)
    assert {ticket["device"]["device"] for ticket in sold} == {device}
    assert len({ticket["starts_at"] for ticket in sold}) == SLOTS


def _denials_of_a_race(world: World, picture: bytes, name: str) -> int:
    """Show a ticket to both readers at once; one opens, and the other is told why not.

    Whoever is told to scan again does so: while one terminal alone may redeem the ticket, because
    it took over the coming hours' tickets for a time without the line, the other has to wait.
    Returns how often anybody was told no.
    """
    before = [len(world.verdicts(terminal)) for terminal in world.terminals]
    for terminal in world.terminals:
        terminal.show(picture, name)
    last = []
    for terminal, number in zip(world.terminals, before, strict=True):
        told = world.wait_for_verdict(terminal, number)
        for again in range(1, SCANS_AGAIN_MAX):
            if told.get("reason") != DenialReason.BUSY_TRY_AGAIN:
                break
            terminal.show(picture, name)
            told = world.wait_for_verdict(terminal, number + again)
        last.append(told)
    (loser,) = [told for told in last if not told["opens"]]
    assert loser["reason"] in LOSERS_ARE_TOLD, loser
    after = [len(world.verdicts(terminal)) for terminal in world.terminals]
    return sum(after) - sum(before) - 1


def _a_device(world: World, offering: str) -> str:
    """Return one device of an offering, by booking it."""
    return str(world.book(offering)["device"]["device"])


@asynccontextmanager
async def _clients(world: World) -> AsyncIterator[list[aiohttp.ClientSession]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                aiohttp.ClientSession(
                    world.url,
                    connector=aiohttp.TCPConnector(local_addr=(f"127.2.0.{1 + number}", 0)),
                )
            )
            for number in range(CLIENTS)
        ]


async def _book(client: aiohttp.ClientSession, wish: dict[str, Any], key: str) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key}
    async with client.post("/api/v1/reservations", json=wish, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)
