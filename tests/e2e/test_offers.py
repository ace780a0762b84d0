"""What is on the page is there, on real parts: off with its terminal, on with it (E1-E3)."""

from __future__ import annotations

import io
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from tests.demo import logs
from tests.demo.terminal import Terminal
from tests.demo.world import STORE, World
from tests.e2e.customer import SHORT
from tests.e2e.worlds import a_world

OFF_SECONDS_MAX = 20.0
"""Promise 11: a dead terminal is off the page in so long."""


ON_SECONDS_MAX = 2.0
"""And a live one on it; here it is a tenth of a second, and the rest is a busy machine's."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with one booth that has a picture, and words in two languages."""
    with a_world(SHORT) as made:
        terminal = made.new_terminal()
        Image.linear_gradient("L").resize((1200, 800)).convert("RGB").save(
            terminal.folder / "booth.png"
        )
        text = terminal.settings.read_text("utf-8")
        picture = f'\n[[devices.offering.pictures]]\nfile = "{terminal.folder / "booth.png"}"\n'
        terminal.settings.write_text(f'{text}{picture}alt = {{ en = "A seat" }}\n', "utf-8")
        made.enrol(terminal, made.new_code())
        made.start_agent(terminal)
        made.wait_until_on_offer(1)
        yield made


def offered(world: World) -> list[dict[str, Any]]:
    return list(world.api("GET", "/api/v1/offerings")["offerings"])


def seconds_since_its_start(terminal: Terminal) -> float:
    """Return for how long the agent has been there, by its own word: its log tells its start."""
    *_, started = logs.lines(terminal.log, "started")
    begun_at = datetime.fromisoformat(str(started["timestamp"]))
    return (datetime.now(UTC) - begun_at).total_seconds()


def end(terminal: Terminal, number: signal.Signals) -> None:
    """Have an agent end, by a word or by force."""
    assert terminal.agent is not None
    terminal.agent.send_signal(number)
    terminal.agent.wait()


def test_e1_a_terminals_words_and_picture_are_on_the_page(world: World):
    (shown,) = offered(world)
    assert shown["texts"]["ja"]["title"] == "レーシングシート 1"
    (picture,) = shown["pictures"]
    assert picture["alt"] == {"en": "A seat"}
    read = Image.open(io.BytesIO(world.picture(picture["url"])))
    assert (read.format, read.size) == ("WEBP", (960, 640))


def test_e2_a_killed_terminal_is_off_in_time_and_one_that_starts_is_on_again(world: World):
    terminal = world.terminals[0]
    since = time.monotonic()
    end(terminal, signal.SIGKILL)
    world.wait_for("it to be off", lambda: not offered(world), seconds=2 * OFF_SECONDS_MAX)
    assert time.monotonic() - since <= OFF_SECONDS_MAX
    world.start_agent(terminal)
    world.wait_until_on_offer(1)
    assert seconds_since_its_start(terminal) <= ON_SECONDS_MAX
    (shown,) = offered(world)
    assert len(shown["pictures"]) == 1, "it was told before, and is not told again"


def test_e3_a_stopped_terminal_is_off_at_once_and_sold_while_its_store_is_closed(world: World):
    end(world.terminals[0], signal.SIGTERM)
    world.wait_for("it to be off", lambda: not offered(world))
    (listed,) = world.operator("GET", f"/api/v1/stores/{STORE}/offerings")["offerings"]
    assert [each["reason"] for each in listed["devices"]] == ["stopping"]
    opens_at = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(hours=2)
    hours = [f"{opens_at:%H:00}-{opens_at + timedelta(hours=1):%H:00}"]
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), hours)
    world.operator("PUT", f"/api/v1/stores/{STORE}/hours", {"hours": {"week": week}})
    (shown,) = offered(world)
    assert (shown["availability"]["state"], shown["devices_free"]) == ("closed_until", 0)
    soon = datetime.fromisoformat(shown["availability"]["at"])
    assert soon == opens_at.replace(minute=0, second=0, microsecond=0)
    wish = {
        "offering": shown["offering"],
        "starts_at": shown["availability"]["at"],
        "length_seconds": shown["lengths_seconds"][0],
    }
    key = {"Idempotency-Key": "0" * 24}
    booked = world.api("POST", "/api/v1/reservations", wish, headers=key)
    assert booked["starts_at"] == wish["starts_at"]
