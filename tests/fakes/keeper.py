"""A reservation server in the test's hand, and the wire between it and a house with terminals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from typing_extensions import override

from cloud_controller.flows import directory, registration, reservations, rights, sessions
from cloud_controller.flows.rights import peers
from cloud_controller.ports import NotAllowed
from cloud_controller.reservations import builtin, errands
from common.ids import OfferingId
from common.messages.base import Message
from common.messages.reservations import (
    GiveBack,
    IssueAsked,
    Report,
    TicketAsked,
    TicketFound,
    UseAsked,
)
from common.messages.rights import Right
from common.rules.presence import Presence
from common.rules.reservations import Range
from common.rules.sessions import START_AGAIN_SECONDS, START_TRIES, EndReason
from common.system import SystemNames
from edge_agent.flows import sessions as running
from tests.fakes.controllers import ControllerInHand
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.names import CountedNames
from tests.fakes.terminal import TerminalInHand, a_program

PEER = "tokyo"
"""What the house is called by who keeps its reservations."""

GRID = SLOT_SECONDS * 1000

Loses = Callable[[str], bool]
"""Says of a message, by its name and `question` or `answer`, whether it is lost."""


class Lost(Exception):
    """The wire has lost it."""


class _Names(CountedNames):
    """Counts apart from the house: no ticket and no key of one is ever the other's."""

    @override
    def new(self, prefix: str) -> str:
        return f"k{super().new(prefix)}"

    @override
    def secret_bytes(self, count: int) -> bytes:
        return bytes(each ^ 0xFF for each in super().secret_bytes(count))


