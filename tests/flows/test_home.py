"""Home Assistant finds a store's devices at the broker, sees who is free, and its buttons act."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cloud_controller import bookings
from cloud_controller.bookings import By
from cloud_controller.broker import AccountRole
from cloud_controller.home import ACCOUNT, BRIDGE, Bridge
from cloud_controller.home.discovery import device_thing, switches_thing
from cloud_controller.settings import ControllerSettings, HomeAssistantSettings
from common.messages.sessions import StopSession
from common.mqtt import Outcome
from common.system import SystemNames
from common.topics import (
    CONTROLLER_STATE,
    HOME_BORN,
    address_of,
    discovery_topic,
    home_topic,
)
from tests.fakes.home_assistant import HomeAssistant
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.test_acts import Floor
from tests.rim.broker_kit import CONTROLLER, Office, Person, office, secret_of
from tests.waiting import until

ENGINES = ["sqlite"]
AIKO = By(operator="aiko")


class BooksOverThere:
    """The books of a house in hand, to be waited for as those of a running controller are."""

    def __init__(self, house: HouseInHand) -> None:
        self._house = house

    async def read(self, function: Any, *args: Any) -> Any:
        return self._house.books.do(function, *args)

    transact = read


@pytest.fixture
def floor(house: HouseInHand, two_booths: TerminalInHand) -> Floor:
    return Floor(house, two_booths)


@asynccontextmanager
async def bridged(folder: Path, house: HouseInHand, **told: Any) -> AsyncIterator[Office]:
    """Run a broker and the bridge to it."""
    settings = HomeAssistantSettings(**told)
    async with office(folder, bridge=AccountRole.BRIDGE, home_assistant=AccountRole.HOME) as desk:
        bridge = Bridge(settings, BooksOverThere(house), house.clock, SystemNames())  # type: ignore[arg-type] # as much of books as it needs
        bridge.secret = secret_of(BRIDGE)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(bridge.run(desk.broker, None), name="home")
            try:
                yield desk
            finally:
                running.cancel()


@asynccontextmanager
async def at_home(desk: Office) -> AsyncIterator[tuple[HomeAssistant, Person]]:
    """Have Home Assistant read at a real broker, by its own account."""
    house = HomeAssistant()
    filters = ("homeassistant/#", home_topic("+", "state"), CONTROLLER_STATE)
    person = Person(desk, ACCOUNT, filters=filters)
    person.on_message = house.hear
    async with Person(desk, CONTROLLER) as controller:
        controller.link.publish(CONTROLLER_STATE, b"here", 1, retain=True)
        async with person:
            yield house, person


async def test_home_assistant_finds_each_device_and_sees_who_has_it(floor, house, tmp_path):
    one, two = floor.devices
    house.books.do(bookings.start, one, 600, AIKO)
    floor.take_in()
    async with bridged(tmp_path, house) as desk, at_home(desk) as (seen, _person):
        await until(lambda: len(seen.found) == 2 and len(seen.heard) == 3)
        assert seen.shows(f"rusuban_{one}_in_use") == "on"
        assert seen.shows(f"rusuban_{one}_minutes_left") == "10"
        assert seen.shows(f"rusuban_{two}_in_use") == "off"
        assert seen.shows(f"rusuban_{two}_minutes_left") == "unknown"
        assert seen.shows(f"rusuban_{two}_out_of_order") == "off"
        assert seen.shows(f"rusuban_{two}_extend") == "ready"
        house.clock.move(125)
        await until(lambda: seen.shows(f"rusuban_{one}_minutes_left") == "8")
        assert seen.parts()[f"rusuban_{one}_extend"]["name"] == "15 minutes more"


async def test_its_buttons_end_a_session_and_give_it_time_as_an_operator_would(
    floor, house, tmp_path
):
    device = floor.devices[0]
    house.books.do(bookings.start, device, 600, AIKO)
    session = floor.take_in().document["session"]
    deadline_at = floor.row("sessions", session_id=session)["deadline_at"]
    async with bridged(tmp_path, house, extend_seconds=300) as desk, at_home(desk) as (_, person):
        more = home_topic(device, "extend")
        for payload in (b"PRESS", b"PRESS", b"press", b"{}"):
            await person.says(more, payload)

        def told() -> int:
            return int(floor.row("sessions", session_id=session)["deadline_at"])

        await until(lambda: told() != deadline_at)
        await person.says(home_topic(device, "end"), b"PRESS")
        await until(lambda: any(isinstance(each, StopSession) for each in house.books.heard()))
        assert told() == deadline_at + 300_000, "said twice within two seconds is one press"
    acts = [row["act"] for row in house.books.rows("audit") if row["actor"] == ACCOUNT]
    assert acts == ["session.extended", "session.stopped"]


async def test_what_has_gone_is_taken_away_also_what_an_earlier_run_left(house, tmp_path):
    async with office(tmp_path, bridge=AccountRole.BRIDGE, home_assistant=AccountRole.HOME) as desk:
        left = discovery_topic("d-long-gone")
        async with Person(desk, BRIDGE) as before:
            before.link.publish(left, b"{}", 1, retain=True)
            await before.is_there(times=1)
        bridge = Bridge(
            HomeAssistantSettings(store="another"),
            BooksOverThere(house),  # type: ignore[arg-type] # as much of books as it needs
            house.clock,
            SystemNames(),
        )
        bridge.secret = secret_of(BRIDGE)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(bridge.run(desk.broker, None), name="home")
            async with Person(desk, ACCOUNT, filters=("homeassistant/#",)) as person:
                await until(
                    lambda: (
                        [each.payload for each in person.messages if each.topic == left][-1:]
                        == [b""]
                    )
                )
                assert {each.topic for each in person.messages} == {left}
            running.cancel()


async def test_home_assistant_may_press_and_read_and_nothing_else(tmp_path):
    """A narrow account: what is not its own is neither said nor heard by it."""
    async with office(tmp_path, bridge=AccountRole.BRIDGE, home_assistant=AccountRole.HOME) as desk:
        everything = ("#", "rusuban/v1/+/service/up/events", "$CONTROL/#")
        async with (
            Person(desk, ACCOUNT, filters=everything) as home,
            Person(desk, CONTROLLER) as controller,
        ):
            allowed = (home_topic("d-1", "end"), HOME_BORN)
            for topic in allowed:
                assert await home.says(topic) is not Outcome.NOT_AUTHORISED
            for topic in (
                home_topic("d-1", "state"),
                discovery_topic("d-1"),
                CONTROLLER_STATE,
                "rusuban/v1/t-1/service/down/commands/c-1",
                "$CONTROL/dynamic-security/v1",
            ):
                assert await home.says(topic) is Outcome.NOT_AUTHORISED, topic
            await controller.says("rusuban/v1/t-1/service/down/commands/c-1")
            await controller.says("rusuban/v1/t-1/gate/down/registration")
            await home.is_there(times=1)
            assert home.heard() == []


def test_nothing_of_a_customer_is_told_and_switches_stand_as_they_answer():
    row = {
        "device_id": "d-1",
        "number": 4,
        "title": "",
        "is_out_of_order": 1,
        "presence": "gone",
        "store": "Akihabara",
        "session_state": None,
        "deadline_at": None,
    }
    thing = device_thing(row, 0, None)
    assert thing.title == "#4"
    assert dict(thing.stands) == {
        "there": "OFF",
        "in_use": "OFF",
        "minutes_left": None,
        "out_of_order": "ON",
    }
    assert "end" not in thing.sensors
    doors = [
        {"switch": "door", "title": "Front door", "wanted": "on", "standing": "confirmed"},
        {"switch": "lamp", "title": "", "wanted": "on", "standing": "unanswered"},
    ]
    switches = switches_thing("t-1", doors, "Akihabara")
    assert dict(switches.stands) == {"there": "ON", "door": "ON", "lamp": None}
    (_, described), (_, stands) = switches.messages
    assert json.loads(described)["components"]["switch_door"]["icon"] == "mdi:door"
    assert address_of(home_topic("d-1", "state")) is None
    assert json.loads(stands)["lamp"] is None


def test_home_assistant_is_not_let_in_where_everybody_shows_a_certificate(tmp_path):
    told: dict[str, Any] = {"state_folder": tmp_path, "home_assistant": {}}
    told["broker"] = {"ladder": 1}
    assert ControllerSettings(**told).home_assistant is not None
    told["broker"] = {"ladder": 2}
    with pytest.raises(ValidationError, match="no certificate of ours"):
        ControllerSettings(**told)
