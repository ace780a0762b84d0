"""What whoever stands at a device is told of it: what it costs by now, and who comes next (E5)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.messages.devices import DeviceAround, DeviceAsk
from common.topics import Channel
from tests.fakes.house import SLOT_SECONDS, HouseInHand
from tests.flows.extension_kit import Playing, playing


@pytest.fixture
def play(house: HouseInHand) -> Playing:
    """Return a session that has run for a third of its time."""
    return playing(house, minutes=20)


def around(play: Playing, device: str | None = None) -> list[DeviceAround]:
    """Ask about a device, by default the one that is played on."""
    answers = play.house.ask(play.terminal, DeviceAsk(device=device or play.device))
    return [each for each in answers if isinstance(each, DeviceAround)]


def test_e5_at_a_device_its_price_is_told_as_it_grows_and_who_comes_next(play: Playing):
    (before,) = around(play)
    assert before.session == play.session
    assert (before.price_cents, before.currency) == (play.claim["price_cents"], "JPY")
    assert (before.next_at, before.coming) == (None, 0)
    play.ask(SLOT_SECONDS)
    (after,) = around(play)
    assert after.price_cents == play.claim["price_cents"] > before.price_cents
    play.house.book(play.device, in_seconds=4 * SLOT_SECONDS)
    (last,) = around(play)
    starts = {row["starts_at"] for row in play.house.books.rows("reservations")}
    assert (last.next_at, last.coming) == (max(starts), 1)


def test_a_terminal_is_told_nothing_of_anothers_device(play: Playing):
    assert around(play, "d-of-another") == []
    other = play.house.enrol("pc-2")
    assert around(replace(play, terminal=other)) == []


def test_an_answer_comes_as_a_reply_and_changes_nothing(play: Playing):
    before = play.house.books.rows("reservations")
    (answer,) = around(play)
    play.terminal.hear(answer, Channel.REPLIES)
    assert play.terminal.around == [answer]
    assert play.house.books.rows("reservations") == before
