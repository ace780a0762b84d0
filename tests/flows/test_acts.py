"""What an operator does to a device from afar: it stands on a claim, and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cloud_controller import bookings
from cloud_controller.bookings import ActIsRefused, By
from cloud_controller.bookings.acts import OWN_WORDS
from cloud_controller.flows import acts, registration, sessions
from cloud_controller.flows.acts import Saying
from cloud_controller.ports import SlotIsTaken
from common.messages.devices import (
    DeviceMessage,
    DeviceMessageShown,
    DevicesDesired,
    DeviceTold,
)
from common.messages.rights import Right, TakeScan
from common.messages.sessions import CustomerTold, StopSession
from common.rules.acts import (
    BEGIN_WITHIN_SECONDS,
    MESSAGES_WAITING_MAX,
    ActNo,
    Sentence,
)
from common.rules.devices import DeviceState
from common.rules.presence import Presence
from common.rules.sessions import EndReason, Notice
from common.topics import Channel
from edge_agent.flows import devices as device_flow, rights as asking, sessions as running
from tests.fakes.house import HouseInHand
from tests.fakes.terminal import TerminalInHand, a_program

ENGINES = ["sqlite"]
AIKO = By(operator="aiko", reason="tests")
TEN_MINUTES = 600


@dataclass
class Floor:
    """A store with two booths, and what its operator hears of them."""

    house: HouseInHand
    terminal: TerminalInHand

    @property
    def devices(self) -> list[str]:
        return self.house.devices_of(self.terminal)

    def row(self, table: str, **facts: Any) -> dict[str, Any]:
        rows = self.house.books.rows(table)
        return [row for row in rows if facts.items() <= row.items()][-1]

    def audits(self) -> list[tuple[str, str]]:
        rows = self.house.books.rows("audit")
        return [(row["act"], row["subject"]) for row in rows if row["actor"] == "aiko"]

    def take_in(self) -> Right:
        """Let the terminal take the scan that the controller sends it, up to a running program."""
        (take,) = [each for each in self.house.books.heard() if isinstance(each, TakeScan)]
        self.house.announce(self.terminal, take.device)
        self.terminal.scan(take.device, take.token, name=take.scan, reader=take.reader)
        (request,) = self.terminal.asks()
        right = self.house.ask(self.terminal, request)[-1]
        assert isinstance(right, Right), right
        self.terminal.hear(right)
        self.house.carry(self.terminal)
        session = right.document["session"]
        self.terminal.do(running.note_seen, a_program(session, "running"))
        self.house.tell_all(self.terminal)
        assert self.row("sessions", session_id=session)["state"] == "running"
        return right

    def settle(self) -> list[Any]:
        self.house.books.do(bookings.settle_acts)
        return list(self.house.books.heard())

    def end(self, session: str) -> None:
        seen = a_program(session, "ended", end_reason=EndReason.TIME_UP)
        self.terminal.do(running.note_seen, seen)
        self.house.tell_all(self.terminal)


@pytest.fixture
def floor(house: HouseInHand, two_booths: TerminalInHand) -> Floor:
    return Floor(house, two_booths)


def refused(house: HouseInHand, act: Any, *args: Any) -> ActNo:
    with pytest.raises(ActIsRefused) as fault:
        house.books.do(act, *args)
    return ActNo(str(fault.value.facts["why"]))


def test_a_start_from_afar_claims_the_device_runs_and_ends_at_its_own_deadline(floor, house):
    device = floor.devices[0]
    begun = house.books.do(bookings.start, device, TEN_MINUTES, AIKO)
    right = floor.take_in()
    assert right.document["granted_seconds"] == pytest.approx(TEN_MINUTES, abs=1)
    claim = floor.row("reservations", reservation_id=begun.reservation)
    assert (claim["state"], claim["price_cents"]) == ("in_use", 0)
    assert floor.audits() == [("device.started", device)]
    house.clock.move(TEN_MINUTES)
    house.books.do(sessions.do_what_is_due)
    (stop,) = [each for each in house.books.heard() if isinstance(each, StopSession)]
    assert stop.reason == EndReason.TIME_UP
    floor.end(right.document["session"])
    floor.settle()
    assert floor.row("staff_uses")["settled_at"] is not None


def test_nothing_is_begun_where_somebody_has_booked_uses_it_or_nobody_is_there(floor, house):
    one, two = floor.devices
    house.book(one)
    assert refused(house, bookings.start, one, 7200, AIKO) is ActNo.BOOKED
    house.books.do(bookings.start, two, TEN_MINUTES, AIKO)
    floor.take_in()
    assert refused(house, bookings.start, two, TEN_MINUTES, AIKO) is ActNo.IN_USE
    house.books.do(bookings.put_out_of_order, one, AIKO)
    assert refused(house, bookings.start, one, 60, AIKO) is ActNo.OUT_OF_ORDER
    gone = {floor.terminal.who.terminal: Presence.GONE}
    house.books.do(registration.note_presence, gone)
    assert refused(house, bookings.start, one, 60, AIKO) is ActNo.OFFLINE
    assert len(house.books.rows("staff_uses")) == 1


def test_a_start_that_nobody_hears_is_taken_back_and_sold_again(floor, house):
    device = floor.devices[0]
    begun = house.books.do(bookings.start, device, TEN_MINUTES, AIKO)
    house.books.heard()
    house.clock.move(BEGIN_WITHIN_SECONDS - 1)
    floor.settle()
    assert floor.row("reservations", reservation_id=begun.reservation)["state"] == "confirmed"
    house.clock.move(1)
    floor.settle()
    assert floor.row("reservations", reservation_id=begun.reservation)["state"] == "cancelled"
    house.books.do(bookings.start, device, TEN_MINUTES, AIKO)


def test_a_stop_from_afar_is_said_once_and_pays_back_what_was_not_had(floor, house):
    device = floor.devices[0]
    house.books.do(bookings.start, device, TEN_MINUTES, AIKO)
    right = floor.take_in()
    for _ in range(2):
        assert house.books.do(bookings.stop, device, AIKO) == right.document["session"]
    stops = [each for each in house.books.heard() if isinstance(each, StopSession)]
    assert [each.reason for each in stops] == [EndReason.STAFF_ENDED]
    assert refused(house, bookings.stop, floor.devices[1], AIKO) is ActNo.NOTHING_RUNS


def test_a_gift_of_time_costs_nothing_and_never_reaches_into_the_next_claim(floor, house):
    device = floor.devices[0]
    house.books.do(bookings.start, device, TEN_MINUTES, AIKO)
    floor.take_in()
    before = floor.row("sessions")["deadline_at"]
    ends_at = house.books.do(bookings.extend_on, device, 300, AIKO)
    assert ends_at == before + 300_000 == floor.row("sessions")["deadline_at"]
    assert floor.row("reservations")["price_cents"] == 0
    house.book(device, in_seconds=1800)
    while ends_at + 600_000 <= floor.row("reservations", device_id=device)["starts_at"]:
        ends_at = house.books.do(bookings.extend_on, device, 600, AIKO)
    ends_at = house.books.do(bookings.extend_on, device, 600, AIKO)
    assert refused(house, bookings.extend_on, device, 600, AIKO) is ActNo.NO_MORE_TIME
    assert ends_at <= floor.row("reservations", device_id=device)["starts_at"]


def test_maintenance_opens_what_is_out_of_order_and_puts_it_out_again_afterwards(floor, house):
    device = floor.devices[0]
    house.books.do(bookings.put_out_of_order, device, AIKO)
    begun = house.books.do(bookings.open_for_maintenance, device, TEN_MINUTES, AIKO)
    said = house.books.heard()
    wanted = [each for each in said if isinstance(each, DevicesDesired)][-1].devices[0]
    assert (wanted.is_out_of_order, wanted.skips) == (False, True)
    assert not [each for each in said if isinstance(each, TakeScan)]
    told = DeviceTold(
        device=device, state=DeviceState.OUT_OF_ORDER, at=house.clock.now, order=1, fault="operator"
    )
    house.books.do(bookings.note_device, house.received(floor.terminal, told))
    house.books.heard()
    assert floor.settle() == []
    ready = told.model_copy(update={"state": DeviceState.AVAILABLE, "order": 2, "fault": ""})
    house.books.do(bookings.note_device, house.received(floor.terminal, ready))
    house.books.do(bookings.settle_acts)
    right = floor.take_in()
    assert floor.settle() == []
    assert floor.audits()[-1] == ("device.opened_for_maintenance", device)
    floor.end(right.document["session"])
    floor.settle()
    assert floor.row("devices", device_id=device)["is_out_of_order"] == 1
    assert floor.row("reservations", reservation_id=begun.reservation)["state"] == "completed"


def test_a_coming_claim_moves_to_the_other_device_with_its_ticket(floor, house):
    one, two = floor.devices
    before = house.book(one)
    claim = floor.row("reservations")
    house.books.do(bookings.move_to, claim["reservation_id"], two, AIKO)
    after = floor.row("reservations")
    assert after["device_id"] == two
    assert (after["starts_at"], after["price_cents"]) == (claim["starts_at"], claim["price_cents"])
    assert floor.row("tickets")["token"] != before
    assert floor.audits() == [("reservation.moved", claim["reservation_id"])]
    same = (bookings.move_to, claim["reservation_id"], two, AIKO)
    assert refused(house, *same) is ActNo.SAME_DEVICE
    house.book(one)
    with pytest.raises(SlotIsTaken):
        house.books.do(bookings.move_to, claim["reservation_id"], one, AIKO)


def test_what_runs_goes_on_on_another_device_and_its_price_is_parted_with_its_time(floor, house):
    one, two = floor.devices
    token = house.book(one)
    claim = floor.row("reservations")
    house.clock.now = claim["starts_at"]
    right = house.scan(floor.terminal, one, token)
    first = right.document["session"]
    floor.terminal.do(running.note_seen, a_program(first, "running"))
    house.tell_all(floor.terminal)
    house.clock.move(600)
    house.books.do(bookings.move_to, claim["reservation_id"], two, AIKO)
    moving = (bookings.move_to, claim["reservation_id"], two, AIKO)
    assert refused(house, *moving) is ActNo.NOT_MOVABLE
    notices = [each for each in house.books.said if hasattr(each, "message")]
    assert [each.message.notice for each in notices if isinstance(each.message, CustomerTold)] == [
        Notice.MOVED
    ]
    right = floor.take_in()
    assert right.document["granted_seconds"] == pytest.approx(1200, abs=1)
    (stop,) = [each for each in floor.settle() if isinstance(each, StopSession)]
    assert stop.session == first
    old = floor.row("reservations", reservation_id=claim["reservation_id"])
    new = floor.row("reservations", device_id=two)
    assert old["price_cents"] + new["price_cents"] == claim["price_cents"]
    assert new["price_cents"] == round(claim["price_cents"] * 1200 / 1800)
    assert floor.settle() == []
    ended = a_program(first, "ended", end_reason=EndReason.TIME_UP, delivered_seconds=600.0)
    floor.terminal.do(running.note_seen, ended)
    house.tell_all(floor.terminal)
    assert house.books.rows("compensations") == []


def test_a_message_is_shown_in_time_confirmed_once_and_never_when_it_is_stale(floor, house):
    one = floor.devices[0]
    terminal = floor.terminal
    saying = Saying(device=one, operator="aiko", sentence=Sentence.COMING, text="", seconds=60)
    message = house.books.do(bookings.tell_screen, saying)
    (told,) = house.books.heard()
    assert isinstance(told, DeviceMessage)
    terminal.do(asking.take_time, house.clock.now)
    terminal.hear(told, Channel.COMMANDS, message)
    shown = terminal.shown[-1]
    assert (shown.notice, shown.device, shown.said.message) == (Notice.MESSAGE, one, message)
    for _ in range(2):
        terminal.do(device_flow.note_message_shown, one, message)
    house.tell_all(terminal)
    assert floor.row("device_messages")["shown_at"] is not None
    assert floor.audits() == [("device.messaged", one)]
    house.clock.move(60)
    count = len(terminal.shown)
    terminal.hear(told, Channel.COMMANDS, message)
    assert len(terminal.shown) == count
    house.clock.move(acts.MESSAGES_KEPT_SECONDS)
    house.books.do(acts.forget_messages)
    assert house.books.rows("device_messages") == []


def test_only_the_device_s_own_terminal_confirms_and_a_screen_is_not_flooded(floor, house):
    one = floor.devices[0]
    other = house.confirmed("c")
    saying = Saying(
        device=one, operator="aiko", sentence=None, text="席をお移りください", seconds=60
    )
    message = house.books.do(bookings.tell_screen, saying)
    forged = DeviceMessageShown(message=message, device=one, at=house.clock.now)
    house.books.do(acts.note_shown, house.received(other, forged))
    assert floor.row("device_messages")["shown_at"] is None
    audited = floor.row("audit", act="device.messaged")["reason"]
    assert audited == OWN_WORDS, "the audit forgets nothing, and words may name somebody"
    for _ in range(MESSAGES_WAITING_MAX - 1):
        house.books.do(bookings.tell_screen, saying)
    assert refused(house, bookings.tell_screen, saying) is ActNo.WAITING_FULL
