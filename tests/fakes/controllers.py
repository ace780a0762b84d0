"""A root and its branches: real books and flows in one thread, the wire between them in hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cloud_controller.flows import rights
from cloud_controller.flows.rights import exchange, growth, peers, pools, upstream
from cloud_controller.flows.rights.upstream import Branch
from cloud_controller.keys import FileKeys
from cloud_controller.ports import Received
from common.codec import message_from
from common.ids import CommId, TerminalId
from common.messages.base import Message
from common.messages.rights import (
    Announce,
    Complete,
    ModuleRequest,
    Refused,
    Request,
    Right,
)
from common.rules.problems import ProblemKind
from common.seals import digest_of
from common.system import SystemNames
from tests.fakes.books import BooksInHand, fresh_copy
from tests.fakes.names import CountedNames
from tests.fakes.store import ClockInHand

PHYSICS = "physics"
OWNED = 10
"""Seats of it that the root of a test owns."""


class ControllerInHand:
    """One controller's books, which can be killed, copied and put back."""

    def __init__(self, folder: Path, migrated: Path, clock: ClockInHand) -> None:
        folder.mkdir()
        self.clock = clock
        self.names: CountedNames | SystemNames = CountedNames()
        self.keys = FileKeys(folder / "keys", self.names)
        self.file = fresh_copy(migrated, folder)
        self.open()

    def open(self) -> None:
        self.books = BooksInHand(self.file, clock=self.clock, names=self.names, keys=self.keys)
        self.do = self.books.do

    def kill(self) -> None:
        """End it where it stands, and start it again."""
        self.books.close()
        self.open()

    def back_up(self, file: Path) -> Path:
        file.unlink(missing_ok=True)
        self.books.copy_to(file)
        return file

    def put_back(self, backup: Path) -> None:
        self.books.close()
        for beside in ("-wal", "-shm"):
            self.file.with_name(self.file.name + beside).unlink(missing_ok=True)
        shutil.copy(backup, self.file)
        self.open()

    def pool(self, module: str = PHYSICS) -> dict[str, Any]:
        """Return how the seats of a module stand; without any, at nought."""
        found = [row for row in self.books.rows("seat_pools") if row["module"] == module]
        return found[0] if found else {"owned": 0, "used": 0, "short": 0, "is_doubted": 0}

    def owned(self, module: str = PHYSICS) -> int:
        return int(self.pool(module)["owned"])

    def used(self, module: str = PHYSICS) -> int:
        return int(self.pool(module)["used"])

    def problems(self) -> list[str]:
        """Return the kinds of what somebody must look at."""
        return [row["kind"] for row in self.books.rows("problems") if row["solved_at"] is None]

    def own(self, seats: int, module: str = PHYSICS) -> None:
        self.do(pools.own_seats, module, seats, "tests")

    def seat(self, terminal: str, seq: int = 1, **release: str) -> Right | Refused:
        """Have a terminal ask for a seat here, from announcement to completion."""
        return seat_asked(partial(take_as, self, terminal), (terminal, "e0"), seq, **release)


