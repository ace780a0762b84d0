"""A terminal whose program needs a module, with its starts in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.messages.modules import ModulesAsk
from common.messages.rights import Right
from common.rules.modules import Basis, OverLimit, StartVerdict
from edge_agent.flows import sessions
from edge_agent.modules.starts import Around, Served, Starts
from edge_agent.modules.wanted import ProgramNeeds
from edge_agent.ports import Installed
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program
from tests.flows.module_kit import PHYSICS, own, publish

LEASE_SECONDS = 600
DIGEST = "d1" * 32


@dataclass
class DiskInHand:
    """What lies on this PC, and what the installer was told of it."""

    here: dict[str, Installed] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def put(self, package: str, kind: str = "module") -> None:
        self.here[package] = Installed(
            package=package,
            kind=kind,
            version="1.0",
            sha256="a5" * 32,
            folder=f"/packages/{package}",
            digest=DIGEST,
        )

    def current(self, package: str) -> Installed | None:
        return self.here.get(package)

    def all_current(self) -> list[Installed]:
        return list(self.here.values())

    def praise(self, package: str) -> None:
        self.said.append(f"praise {package}")

    def complain(self, package: str, why: str) -> None:
        assert why
        self.said.append(f"complain {package}")


class Booth:
    """One terminal with its starts in hand, and the controller at the other end of its line."""

    def __init__(self, house: HouseInHand, *keys: str) -> None:
        self.house = house
        self.terminal: TerminalInHand = house.confirmed(*(keys or ("a",)))
        self.devices = house.devices_of(self.terminal)
        self.disk = DiskInHand()
        self.needs = ProgramNeeds(package=None, modules=(PHYSICS,))
        self.elsewhere: dict[str, Path] = {}
        self.line_is_up = True
        self.ended: list[bool] = []
        self.offered: list[str] = []
        self.make()

    def make(self) -> None:
        """Make the starts anew, as a new process does: it keeps nothing."""
        around = Around(
            needs=lambda _: self.needs,
            elsewhere=self.elsewhere,
            served=lambda: [Served(device=each, program="game") for each in self.devices],
            line_is_up=lambda: self.line_is_up,
            offer_anew=self.offered.append,
            steady_seconds=self.house.clock.steady_seconds,
        )
        who, journal = self.terminal.who, self.terminal.journal
        self.starts = Starts(who, journal, around, disk=self.disk, tries=self.disk)
        self.starts.on_ended = lambda: self.ended.append(True)

    def kill(self, *, boot_id: str | None = None) -> None:
        """End the agent where it stands; with a boot id, the whole PC."""
        self.terminal.restart(boot_id=boot_id)
        self.make()

    def hear_the_offer(self, package: str = PHYSICS) -> None:
        (told,) = self.house.ask(self.terminal, ModulesAsk(packages=(package,)))
        self.terminal.hear(told)
        self.terminal.asks()

    def scanned(self, device: str | None = None) -> sessions.ToStart:
        """Have a session granted, and return it as the reconciler finds it."""
        device = device or self.devices[0]
        right = self.house.scan(self.terminal, device, self.house.book(device))
        assert isinstance(right, Right)
        due: list[sessions.ToStart] = self.terminal.do(sessions.to_start)
        return next(each for each in due if each.session == right.document["session"])

    def judged(self, due: sessions.ToStart) -> StartVerdict:
        """Judge a start until there is an answer, with the wire in between."""
        self.starts.judge(due)
        self.house.carry(self.terminal)
        return self.starts.judge(due).verdict

    def seen(self, due: sessions.ToStart, state: str, **facts: Any) -> None:
        told = a_program(due.session, state, started_at=self.house.clock.now, **facts)
        self.terminal.do(sessions.note_seen, told)
        self.starts.note_seen(told)

    def run(self, device: str | None = None) -> sessions.ToStart:
        due = self.scanned(device)
        assert self.judged(due) is StartVerdict.GO
        self.seen(due, "running")
        return due

    def end(self, due: sessions.ToStart) -> None:
        """Take in that a program has ended, and no more."""
        self.terminal.do(sessions.note_seen, a_program(due.session, "ended", started_at=1))

    def tell(self) -> list[str]:
        """Look at what is due, and have the controller hear it; return what was said."""
        self.starts.look()
        self.house.carry(self.terminal)
        self.starts.look()
        told = self.terminal.told_types()
        self.house.tell_all(self.terminal)
        return told

    def run_rows(self) -> list[tuple[str, str]]:
        rows = self.terminal.rows("module_runs")
        return [(row["session"], row["state"]) for row in rows]


def licensed(house: HouseInHand, over_limit: OverLimit = OverLimit.REFUSE, seats: int = 1) -> None:
    publish(house, PHYSICS, basis=Basis.CONCURRENT)
    own(house, seats=seats)
    with house.books.connection as connection:
        connection.execute("UPDATE packages SET over_limit = ?", (over_limit,))
        connection.execute("UPDATE seat_pools SET lease_seconds = ?", (LEASE_SECONDS,))
