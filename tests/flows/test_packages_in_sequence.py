"""A terminal gets its programs first, then asks what is licensed, then a right, then the module."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cloud_controller.flows.rights import free_leases
from cloud_controller.flows.rights.seats import LEASE_TOLERANCE_MS
from cloud_controller.web.app import FIELD_BYTES_MAX
from common.messages.modules import PACKAGES_MAX, ModulesAsk, ModulesDesired
from common.messages.rights import Request
from common.rules.modules import InstallFailure, InstallState, SeatAskState
from common.topics import Channel
from edge_agent.flows import modules, rights
from edge_agent.modules.making import bearer_of
from edge_agent.modules.ports import Outcome
from edge_agent.modules.sequence import Sequence, Surroundings
from edge_agent.modules.wanted import ProgramNeeds
from edge_agent.ports import Asked, Installed, Package
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.module_kit import PHYSICS, digest_in, logged, own, publish, used

RACER = "racer"
NEEDS = ProgramNeeds(package=RACER, modules=(PHYSICS,))
LEASE_MS = 86_400_000


class DiskInHand:
    """Installs at once, or says why not; what it was handed is kept in order."""

    def __init__(self, clock: Any) -> None:
        self.here: dict[str, Installed] = {}
        self.handed: list[Package] = []
        self.fails: dict[str, InstallFailure] = {}
        self._clock = clock

    def current(self, package: str) -> Installed | None:
        return self.here.get(package)

    def all_current(self) -> list[Installed]:
        return list(self.here.values())

    async def install(self, package: Package) -> Outcome:
        self.handed.append(package)
        failure = self.fails.get(package.package)
        if failure is not None:
            return Outcome(package=package, state=InstallState.FAILED, failure=failure)
        self.put(package.package, package.version, kind=package.kind)
        return Outcome(package=package, state=InstallState.PROBATION)

    def put(self, package: str, version: str = "1.0", **facts: Any) -> None:
        self.here[package] = Installed(
            package=package,
            kind=facts.get("kind", "module"),
            version=version,
            sha256=digest_in(f"{package} {version}"),
            folder="",
            digest="0" * 64,
            release_counter=facts.get("counter", 1),
        )

    def give_up(self, package: str) -> None:
        """It is there at once, or not at all."""

    async def remove(self, package: str, version: str) -> Outcome | None:
        raise NotImplementedError

    def complain(self, package: str, why: str) -> None:
        raise NotImplementedError

    def praise(self, package: str) -> None:
        raise NotImplementedError


class Pc:
    """A terminal with its sequence, and the wire to its controller in the test's hand."""

    def __init__(self, house: HouseInHand, key: str = "a", *needs: ProgramNeeds) -> None:
        self.house, self.terminal = house, house.confirmed(key)
        self.disk = DiskInHand(house.clock)
        self.needs = list(needs or (NEEDS,))
        self.elsewhere: dict[str, Path] = {}
        self.told: list[Any] = []
        self.asked: list[str] = []
        self.line_is_up = True
        self.begin()

    def begin(self) -> None:
        around = Surroundings(
            needs=lambda: self.needs,
            elsewhere=self.elsewhere,
            line_is_up=lambda: self.line_is_up,
            post=self._post,
            steady_seconds=lambda: self.house.clock.now / 1000,
        )
        terminal = self.terminal
        self.sequence = Sequence(
            terminal.who, terminal.journal, around, installing=self.disk, disk=self.disk
        )

    def _post(self, asked: Any) -> None:
        for each in asked:
            assert isinstance(each, Asked)
            assert each.channel is Channel.TELEMETRY
            self.told.append(each.message)
            self.house.take(self.terminal, each.message, each.channel)

    def look(self) -> None:
        """Look once, carry what is asked, and install what is due."""
        self.sequence.look()
        self._carry()
        while not self.sequence._due.empty():
            asyncio.run(self._install())

    def settle(self) -> Mapping[str, str]:
        """Look until nothing changes; return where each package stands."""
        for _ in range(12):
            self.look()
        return self.steps()

    def steps(self) -> Mapping[str, str]:
        return {each.package: each.step for each in self.terminal.do(modules.steps)}

    async def _install(self) -> None:
        package = self.sequence._due.get_nowait()
        self.sequence._note_outcome(await self.disk.install(package))
        self.sequence._under_way.discard(package.package)

    def _carry(self) -> None:
        for _ in range(20):
            owed = self.terminal.asks()
            if not owed:
                return
            for message in owed:
                self.asked.append(message.type)
                for answer in self.house.ask(self.terminal, message):
                    self.terminal.hear(answer)


@pytest.fixture
def pc(house: HouseInHand) -> Iterator[Pc]:
    publish(house, RACER, kind="program")
    publish(house, PHYSICS)
    own(house)
    made = Pc(house)
    yield made
    made.terminal.journal.close()


