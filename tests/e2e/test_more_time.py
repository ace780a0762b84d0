"""A session goes on, on real parts: from a phone, by itself, and not a second past its new end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cloud_controller.web.routes import from_iso
from common.rules.sessions import OWED_FROM_SECONDS
from tests.demo.settings import SlotTerms
from tests.demo.world import World
from tests.e2e.customer import begin, ends_on_time, is_there, programs
from tests.e2e.worlds import a_world

STEP_SECONDS = 8
LONG_SECONDS = 600
"""Of a session that is ended from a phone: longer than anybody waits here."""

TERMS = SlotTerms(
    lengths_seconds=(STEP_SECONDS, LONG_SECONDS),
    grid_seconds=STEP_SECONDS,
    warn_before_seconds=(5,),
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one booth, sold in steps of eight seconds."""
    with a_world(TERMS) as made:
        made.add_terminal()
        made.wait_until_on_offer(1)
        yield made


def test_c6_a_session_goes_on_from_a_phone_and_by_itself_and_ends_on_time(world: World):
    """C4, C5, C6: the runner keeps the new deadline, and no stop of the old one comes."""
    terminal = world.terminals[0]
    use = begin(world, terminal)
    path = f"/api/v1/tickets/{use.link}/extensions"
    quoted = world.api("GET", path)
    assert quoted["choices"][0]["seconds"] == STEP_SECONDS
    more = quoted["choices"][0]
    headers = {"Idempotency-Key": os.urandom(12).hex()}
    given = world.api("POST", path, more, headers=headers)
    assert from_iso(given["ends_at"]) == use.ends_at + STEP_SECONDS * 1000
    line = world.wait_for_line(use.link, "session.extended")
    assert line["facts"]["extended_seconds"] == STEP_SECONDS
    world.api("PUT", path, {"extends_itself": True})
    world.wait_for("it to go on by itself", lambda: len(granted(world, use.link)) == 2)
    world.api("PUT", path, {"extends_itself": False})
    assert time.time_ns() // 1_000_000 > use.ends_at, "the old end has passed"
    assert is_there(use.pid)
    assert [facts["by"] for facts in granted(world, use.link)] == ["page", "itself"]
    ends_on_time(world, replace(use, ends_at=use.ends_at + 2 * STEP_SECONDS * 1000))
    ended = world.wait_for_line(use.link, "reservation.completed")
    assert ended is not None
    story = world.story(use.link)
    assert [line["type"] for line in story].count("stop.instructed") == 1
    assert abs(promised(story) - delivered(story) - paid_back(story)) < OWED_FROM_SECONDS
    assert programs(world, terminal) == []


def test_c5_a_session_is_ended_from_a_phone_and_its_rest_is_owed_by_nobody(world: World):
    """C5: the page's word goes by the controller's stop, and what was left is not paid back."""
    use = begin(world, world.terminals[0], length_seconds=LONG_SECONDS)
    world.api("POST", f"/api/v1/tickets/{use.link}/end")
    ended = world.wait_for_line(use.link, "session.ended")
    assert ended["facts"]["reason"] == "customer_ended"
    assert not is_there(use.pid)
    assert time.time_ns() // 1_000_000 < use.ends_at, "the slot was not over yet"
    world.wait_for_line(use.link, "reservation.completed")
    given = world.api("GET", f"/api/v1/tickets/{use.link}/timeline")["given"]
    assert given["left_seconds"] > 0
    assert given["compensated_cents"] == 0


def promised(story: list[dict[str, Any]]) -> float:
    (issued,) = (line["facts"] for line in story if line["type"] == "right.issued")
    return float(issued["seconds"] + 2 * STEP_SECONDS)


def delivered(story: list[dict[str, Any]]) -> float:
    (ended,) = (line["facts"] for line in story if line["type"] == "session.ended")
    return float(ended["delivered_seconds"])


def paid_back(story: list[dict[str, Any]]) -> float:
    """Return what a busy machine has taken from its customer, who is not charged for it."""
    back = (line["facts"] for line in story if line["type"] == "reservation.compensated")
    return float(sum(facts["seconds"] for facts in back))


def granted(world: World, link: str) -> list[dict[str, Any]]:
    lines = [line for line in world.story(link) if line["type"] == "session.extension_granted"]
    return [line["facts"] for line in lines]


def test_an_operator_begins_ends_and_opens_a_device_from_afar(world: World):
    """What is begun from afar runs as if its ticket had been read; out of order it opens, once."""
    terminal = world.terminals[0]
    (device,) = [each["device"] for each in world.operator("GET", "/api/v1/devices")["devices"]]

    def stands(state: str) -> bool:
        (now,) = world.operator("GET", "/api/v1/devices")["devices"]
        return bool(now["state"] == state)

    def act(name: str, body: dict[str, Any]) -> Any:
        return world.operator("POST", f"/api/v1/devices/{device}/{name}", body)

    world.wait_for("the device to be free", lambda: stands("available") or stands("reserved"))
    act("start", {"seconds": 60})
    world.wait_for("its program to run", lambda: stands("in_use"))
    assert len(programs(world, terminal)) == 1
    act("stop", {"reason": "tests"})
    world.wait_for("its program to end", lambda: programs(world, terminal) == [])
    world.wait_for("it to be free again", lambda: stands("available") or stands("reserved"))
    act("out-of-order", {"reason": "tests"})
    world.wait_for("it to be out of order", lambda: stands("out_of_order"))
    act("maintenance", {"seconds": 60, "reason": "tests"})
    world.wait_for("it to be open", lambda: stands("in_use"))
    act("stop", {})
    world.wait_for("it to be out of order again", lambda: stands("out_of_order"))
    assert programs(world, terminal) == []
    act("in-order", {"skip_turnover": True})
