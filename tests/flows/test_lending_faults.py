"""Lent tickets when things go wrong: whatever is lost, late or set back, each is used once (C1)."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cloud_controller.flows import rights
from cloud_controller.ports import NotAllowed
from common.messages.rights import Refused, Right
from edge_agent.flows import sessions as running
from tests.fakes.house import SLOT_SECONDS
from tests.fakes.keeper import KeeperInHand, begin, device_of, end, fail, scan
from tests.fakes.terminal import TerminalInHand, a_program


@pytest.fixture(name="terminal")
def _terminal(two_booths: TerminalInHand) -> TerminalInHand:
    """Return the terminal whose store is sold elsewhere."""
    return two_booths


def loses_the(number: int) -> Callable[[str], bool]:
    """Lose the message of this number, from 0 on, and no other."""
    count = iter(range(10**6))
    return lambda _: next(count) == number


def carry_and_kill(keeper: KeeperInHand) -> None:
    """Say what is owed, and end whoever says it where it stands."""
    keeper.carry()
    keeper.restart()


def test_c1_a_question_that_nobody_waits_for_any_more_is_not_asked_but_taken_back(
    house, keeper, terminal
):
    """C1: the store's controller was away with its question asked, and the customer has gone."""
    link = keeper.book()
    device = device_of(keeper, link)
    house.announce(terminal, device)
    terminal.scan(device, keeper.token(link))
    (request,) = terminal.asks()
    house.ask(terminal, request)
    house.clock.move(60)
    keeper.answer_questions()
    assert keeper.said[-1][0] == "store", "it was not asked"
    assert house.books.rows("sessions") == []
    assert house.books.one("borrowed_tickets")["state"] == "returning"
    keeper.settle()
    assert keeper.stands(link) == ("confirmed", "issued")


@pytest.mark.parametrize("lost", range(14))
@pytest.mark.parametrize("ending", ["ended", "failed", "refused"])
def test_c1_whatever_message_is_lost_the_end_is_the_same(keeper, terminal, lost, ending):
    """C1: each question and each answer lost once, the errands killed there and begun again."""
    keeper.loses = loses_the(lost)
    here, _ = keeper.house.devices_of(terminal)
    link = keeper.book(device=here)
    if ending == "refused":
        keeper.house.books.connection.execute("UPDATE devices SET is_out_of_order = 1")
    answer = scan(keeper, terminal, here, keeper.token(link))
    if ending != "refused" and isinstance(answer, Refused):
        carry_and_kill(keeper)
        answer = scan(keeper, terminal, here, keeper.token(link))
    carry_and_kill(keeper)
    if isinstance(answer, Right):
        use_up(keeper, terminal, answer.document["session"], ending)
    carry_and_kill(keeper)
    keeper.say_again()
    keeper.settle()
    keeper.say_again()
    expected = ("completed", "spent") if ending == "ended" else ("confirmed", "issued")
    assert keeper.stands(link) == expected
    assert keeper.story(link).count("reservation.completed") == (ending == "ended")
    assert keeper.story(link).count("session.running") == (ending == "ended")


def use_up(keeper: KeeperInHand, terminal: TerminalInHand, session: str, ending: str) -> None:
    """Carry a use to its end."""
    if ending == "failed":
        fail(keeper, terminal, session)
        return
    terminal.do(running.note_seen, a_program(session, "running"))
    keeper.house.tell_all(terminal)
    carry_and_kill(keeper)
    end(keeper, terminal, session)


@pytest.mark.parametrize("seed", range(8))
def test_c1_any_story_of_losses_uses_each_ticket_once(keeper, terminal, seed):
    """C1: cancelling races with scanning through a bad line; what runs was not given up."""
    dice = random.Random(seed)
    links: list[str] = []
    used: set[str] = set()
    keeper.loses = lambda _: dice.random() < 0.3
    for _ in range(60):
        deed = dice.random()
        if deed < 0.15 and len(links) < 8:
            links.append(keeper.book(slots_ahead=len(links) // 2))
        elif deed < 0.5 and links:
            show_any(keeper, terminal, dice, links, used)
        elif deed < 0.65 and links:
            try_to_cancel(keeper, dice.choice(links))
        elif deed < 0.9:
            carry_and_kill(keeper)
        else:
            keeper.clock.move(dice.choice((60, 400)))
    keeper.settle()
    for link in links:
        ends = {("confirmed", "issued"), ("cancelled", "void")}
        assert keeper.stands(link) in ({("in_use", "spent")} if link in used else ends)


def show_any(
    keeper: KeeperInHand,
    terminal: TerminalInHand,
    dice: random.Random,
    links: list[str],
    used: set[str],
) -> None:
    """Show any ticket at any device; what opens, runs."""
    link, device = dice.choice(links), dice.choice(keeper.house.devices_of(terminal))
    answer = scan(keeper, terminal, device, keeper.token(link))
    if isinstance(answer, Right):
        assert link not in used, "what is in use or was used opens nothing"
        used.add(link)
        terminal.do(running.note_seen, a_program(answer.document["session"], "running"))
        keeper.house.tell_all(terminal)


def try_to_cancel(keeper: KeeperInHand, link: str) -> None:
    try:
        keeper.cancel(link)
    except NotAllowed:
        return


def test_c1_a_server_set_back_by_an_old_backup_is_told_again(keeper, terminal, tmp_path):
    link = keeper.book()
    session = begin(keeper, terminal, device_of(keeper, link), keeper.token(link))
    keeper.carry()
    backup = keeper.back_up(tmp_path / "old.sqlite")
    end(keeper, terminal, session)
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")
    keeper.put_back(backup)
    assert keeper.stands(link) == ("in_use", "spent")
    keeper.house.books.do(lambda books: books.enter("x", {}, reservation=reservation_of(keeper)))
    keeper.settle()
    assert keeper.stands(link) == ("completed", "spent")
    assert keeper.story(link).count("reservation.completed") == 1


def reservation_of(keeper: KeeperInHand) -> str:
    return str(keeper.house.books.one("reservations")["reservation_id"])


def test_a_loan_of_which_nothing_is_heard_is_shown_to_the_operator(keeper, terminal):
    link = keeper.book()
    scan(keeper, terminal, device_of(keeper, link), keeper.token(link))
    keeper.do(rights.call_for_overdue)
    assert keeper.problems() == []
    keeper.clock.move(SLOT_SECONDS + 601)
    keeper.do(rights.call_for_overdue)
    assert keeper.problems() == ["loan_overdue"]
