"""A session that goes on: granted once, never into the next claim, and its deadline moves."""

from __future__ import annotations

import asyncio

import pytest

from cloud_controller import bookings
from cloud_controller.flows import sessions
from cloud_controller.ports import Said
from common.messages.rights import Refused, Right
from common.messages.sessions import SessionExtended, StopSession
from common.rules.payments import Account
from common.rules.sessions import CLOCK_TOLERANCE_SECONDS, EndReason, ExtensionNo, WishState
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from edge_agent.ports import ProgramSeen
from edge_agent.reconciler import Reconciler
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.fakes.terminal import a_program
from tests.flows.extension_kit import SLOT_MS, Playing, playing
from tests.flows.money_kit import assert_balanced, balances
from tests.flows.test_reconciler import RunnerInHand


@pytest.fixture
def play(house: HouseInHand) -> Playing:
    return playing(house, minutes=20)


def test_an_offer_says_what_can_be_had_and_what_it_costs(play):
    offer = play.offer()
    assert [(each.seconds, each.price_cents) for each in offer.choices] == [
        (1800, 1500),
        (3600, 3000),
    ]
    assert (offer.currency, offer.refused, offer.pay_url) == ("JPY", None, None)
    play.book_next(in_slots=2)
    offer = play.offer()
    assert [each.seconds for each in offer.choices] == [1800]
    assert (offer.longest_seconds, offer.bound) == (1800, ExtensionNo.ANOTHER_HAS_BOOKED)
    play.book_next()
    assert play.offer().refused == ExtensionNo.ANOTHER_HAS_BOOKED


def test_an_extension_moves_claim_session_and_deadline_at_once_and_is_charged(play):
    before, own = play.claim, play.own
    answer = play.ask()
    assert isinstance(answer, Right)
    after = play.claim
    assert after["ends_at"] == before["ends_at"] + SLOT_MS == play.row["deadline_at"]
    assert after["blocked_until"] == before["blocked_until"] + SLOT_MS
    assert after["price_cents"] == before["price_cents"] + 1500
    assert play.row["extended_seconds"] == SLOT_SECONDS
    assert play.own["deadline_boot_seconds"] == own["deadline_boot_seconds"] + SLOT_SECONDS
    assert play.own["granted_seconds"] == own["granted_seconds"] + SLOT_SECONDS
    assert play.wish["state"] == WishState.GRANTED
    assert play.ledger("session.extension_granted")[0]["seconds"] == SLOT_SECONDS
    assert_balanced(play.house)
    assert balances(play.house)[Account.CASH_FREE] == 1500


def test_the_same_right_twice_moves_a_deadline_once(play):
    answer = play.ask()
    own = play.own
    play.terminal.hear(answer)
    play.house.carry(play.terminal)
    assert play.own == own


def test_an_extension_after_another_adds_to_it(play):
    play.ask()
    play.ask()
    assert play.row["extended_seconds"] == 2 * SLOT_SECONDS == play.own["extended_seconds"]
    assert len(play.ledger("session.extension_granted")) == 2


def test_an_extension_is_cut_to_what_is_left_before_the_next_claim(play):
    play.book_next(in_slots=2)
    answer = play.ask(3 * SLOT_SECONDS)
    assert answer.document["added_seconds"] == SLOT_SECONDS
    assert play.ask().reason == ExtensionNo.ANOTHER_HAS_BOOKED
    assert play.wish["reason"] == ExtensionNo.ANOTHER_HAS_BOOKED
    assert play.wish["state"] == WishState.REFUSED


def test_what_costs_more_than_was_shown_is_not_granted(play):
    assert play.ask(cents=1499).reason == ExtensionNo.COSTS_MORE
    assert play.row["extended_seconds"] == 0


@pytest.mark.parametrize("seconds", [SLOT_SECONDS - 20 * 60 - 1, SLOT_SECONDS + 60])
def test_what_comes_too_late_for_its_deadline_is_refused(play, seconds):
    play.house.clock.move(seconds)
    assert play.ask().reason == ExtensionNo.SESSION_IS_ENDING