def test_d1_the_client_part_comes_first_and_takes_no_seat(pc):
    pc.look()
    pc.look()
    assert [each.package for each in pc.disk.handed] == [RACER]
    assert used(pc.house) == 0
    assert Request.type not in pc.asked
    assert pc.steps()[PHYSICS] == "wait_for_client"


def test_d3_the_whole_sequence_ends_with_both_here_and_one_seat_taken(pc):
    assert pc.settle() == {RACER: "here", PHYSICS: "here"}
    assert [each.package for each in pc.disk.handed] == [RACER, PHYSICS]
    assert pc.asked[0] == ModulesAsk.type
    program, module = pc.disk.handed
    assert program.document["kind"] == "modules.offer"
    assert module.document["kind"] == f"module:{PHYSICS}"
    assert pc.house.keys.have_sealed(module.document, module.signature)
    assert used(pc.house) == len(logged(pc.house, "issued")) == 1


def test_d1_a_program_that_cannot_be_installed_keeps_its_modules_waiting(pc):
    pc.disk.fails[RACER] = InstallFailure.UNREACHABLE
    assert pc.settle() == {RACER: "failed", PHYSICS: "wait_for_client"}
    assert used(pc.house) == 0


@pytest.mark.parametrize(
    ("why", "times"), [(InstallFailure.UNREACHABLE, 2), (InstallFailure.NOT_SIGNED, 1)]
)
def test_what_failed_is_tried_again_with_the_next_offer_where_that_may_help(pc, why, times):
    pc.disk.fails[RACER] = why
    pc.settle()
    assert len(pc.disk.handed) == 1
    pc.house.clock.now += 301_000
    pc.settle()
    assert len(pc.disk.handed) == times


def test_d2_a_controller_without_the_licence_ends_the_sequence_cleanly(house):
    publish(house, RACER, kind="program")
    pc = Pc(house)
    assert pc.settle() == {RACER: "here", PHYSICS: "not_on_offer"}
    assert Request.type not in pc.asked
    assert house.books.rows("exchanges") == []
    pc.terminal.journal.close()


def test_d2_without_a_seat_nothing_is_asked_for_until_there_is_one(pc):
    own(pc.house, seats=0)
    assert pc.settle()[PHYSICS] == "no_seat"
    assert Request.type not in pc.asked
    own(pc.house, seats=1)
    pc.house.clock.now += 301_000
    assert pc.settle()[PHYSICS] == "here"


def test_d3_what_is_here_is_not_fetched_again(pc):
    pc.settle()
    pc.begin()
    pc.house.clock.now += 3_601_000
    pc.settle()
    assert len(pc.disk.handed) == 2
    assert len(logged(pc.house, "issued")) == 1


def test_d3_what_another_party_put_here_is_neither_asked_for_nor_fetched(pc, tmp_path):
    pc.elsewhere[PHYSICS] = tmp_path
    assert pc.settle() == {RACER: "here", PHYSICS: "elsewhere"}
    assert Request.type not in pc.asked
    assert used(pc.house) == 0


def test_d3_what_is_here_from_us_without_a_receipt_is_counted_and_not_fetched(pc):
    pc.disk.put(PHYSICS)
    assert pc.settle()[PHYSICS] == "here"
    assert [each.package for each in pc.disk.handed] == [RACER]
    assert used(pc.house) == len(logged(pc.house, "issued")) == 1


def test_d4_fetched_again_after_its_folder_was_lost_it_takes_no_new_seat(pc):
    pc.settle()
    del pc.disk.here[PHYSICS]
    pc.house.clock.now += 60_000
    assert pc.settle()[PHYSICS] == "here"
    assert [each.package for each in pc.disk.handed] == [RACER, PHYSICS, PHYSICS]
    row = pc.house.books.one("download_log")
    assert (used(pc.house), row["deliveries"]) == (1, 2)
    assert row["updated_at"] - row["registered_at"] >= 60_000


def test_d4_a_lease_is_renewed_at_its_half_and_its_seat_stays(pc):
    pc.settle()
    (before,) = pc.terminal.rows("receipts")
    for _ in range(5):
        pc.house.clock.now += LEASE_MS // 2
        pc.settle()
    (after,) = pc.terminal.rows("receipts")
    assert after["ends_at"] - before["ends_at"] >= 5 * LEASE_MS // 2
    assert used(pc.house) == len(logged(pc.house, "issued")) == 1


def test_a_later_release_is_installed_beside_with_the_same_seat(pc):
    pc.settle()
    publish(pc.house, PHYSICS, "1.1", counter=2)
    pc.house.clock.now += 3_601_000
    pc.settle()
    assert [each.version for each in pc.disk.handed] == ["1.0", "1.0", "1.1"]
    assert used(pc.house) == 1
    assert [row["version"] for row in logged(pc.house, "issued")] == ["1.0", "1.1"]


def test_modules_that_a_package_requires_are_needed_too(house):
    publish(house, RACER, kind="program", requires=[PHYSICS])
    publish(house, PHYSICS, requires=["sound"])
    publish(house, "sound")
    own(house)
    own(house, "sound")
    pc = Pc(house, "a", ProgramNeeds(package=RACER))
    assert pc.settle() == {RACER: "here", PHYSICS: "here", "sound": "here"}
    pc.terminal.journal.close()


