"""Letters are queued with what makes them true, name tickets by their links, and are forgotten."""

from __future__ import annotations

import json

import pytest

from cloud_controller.flows import letters
from cloud_controller.ports import NotFound, Transaction
from common.rules.letters import ATTEMPTS_MAX, LetterKind, LetterState
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand

DOMAIN = "play.example"
DAY_SECONDS = 86_400

pytestmark = pytest.mark.usefixtures("reservation")


@pytest.fixture
def terminal(house: HouseInHand) -> TerminalInHand:
    return house.confirmed("a", "b")


@pytest.fixture
def reservation(house: HouseInHand, terminal: TerminalInHand) -> str:
    """Return a reservation of an order that was booked with a mail address."""
    house.book(house.devices_of(terminal)[0])
    row = house.books.one("reservations")
    house.books.connection.execute(
        "INSERT INTO orders (order_id, store_id, link, holder, mail, language, made_at)"
        " SELECT 'o-1', store_id, 'its-link', 'h', 'a@b.example', 'ja', 0 FROM reservations"
    )
    house.books.connection.execute("UPDATE reservations SET order_id = 'o-1'")
    return str(row["reservation_id"])


def queue(house: HouseInHand, **changed: object) -> None:
    how = {"to": "A@b.example", "language": "ja", "reservation": None, **changed}
    kind = how.pop("kind", LetterKind.CONFIRMED)
    house.books.do(letters.queue, kind, **how)


def taken(house: HouseInHand) -> list[letters.Letter]:
    found: list[letters.Letter] = house.books.do(letters.take, 20, DOMAIN)
    return found


def state(house: HouseInHand) -> str:
    return str(house.books.one("letters")["state"])


def test_c2_a_letter_names_the_tickets_of_its_order_as_they_are_now(house):
    queue(house, order="o-1")
    (letter,) = taken(house)
    row = house.books.one("reservations")
    assert letter.links == (row["link"],)
    assert letter.facts["starts_at"] == row["starts_at"]
    assert letter.facts["offering_title"] == "VR Arena"
    assert letter.to == "a@b.example"
    assert letter.message_id == f"<{letter.letter}@{DOMAIN}>"


def test_a_letter_that_was_queued_with_what_failed_was_never_queued(house):
    def fail(books: Transaction) -> None:
        letters.queue(books, LetterKind.CONFIRMED, to="a@b.example", language="ja")
        raise NotFound(what="slot")

    with pytest.raises(NotFound):
        house.books.do(fail)
    assert taken(house) == []


@pytest.mark.parametrize("to", ["", "nobody", "a@b.example\r\nBcc: c@d.example"])
def test_a_letter_to_no_address_is_not_written(house, to):
    queue(house, to=to)
    assert house.books.rows("letters") == []


def test_an_attempt_is_counted_before_it_is_made_and_keeps_its_name(house, reservation):
    queue(house, reservation=reservation)
    (first,) = taken(house)
    assert taken(house) == []
    house.clock.move(60)
    (second,) = taken(house)
    assert (first.attempts, second.attempts) == (1, 2)
    assert first.message_id == second.message_id


def test_a_letter_is_given_up_at_last_and_somebody_has_to_look(house, reservation):
    queue(house, reservation=reservation)
    for _ in range(ATTEMPTS_MAX):
        assert state(house) == LetterState.QUEUED
        (letter,) = taken(house)
        house.books.do(letters.note_failed, letter, "TimeoutError", is_final=False)
        house.clock.move(DAY_SECONDS)
    assert state(house) == LetterState.FAILED
    assert taken(house) == []
    problem = house.books.one("problems")
    assert (problem["kind"], problem["subject"]) == ("mail_not_taken", "mail")
    assert "a@b.example" not in json.dumps(dict(problem))


def test_what_the_server_refuses_for_good_is_not_tried_again(house, reservation):
    queue(house, reservation=reservation)
    (letter,) = taken(house)
    house.books.do(letters.note_failed, letter, "550", is_final=True)
    house.clock.move(DAY_SECONDS)
    assert (state(house), taken(house)) == (LetterState.FAILED, [])
    assert house.books.one("problems")["kind"] == "letter_refused"


def test_a_letter_that_is_taken_settles_the_problem_with_the_server(house, reservation):
    queue(house, reservation=reservation)
    for _ in range(ATTEMPTS_MAX):
        (letter,) = taken(house)
        house.books.do(letters.note_failed, letter, "away", is_final=False)
        house.clock.move(DAY_SECONDS)
    assert house.books.one("problems")["solved_at"] is None
    queue(house, kind=LetterKind.REMINDER, reservation=reservation)
    (letter,) = taken(house)
    house.books.do(letters.note_sent, letter.letter)
    assert house.books.one("problems")["solved_at"] is not None


def test_a_ticket_that_was_given_away_is_not_told_to_whom_had_it(house, reservation):
    queue(house, reservation=reservation)
    house.books.connection.execute("UPDATE reservations SET link = 'the-next-holder-s'")
    (letter,) = taken(house)
    assert "the-next-holder-s" not in letter.links


