"""Reserved at one controller, used at another: two processes, two databases, kill -9 (C1)."""

from __future__ import annotations

from typing import Any

from common.rules.tickets import DenialReason
from tests.demo.world import Terminal
from tests.e2e.apart import LONG, World2, two_apart
from tests.e2e.customer import (
    SHORT,
    WHOLE_USE,
    picture_of,
    scan,
    take_back,
)

ASKED_MS_MAX = 300
"""Ten times the aim over loopback, for a machine that is busy with other tests."""

STATES = ("state", "ticket_state")


def show_once(world: World2, terminal: Terminal, picture: bytes) -> dict[str, Any]:
    """Hold a ticket before the scanner, and return the one verdict on it."""
    number = len(world.verdicts(terminal))
    terminal.show(picture, "ticket")
    verdict = world.wait_for_verdict(terminal, number)
    take_back(terminal)
    return verdict


def stands(world: World2, link: str) -> tuple[str, ...]:
    ticket = world.api("GET", f"/api/v1/tickets/{link}")
    return tuple(str(ticket[each]) for each in STATES)


def completes(world: World2, link: str) -> None:
    """Wait until both controllers say that the use is over, each line once and in order."""
    world.wait_for_line(link, "reservation.completed", seconds=60.0)
    assert stands(world, link) == ("completed", "spent")
    told = [line["type"] for line in world.story(link) if line["type"] in WHOLE_USE]
    assert told == WHOLE_USE
    world.wait_for(
        "the ticket to be settled at the store",
        lambda: world.books("SELECT 1 FROM borrowed_tickets WHERE state = 'used'"),
    )
    (mirror,) = world.books("SELECT state, price_cents FROM reservations WHERE state = 'completed'")
    assert mirror["price_cents"] == 0


def test_c1_reserved_at_one_controller_used_at_another_and_cancelled_there_is_refused_here():
    """C1: reserve on the keeper's API, scan at the store's terminal, completed at the keeper."""
    with two_apart(SHORT) as world:
        (terminal,) = world.terminals
        offering = world.wait_until_on_offer(1)[0]["offering"]
        cancelled = world.book(offering)["link"]
        world.api("POST", f"/api/v1/tickets/{cancelled}/cancel")
        told = scan(world, terminal, picture_of(world, cancelled))
        assert (told["opens"], told["reason"]) == (False, DenialReason.CANCELLED)
        link = world.book(offering)["link"]
        world.wait_until_open(link)
        assert scan(world, terminal, picture_of(world, link))["opens"]
        completes(world, link)
        (taken,) = world.books(
            "SELECT s.granted_at - b.asked_at AS ms FROM borrowed_tickets AS b"
            " JOIN sessions AS s USING (ticket_id)"
        )
        assert taken["ms"] <= ASKED_MS_MAX, f"the keeper was asked for {taken['ms']} ms"
        print(f"from the scan in the books to its right: {taken['ms']} ms")
        world.kill_controller()
        world.wait_for(
            "what has gone at the store not to be sold any more",
            lambda: not world.api("GET", "/api/v1/offerings")["offerings"],
            seconds=40.0,
        )


def test_c1_a_keeper_that_is_down_at_the_scan_loses_nothing_and_neither_does_a_kill_of_both():
    """C1: the customer is told to try again, then opens; kill -9 of both in use, and it ends."""
    with two_apart(LONG) as world:
        (terminal,) = world.terminals
        offering = world.wait_until_on_offer(1)[0]["offering"]
        link = world.book(offering)["link"]
        picture = picture_of(world, link)
        world.wait_until_open(link)
        world.kill_keeper()
        told = show_once(world, terminal, picture)
        assert (told["opens"], told["reason"]) == (False, DenialReason.BUSY_TRY_AGAIN)
        world.start_keeper()
        assert scan(world, terminal, picture)["opens"]
        world.kill_keeper()
        world.kill_controller()
        world.start_controller()
        world.start_keeper()
        completes(world, link)
        assert scan(world, terminal, picture)["reason"] == DenialReason.ALREADY_USED


def test_c1_killed_between_the_question_and_its_answer_the_ticket_opens_once_all_the_same():
    """C1: the store's controller dies with its question asked; the ticket opens all the same."""
    with two_apart(LONG) as world:
        (terminal,) = world.terminals
        offering = world.wait_until_on_offer(1)[0]["offering"]
        link = world.book(offering)["link"]
        picture = picture_of(world, link)
        world.wait_until_open(link)
        world.stop_keeper()
        terminal.show(picture, "ticket")
        world.wait_for(
            "the question to be in the books",
            lambda: world.books("SELECT 1 FROM borrowed_tickets WHERE state = 'asked'"),
        )
        world.kill_controller()
        world.go_on_keeper()
        assert not world.wait_for_verdict(terminal, 0)["opens"], "alone it cannot judge the ticket"
        take_back(terminal)
        world.start_controller()
        world.wait_for("it to open", lambda: scan(world, terminal, picture)["opens"])
        completes(world, link)
        assert [row["state"] for row in world.kept("SELECT state FROM lent_tickets")] == ["lent"]