@pytest.mark.parametrize(("wish", "step"), [("install", "here"), ("uninstall", "unwished")])
def test_an_operators_wish_is_as_good_as_a_programs_need_and_better(house, wish, step):
    publish(house, PHYSICS)
    own(house)
    needs = ProgramNeeds(package=None, modules=() if wish == "install" else (PHYSICS,))
    pc = Pc(house, "a", needs)
    wishes = ({"module": PHYSICS, "number": 1, "wish": wish},)
    pc.terminal.hear(ModulesDesired(wishes=wishes), Channel.DESIRED)  # type: ignore[arg-type] # as read
    assert pc.settle() == {PHYSICS: step}
    pc.terminal.journal.close()


def test_d7_a_program_that_is_wished_away_brings_no_module_back(pc):
    pc.settle()
    wishes = ({"module": RACER, "number": 1, "wish": "uninstall"},)
    pc.terminal.hear(ModulesDesired(wishes=wishes), Channel.DESIRED)  # type: ignore[arg-type] # as read
    pc.disk.here.clear()
    assert pc.settle() == {RACER: "unwished"}
    assert len(pc.disk.handed) == 2


def test_d11_what_nobody_needs_any_more_holds_its_seat_for_as_long_as_it_is_here(pc):
    pc.settle()
    pc.needs = [ProgramNeeds(package=RACER)]
    publish(pc.house, PHYSICS, "1.1", counter=2)
    pc.house.clock.now += LEASE_MS // 2
    assert pc.settle() == {RACER: "here", PHYSICS: "here"}
    pc.house.clock.now += LEASE_MS // 2 + LEASE_TOLERANCE_MS + 1
    pc.house.books.do(free_leases)
    assert used(pc.house) == 1
    assert len(pc.disk.handed) == 2, "it is not brought up to date"
    del pc.disk.here[PHYSICS]
    assert pc.settle() == {RACER: "here"}


@pytest.mark.parametrize(("state", "renewals"), [("removing", 0), ("kept", 1)])
def test_d8_no_seat_is_taken_for_what_is_being_taken_away(pc, state, renewals):
    pc.settle()
    (before,) = pc.terminal.rows("receipts")
    pc.terminal.do(partial(rights.want_removal, number=1), PHYSICS, "module")
    pc.terminal.journal._connection.execute("UPDATE removals SET state = ?", (state,))
    pc.house.clock.now += LEASE_MS // 2
    pc.settle()
    (after,) = pc.terminal.rows("receipts")
    assert (after["issued_at"] > before["issued_at"]) is bool(renewals)


def test_without_the_line_nothing_is_asked_and_what_was_granted_goes_on(pc):
    pc.line_is_up = False
    assert pc.settle() == {}
    assert pc.asked == []


def test_b1_after_a_power_cut_at_any_look_the_sequence_ends_the_same(pc):
    for _ in range(10):
        pc.look()
        pc.terminal.restart()
        pc.begin()
    assert pc.settle() == {RACER: "here", PHYSICS: "here"}
    assert used(pc.house) == len(logged(pc.house, "issued")) == 1
    assert pc.terminal.rows("module_requests") == []
    assert SeatAskState.GRANTED not in [row["state"] for row in pc.terminal.rows("exchanges")]


def test_progress_is_told_and_the_latest_word_is_kept(pc):
    pc.settle()
    assert [told.state for told in pc.told if told.package == RACER] == ["here"]
    rows = {row["package"]: row["state"] for row in pc.house.books.rows("package_progress")}
    assert rows == {RACER: "here", PHYSICS: "here"}


def test_who_serves_nobody_needs_nothing(pc: Pc):
    terminal: TerminalInHand = pc.terminal
    nobody = Surroundings(
        needs=lambda: None,
        elsewhere={},
        line_is_up=lambda: True,
        post=lambda _: None,
        steady_seconds=lambda: 0.0,
    )
    sequence = Sequence(terminal.who, terminal.journal, nobody, installing=pc.disk, disk=pc.disk)
    sequence.look()
    assert terminal.asks() == []


def test_the_largest_offer_fits_the_header_by_which_it_is_shown(house):
    terminal = house.confirmed("a")
    names = [f"{'x' * 28}-{number:03}"[-32:] for number in range(PACKAGES_MAX)]
    for name in names:
        publish(house, name, kind="program", requires=names[:15])
    (told,) = house.ask(terminal, ModulesAsk(packages=tuple(names)))
    assert len(told.document["packages"]) < PACKAGES_MAX, "not all have room"
    shown = bearer_of(
        Package(
            **dict.fromkeys(("package", "kind", "version", "target", "sha256"), ""),
            length=1,
            document=told.document,
            signature=told.signature,
        )
    )
    assert len(f"Bearer {shown}") < FIELD_BYTES_MAX
