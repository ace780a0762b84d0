"""One customer from booking to ledger, and everybody who must be turned away, on real parts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import qrcode

from cloud_controller.web.qr import ticket_png
from common.rules.tickets import DenialReason
from common.seals import TOKEN_PREFIX, new_signing_key, read_token, seal_token
from common.words import words_for
from tests.demo.photograph import as_png, photograph
from tests.demo.world import World
from tests.e2e.customer import (
    SHORT,
    begin,
    book_at,
    ends_on_time,
    nothing_changes,
    offering_of,
    picture_of,
    programs,
    scan,
    settles,
)
from tests.e2e.worlds import a_world

IN_AN_HOUR = timedelta(hours=1)

NO_TICKETS = {
    "an address": "https://store.example/",
    "a ticket cut short": TOKEN_PREFIX + "0" * 100,
    "a ticket of another version": TOKEN_PREFIX + "Z" * 139 + "0",
    "control characters": "\x1b[2J\r\n\x00\x07" + TOKEN_PREFIX,
    "3 000 characters": "7" * 3_000,
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give a store with two terminals, each with a booth of its own."""
    with a_world(SHORT) as made:
        for _ in range(2):
            made.add_terminal()
        made.wait_until_on_offer(2)
        yield made


def test_a_customer_is_served_from_booking_to_completed_use(world: World):
    """C2, C3, C4, C5, C6: booked, read, started, warned, told to stop, completed."""
    first, second = world.terminals
    use = begin(world, first)
    assert "program.py" in " ".join(psutil.Process(use.pid).cmdline())
    assert programs(world, second) == []
    ends_on_time(world, use)
    ended = settles(world, use)
    assert 2.0 <= ended["facts"]["delivered_seconds"] <= 4.0
    lines = {line["type"]: line["facts"] for line in world.story(use.link)}
    assert lines["session.warned"] == {"seconds_left": 1.0}
    assert lines["stop.instructed"] == {"reason": "time_up"}
    assert lines["command.state"]["state"] == "succeeded"


def test_a_photograph_of_a_ticket_opens_the_device_too(world: World):
    """C3: what a customer holds up is tilted, soft, noisy and badly lit."""
    terminal = world.terminals[1]
    link = world.book(offering_of(world, terminal))["link"]
    picture = as_png(photograph(picture_of(world, link), seed=1))
    world.wait_until_open(link)
    assert scan(world, terminal, picture)["opens"]
    world.wait_for_line(link, "reservation.completed")


def test_a_ticket_is_good_for_one_use_and_no_more(world: World):
    """Promise 2: shown again while its program runs, and after it, a ticket opens nothing."""
    terminal = world.terminals[0]
    use = begin(world, terminal)
    picture = picture_of(world, use.link)
    assert scan(world, terminal, picture)["reason"] == "already_used"
    assert programs(world, terminal) == [use.pid]
    settles(world, use)
    with nothing_changes(world, use.link):
        assert scan(world, terminal, picture)["reason"] == "already_used"
    assert programs(world, terminal) == []


def test_a_ticket_opens_nothing_before_its_time_nor_after_it(world: World):
    """Promise 3: a ticket is good inside its window."""
    terminal = world.terminals[0]
    offering = offering_of(world, terminal)
    missed = world.book(offering)
    ahead = book_at(world, offering, datetime.now(UTC) + IN_AN_HOUR)["link"]
    with nothing_changes(world, ahead):
        assert scan(world, terminal, picture_of(world, ahead))["reason"] == "too_early"
    ends_at = datetime.fromisoformat(missed["ends_at"])
    world.wait_for("the slot to pass", lambda: datetime.now(UTC) > ends_at)
    with nothing_changes(world):
        assert scan(world, terminal, picture_of(world, missed["link"]))["reason"] == "expired"


def test_a_ticket_opens_no_device_but_its_own(world: World):
    """Promise 3: neither one for a named device nor one for any device of another offering."""
    first, second = world.terminals
    offering = offering_of(world, second)
    of_any = world.book(offering)
    of_one = world.book(offering, device=of_any["device"]["device"])
    with nothing_changes(world, of_one["link"]):
        for ticket in (of_any, of_one):
            assert scan(world, first, picture_of(world, ticket["link"]))["reason"] == "wrong_device"


def test_a_cancelled_ticket_opens_nothing_any_more(world: World):
    """Promise 3: what has been given up is free for somebody else."""
    terminal = world.terminals[0]
    wanted = datetime.now(UTC) + 2 * IN_AN_HOUR
    link = book_at(world, offering_of(world, terminal), wanted)["link"]
    world.api("POST", f"/api/v1/tickets/{link}/cancel")
    with nothing_changes(world, link):
        assert scan(world, terminal, picture_of(world, link))["reason"] == "cancelled"


def test_a_forged_ticket_and_an_unknown_one_are_told_alike(world: World):
    """Promise 3: the log knows that another key has signed; the customer reads no difference."""
    terminal = world.terminals[0]
    ticket = book_at(world, offering_of(world, terminal), datetime.now(UTC) + 3 * IN_AN_HOUR)
    token = read_token(ticket["token"]).token
    other, ours = new_signing_key(bytes(32)), new_signing_key(_signing_key_of(world))
    told = {}
    with nothing_changes(world, ticket["link"]):
        for made in (
            seal_token(token, other),
            seal_token(replace(token, key_id=9), ours),
            seal_token(replace(token, ticket="0123456789abcdef"), ours),
        ):
            verdict = scan(world, terminal, ticket_png(made, module_pixels=8))
            told[made] = verdict.pop("reason"), verdict["what"], verdict["next"]
    words = words_for(DenialReason.UNKNOWN_TICKET, "en")
    assert [reason for reason, *_ in told.values()] == [
        "bad_signature",
        "bad_signature",
        "unknown_ticket",
    ]
    assert {tuple(read) for _, *read in told.values()} == {(words.what, words.next)}


@pytest.mark.parametrize("text", NO_TICKETS.values(), ids=NO_TICKETS)
def test_what_is_no_ticket_opens_nothing(world: World, text: str):
    """Attacks: any code can be held before the reader; only its refusal goes any further."""
    terminal = world.terminals[0]
    with nothing_changes(world):
        verdict = scan(world, terminal, _code(text))
    assert (verdict["opens"], verdict["reason"]) == (False, "unknown_ticket")
    assert programs(world, terminal) == []
    log = terminal.log.read_text("utf-8")
    assert not {"\x1b", "\x00", "\x07"} & set(log)
    assert text not in log


def _signing_key_of(world: World) -> bytes:
    return (world.folder / "controller" / "keys" / "signing-key-1").read_bytes()


def _code(text: str) -> bytes:
    drawn = io.BytesIO()
    qrcode.make(text, box_size=4, error_correction=qrcode.ERROR_CORRECT_L).save(drawn)
    return drawn.getvalue()
