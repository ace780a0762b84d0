"""Whoever waits for a full slot gets the first place that becomes free, for a while (C2)."""

from __future__ import annotations

import pytest

from cloud_controller.flows import reservations
from cloud_controller.flows.reservations import Customer
from cloud_controller.ports import NotAllowed, NotFound, SlotIsTaken
from tests.fakes.house import HouseInHand
from tests.flows.test_orders import HOLD_SECONDS, SLOT_MS, wish

ENGINES = ["sqlite", "postgres"]

MIKA = Customer(mail="mika@example.org")
YUKI = Customer(mail="yuki@example.org", language="en")


@pytest.fixture
def sold(house: HouseInHand) -> str:
    """Have the only device sold for the slot that begins in an hour; return the ticket's link."""
    house.confirmed("a")
    return str(house.books.do(reservations.book, wish(house, slot=2)))


def state(house: HouseInHand, link: str) -> str:
    return str(house.books.do(reservations.place_in_list, link)["state"])


def test_a_freed_place_is_held_for_the_first_who_waits_and_then_for_the_next(house, sold):
    wanted = wish(house, slot=2)
    first, second = (house.books.do(reservations.join, wanted, who) for who in (MIKA, YUKI))
    assert house.books.do(reservations.place_in_list, second)["before_you"] == 1
    assert house.books.do(reservations.offer_freed) == []
    house.books.do(reservations.cancel, sold)
    (offered,) = house.books.do(reservations.offer_freed)
    assert (offered.mail, offered.waiting) == (MIKA.mail, first)
    assert house.books.do(reservations.offer_freed) == []
    with pytest.raises(SlotIsTaken):
        house.books.do(reservations.book, wanted)
    house.clock.move(HOLD_SECONDS)
    house.books.do(reservations.lapse)
    house.books.do(reservations.settle)
    assert (state(house, first), state(house, second)) == ("lapsed", "waiting")
    (offered,) = house.books.do(reservations.offer_freed)
    assert (offered.mail, offered.language) == (YUKI.mail, "en")
    house.books.do(reservations.confirm, offered.order)
    house.books.do(reservations.settle)
    assert state(house, second) == "taken"


def test_whoever_withdraws_lets_go_of_what_is_held_for_him(house, sold):
    link = house.books.do(reservations.join, wish(house, slot=2), MIKA)
    house.books.do(reservations.cancel, sold)
    house.books.do(reservations.offer_freed)
    house.books.do(reservations.withdraw, link)
    assert state(house, link) == "withdrawn"
    assert house.books.do(reservations.book, wish(house, slot=2))
    with pytest.raises(NotAllowed):
        house.books.do(reservations.withdraw, link)


def test_waiting_ends_when_the_slot_begins(house, sold):
    link = house.books.do(reservations.join, wish(house, slot=2), MIKA)
    house.clock.move(2 * SLOT_MS // 1000)
    house.books.do(reservations.settle)
    assert state(house, link) == "lapsed"
    assert sold


def test_nobody_waits_for_what_is_free_or_without_an_address(house, sold):
    with pytest.raises(NotAllowed, match="free"):
        house.books.do(reservations.join, wish(house, slot=4), MIKA)
    with pytest.raises(NotAllowed, match="address"):
        house.books.do(reservations.join, wish(house, slot=2), Customer())
    with pytest.raises(NotFound):
        house.books.do(reservations.place_in_list, "0" * 32)
    assert sold
