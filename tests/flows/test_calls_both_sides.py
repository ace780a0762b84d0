"""A call from a device's screen with both its real ends: the journal and the books (E4)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from cloud_controller.flows import help as desk_side
from cloud_controller.flows.sessions import proof_of
from common.messages.base import Message
from common.messages.help import LINES_TOLD_MAX, HelpThere, HelpTold
from common.messages.registration import Hello
from common.rules.help import LEASE_SECONDS, CallEnd
from common.rules.sessions import MomentKind
from common.topics import Channel
from edge_agent.flows import help as calls
from edge_agent.flows.help import Call, Wish
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand
from tests.flows.call_kit import Desk, a_desk, look_after, why_of


class Booth:
    """A device at whose screen somebody sits, and the line between it and the store's helper."""

    def __init__(self, house: HouseInHand, terminal: TerminalInHand) -> None:
        self.house, self.terminal = house, terminal
        (self.device,) = house.devices_of(terminal)

    def hear(self, said: list[Message] | None = None) -> None:
        """Bring what the controller has said to the terminal, and its answers back, to the end."""
        said = self.house.books.heard() if said is None else said
        while said:
            for each in said:
                if isinstance(each, HelpThere | HelpTold):
                    self.terminal.hear(each, Channel.DESIRED)
            said = self.house.tell_all(self.terminal)

    def tell(self) -> None:
        """Bring what the terminal has to say to the controller."""
        self.hear(self.house.tell_all(self.terminal))

    def choose(self, desk: Desk) -> str:
        wish = Wish(helper=desk.helper, price_cents=0, language="ja")
        assert self.terminal.do(calls.choose, self.device, None, wish) is None
        return self.call.call

    def write(self, text: str) -> None:
        assert self.terminal.do(calls.write, self.device, self.call.call, text) is None

    @property
    def around(self) -> calls.Around:
        found: calls.Around = self.terminal.do(calls.look)
        return found

    @property
    def call(self) -> Call:
        return self.around.calls[self.device]


@pytest.fixture
def desk(house: HouseInHand) -> Desk:
    """Return a helper who has logged in."""
    return a_desk(house).log_in()


@pytest.fixture
def booth(house: HouseInHand, desk: Desk) -> Booth:
    """Return a device whose terminal has come, and knows that the helper is there."""
    found = Booth(house, house.confirmed("vr"))
    hello = Hello(protocol=(1, 1), boot="b", outbox_first=1, outbox_last=0, applied_revision=0)
    found.hear(house.take(found.terminal, hello, Channel.HELLO))
    found.tell()
    assert [each.helper for each in found.around.helpers] == [desk.helper]
    return found


def test_e4_both_ends_have_the_same_lines_in_the_same_order_whatever_is_cut_off(house, desk, booth):
    name = booth.choose(desk)
    booth.tell()
    assert (booth.call.state, booth.call.is_told) == ("waiting", True)
    booth.write("It does not start.")
    desk.answer(name, "Which light is on?")
    lost = house.books.heard()  # cut off: what was said is lost, and said again
    booth.write("The red one.")
    assert any(isinstance(each, HelpTold) for each in lost)
    booth.tell()
    booth.terminal.restart()
    booth.hear(look_after(house))
    talk = house.books.do(desk_side.talk, name)
    told = [(each.by, each.text) for each in talk.lines]
    assert [(each.by, each.text) for each in booth.call.lines] == told
    assert len(told) == 3
    assert all(each.is_told for each in booth.call.lines)
    assert look_after(house) == [], "it is confirmed, and said no more"


def test_a_long_talk_comes_whole_in_more_than_one_message(house, desk, booth):
    name = booth.choose(desk)
    booth.tell()
    for number in range(2 * LINES_TOLD_MAX + 3):
        desk.answer(name, f"line {number}")
    house.books.heard()
    booth.hear(look_after(house))
    numbers = [int(each.text.removeprefix("line ")) for each in booth.call.lines]
    assert len(numbers) == 2 * LINES_TOLD_MAX + 3
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_e6_either_side_ends_it_and_the_other_sees_that(house, desk, booth):
    name = booth.choose(desk)
    booth.tell()
    desk.answer(name, "Hello.")
    booth.hear()
    booth.terminal.do(calls.leave, booth.device, name)
    booth.tell()
    assert why_of(house, name) == CallEnd.CUSTOMER_LEFT
    other = booth.choose(desk)
    booth.tell()
    row = house.books.do(lambda books: books.help.call(call_id=other))
    house.books.do(desk_side.end, row, CallEnd.HELPER_ENDED)
    booth.hear()
    assert (booth.call.state, booth.call.why) == ("ended", CallEnd.HELPER_ENDED)
    booth.hear(look_after(house))  # of the one that was left it is said once that it is over
    assert look_after(house) == []


def test_e4_a_call_in_which_a_customer_was_helped_to_begin_is_in_his_sessions_timeline(
    house, desk, booth
):
    token = house.book(booth.device)
    (claim,) = house.books.rows("reservations")
    house.clock.move((claim["starts_at"] - house.clock.now) / 1000)
    desk.stay()
    booth.hear(look_after(house))
    name = booth.choose(desk)
    booth.tell()
    desk.answer(name, "Show your ticket.")
    house.scan(booth.terminal, booth.device, token)
    booth.tell()
    assert booth.call.call == name
    booth.tell()
    booth.terminal.do(calls.leave, booth.device, name)
    booth.tell()
    kinds = {each.kind for each in house.books.do(proof_of, claim["reservation_id"]).moments}
    assert MomentKind.HELP_ENDED in kinds
    (row,) = house.books.rows("help_calls")
    assert row["session_id"] == house.books.rows("sessions")[0]["session_id"]


def test_e6_a_helper_who_is_gone_meanwhile_is_not_talked_to_and_not_offered(house, desk, booth):
    house.clock.move(LEASE_SECONDS + 1)
    name = booth.choose(desk)  # the screen does not know it yet
    booth.tell()
    assert (booth.call.call, booth.call.why) == (name, CallEnd.NOT_THERE)
    booth.hear(look_after(house))
    assert booth.around.helpers == ()


def test_a_list_of_an_old_backup_counts_once_the_line_has_broken(booth):
    booth.terminal.hear(HelpThere(number=10**15), Channel.DESIRED)
    assert booth.around.helpers == ()
    booth.terminal.do(calls.forget_there)
    hello = Hello(protocol=(1, 1), boot="b", outbox_first=9, outbox_last=8, applied_revision=0)
    booth.hear(booth.house.take(booth.terminal, hello, Channel.HELLO))
    assert len(booth.around.helpers) == 1
