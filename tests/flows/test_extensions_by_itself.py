"""A session goes on by itself: agreed to, while nobody waits, asked for at its last warning."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cloud_controller import bookings
from cloud_controller.bookings import Till
from cloud_controller.flows import extensions
from common.messages.base import Message
from common.messages.extensions import ExtensionOffer
from common.messages.rights import ExtensionRequest, Right
from common.rules.payments import Method
from common.rules.sessions import ExtensionNo
from edge_agent.extensions import Extensions
from edge_agent.flows import sessions as running
from edge_agent.ports import Asked, ExtensionChoice
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.extension_kit import SLOT_MS, Playing, playing

STRIPE = Till(Method.STRIPE_CHECKOUT, lambda: "https://shop.example")


@pytest.fixture
def play(house: HouseInHand) -> Playing:
    return playing(house, minutes=20)


def agree(play: Playing, *, is_agreed: bool = True) -> None:
    """Turn the switch of the ticket's page, and let its terminal hear it."""
    play.house.books.do(bookings.agree, play.claim["link"], is_agreed=is_agreed)
    play.hear()


def wait_for(play: Playing, *, hours: int) -> None:
    """Have somebody wait for a slot that many hours after this session."""
    slot = play.claim["ends_at"] + hours * 3_600_000
    play.house.books.do(
        lambda books: books.reservations.join_waiting(
            waiting_id="w-1",
            offering_id=play.claim["offering_id"],
            link="w",
            starts_at=slot,
            ends_at=slot + SLOT_MS,
            party_size=1,
            mail="yuki@example.org",
            language="ja",
            made_at=books.now,
        )
    )


def test_its_terminal_is_told_with_the_right_and_when_the_customer_thinks_again(house, play):
    assert not play.terminal.do(running.extends_itself, play.session)
    agree(play)
    assert play.terminal.do(running.extends_itself, play.session)
    agree(play, is_agreed=False)
    assert not play.terminal.do(running.extends_itself, play.session)
    order = play.claim["order_id"]
    house.books.do(extensions.agree_order, order)
    assert play.claim["extends_itself"] == 0, "what is in use has its own switch"


def test_a_right_to_start_carries_what_was_agreed_to_while_booking(house: HouseInHand):
    terminal = house.confirmed("vr")
    (device,) = house.devices_of(terminal)
    token = house.book(device)
    house.books.do(extensions.agree_order, house.books.one("reservations")["order_id"])
    right = house.scan(terminal, device, token)
    assert isinstance(right, Right)
    assert right.document["extends_itself"] is True
    assert terminal.rows("sessions")[0]["extends_itself"] == 1


@pytest.mark.parametrize(
    ("agreed", "waits_in_hours", "next_in_slots", "reason"),
    [
        (True, None, None, None),
        (True, 30, None, None),
        (True, 5, None, ExtensionNo.SOMEBODY_WAITS),
        (True, None, 1, ExtensionNo.ANOTHER_HAS_BOOKED),
        (True, None, 2, None),
        (False, None, None, ExtensionNo.NOT_ALLOWED),
    ],
)
def test_it_goes_on_only_while_nobody_waits(play, agreed, waits_in_hours, next_in_slots, reason):
    if agreed:
        agree(play)
    if waits_in_hours is not None:
        wait_for(play, hours=waits_in_hours)
    if next_in_slots is not None:
        play.book_next(in_slots=next_in_slots)
    answer = play.ask(is_by_itself=True)
    if reason is None:
        assert isinstance(answer, Right)
        assert play.ledger("session.extension_granted")[0]["by"] == "itself"
    else:
        assert answer.reason == reason


def test_whoever_waits_does_not_keep_a_customer_from_asking_himself(play):
    wait_for(play, hours=5)
    assert isinstance(play.ask(), Right)


@pytest.mark.parametrize("is_by_itself", [False, True])
def test_a_terminal_takes_no_money_that_is_to_be_paid_on_a_page(play, is_by_itself):
    agree(play)
    asked = ExtensionRequest(
        session=play.session,
        device=play.device,
        seconds=SLOT_SECONDS,
        price_cents=9000,
        is_by_itself=is_by_itself,
    )
    terminal = play.terminal.who.terminal
    found = play.house.books.do(bookings.extensions._extend_for, terminal, asked, till=STRIPE)
    assert found is ExtensionNo.NOT_PAID
    there = play.house.books.do(extensions.of_session, play.session, terminal)
    offer = play.house.books.do(bookings.offer, there, STRIPE)
    assert offer.pay_url == f"https://shop.example/t/{play.claim['link']}"
    assert offer.choices


class LineInHand:
    """The line of a terminal: what is posted is answered as soon as the loop comes round."""

    def __init__(self, play: Playing) -> None:
        self.is_connected = True
        self.is_mute = False
        self._play = play

    def post(self, asked: Sequence[Asked]) -> None:
        asyncio.get_running_loop().call_soon(self._carry, [each.message for each in asked])

    def _carry(self, messages: list[Message]) -> None:
        if not self.is_mute:
            for message in messages:
                for told in self._play.house.ask(self._play.terminal, message):
                    self._play.terminal.hear(told)


def screen(play: Playing) -> tuple[Extensions, LineInHand]:
    """Return what a screen asks, joined to a terminal's listener and its line."""
    line = LineInHand(play)
    found = Extensions(play.terminal.who, play.terminal.journal, line, (600, 60))
    play.terminal.journal.on_asked = line.post
    hears: dict[Any, Any] = {**play.terminal.listener._hears, ExtensionOffer: found.take_offer}
    hearing: Any = play.terminal.listener._hearing
    object.__setattr__(hearing, "on_extensions", found.look)
    object.__setattr__(play.terminal.listener, "_hears", hears)
    return found, line


async def test_a_screen_is_offered_more_and_one_touch_gets_it(play):
    more, _ = screen(play)
    offered = await more.offer(play.session)
    assert offered.choices[0] == ExtensionChoice(seconds=1800, price_cents=1500)
    one, other = await asyncio.gather(
        more.extend(play.session, 1800), more.extend(play.session, 1800)
    )
    assert (one.added_seconds, one.refused) == (SLOT_SECONDS, None)
    assert other == one, "a second touch is the same wish"
    assert play.row["extended_seconds"] == SLOT_SECONDS


async def test_a_screen_is_told_why_not_and_what_is_true_without_the_line(play):
    more, line = screen(play)
    play.book_next()
    assert (await more.offer(play.session)).refused is ExtensionNo.ANOTHER_HAS_BOOKED
    answer = await more.extend(play.session, 1800)
    assert answer.refused is ExtensionNo.ANOTHER_HAS_BOOKED
    line.is_connected = False
    assert (await more.offer(play.session)).refused is ExtensionNo.NO_LINE
    assert (await more.extend(play.session, 1800)).refused is ExtensionNo.NO_LINE
    assert (await more.offer("s-nobody")).refused is ExtensionNo.SESSION_IS_ENDING


async def test_at_its_last_warning_a_session_goes_on_by_itself(play):
    agree(play)
    more, _ = screen(play)
    loop = asyncio.create_task(more.run())
    more.on_warned(play.session, 600.0)
    more.on_warned("s-nobody", 60.0)
    more.on_warned(play.session, 60.0)
    async with asyncio.timeout(5):
        while play.own["extended_seconds"] == 0:  # noqa: ASYNC110 - a row, and no event
            await asyncio.sleep(0.01)
    loop.cancel()
    assert play.own["extended_seconds"] == SLOT_SECONDS
    (entered,) = play.ledger("session.extension_granted")
    assert entered["by"] == "itself"
