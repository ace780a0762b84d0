"""At the broker a service server hears one question, speaks one answer, and nothing else (A6)."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack

import pytest

from cloud_controller.broker import AccountRole
from cloud_controller.controller import Controller
from cloud_controller.settings import BrokerSettings, ControllerSettings, Role, WebSettings
from common.ids import TerminalId
from common.mqtt import Outcome
from common.rules.enrolment import Ladder
from common.topics import (
    BROKER_CONTROL,
    CONTROLLER_STATE,
    PROFILE_ASKED,
    WITH_A_TAIL,
    Address,
    Channel,
    profile_filters,
    topic_of,
)
from tests.rim.broker_kit import CONTROLLER, Person, office
from tests.waiting import until

TERMINAL = TerminalId("t-1")
ASKED = topic_of(Address(terminal=TERMINAL, channel=Channel.REQUESTS, tail=PROFILE_ASKED))
ANSWERED = topic_of(Address(terminal=TERMINAL, channel=Channel.REPLIES))
OTHERS = tuple(
    topic_of(Address(terminal=TERMINAL, channel=channel, tail="x" * (channel in WITH_A_TAIL)))
    for channel in Channel
    if channel is not Channel.REPLIES
)


def spoken_up() -> list[str]:
    """Return every topic on which a terminal may speak, the one question last."""
    return [*(topic for topic in OTHERS if "/up/" in topic), ASKED]


@pytest.mark.parametrize("filters", [profile_filters().subscribe, ("#",), ("rusuban/v1/+/#",)])
async def test_it_hears_who_asks_for_a_profile_and_nothing_else_whatever_it_asks_for(
    tmp_path, filters
):
    wanted = tuple(dict.fromkeys((*profile_filters().subscribe, *filters)))
    async with (
        office(tmp_path, service=AccountRole.PROFILES, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "service", filters=wanted) as service,
        Person(desk, "t-1") as terminal,
        Person(desk, CONTROLLER) as controller,
    ):
        for topic in (*(each for each in OTHERS if "/down/" in each), CONTROLLER_STATE):
            await controller.says(topic)
        for topic in spoken_up():
            await terminal.says(topic)
        await until(lambda: ASKED in {message.topic for message in service.messages})
        assert {message.topic for message in service.messages} == {ASKED}


async def test_it_answers_and_may_say_nothing_else_to_anybody(tmp_path):
    async with (
        office(tmp_path, service=AccountRole.PROFILES, t_1=AccountRole.SERVICE) as desk,
        Person(desk, "t-1", filters=(ANSWERED,)) as terminal,
        Person(desk, "service") as service,
    ):
        for topic in itertools.chain(OTHERS, (ASKED, CONTROLLER_STATE, BROKER_CONTROL)):
            assert await service.says(topic) is Outcome.NOT_AUTHORISED, topic
        assert await service.says(ANSWERED, b"a profile") is Outcome.OK
        await until(terminal.heard)
        assert terminal.heard() == [b"a profile"]


async def test_its_answer_does_not_reach_a_terminal_at_the_gate(tmp_path):
    async with (
        office(tmp_path, service=AccountRole.PROFILES, t_1=AccountRole.GATE) as desk,
        Person(desk, "t-1", filters=(ANSWERED, f"rusuban/v1/t-1/{Channel.REGISTRATION}")) as shut,
        Person(desk, "service") as service,
        Person(desk, CONTROLLER) as controller,
    ):
        await service.says(ANSWERED, b"a profile")
        await controller.says(f"rusuban/v1/t-1/{Channel.REGISTRATION}", b"pending")
        await until(shut.heard)
        assert shut.heard() == [b"pending"]


@pytest.mark.parametrize("ladder", Ladder)
async def test_on_every_step_of_the_ladder_it_comes_in_with_a_secret_that_only_we_can_read(
    tmp_path, ladder
):
    async with AsyncExitStack() as running:
        settings = ControllerSettings(
            state_folder=tmp_path / "state",
            web=WebSettings(port=0),
            broker=BrokerSettings(port=0, ladder=ladder),
        )
        management = Controller(settings, frozenset(Role) - {Role.SERVICE})
        running.push_async_callback(management.close)
        await management.start()
        beside = BrokerSettings(port=management.broker.port, ladder=ladder)
        service = Controller(
            settings.model_copy(update={"broker": beside}), frozenset({Role.SERVICE})
        )
        running.push_async_callback(service.close)
        await service.start()
        await until(lambda: service._is_ready() == {"books": True, "broker": True})
        secret = tmp_path / "state" / "keys" / "service-secret"
        assert secret.stat().st_mode & 0o777 == 0o600
