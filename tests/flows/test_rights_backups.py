"""Books put back from an old backup: whoever holds a right presents it, and nobody hangs (B9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations_with_replacement
from pathlib import Path

import pytest

from cloud_controller.flows.rights import pools
from common.messages.base import Message
from common.messages.rights import ModuleRequest, Refused
from common.rules.rights import ClientState
from edge_agent.flows import rights as asking
from edge_agent.flows.rights import exchange
from tests.fakes.house import HouseInHand
from tests.fakes.wire import WireInHand
from tests.prove.crash_disk import queries_bound_when_used

Step = Callable[["Story"], None]

ISSUED, HEARD, OVER = 5, 6, 8
"""The steps that issue the right, store it at the terminal, and let go of its exchange."""


@pytest.fixture(autouse=True)
def quick_starts() -> Iterator[None]:
    """Let both sides start quickly: here they do so hundreds of times."""
    with queries_bound_when_used():
        yield


class Story:
    """An exchange, and the announcement of the next, one message at a time."""

    def __init__(self, house: HouseInHand, kind: str = "session") -> None:
        self.house = house
        self.kind = kind
        self.terminal = house.confirmed("a", "b")
        self.device, self.other = house.devices_of(self.terminal)
        self.token = house.book(self.device)
        house.clock.is_kept = True
        if kind == "module":
            house.books.do(pools.own_seats, "m", 3, "tests")
        self.under_way: list[Message] = []
        self.steps: tuple[Step, ...] = (
            Story.announce,
            Story.hand_up,
            Story.hand_down,
            Story.ask,
            Story.hand_up,
            Story.hand_down,
            Story.hand_up,
            Story.hand_down,
            Story.announce,
            Story.hand_up,
            Story.hand_down,
        )

    def announce(self) -> None:
        if self.kind == "session":
            self.terminal.do(asking.prepare, self.terminal.who, self.device)
        else:
            self.terminal.do(exchange.begin, self.terminal.who, self.class_of_right)
        self.under_way = self.terminal.asks()

    def ask(self) -> None:
        if self.kind == "session":
            self.terminal.scan(self.device, self.token)
        elif self.kind == "module":
            request = ModuleRequest(module="m").model_dump(mode="json")
            self.terminal.do(exchange.freeze, self.terminal.who, self.class_of_right, request)
        self.under_way = self.terminal.asks() or self.under_way

    def hand_up(self) -> None:
        self.under_way = [
            answer for each in self.under_way for answer in self.house.ask(self.terminal, each)
        ]

    def hand_down(self) -> None:
        for each in self.under_way:
            self.terminal.hear(each)
        self.under_way = self.terminal.asks()

    @property
    def class_of_right(self) -> str:
        return {"session": f"session:{self.device}", "offline": f"offline:{self.device}"}.get(
            self.kind, "module:m"
        )

    @property
    def state(self) -> str:
        (row,) = self.terminal.rows("exchanges")
        return str(row["state"])

    def put_back(self, backup: Path) -> None:
        """Put the books back as they were; what was under way is gone with the old ones."""
        WireInHand(self.house).restart_controller(backup)
        self.under_way = []
        self.terminal.asks()

    def ledger(self) -> list[str]:
        return [row["type"] for row in self.house.books.rows("ledger")]


def told_until(story: Story, backup_after: int, restored_after: int) -> None:
    """Tell a story so far, with books that are put back to what they were after an earlier step."""
    backup = story.house.folder / "backup.sqlite"
    for number in range(restored_after + 1):
        if number:
            story.steps[number - 1](story)
        if number == backup_after:
            story.house.books.copy_to(backup)
    story.put_back(backup)


SPANS = list(combinations_with_replacement(range(12), 2))


@pytest.mark.parametrize(("backup_after", "restored_after"), SPANS)
def test_b9_b10_an_old_backup_never_leaves_the_terminal_waiting(
    house, backup_after, restored_after
):
    story = Story(house)
    told_until(story, backup_after, restored_after)
    if restored_after:
        house.carry(story.terminal)
        assert story.state in {ClientState.IDLE, ClientState.ANNOUNCED}
    assert house.books.rows("quarantines") == []
    was_stored = restored_after in range(HEARD, OVER)
    is_lost = was_stored and backup_after < ISSUED
    assert ("right.restored" in story.ledger()) is is_lost
    is_known = was_stored or backup_after >= ISSUED
    assert not (opens(house, story, story.token) and is_known)
    assert len(house.books.rows("sessions")) == 1


@pytest.mark.parametrize("restored_after", range(1, 12))
@pytest.mark.parametrize("backup_after", range(6))
def test_who_gives_up_comes_to_rest_whatever_backup_is_put_back(
    house, backup_after, restored_after
):
    story = Story(house)
    told_until(story, min(backup_after, restored_after), restored_after)
    story.terminal.do(asking.drop, story.terminal.who, story.device)
    house.carry(story.terminal)
    assert story.state in {ClientState.IDLE, ClientState.ANNOUNCED}
    assert house.books.rows("quarantines") == []
    opens(house, story, story.token)
    assert len(house.books.rows("sessions")) == 1


@pytest.mark.parametrize("restored_after", [HEARD, HEARD + 1])
@pytest.mark.parametrize("backup_after", range(ISSUED))
def test_the_ticket_of_a_right_taken_back_opens_nothing_else(house, backup_after, restored_after):
    story = Story(house)
    told_until(story, backup_after, restored_after)
    house.carry(story.terminal)
    (session,), (right,) = house.books.rows("sessions"), house.books.rows("rights")
    (held,) = story.terminal.rows("sessions")
    assert session["session_id"] == right["session_id"] == held["session"]
    assert house.states()["tickets"] == ["reserved"]
    house.tell_all(story.terminal)
    assert house.states()["sessions"] == ["starting"]
    second = house.confirmed("c")
    (elsewhere,) = house.devices_of(second)
    for terminal, device in ((story.terminal, story.other), (second, elsewhere)):
        assert isinstance(house.scan(terminal, device, story.token), Refused)
    assert house.states()["sessions"] == ["starting"]


@pytest.mark.parametrize("restored_after", [HEARD, HEARD + 1])
@pytest.mark.parametrize("backup_after", range(ISSUED))
def test_a_seat_that_an_old_backup_has_forgotten_is_counted_again(
    house, backup_after, restored_after
):
    story = Story(house, "module")
    told_until(story, backup_after, restored_after)
    assert house.books.one("seat_pools")["used"] == 0
    house.carry(story.terminal)
    assert house.books.one("seat_pools")["used"] == 1
    assert house.books.one("rights")["comm_id"] == story.terminal.rows("held_rights")[0]["comm_id"]
    assert story.ledger()[-1] == "right.restored"


@pytest.mark.parametrize("restored_after", [HEARD, HEARD + 1])
@pytest.mark.parametrize("backup_after", range(ISSUED))
def test_tickets_that_an_old_backup_gave_nobody_are_held_again(house, backup_after, restored_after):
    story = Story(house, "offline")
    story.steps = (*story.steps[:3], lambda _: None, *story.steps[4:])
    told_until(story, backup_after, restored_after)
    assert house.books.rows("held_tickets") == []
    house.carry(story.terminal)
    (held,) = house.books.rows("held_tickets")
    assert (held["state"], held["terminal_id"]) == ("held", story.terminal.who.terminal)
    assert held["ticket_id"] == story.terminal.rows("held_tickets")[0]["ticket"]
    assert story.ledger()[-1] == "right.restored"


def opens(house: HouseInHand, story: Story, token: str) -> bool:
    """Have one more exchange about a ticket, and say whether it opens the device."""
    house.carry(story.terminal)
    story.terminal.do(asking.prepare, story.terminal.who, story.device)
    house.carry(story.terminal)
    story.terminal.shown.clear()
    story.terminal.scan(story.device, token)
    house.carry(story.terminal)
    assert story.state == ClientState.IDLE
    (verdict,) = story.terminal.shown
    return verdict.reason is None
