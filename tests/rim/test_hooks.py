"""Webhooks arrive at a real receiver: once, in order, signed; and go nowhere they may not."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from cloud_controller.bookings.alerts import tell_problems
from cloud_controller.flows import hooks, reservations
from cloud_controller.flows.hooks import Endpoint
from cloud_controller.hooks import HookSender
from cloud_controller.ports import Problem, Transaction
from common.rules.hooks import OVERLAP_SECONDS
from common.rules.problems import ProblemKind
from tests.fakes.store import HOUR_MS, MORNING_AT, StoreKit, store_kit
from tests.rim.hook_kit import HERE, by_this_clock, endpoint, receiver, sender

HOUR_SECONDS = 3_600
DAYS_HOURS = 72


async def states(store: StoreKit, made: Endpoint) -> list[str]:
    """Return how each word to an endpoint stands, the latest first."""
    found = await store.books.read(hooks.deliveries, made.row["endpoint_id"], 1 << 60, 9)
    return [row["state"] for row in found]


async def happen(store: StoreKit, kind: str, reservation: str) -> None:
    await store.books.transact(lambda books: books.enter(kind, {}, reservation=reservation))


async def three_days(store: StoreKit, out: HookSender) -> None:
    """Let things happen for three days, and look each hour whether they can be told."""
    opened = await store.open()
    link = ""
    for hour in range(DAYS_HOURS):
        if hour % 6 == 0:
            starts_at = store.clock.now + HOUR_MS - store.clock.now % (HOUR_MS // 2)
            link = await store.book(opened, starts_at)
        if hour % 12 == 1:
            await store.books.transact(reservations.cancel, link)
        await out.look_once()
        store.clock.move(HOUR_SECONDS)


async def test_a_receiver_that_was_down_for_three_days_gets_everything_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    there = receiver()
    async with store_kit(tmp_path) as store:
        by_this_clock(monkeypatch, store.clock)
        made, out = await endpoint(store, there.url, types=("reservation",)), sender(store)
        name = made.row["endpoint_id"]
        await three_days(store, out)
        problems = await store.books.read(lambda books: list(books.problems.latest(most=10)))
        assert name in [row["subject"] for row in problems if row["kind"] == "hook_failing"]
        happened = (await store.books.read(hooks.deliveries, name, 1 << 60, 1000))[::-1]
        async with there.up():
            for _ in range(3):
                await out.look_once()
                store.clock.move(60 if there.taken else HOUR_SECONDS)
            said = there.read(made.secret)
    assert there.calls == len(said) == len(happened) >= 18
    assert len({headers["webhook-id"] for headers, _ in there.taken}) == len(happened)
    told = by_thing((each["data"]["reservation"], each["type"]) for each in said)
    assert told == by_thing((row["about"], row["type"]) for row in happened)
    assert ["reservation.confirmed", "reservation.cancelled"] in told.values()


def by_thing(events: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what has happened to each thing, in its order."""
    found: dict[str, list[str]] = defaultdict(list)
    for about, kind in events:
        found[about].append(kind)
    return found


async def test_an_event_that_is_refused_holds_up_what_follows_of_its_own_thing_alone(
    tmp_path: Path,
):
    there = receiver()
    there.answers = [500]
    async with store_kit(tmp_path) as store, there.up():
        await endpoint(store, there.url)
        out = sender(store)
        await happen(store, "reservation.held", "r-1")
        await out.look_once()
        await happen(store, "reservation.confirmed", "r-1")
        await happen(store, "reservation.held", "r-2")
        await out.look_once()
        assert [json.loads(body)["data"]["reservation"] for _, body in there.taken] == ["r-2"]
        store.clock.move(10)
        await out.look_once()
    said = [json.loads(body) for _, body in there.taken]
    assert [each["type"] for each in said if each["data"]["reservation"] == "r-1"] == [
        "reservation.held",
        "reservation.confirmed",
    ]


async def test_a_problem_is_told_once_when_it_is_raised_and_once_when_it_is_solved(
    tmp_path: Path,
):
    there = receiver()
    async with store_kit(tmp_path) as store, there.up():
        opened = await store.open()
        await endpoint(store, there.url, types=("problem",))
        out, kind = sender(store), ProblemKind.CLOCK_UNTRUSTED
        problem = Problem(kind=kind, subject=opened.terminal, why="x", terminal=opened.terminal)
        for _ in range(2):
            await store.books.transact(lambda books: books.raise_problem(problem))
            store.clock.move(HOUR_SECONDS)
            await store.books.transact(tell_problems)
        await store.books.transact(lambda books: books.solve_problem(kind, opened.terminal))
        await store.books.transact(tell_problems)
        await store.books.transact(tell_problems)
        await out.look_once()
    said = [json.loads(body) for _, body in there.taken]
    assert [each["type"] for each in said] == ["problem.raised", "problem.solved"]
    assert said[0]["data"] | {"problem": ""} == {
        "kind": "clock_untrusted",
        "problem": "",
        "state": "raised",
        "store": "shinjuku",
    }


