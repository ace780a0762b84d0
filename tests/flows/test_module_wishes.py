"""What an operator wants of a terminal's modules is told until it is heard (D7)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import modules
from cloud_controller.ports import NotAllowed, NotFound
from common.messages.modules import PACKAGES_MAX, ModulesAsk, ModulesDesired
from common.messages.registration import Hello
from common.rules.modules import PackageWish
from common.topics import Channel
from tests.flows.module_kit import PHYSICS, publish


@pytest.fixture
def terminal(house):
    publish(house, PHYSICS)
    publish(house, "sound")
    return house.confirmed("a")


def wish(house, terminal, package, what):
    return house.books.do(modules.wish, terminal.who.terminal, package, what, "tests")


def told(said):
    return [
        [(each.module, each.wish, each.number) for each in message.wishes]
        for message in said
        if isinstance(message, ModulesDesired)
    ]


def test_d7_a_wish_is_told_at_once_and_the_latest_word_on_a_module_counts(house, terminal):
    assert wish(house, terminal, PHYSICS, PackageWish.UNINSTALL) == 1
    assert told(house.books.heard()) == [[(PHYSICS, "uninstall", 1)]]
    wish(house, terminal, "sound", PackageWish.UNINSTALL)
    wish(house, terminal, PHYSICS, PackageWish.INSTALL)
    latest = [("sound", "uninstall", 2), (PHYSICS, "install", 3)]
    assert told(house.books.heard())[-1] == latest


def test_d7_a_wish_is_told_again_until_it_is_heard(house, terminal):
    wish(house, terminal, PHYSICS, PackageWish.UNINSTALL)
    house.books.heard()
    said = house.ask(terminal, ModulesAsk(packages=(PHYSICS,), heard=0))
    assert told(said) == [[(PHYSICS, "uninstall", 1)]]
    assert told(house.ask(terminal, ModulesAsk(packages=(PHYSICS,), heard=1))) == []
    hello = Hello(protocol=(1, 1), boot="b", outbox_first=0, outbox_last=0, applied_revision=0)
    assert told(house.take(terminal, hello, Channel.HELLO)) == [[(PHYSICS, "uninstall", 1)]]


def test_d7_nothing_is_wanted_of_what_nobody_knows_nor_of_too_much(house, terminal):
    with pytest.raises(NotFound):
        wish(house, terminal, "made-up", PackageWish.UNINSTALL)
    with pytest.raises(NotFound):
        house.books.do(modules.wish, "t-nobody", PHYSICS, PackageWish.UNINSTALL, "tests")
    with house.books.connection as connection:
        connection.executemany(
            "INSERT INTO module_wishes VALUES (?, ?, 'install', ?, 1)",
            [(terminal.who.terminal, f"m{each}", each + 1) for each in range(PACKAGES_MAX)],
        )
    with pytest.raises(NotAllowed):
        wish(house, terminal, PHYSICS, PackageWish.UNINSTALL)
