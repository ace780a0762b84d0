"""Calls under attack and in bad luck: another's words, a crowd of refusals, a restart."""

from __future__ import annotations

import pytest

from cloud_controller import bookings
from cloud_controller.flows import help as calls
from common.messages.help import HelpChosen
from common.rules.help import GRACE_SECONDS, LEASE_SECONDS, CallEnd
from tests.fakes.house import STORE, HouseInHand
from tests.flows.call_kit import Desk, Screen, a_desk, look_after, why_of


@pytest.fixture
def desk(house: HouseInHand) -> Desk:
    """Return a helper of the store who is there."""
    return a_desk(house).log_in()


@pytest.fixture
def screen(house: HouseInHand) -> Screen:
    """Return a confirmed terminal with one device."""
    return Screen(house, house.confirmed("vr"))


def test_whoever_is_given_a_ticket_reads_nothing_of_what_was_said_before(house, desk, screen):
    house.book(screen.device, in_seconds=7_200)
    (row,) = house.books.rows("reservations")
    wanted = calls.Wanted(
        call="c-1", helper=desk.helper, language="en", agreed_cents=0, agreed_currency="JPY"
    )
    house.books.do(calls.choose, row["link"], wanted)
    house.books.do(calls.say, row["link"], "My number is 090-1234-5678")
    given = house.books.do(bookings.give, row["link"], "b@b.example", "en")
    assert why_of(house) == CallEnd.CUSTOMER_LEFT, "who has given it away talks no more"
    assert house.books.do(calls.at_ticket, given).talk is None
    stands = house.books.do(lambda books: books.help.ticket_stands(link=given, now=books.now))
    assert stands["call_id"] is None
    (talk,) = house.books.do(calls.talks_of, row["reservation_id"])
    assert len(talk.lines) == 1, "the operator has it still"


def test_a_helper_whose_page_was_open_all_along_is_not_gone_after_a_long_restart(
    house, desk, screen
):
    screen.choose(desk)
    house.clock.move(LEASE_SECONDS + GRACE_SECONDS + 60)
    house.books.do(calls.begin)
    look_after(house)
    assert why_of(house) == "waiting", "nobody could be heard while we were away"
    assert house.books.do(calls.helpers_there, STORE) == (), "nor is offered before he is"
    desk.stay()
    assert len(house.books.do(calls.helpers_there, STORE)) == 1
    house.clock.move(LEASE_SECONDS + GRACE_SECONDS)
    look_after(house)
    assert why_of(house) == CallEnd.HELPER_GONE, "who says nothing after it has gone"


def test_a_terminal_that_confirms_nothing_keeps_no_other_from_being_told_again(house, desk, screen):
    rogue = Screen(house, house.confirmed("x", "y"))
    for number in range(CALLS_OF_A_ROGUE):
        device = house.devices_of(rogue.terminal)[number % 2]
        rogue.say(
            HelpChosen(
                call=f"r-{number}", helper=desk.helper, device=device, language="en", at=number
            )
        )
    house.clock.move(1)
    screen.choose(desk)
    screen.told.clear()
    screen.hear(look_after(house))
    assert "c-1" in {each.call for each in screen.told}


CALLS_OF_A_ROGUE = 110
"""More than were told again at once."""


def test_who_calls_too_often_is_told_so_and_leaves_no_row_each_time(house, desk, screen):
    told = [screen.choose(desk, f"c-{number}") for number in range(CALLS_OF_A_ROGUE)][-1]
    assert (told.state, told.why) == ("ended", CallEnd.TOO_MANY)
    assert len(house.books.rows("help_calls")) <= calls.CALLS_AN_HOUR_MAX
