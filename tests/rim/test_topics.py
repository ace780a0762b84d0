"""A topic is built and read in one place, and what is not one of ours is nobody's address."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given, strategies as st

from common import topics
from common.ids import TerminalId
from common.topics import (
    AT_MOST_ONCE,
    CONTROLLER_STATE,
    OPEN_TO,
    RETAINED,
    WITH_A_TAIL,
    Address,
    BrokerRole,
    Channel,
    address_of,
    controller_filters,
    filters_for,
    topic_of,
)

LETTERS = "abcxyzABCXYZ0189_.-"
NAMES = st.text(LETTERS, min_size=1, max_size=64)


@st.composite
def addresses(draw: st.DrawFn) -> Address:
    channel = draw(st.sampled_from(Channel))
    tail = draw(st.text(LETTERS + ":", min_size=1, max_size=64)) if channel in WITH_A_TAIL else ""
    return Address(terminal=TerminalId(draw(NAMES)), channel=channel, tail=tail)


def matches(pattern: str, topic: str) -> bool:
    """Say whether a filter lets a topic through, as section 4.7 of MQTT 5 has it."""
    wanted, parts = pattern.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, parts = wanted[:-1], parts[: len(wanted) - 1]
    same = (want in {"+", part} for want, part in zip(wanted, parts, strict=False))
    return len(wanted) == len(parts) and all(same)


def test_the_examples_of_the_file_are_true():
    assert doctest.testmod(topics).failed == 0
    assert doctest.testmod(topics).attempted > 0


@given(address=addresses())
def test_an_address_is_read_back_as_it_was_written(address: Address):
    assert address_of(topic_of(address)) == address


@given(topic=st.text(max_size=120) | st.from_regex(topics._TOPIC))
def test_only_what_we_write_ourselves_is_an_address(topic: str):
    address = address_of(topic)
    assert address is None or topic_of(address) == topic


@pytest.mark.parametrize(
    "topic",
    [
        *("", "/", "rusuban/v1", CONTROLLER_STATE, "rusuban/v2/t-1/service/up/hello"),
        *("rusuban/v1/t-1/service/up/hello/", "rusuban/v1/t-1/service/up/hello/x"),
        *("rusuban/v1//service/up/hello", "rusuban/v1/+/service/up/hello"),
        *("rusuban/v1/t-1/#", "rusuban/v1/t-1/service/up/requests", "x/rusuban/v1/t-1/gate/up/x"),
        *("rusuban/v1/t/1/service/up/hello", "rusuban/v1/t-1/service/sideways/hello"),
        *("rusuban/v1/t-1/service/up/requests/a/b", "rusuban/v1/t-1/service/up/hello\n"),
        "rusuban/v1/" + "t" * 65 + "/service/up/hello",
    ],
)
def test_what_is_none_of_ours_has_no_address(topic: str):
    assert address_of(topic) is None


@given(address=addresses())
def test_a4_the_role_of_the_gate_opens_the_gate_branch_and_nothing_else(address: Address):
    filters = filters_for(address.terminal, BrokerRole.GATE)
    opened = [f for f in (*filters.publish, *filters.subscribe) if matches(f, topic_of(address))]
    assert bool(opened) is address.channel.startswith("gate/")


@given(address=addresses(), other=NAMES)
def test_no_role_opens_the_branch_of_another_terminal(address: Address, other: str):
    for role in BrokerRole:
        filters = filters_for(other, role)
        opened = [
            f for f in (*filters.publish, *filters.subscribe) if matches(f, topic_of(address))
        ]
        assert not opened or other == address.terminal


@given(address=addresses())
def test_the_role_of_service_speaks_upwards_and_hears_downwards(address: Address):
    filters = filters_for(address.terminal, BrokerRole.SERVICE)
    topic = topic_of(address)
    is_up = "/up/" in address.channel
    assert any(matches(f, topic) for f in filters.publish) is is_up
    assert any(matches(f, topic) for f in filters.subscribe) is not is_up


@given(address=addresses())
def test_the_controller_hears_and_reaches_every_terminal(address: Address):
    filters = controller_filters()
    topic = topic_of(address)
    is_up = "/up/" in address.channel
    assert any(matches(f, topic) for f in filters.subscribe) is is_up
    reached = any(matches(f, topic) for f in filters.publish)
    assert reached is (not is_up or address.channel is Channel.PRESENCE)


def test_each_channel_says_who_may_use_it():
    assert set(OPEN_TO) == set(Channel)


def test_a_settling_terminal_is_given_no_service_information():
    heard = filters_for("t-1", BrokerRole.SETTLING).subscribe
    for channel in (Channel.REPLIES, Channel.DESIRED, Channel.WELCOME):
        topic = topic_of(Address(terminal=TerminalId("t-1"), channel=channel))
        assert not any(matches(f, topic) for f in heard)


def test_a_command_is_never_kept_by_the_broker_nor_sent_at_most_once():
    assert Channel.COMMANDS not in RETAINED | AT_MOST_ONCE
    assert {Channel.PRESENCE} == RETAINED