def test_a_session_that_was_told_to_stop_is_not_extended(play):
    terminal = play.terminal.who.terminal
    play.house.books.do(sessions.ask_to_stop, play.session, terminal, EndReason.STAFF_ENDED)
    play.house.books.said.clear()
    assert play.ask().reason == ExtensionNo.SESSION_IS_ENDING


def test_a_stop_for_the_old_deadline_is_never_said_and_the_new_one_is(play):
    play.ask()
    play.house.clock.move(SLOT_SECONDS - 20 * 60 + CLOCK_TOLERANCE_SECONDS + 1)
    for due in (sessions.stop_what_is_due, sessions.presume_stopped):
        play.house.books.do(due)
    assert play.house.books.heard() == []
    assert play.row["state"] == "running"
    assert play.house.books.do(sessions.next_moment) == play.row["deadline_at"]
    play.house.clock.move(SLOT_SECONDS - CLOCK_TOLERANCE_SECONDS - 1)
    play.house.books.do(sessions.stop_what_is_due)
    assert any(isinstance(said, StopSession) for said in play.house.books.heard())


def test_the_runner_hears_of_a_deadline_until_it_has_said_so(play):
    play.ask()
    (due,) = play.terminal.do(running.to_extend)
    assert due.deadline_boot_seconds == play.own["deadline_boot_seconds"]
    play.terminal.restart()
    assert play.terminal.do(running.to_extend) == [due]
    seen = a_program(play.session, "running", remaining_seconds=2400.0)
    play.terminal.do(running.note_extended, due, seen)
    play.terminal.do(running.note_extended, due, seen)
    assert play.terminal.do(running.to_extend) == []
    assert play.terminal.told_types() == [SessionExtended.type]
    play.house.tell_all(play.terminal)
    assert play.ledger(SessionExtended.type) == [
        {"extended_seconds": SLOT_SECONDS, "remaining_seconds": 2400.0}
    ]


def test_more_time_that_the_power_took_from_the_runner_is_told_when_it_goes_on(play):
    play.ask()
    play.terminal.restart(boot_id="boot-2")
    due: list[running.ToExtend] = []
    for waits in (True, False):
        left = {"remaining_seconds": 600.0, "was_interrupted": True, "waits": waits}
        seen = a_program(play.session, "running", started_at=play.house.clock.now, **left)
        play.terminal.do(running.note_seen, seen)
        due = play.terminal.do(running.to_extend)
        assert bool(due) is not waits, "what waits is reckoned from the runner's own checkpoint"
    deadline = play.house.clock.steady + 600.0 + SLOT_SECONDS
    assert [each.deadline_boot_seconds for each in due] == [deadline]


def test_a_right_that_comes_after_the_end_moves_nothing_and_is_owed(play):
    play.want()
    (announce,) = play.terminal.asks()
    (announced,) = play.house.ask(play.terminal, announce)
    play.terminal.hear(announced)
    (request,) = play.terminal.asks()
    (right,) = play.house.ask(play.terminal, request)
    ended = a_program(
        play.session, "ended", started_at=1, ended_at=play.house.clock.now, delivered_seconds=1800.0
    )
    play.terminal.do(running.note_seen, ended)
    play.terminal.hear(right)
    assert play.wish["reason"] == ExtensionNo.SESSION_IS_ENDING
    assert play.own["extended_seconds"] == 0
    play.house.tell_all(play.terminal)
    (owed,) = play.house.books.rows("compensations")
    assert (owed["seconds"], owed["cents"]) == (SLOT_SECONDS, 1500)


def test_a_wish_that_nobody_waits_for_any_more_is_given_up_and_charged_to_nobody(play):
    play.want()
    play.terminal.asks()
    play.house.clock.move(10)
    play.terminal.do(asking.look, play.terminal.who)
    assert play.wish["reason"] == ExtensionNo.NO_ANSWER
    play.house.carry(play.terminal)
    assert play.row["extended_seconds"] == 0
    assert play.terminal.rows("exchanges")[0]["state"] in {"idle", "announced"}


