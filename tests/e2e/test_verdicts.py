"""What customers are told who cannot go in yet, in the log of a real terminal (C4)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud_controller.web.routes import from_iso
from tests.demo.world import World
from tests.e2e.customer import SHORT, book_at, nothing_changes, offering_of, picture_of, scan
from tests.e2e.worlds import a_world

IN_AN_HOUR = timedelta(hours=1)
IN_TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store in Tokyo with two terminals, each with a booth of its own."""
    with a_world(SHORT) as made:
        for _ in range(2):
            made.add_terminal()
        made.wait_until_on_offer(2)
        yield made


def test_c4_who_comes_early_is_told_when_to_come_back_by_the_store_s_clock(world: World):
    terminal = world.terminals[0]
    wanted = datetime.now(UTC) + IN_AN_HOUR
    link = book_at(world, offering_of(world, terminal), wanted)["link"]
    opens_at = from_iso(world.api("GET", f"/api/v1/tickets/{link}")["opens_at"])
    with nothing_changes(world, link):
        told = scan(world, terminal, picture_of(world, link))
    assert (told["reason"], told["opens_at"]) == ("too_early", opens_at)
    assert f"{datetime.fromtimestamp(opens_at / 1000, IN_TOKYO):%H:%M}" in told["next"]


def test_c4_who_stands_before_another_booth_is_told_which_is_his_and_where_it_stands(world: World):
    first, second = world.terminals
    ticket = world.book(offering_of(world, second))
    device = ticket["device"]
    said = {"place": "behind the curtain"}
    world.operator("POST", f"/api/v1/devices/{device['device']}", said)
    told = scan(world, first, picture_of(world, ticket["link"]))
    assert (told["reason"], told["to"]) == ("wrong_device", device["title"])
    assert told["number"] == device["number"]
    assert told["next"].endswith("behind the curtain.")


def test_c4_who_has_not_paid_is_told_by_when_and_is_let_in_when_he_has(world: World):
    terminal = world.terminals[0]
    wanted = datetime.now(UTC) + timedelta(seconds=8)
    item = {
        "offering": offering_of(world, terminal),
        "starts_at": f"{wanted:%Y-%m-%dT%H:%M:%SZ}",
        "length_seconds": world.terms.lengths_seconds[0],
    }
    headers = {"Idempotency-Key": os.urandom(12).hex()}
    wish = {"items": [item], "hold": True}
    order = world.api("POST", "/api/v1/orders", wish, headers=headers)
    (claim,) = order["claims"]
    picture = picture_of(world, claim["ticket"])
    told = scan(world, terminal, picture)
    assert (told["reason"], told["pay_by"]) == ("unpaid", from_iso(order["hold_ends_at"]))
    headers = {"Idempotency-Key": os.urandom(12).hex()}
    world.api(
        "POST", f"/api/v1/orders/{order['link']}/confirm", {"method": "free"}, headers=headers
    )
    world.wait_until_open(claim["ticket"])
    assert scan(world, terminal, picture)["opens"]
    world.wait_for_line(claim["ticket"], "reservation.completed")