def test_what_was_given_to_somebody_is_written_about_to_him_alone(house, reservation):
    give(house, reservation, "b@b.example")
    queue(house, kind=LetterKind.CHANGED, reservation=reservation)
    house.clock.move(1)
    give(house, reservation, "c@b.example")
    house.clock.move(1)
    queue(house, kind=LetterKind.CANCELLED, reservation=reservation)
    assert [(letter.kind, letter.to) for letter in sorted(taken(house), key=told)] == [
        ("given_away", "a@b.example"),
        ("transferred", "b@b.example"),
        ("changed", "b@b.example"),
        ("given_away", "b@b.example"),
        ("transferred", "c@b.example"),
        ("cancelled", "c@b.example"),
    ]


def test_what_was_given_to_nobody_we_know_is_written_about_to_nobody(house, reservation):
    give(house, reservation, "")
    house.clock.move(1)
    queue(house, kind=LetterKind.CHANGED, reservation=reservation)
    queue(house, kind=LetterKind.REMINDER, order="o-1")
    written = {letter.kind: letter for letter in taken(house)}
    assert set(written) == {"given_away", "reminder"}
    assert written[LetterKind.REMINDER].links == ()


def test_money_goes_back_to_whom_it_is_from(house, reservation):
    give(house, reservation, "b@b.example")
    facts = {"cents": 100, "currency": "JPY"}
    queue(house, kind=LetterKind.REFUNDED, reservation=reservation, facts=facts)
    assert [each.to for each in taken(house) if each.kind is LetterKind.REFUNDED] == ["a@b.example"]


@pytest.mark.parametrize("mail", ["a@b.example", "b@b.example", "c@b.example"])
def test_a_ticket_is_found_by_whose_it_is_now_and_by_nobody_else(house, reservation, mail):
    give(house, reservation, "b@b.example")
    house.clock.move(1)
    give(house, reservation, "c@b.example")
    house.clock.move(31 * DAY_SECONDS)
    house.books.connection.execute(
        "UPDATE reservations SET ends_at = ?, blocked_until = ?",
        (house.clock.now + 60_000, house.clock.now + 60_000),
    )
    for letter in taken(house):
        house.books.do(letters.note_sent, letter.letter)
    house.clock.move(-1)
    house.books.do(letters.forget, DAY_SECONDS)
    house.clock.move(1)
    house.books.do(letters.find_again, mail, "en")
    (found,) = [each for each in taken(house) if each.kind is LetterKind.FOUND_AGAIN]
    assert len(found.links) == (1 if mail == "c@b.example" else 0)


def give(house: HouseInHand, reservation: str, mail: str) -> None:
    """Give a reservation to somebody, as bookings does."""
    queue(house, kind=LetterKind.GIVEN_AWAY, order="o-1", reservation=reservation)
    house.books.do(
        lambda books: books.enter("reservation.transferred", {}, reservation=reservation)
    )
    queue(house, kind=LetterKind.TRANSFERRED, to=mail, order="o-1", reservation=reservation)


def told(letter: letters.Letter) -> tuple[int, str]:
    order = ("given_away", "transferred", "changed", "cancelled")
    return letter.made_at, f"{order.index(letter.kind)}"


def test_whoever_looks_for_a_ticket_is_sent_what_is_before_them(house):
    house.books.do(letters.find_again, " A@B.example", "en")
    (letter,) = taken(house)
    assert letter.kind is LetterKind.FOUND_AGAIN
    assert letter.links == (house.books.one("reservations")["link"],)
    assert letter.language == "en"


def test_looking_leaves_the_same_behind_for_a_stranger_as_for_a_customer(house):
    house.books.do(letters.find_again, "a@b.example", "en")
    house.books.do(letters.find_again, "x@y.example", "en")
    ours, strange = house.books.rows("letters")
    same = {"letter_id", "recipient"}
    assert {k: v for k, v in dict(ours).items() if k not in same} == {
        k: v for k, v in dict(strange).items() if k not in same
    }


def test_nobody_s_mailbox_is_filled_by_looking(house):
    for _ in range(10):
        house.books.do(letters.find_again, "a@b.example", "en")
    assert len(house.books.rows("letters")) == letters.FOUND_LATELY_MAX
    house.clock.move(letters.FOUND_LATELY_SECONDS + 1)
    house.books.do(letters.find_again, "a@b.example", "en")
    assert len(house.books.rows("letters")) == letters.FOUND_LATELY_MAX + 1


def test_tickets_of_yesterday_and_those_given_up_are_not_found(house):
    house.give_up()
    house.books.do(letters.find_again, "a@b.example", "en")
    (letter,) = [each for each in taken(house) if each.kind is LetterKind.FOUND_AGAIN]
    assert letter.links == ()


def test_after_a_while_nobody_knows_whom_a_letter_went_to(house, reservation):
    queue(house, reservation=reservation)
    (letter,) = taken(house)
    house.books.do(letters.note_sent, letter.letter)
    queue(house, kind=LetterKind.REMINDER, reservation=reservation)
    house.clock.move(31 * DAY_SECONDS)
    house.books.do(letters.forget, 30 * DAY_SECONDS)
    rows = {row["kind"]: row for row in house.books.rows("letters")}
    assert (rows["confirmed"]["recipient"], rows["confirmed"]["facts"]) == ("", "{}")
    assert rows["reminder"]["recipient"] == "a@b.example"


def test_without_a_mail_server_letters_are_kept_as_not_configured(house, reservation):
    queue(house, reservation=reservation)
    house.books.do(letters.set_aside)
    assert state(house) == LetterState.NOT_CONFIGURED
    house.clock.move(DAY_SECONDS)
    assert taken(house) == []