async def test_what_fails_with_its_transaction_was_never_told(tmp_path: Path):
    there = receiver()

    def fail(books: Transaction) -> None:
        books.enter("reservation.held", {}, reservation="r-1")
        raise RuntimeError

    async with store_kit(tmp_path) as store:
        made = await endpoint(store, there.url)
        with pytest.raises(RuntimeError):
            await store.books.transact(fail)
        assert await states(store, made) == []


async def test_for_a_day_what_is_told_is_signed_with_both_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    there = receiver()
    async with store_kit(tmp_path) as store, there.up():
        by_this_clock(monkeypatch, store.clock)
        old = await endpoint(store, there.url)
        name = old.row["endpoint_id"]
        new = await store.books.transact(hooks.rotate, name, "tests")
        assert new.secret != old.secret
        out = sender(store)
        await happen(store, "reservation.held", "r-1")
        await out.look_once()
        assert there.read(old.secret) == there.read(new.secret)
        there.taken.clear()
        store.clock.move(OVERLAP_SECONDS + 1)
        await happen(store, "reservation.held", "r-2")
        await out.look_once()
        assert len(there.read(new.secret)) == 1
        with pytest.raises(WebhookVerificationError):
            there.read(old.secret)
        headers, body = there.taken[0]
        with pytest.raises(WebhookVerificationError):
            Webhook(new.secret).verify(body.replace(b"r-2", b"r-3"), headers)


async def test_who_answers_410_hears_nothing_more_until_a_person_says_so(tmp_path: Path):
    there = receiver()
    there.answers = [410]
    async with store_kit(tmp_path) as store, there.up():
        made = await endpoint(store, there.url)
        name, out = made.row["endpoint_id"], sender(store)
        await happen(store, "reservation.held", "r-1")
        await out.look_once()
        await happen(store, "reservation.held", "r-2")
        store.clock.move(HOUR_SECONDS)
        await out.look_once()
        assert there.calls == 1
        row = await store.books.read(hooks.endpoint, name)
        assert (row["state"], row["why"]) == ("gone", "410")
        await store.books.transact(hooks.switch, name, "tests", is_on=True)
        count = await store.books.transact(hooks.replay_since, name, MORNING_AT, "tests")
        assert count == 1
        await out.look_once()
    assert [json.loads(body)["data"]["reservation"] for _, body in there.taken] == ["r-1"]


async def test_a_redirect_is_not_followed(tmp_path: Path):
    there = receiver()
    there.answers = [302, 307]
    async with store_kit(tmp_path) as store, there.up():
        made = await endpoint(store, there.url)
        out = sender(store)
        await happen(store, "reservation.held", "r-1")
        await out.look_once()
        store.clock.move(10)
        await out.look_once()
        assert there.calls == 2
        assert await states(store, made) == ["waiting"]


@pytest.mark.parametrize(
    "url", ["http://{here}:{port}/", "https://localhost:{port}/", "https://{here}:{port}/"]
)
async def test_nothing_is_said_to_a_machine_of_our_own_that_nobody_trusts(tmp_path: Path, url):
    there = receiver()
    async with store_kit(tmp_path) as store, there.up():
        made = await endpoint(store, url.format(here=HERE, port=there.port))
        await happen(store, "reservation.held", "r-1")
        await sender(store, "other.example").look_once()
        row = (await store.books.read(hooks.deliveries, made.row["endpoint_id"], 1 << 60, 9))[0]
    assert (there.calls, row["answer"]) == (0, "address_not_allowed")


async def test_a_name_that_leads_into_our_own_network_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    there = receiver()

    async def leads_here(_self: object, host: str, port: int = 0, _family: int = 0) -> list[object]:
        return [{"hostname": host, "host": HERE, "port": port, "family": 2, "proto": 6, "flags": 4}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", leads_here)
    async with store_kit(tmp_path) as store, there.up():
        made = await endpoint(store, f"https://rebound.example:{there.port}/")
        await happen(store, "reservation.held", "r-1")
        await sender(store).look_once()
        row = (await store.books.read(hooks.deliveries, made.row["endpoint_id"], 1 << 60, 9))[0]
    assert (there.calls, row["answer"]) == (0, "address_not_public")


async def test_what_was_told_is_forgotten_in_time_and_what_waits_is_not(tmp_path: Path):
    there = receiver()
    async with store_kit(tmp_path) as store:
        made = await endpoint(store, there.url)
        out = sender(store)
        async with there.up():
            await happen(store, "reservation.held", "r-1")
            await out.look_once()
        await happen(store, "reservation.held", "r-2")
        await store.books.transact(hooks.forget, -1)
        rows_left = await store.books.read(hooks.deliveries, made.row["endpoint_id"], 1 << 60, 9)
    assert [row["about"] for row in rows_left] == ["r-2"]
