"""What a terminal reports of its packages is kept, and somebody is called where one has failed."""

from __future__ import annotations

import pytest

from cloud_controller.flows import modules
from cloud_controller.flows.modules import LogSaid
from common.messages.base import COUNT_MAX, Message
from common.messages.modules import (
    ModuleFailed,
    ModuleInstalled,
    ModuleRolledBack,
    ModulesProgress,
    ModuleUsed,
)
from common.topics import Channel
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.module_kit import PHYSICS, digest_in, publish

SHA256, ON_DISK = digest_in("archive"), digest_in("files")
FACTS = {"package": PHYSICS, "kind": "module", "version": "1.0", "sha256": SHA256}
FAILED = ModuleFailed(**FACTS, why="unfit: a link", at=1)
ROLLED_BACK = ModuleRolledBack(**FACTS, why="not_running: it does not come up", at=1)


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    return house.confirmed("a")


def tell(house: HouseInHand, terminal: TerminalInHand, message: Message, seq: int = 1) -> None:
    house.take(terminal, message, Channel.EVENTS, seq)


def test_d4_what_is_installed_is_logged_by_what_really_lies_there_and_never_later_than_now(
    house, terminal
):
    later = house.clock.now + 60_000
    tell(house, terminal, ModuleInstalled(**FACTS, digest=ON_DISK, at=later))
    line = house.books.one("module_events")
    assert (line["kind"], line["client"]) == ("installed", terminal.who.terminal)
    assert (line["digest"], line["at"]) == (ON_DISK, house.clock.now)


def test_d1_a_programs_own_part_is_in_the_ledger_and_in_no_log_of_modules(house, terminal):
    free = {**FACTS, "kind": "program"}
    tell(house, terminal, ModuleInstalled(**free, digest=ON_DISK, at=1))
    assert house.books.rows("module_events") == []
    assert "module.installed" in [row["type"] for row in house.books.rows("ledger")]


@pytest.mark.parametrize("message", [FAILED, ROLLED_BACK], ids=lambda message: message.type)
def test_somebody_is_called_to_a_package_that_failed_until_it_is_installed(
    house, terminal, message
):
    publish(house, PHYSICS)
    tell(house, terminal, message)
    problem = house.books.one("problems")
    assert (problem["kind"], problem["terminal_id"]) == ("package_failed", terminal.who.terminal)
    assert message.why in problem["why"]
    tell(house, terminal, ModuleInstalled(**FACTS, digest=ON_DISK, at=2), seq=2)
    assert house.books.one("problems")["solved_at"] is not None


@pytest.mark.parametrize("message", [FAILED, ROLLED_BACK], ids=lambda message: message.type)
def test_nobody_is_called_to_a_package_that_a_terminal_has_made_up(house, terminal, message):
    tell(house, terminal, message)
    assert house.books.rows("problems") == []


def test_of_packages_that_a_terminal_has_made_up_no_progress_is_kept(house, terminal):
    publish(house, PHYSICS)
    for package in (PHYSICS, "made-up"):
        seen = ModulesProgress(package=package, version="1.0", state="downloading")
        house.take(terminal, seen, Channel.TELEMETRY)
    assert [row["package"] for row in house.books.rows("package_progress")] == [PHYSICS]


def test_d10_whatever_a_terminal_says_the_line_of_it_is_one_that_other_controllers_take(
    house, terminal
):
    longest = "\U0001f3ae" * 200
    said = ModuleUsed(
        module=PHYSICS, version=f"{longest[:-1]}\0", source=longest, day=COUNT_MAX, at=1
    )
    tell(house, terminal, said)
    told = house.books.do(modules.say_log, LogSaid(heads={}))
    assert [line.version for line in told.lines] == [longest[:-1]]
