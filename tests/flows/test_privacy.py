"""A customer is shown what is known of him, and forgotten; sums and times stay without him."""

from __future__ import annotations

import json

import pytest

from cloud_controller.flows import letters, privacy, reservations
from cloud_controller.ports import NotAllowed, NotFound
from common.rules.letters import LetterKind
from tests.fakes.house import HouseInHand

MAIL = "taro@mail.example"
DAY_SECONDS = 86_400
YEAR_SECONDS = 400 * DAY_SECONDS
WAITS_SECONDS = 30 * DAY_SECONDS


@pytest.fixture
def link(house: HouseInHand) -> str:
    """Return the link of a ticket that was booked with an address, and written about."""
    terminal = house.confirmed("a", "b")
    house.book(house.devices_of(terminal)[0])
    row = house.books.one("reservations")
    house.books.connection.execute(
        "UPDATE orders SET link = 'its-link', holder = 'h', mail = ?", (MAIL,)
    )
    house.books.connection.execute(
        "INSERT INTO waiting (waiting_id, offering_id, link, starts_at, ends_at, party_size, mail,"
        " language, state, made_at, changed_at) SELECT 'w-1', offering_id, 'w', starts_at, ends_at,"
        " 1, ?, 'ja', 'waiting', made_at, made_at FROM reservations",
        (MAIL,),
    )
    house.books.connection.execute("UPDATE reservations SET price_cents = 500")
    house.books.do(
        letters.queue, LetterKind.CONFIRMED, to=MAIL, language="ja", order=row["order_id"]
    )
    return str(row["link"])


def everything(house: HouseInHand) -> str:
    return "\n".join(house.books.everything())


@pytest.mark.parametrize("is_by_ticket", [True, False])
def test_a_customer_is_shown_all_that_is_known_of_him(house, link, is_by_ticket):
    known = house.books.do(privacy.export, link if is_by_ticket else MAIL.upper(), "owner")
    assert known["mail"] == MAIL
    (order,) = known["orders"]
    (use,) = order["reservations"]
    assert use["price_cents"] == 500
    assert use["events"]
    assert [each["kind"] for each in known["letters"]] == ["confirmed"]
    assert [each["state"] for each in known["waiting"]] == ["waiting"]
    assert link not in json.dumps(known)
    assert house.books.rows("audit")[-1]["act"] == "customer.exported"
    assert MAIL not in json.dumps(house.books.rows("audit"))


@pytest.mark.usefixtures("link")
def test_nobody_is_forgotten_to_whom_something_is_still_due(house):
    with pytest.raises(NotAllowed):
        house.books.do(privacy.erase, MAIL, "owner", "asked")
    assert MAIL in everything(house)


def test_a_customer_who_is_forgotten_is_nowhere_and_what_was_sold_stays(house, link):
    house.books.do(reservations.cancel, link)
    assert house.books.do(privacy.erase, MAIL, "owner", "asked") == 1
    left = everything(house)
    assert MAIL not in left
    assert link not in left
    assert "its-link" not in left
    row = house.books.one("reservations")
    assert (row["price_cents"], row["state"]) == (500, "cancelled")
    assert house.books.one("waiting")["state"] == "withdrawn"
    assert house.books.one("letters")["state"] == "withdrawn"
    with pytest.raises(NotFound):
        house.books.do(privacy.erase, MAIL, "owner", "asked")
    with pytest.raises(NotFound):
        house.books.do(privacy.export, link, "owner")
    acts = [row["act"] for row in house.books.rows("audit")]
    assert acts.count("customer.erased") == 1


def test_whose_an_order_was_is_forgotten_when_it_is_old_and_not_before(house, link):
    house.books.do(reservations.cancel, link)
    house.clock.move(YEAR_SECONDS - DAY_SECONDS)
    assert house.books.do(privacy.forget, YEAR_SECONDS, WAITS_SECONDS) == 0
    assert house.books.one("orders")["mail"] == MAIL
    house.clock.move(3 * DAY_SECONDS)
    assert house.books.do(privacy.forget, YEAR_SECONDS, WAITS_SECONDS) == 1
    assert house.books.do(privacy.forget, YEAR_SECONDS, WAITS_SECONDS) == 0
    order = house.books.one("orders")
    assert (order["mail"], order["holder"], order["link"]) == ("", "", "its-link")


@pytest.mark.usefixtures("link")
def test_what_is_still_ahead_keeps_its_customer_however_old_it_is(house):
    house.clock.move(YEAR_SECONDS + 9 * DAY_SECONDS)
    assert house.books.do(privacy.forget, YEAR_SECONDS, WAITS_SECONDS) == 0
    assert house.books.one("orders")["mail"] == MAIL


def test_a_ticket_that_was_given_away_tells_nothing_of_who_booked_it(house, link):
    house.books.do(reservations.transfer, link)
    given = house.books.one("reservations")["link"]
    assert given != link
    with pytest.raises(NotFound):
        house.books.do(privacy.export, given, "owner")
