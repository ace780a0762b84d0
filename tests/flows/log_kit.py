"""Controllers whose logs of modules are exchanged: real books and flows, the wire in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from typing_extensions import override

from cloud_controller.flows import modules
from cloud_controller.flows.modules import LogSaid
from cloud_controller.flows.rights import peers
from common.rules.modules import ModuleEvent, ModuleEventKind
from tests.fakes.controllers import PHYSICS, ControllerInHand
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

ISSUED, USED = ModuleEventKind.ISSUED, ModuleEventKind.USED


class NamesOfOne(CountedNames):
    """Names that no other controller gives, though both count."""

    def __init__(self, whose: str) -> None:
        super().__init__()
        self._whose = whose

    @override
    def new(self, prefix: str) -> str:
        return f"{super().new(prefix)}-{self._whose}"


class Log:
    """One controller's log, by the name under which others know it."""

    def __init__(self, folder: Path, migrated: Path, clock: ClockInHand, name: str) -> None:
        self.name, self.calls = name, list[Log]()
        self.heard: dict[str, LogSaid] = {}
        self.controller = ControllerInHand(folder / name, migrated, clock)
        self.controller.names = NamesOfOne(name)
        self.controller.kill()

    def do(self, flow: Callable[..., Any], *args: Any) -> Any:
        return self.controller.do(flow, *args)

    def mirrors(self, *others: Log) -> None:
        """Call these controllers from now on; each has let us in."""
        for other in others:
            other.do(peers.add_peer, self.name, other.controller.names.hex_digits(64), "tests")
        self.calls += others

    def start(self) -> None:
        """Do what a controller does when it starts."""
        self.heard.clear()
        self.do(modules.begin, [f"https://{other.name}" for other in self.calls])

    def write(self, kind: ModuleEventKind, client: str, module: str = PHYSICS) -> None:
        self.controller.clock.now += 1_000
        event = ModuleEvent(kind=kind, module=module, client=client)
        self.do(lambda books: books.log_module(event))

    def call(self, other: Log, *, is_answer_lost: bool = False) -> bool:
        """Exchange lines with another controller once; say whether anything was new to us."""
        said = self.do(modules.say_log, self.heard.get(other.name))
        said = LogSaid.model_validate_json(said.model_dump_json())
        answer = other.do(modules.answer_log, self.name, said)
        if is_answer_lost:
            return False
        self.heard[other.name] = LogSaid.model_validate_json(answer.model_dump_json())
        is_new: bool = self.do(modules.take_log, f"https://{other.name}", answer)
        return is_new

    def lines(self) -> list[tuple[str, int, str, str]]:
        """Return every line that is here, whoever wrote it."""
        rows = self.controller.books.rows("module_events", "origin, lseq, kind, client")
        return sorted((row["origin"], row["lseq"], row["kind"], row["client"]) for row in rows)

    def downloads(self) -> dict[str, tuple[int, int, int]]:
        rows = self.do(modules.downloads, PHYSICS, "", 1_000)
        return {
            row["client"]: (row["registered_at"], row["updated_at"], row["deliveries"])
            for row in rows
        }

    def clients(self) -> set[str]:
        return set(self.downloads())

    def known_up_to(self) -> int:
        known: int = self.do(modules.known_up_to)
        return known

    def own_origin(self) -> str:
        rows = self.controller.books.rows("module_origins", "origin, is_own")
        (origin,) = [row["origin"] for row in rows if row["is_own"]]
        return str(origin)


def settle(logs: Iterable[Log], rounds: int = 3) -> None:
    """Have everybody call whom he calls, again and again."""
    logs = list(logs)
    for _ in range(rounds):
        for log in logs:
            for other in log.calls:
                log.call(other)