def test_a_right_that_was_issued_before_its_wish_was_given_up_counts_all_the_same(play):
    play.want()
    (announce,) = play.terminal.asks()
    for told in play.house.ask(play.terminal, announce):
        play.terminal.hear(told)
    (request,) = play.terminal.asks()
    play.house.ask(play.terminal, request)
    play.house.clock.move(11)
    play.terminal.do(asking.look, play.terminal.who)
    play.house.carry(play.terminal)
    assert play.own["extended_seconds"] == SLOT_SECONDS == play.row["extended_seconds"]
    assert play.wish["state"] == WishState.GRANTED


def test_what_was_granted_on_its_page_is_taken_by_an_exchange_and_not_on_a_word(play):
    link = play.claim["link"]
    more = play.house.books.do(bookings.extend, link, 1800, 1500, bookings.AT_THE_COUNTER)
    assert (more.is_granted, more.ends_at) == (True, play.row["deadline_at"])
    play.hear()
    assert play.own["extended_seconds"] == 0, "a word alone moves no deadline"
    assert isinstance(play.carry(), Right)
    assert play.own["extended_seconds"] == SLOT_SECONDS


def test_what_was_granted_on_its_page_is_taken_after_a_restart_as_well(play):
    play.house.books.do(bookings.extend, play.claim["link"], 1800, 1500, bookings.AT_THE_COUNTER)
    play.hear()
    play.terminal.restart()
    play.terminal.do(asking.look, play.terminal.who)
    play.house.carry(play.terminal)
    assert play.own["extended_seconds"] == SLOT_SECONDS


def test_a_false_word_of_more_time_gives_none(play):
    play.house.books.do(sessions.tell_desired, play.terminal.who.terminal)
    (desired,) = play.house.books.heard()
    (wanted,) = desired.sessions
    lie = wanted.model_copy(update={"extended_seconds": 9000.0})
    play.house.books.said.append(  # as whoever could speak for the controller would say it
        _said(play, desired.model_copy(update={"sessions": (lie,)}))
    )
    play.hear()
    assert isinstance(play.carry(), Refused)
    assert play.own["extended_seconds"] == 0
    play.terminal.do(asking.look, play.terminal.who)
    assert play.terminal.asks() == [], "it is asked once"


def test_an_old_backup_is_told_by_the_right_what_it_has_forgotten(play, tmp_path):
    play.house.books.copy_to(tmp_path / "backup.sqlite")
    play.want()
    for _ in range(2):
        for message in play.terminal.asks():
            for told in play.house.ask(play.terminal, message):
                play.terminal.hear(told)
    play.house.books.put_back(tmp_path / "backup.sqlite")
    play.house.carry(play.terminal)
    assert play.row["extended_seconds"] == SLOT_SECONDS
    assert play.claim["ends_at"] == play.row["deadline_at"]


def test_what_is_sold_elsewhere_is_not_extended_here(play):
    store = play.claim["store_id"]
    play.house.books.do(
        lambda books: books.directory.keep_peer(
            store_id=store, peer="osaka", digest="d" * 64, now=books.now
        )
    )
    assert play.offer().refused == ExtensionNo.NOT_ALLOWED
    assert play.ask().reason == ExtensionNo.NOT_ALLOWED


async def test_the_reconciler_moves_the_runner_and_says_so(play):
    play.ask()
    seen: ProgramSeen = a_program(play.session, "running", started_at=1, remaining_seconds=9.0)
    runner = RunnerInHand(kept=[seen], answers_are_lost=True)
    for lost in (True, False):
        runner.answers_are_lost = lost
        reconciler = Reconciler(play.terminal.journal, runner)
        reconciler.nudge()
        task = asyncio.create_task(reconciler.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
    deadline = play.own["deadline_boot_seconds"]
    assert runner.asked.count(f"extend {play.session} {deadline}") == 2
    assert SessionExtended.type in play.terminal.told_types()


def _said(play, message):
    return Said(
        terminal=play.terminal.who.terminal,
        channel=Channel.DESIRED,
        message=message,
        corr="",
        tail="",
        outbox_id=None,
    )