class BranchInHand(ControllerInHand):
    """A controller that takes seats from a root, and the wire between the two."""

    def __init__(
        self, folder: Path, migrated: Path, root: ControllerInHand, name: str = "osaka"
    ) -> None:
        super().__init__(folder, migrated, root.clock)
        self.root = root
        self.name = name
        self.join()

    def join(self) -> None:
        """Be added by the root, once more if it knows us."""
        fingerprint = self.root.names.hex_digits(64)
        epoch = self.root.do(peers.add_peer, self.name, fingerprint, "tests")
        self.who = Branch(name=self.name, epoch=epoch, has_sealed=self.root.keys.have_sealed)

    def want(self, seats: int, module: str = PHYSICS) -> None:
        self.do(upstream.want_seats, self.who, module, seats)

    def give_up(self, module: str = PHYSICS) -> None:
        self.do(upstream.give_up_seats, self.who, module)

    def owes(self) -> list[Message]:
        owed: list[Message] = self.do(upstream.owed_to_root, self.who)
        return owed

    def ask(self, message: Message) -> Message | None:
        """Hand the root a message as it crosses the wire; return its answer, as it comes back."""
        return ask_root(self.root, self.name, message)

    def hear(self, answer: Message | None) -> bool:
        assert answer is not None
        is_new: bool = self.do(upstream.hear_root, self.who, answer)
        return is_new

    def step(self) -> Message | None:
        """Say what is owed first, and hear what it is answered."""
        (message, *_) = self.owes()
        answer = self.ask(message)
        self.hear(answer)
        return answer

    def settle(self) -> None:
        """Go on until nothing is owed."""
        for _ in range(20):
            if not self.owes():
                return
            self.step()
        message = f"{self.owes()} does not come to its end"
        raise AssertionError(message)

    def take(self, seats: int, module: str = PHYSICS) -> None:
        """Take seats from the root, or return them, to the end."""
        self.want(seats, module)
        self.settle()

    def grow(self, module: str = PHYSICS) -> int:
        """Let it begin what it wants by itself; return how many seats that is."""
        wanted: dict[str, int] = self.do(growth.grow, self.who, [module])
        return wanted.get(module, 0)

    def state(self, module: str = PHYSICS) -> str:
        """Return where the exchange of a module is in our epoch."""
        (row,) = [
            row
            for row in self.books.rows("own_exchanges")
            if (row["epoch"], row["kind"]) == (self.who.epoch, f"seats:{module}")
        ]
        return str(row["state"])

    def on_their_way_back(self) -> int:
        """Return the seats of returns that are frozen and not over, whatever epoch is ours."""
        return sum(
            -json.loads(row["request"])["seats"]
            for row in self.books.rows("own_exchanges")
            if row["state"] in {"requesting", "aborting"}
            and row["request_digest"]
            and json.loads(row["request"])["seats"] < 0
        )


def ask_root(root: ControllerInHand, name: str, message: Message) -> Message | None:
    """Hand a root what a peer says; both ways as JSON."""
    said = message_from(message.type, json.loads(message.model_dump_json()))
    received = Received(
        terminal=TerminalId(name), epoch=_epoch_in(message), seq=0, corr="", message=said
    )
    answer: Message | None = root.do(rights.take_of_peer, received)
    return answer and message_from(answer.type, json.loads(answer.model_dump_json()))


def seat_asked(
    take: Callable[[Message], list[Message]],
    who: tuple[str, str],
    seq: int,
    module: str = PHYSICS,
    **release: str,
) -> Right | Refused:
    """Carry one exchange of a terminal for a seat from announcement to completion."""
    comm_id = str(
        CommId(party=who[0], epoch=who[1], kind=f"module:{module}", seq=seq, nonce=f"{seq:032x}")
    )
    take(Announce(comm_id=comm_id))
    asked = ModuleRequest.model_validate({"module": module, **release}).model_dump(mode="json")
    (answer,) = take(Request(comm_id=comm_id, request=asked, digest=digest_of(asked)))
    assert isinstance(answer, Right | Refused)
    take(Complete(comm_id=comm_id, digest=answer.digest()))
    return answer


def take_as(controller: ControllerInHand, terminal: str, message: Message) -> list[Message]:
    """Ask as a terminal that is confirmed, without all that makes it so."""
    return [controller.do(answer_to, terminal, message)]


def answer_to(books: Any, terminal: str, message: Message) -> Message:
    """Answer a terminal, in an open transaction, as if it were confirmed."""
    who = exchange._Client(
        epoch="e0",
        kinds=exchange.KINDS_OF_TERMINALS,
        may_ask=True,
        is_quarantined=False,
        copied=ProblemKind.PEER_COPIED,
        ways_out=(),
    )
    received = Received(terminal=TerminalId(terminal), epoch="e0", seq=0, corr="", message=message)
    answer = exchange._answer(books, received, who)
    assert answer is not None
    return answer


def _epoch_in(message: Any) -> str:
    return str(message.comm_id).split("/")[1]
