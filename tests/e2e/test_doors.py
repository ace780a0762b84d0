"""A ticket goes where it can be used: from a reader at the entrance, from a booth that fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.demo.processes import WORLD
from tests.demo.world import SlotTerms, Terminal, World
from tests.e2e.customer import book_at, picture_of, programs, scan, take_back
from tests.e2e.worlds import a_world

TERMS: Final = SlotTerms(
    lengths_seconds=(3, 9), grid_seconds=1, early_seconds=60, warn_before_seconds=(1,)
)
"""The longer one has room for three tries of a program that is gone, and to be served elsewhere."""

OFFERING: Final = "shared"
SLEEP: Final = "sleep"
SOON: Final = timedelta(seconds=2)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with two booths that share an offering, and a reader that has none."""
    with a_world(TERMS) as made:
        for _ in range(2):
            a_booth(made)
        made.add_terminal(devices=0)
        made.wait_until_on_offer(2)
        yield made


def a_booth(world: World) -> Terminal:
    """Add a terminal with one device and a program of its own, which a test may take away."""
    terminal = world.new_terminal(offering=OFFERING)
    program = program_of(terminal)
    program.write_text("#!/bin/sh\nexec sleep 600\n", "utf-8")
    program.chmod(0o700)
    catalogue = f"""
[programs.racer]
argv = ["{program}"]
environment = {{ {WORLD} = "{world.folder}" }}
"""
    (terminal.folder / "catalogue.toml").write_text(catalogue, "utf-8")
    world.enrol(terminal, world.new_code())
    world.start_agent(terminal)
    return terminal


def program_of(terminal: Terminal) -> Path:
    """Return the file of a terminal's program."""
    return terminal.folder / "program.sh"


def test_a_terminal_without_devices_is_registered_and_confirmed(world: World):
    """A reader at the entrance is a terminal like any other; it has nothing to offer."""
    reader = world.terminals[2]
    world.wait_for_log(reader.log, "line", mode="asks")
    known = world.operator("GET", "/api/v1/terminals")["terminals"]
    assert [each["standing"] for each in known] == ["confirmed"] * 3
    assert world.books("SELECT count(*) FROM devices")[0][0] == 2


def test_a_ticket_read_at_the_entrance_opens_its_device_and_both_say_so(world: World):
    """C3: the terminal that has the device asks for the right; the reader tells the way."""
    reader = world.terminals[2]
    world.wait_for_log(reader.log, "line", mode="asks")
    ticket, host = booked(world, length_seconds=3)
    number = len(world.verdicts(host))
    reader.show(picture_of(world, ticket["link"]), "ticket")
    assert world.wait_for_verdict(host, number)["opens"]
    told = world.wait_for_log(reader.log, "notice", notice="opened")
    assert ticket["device"]["title"] in told["what"] + told["next"]
    world.wait_for_line(ticket["link"], "session.running")
    take_back(reader)
    assert len(programs(world, host, SLEEP)) == 1
    (kept,) = world.books("SELECT terminal_id, reader_id FROM scans WHERE verdict = 'opened'")
    assert kept["reader_id"] not in {None, kept["terminal_id"]}
    story = Counter(line["type"] for line in world.story(ticket["link"]))
    assert story["right.issued"] == story["session.running"] == 1


def test_a_program_that_is_gone_moves_the_ticket_to_the_next_booth(world: World):
    """C6: nothing was delivered there, the same ticket opens here, what is missing is paid back."""
    world.wait_for("the last use to be over", lambda: not world.processes(SLEEP), seconds=30)
    ticket, first = booked(world, length_seconds=9)
    second = world.terminals[1 - world.terminals.index(first)]
    program_of(first).unlink()
    picture = picture_of(world, ticket["link"])
    assert scan(world, first, picture)["opens"], "the right is given; the program is not there"
    world.wait_for_log(first.log, "notice", notice="did_not_start")
    told = world.wait_for_log(first.log, "notice", notice="go_to_device")
    moved = world.api("GET", f"/api/v1/tickets/{ticket['link']}")["device"]
    assert moved["device"] != ticket["device"]["device"]
    assert moved["title"] in told["what"] + told["next"]
    assert scan(world, second, picture)["opens"]
    world.wait_for_line(ticket["link"], "session.running")
    assert programs(world, first, SLEEP) == []
    assert len(programs(world, second, SLEEP)) == 1
    world.wait_for_line(ticket["link"], "reservation.compensated")
    (use,) = world.books(
        """SELECT sum(delivered_seconds) AS delivered, max(granted_seconds) AS granted, (SELECT
            sum(seconds) FROM compensations) AS owed FROM sessions JOIN tickets USING (ticket_id)
            WHERE token = ?""",
        ticket["token"],
    )
    assert abs(use["granted"] - use["delivered"] - use["owed"]) < 1.0
    after = world.api("GET", f"/api/v1/tickets/{ticket['link']}")
    assert (after["state"], after["ticket_state"]) == ("completed", "spent")
    assert 0 < after["compensated_cents"] < ticket["price_cents"]


def booked(world: World, *, length_seconds: int) -> tuple[dict[str, Any], Terminal]:
    """Book the slot that begins now, and return its ticket and the booth that it is for."""
    (offering,) = world.wait_until_on_offer(2)
    soon = datetime.now(UTC) + SOON
    ticket = book_at(world, offering["offering"], soon, length_seconds)
    title = ticket["device"]["title"].rpartition(" ")[2]
    return ticket, world.terminals[int(title) - 1]