class KeeperInHand(ControllerInHand):
    """Sells the time of a house's stores."""

    def __init__(self, folder: Path, migrated: Path, house: HouseInHand, peer: str = PEER) -> None:
        super().__init__(folder, migrated, house.clock)
        self.names = _Names()
        self.keys = type(self.keys)(folder / "keys-apart", self.names)
        self.books.close()
        self.open()
        self.house = house
        self.peer = peer
        self.loses: Loses = lambda _: False
        self.said: list[tuple[str, BaseModel]] = []
        self.looked_up_to = 0
        self.do(peers.add_peer, peer, SystemNames().hex_digits(64), "tests")

    def tell_stores(self) -> None:
        """Let the house say what it has and who is here, as it does every few seconds."""
        for said in self.house.books.do(directory.stores_to_tell):
            heard = self._ask("store", said, directory.hear_store)
            here = self.do(directory.here, self.peer, said)
            self.do(registration.note_presence, dict.fromkeys(here, Presence.HERE))
            self.house.books.do(rights.keep_keys, heard.keys)

    def book(self, *, slots_ahead: int = 0, device: str | None = None, slots: int = 1) -> str:
        """Book a slot on the server's side, as its web does; return the ticket's link."""
        starts_at = -(-self.clock.now // GRID) * GRID + slots_ahead * GRID
        slot = Range(starts_at=starts_at, ends_at=starts_at + slots * GRID)
        offering = OfferingId(self.books.one("offerings")["offering_id"])
        wish = reservations.Wish(offering=offering, slot=slot, device=device)
        link: str = self.do(reservations.book, wish)
        return link

    def ticket(self, link: str) -> Any:
        """Return a ticket as its page shows it."""
        return self.do(reservations.ticket, link)

    def token(self, link: str) -> str:
        token: str = self.ticket(link)["token"]
        return token

    def cancel(self, link: str) -> None:
        self.do(reservations.cancel, link)

    def stands(self, link: str) -> tuple[str, str]:
        """Return the states of a reservation and its ticket here."""
        row = self.ticket(link)
        return row["state"], row["ticket_state"]

    def story(self, link: str) -> list[str]:
        return [row["type"] for row in self.do(reservations.story, link)]

    def mirror(self) -> tuple[str, str, str]:
        """Return how the only borrowed ticket stands in the house: claim, reservation, ticket."""
        return (
            self.house.books.rows("borrowed_tickets")[-1]["state"],
            self.house.books.rows("reservations")[-1]["state"],
            self.house.books.rows("tickets")[-1]["state"],
        )

    # --- What the errands of the house do, step by step -----------------------------------

    def answer_questions(self) -> None:
        """Ask for every ticket that somebody waits for; what is lost is as if nobody answered."""
        found = self.house.books.do(errands._questions)
        for ticket, claim in found.stale.items():
            self.house.books.do(rights.hear_use, ticket, claim, None)
        for ticket, asked in found.uses.items():
            answer = self._try("mark-used", asked, rights.lend)
            self.house.books.do(rights.hear_use, ticket, asked.claim, answer)
        for scan, token in found.shown:
            answer = self._try("verify", TicketAsked(token=token), rights.verify)
            self.house.books.do(rights.hear_shown, scan, answer)

    def carry(self) -> None:
        """Report and give back until nothing is owed; stop where something is lost or refused."""
        try:
            while self._carry_one():
                pass
        except (Lost, NotAllowed):
            return

    def settle(self) -> None:
        """Let everything arrive."""
        self.loses = lambda _: False
        for _ in range(5):
            self.answer_questions()
            self.carry()
        owed = self.house.books.do(errands._owed, self.looked_up_to)
        assert owed.untold.report is None
        assert not owed.returns

    def say_again(self) -> None:
        """Let everything that was ever said come once more, late."""
        flows: dict[str, Any] = {
            "mark-used": rights.lend,
            "give-back": rights.take_back,
            "report": builtin._report,
        }
        for name, said in list(self.said):
            if name in flows:
                try:
                    self.do(flows[name], self.peer, said)
                except NotAllowed:
                    continue

    def restart(self) -> None:
        """End the house's errands where they stand: nothing but the books is left of them."""
        self.looked_up_to = 0

    def issue(self, asked: IssueAsked) -> Any:
        return self.do(builtin._issue, self.peer, asked)

    def give_up(self, reservation: str) -> Any:
        return self.do(builtin._cancel, self.peer, reservation)

    def _carry_one(self) -> bool:
        owed = self.house.books.do(errands._owed, self.looked_up_to)
        if owed.has_unused:
            self.house.books.do(rights.return_unused)
            return True
        if owed.untold.report is not None:
            self._report(owed.untold.report)
            return True
        self.looked_up_to = owed.untold.looked_up_to
        for said in owed.returns:
            self._give_back(said)
        return bool(owed.returns)

    def _report(self, report: Report) -> None:
        heard = self._ask("report", report, builtin._report)
        self.house.books.do(rights.note_told, report, heard)
        self.looked_up_to = heard.up_to

    def _give_back(self, said: GiveBack) -> None:
        given = self._ask("give-back", said, rights.take_back)
        self.house.books.do(errands._hear_given_back, said, given)

    def _try(self, name: str, said: UseAsked | TicketAsked, flow: Any) -> TicketFound | None:
        try:
            found: TicketFound = self._ask(name, said, flow)
        except Lost:
            return None
        return found

    def _ask(self, name: str, said: BaseModel, flow: Any) -> Any:
        """Hand a message over as it crosses the wire, both ways as JSON."""
        if self.loses(f"{name} question"):
            raise Lost
        there = type(said).model_validate_json(said.model_dump_json(), strict=True)
        self.said.append((name, there))
        answer = self.do(flow, self.peer, there)
        if self.loses(f"{name} answer"):
            raise Lost
        return type(answer).model_validate_json(answer.model_dump_json())


def scan(keeper: KeeperInHand, terminal: TerminalInHand, device: str, token: str) -> Message:
    """Scan a ticket whose reservation is kept elsewhere, to the end of its exchange."""
    house = keeper.house
    house.announce(terminal, device)
    terminal.scan(device, token)
    (request,) = terminal.asks()
    answers = house.ask(terminal, request)
    if not answers:
        keeper.answer_questions()
        answers = house.books.heard()
    answer, *_ = [each for each in answers if each.type in {"rights.right", "rights.refused"}]
    terminal.hear(answer)
    for complete in terminal.asks():
        for completed in house.ask(terminal, complete):
            terminal.hear(completed)
    return answer


def look_after(house: HouseInHand) -> list[Message]:
    """Do what the timers of the house do."""
    house.books.do(sessions.do_what_is_due)
    return house.books.heard()


def begin(keeper: KeeperInHand, terminal: TerminalInHand, device: str, token: str) -> str:
    """Scan, and let the program run; return the session."""
    answer = scan(keeper, terminal, device, token)
    assert isinstance(answer, Right), answer
    session = str(answer.document["session"])
    terminal.do(running.note_seen, a_program(session, "running"))
    keeper.house.tell_all(terminal)
    return session


def end(keeper: KeeperInHand, terminal: TerminalInHand, session: str) -> None:
    """Let the time be over, and the program gone."""
    keeper.clock.move(SLOT_SECONDS)
    over = a_program(session, "ended", delivered_seconds=float(SLOT_SECONDS))
    terminal.do(running.note_seen, over)
    keeper.house.tell_all(terminal)


def fail(keeper: KeeperInHand, terminal: TerminalInHand, session: str) -> None:
    """Let the program fail to start as often as it is tried."""
    for _ in range(START_TRIES):
        terminal.do(running.note_refused, session, EndReason.PROGRAM_FAILED)
        keeper.clock.move(START_AGAIN_SECONDS)
    keeper.house.tell_all(terminal)


def device_of(keeper: KeeperInHand, link: str) -> str:
    return str(keeper.ticket(link)["device_id"])
