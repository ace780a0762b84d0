"""What really happens to customers, and brings about each reason to open nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloud_controller.flows import offerings, registration, reservations, service
from common.ids import OfferingId, StoreId
from common.messages.offerings import OfferingRegistered
from common.messages.rights import Refused, ReleaseTicket, Right
from common.rules.registration import Policy, StandingEvent
from common.rules.reservations import OnDate, OpeningHours, Range, Week
from common.rules.tickets import DenialReason
from common.seals import new_signing_key, read_token, seal_token
from common.topics import Channel
from edge_agent.flows import rights as asking, sessions as running
from edge_agent.ports import Verdict
from tests.fakes.house import EARLY_SECONDS, SLOT_SECONDS, STORE, HouseInHand, asked
from tests.fakes.store import a_new_store
from tests.fakes.terminal import TerminalInHand, a_program

MINUTE = 60
SHIBUYA = StoreId("shibuya")
STRANGER = new_signing_key(bytes([9] * 32))
IN_TOKYO = "Asia/Tokyo"

Told = tuple[Verdict, dict[str, Any]]
"""What the customer was told at last, and what had to go with the reason."""


def link_of(house: HouseInHand) -> str:
    """Return the link of the latest reservation."""
    return str(house.books.rows("reservations")[-1]["link"])


def newest_token(house: HouseInHand) -> str:
    return str(house.books.do(reservations.ticket, link_of(house))["token"])


def sell(house: HouseInHand, terminal: TerminalInHand, **terms: Any) -> None:
    """Sell the devices on other terms."""
    for device in house.devices_of(terminal):
        told = {"turnover_seconds": 0, "early_seconds": EARLY_SECONDS, **terms}
        registered = OfferingRegistered(
            key="vr",
            device=device,
            title="VR Arena",
            price_cents=1500,
            lengths_seconds=(SLOT_SECONDS, 2 * SLOT_SECONDS),
            grid_seconds=SLOT_SECONDS,
            **told,
        )
        house.books.do(offerings.register, house.received(terminal, registered))


def hold_a_slot(house: HouseInHand, device: str | None) -> str:
    """Let a customer hold the slot that begins now, and return its ticket's token."""
    offering = OfferingId(house.books.one("offerings")["offering_id"])
    ends_at = house.clock.now + SLOT_SECONDS * 1000
    slot = Range(starts_at=house.clock.now, ends_at=ends_at)
    wish = reservations.Wish(offering=offering, slot=slot, device=device)
    house.books.do(lambda books: reservations.place(books, [wish], is_held=True))
    return newest_token(house)


def open_at(house: HouseInHand, hours: OpeningHours) -> None:
    """Let the operator open the store at other hours than when its slots were sold."""
    house.books.do(registration.keep_hours, STORE, hours, "owner", "")


def use(house: HouseInHand, terminal: TerminalInHand, device: str, token: str) -> str:
    """Let a ticket open a device and its program run; return the session."""
    answer = house.scan(terminal, device, token)
    assert isinstance(answer, Right)
    session = str(answer.document["session"])
    terminal.do(running.note_seen, a_program(session, "running", started_at=house.clock.now))
    house.tell_all(terminal)
    return session


def end(house: HouseInHand, terminal: TerminalInHand, session: str) -> None:
    ended = a_program(session, "ended", delivered_seconds=1.0, ended_at=house.clock.now)
    terminal.do(running.note_seen, ended)
    house.tell_all(terminal)


def denied(house: HouseInHand, terminal: TerminalInHand, device: str, token: str) -> Verdict:
    """Scan a ticket that is denied; return what the customer is told."""
    before = house.states()
    assert isinstance(house.scan(terminal, device, token), Refused)
    assert house.states() == before, "a denied scan changes nothing"
    shown = terminal.shown[-1]
    assert isinstance(shown, Verdict)
    return shown


def tell_of(house: HouseInHand, device: str, **said: Any) -> None:
    """Let the operator say something of a device."""
    told = service.DeviceTold(device=device, reason="seen by me", **said)
    house.books.do(service.tell_of_device, told, "owner")


def unknown(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    forgotten = read_token(house.book(device)).token
    house.give_up()
    token = house.keys.seal_token(type(forgotten)(**{**vars_of(forgotten), "ticket": "ab" * 8}))
    return denied(house, terminal, device, token), {}


def vars_of(token: Any) -> dict[str, Any]:
    return {name: getattr(token, name) for name in type(token).__slots__}


def forged(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = seal_token(read_token(house.book(device)).token, STRANGER)
    return denied(house, terminal, device, token), {}


def over(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.clock.move(SLOT_SECONDS)
    house.books.do(reservations.lapse)
    return denied(house, terminal, device, token), {"free_now": 2}


def nobody_came(house: HouseInHand, terminal: TerminalInHand) -> Told:
    sell(house, terminal, grace_seconds=10 * MINUTE)
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    house.clock.move(11 * MINUTE)
    house.books.do(reservations.lapse)
    released_at = house.clock.now
    house.clock.move(MINUTE)
    use(house, terminal, other, late_booking(house, other))
    return denied(house, terminal, device, token), {"released_at": released_at, "free_now": 1}


def late_booking(house: HouseInHand, device: str) -> str:
    """Book the next slot of a device, and come when it opens."""
    token = house.book(device)
    house.clock.move(SLOT_SECONDS - 12 * MINUTE - EARLY_SECONDS)
    return token


def nobody_paid(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = hold_a_slot(house, device)
    released_at = house.books.one("reservations")["hold_ends_at"]
    house.clock.now = released_at
    return denied(house, terminal, device, token), {"released_at": released_at, "free_now": 2}


def early(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device, in_seconds=4 * SLOT_SECONDS)
    starts_at = house.books.one("reservations")["starts_at"]
    return denied(house, terminal, device, token), {"opens_at": starts_at - EARLY_SECONDS * 1000}


def used(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    end(house, terminal, use(house, terminal, device, token))
    return denied(house, terminal, device, token), {}


def in_use_elsewhere(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    second = house.confirmed("c")
    token = house.book(device)
    use(house, terminal, device, token)
    return denied(house, second, house.devices_of(second)[0], token), {}


def given_up(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.give_up()
    return denied(house, terminal, device, token), {}


def rescheduled(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    slot = Range(
        starts_at=house.clock.now + SLOT_SECONDS * 1000,
        ends_at=house.clock.now + 2 * SLOT_SECONDS * 1000,
    )
    house.books.do(reservations.reschedule, link_of(house), slot)
    return denied(house, terminal, device, token), {}


def given_to_a_friend(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.books.do(reservations.transfer, link_of(house))
    told = denied(house, terminal, device, token)
    assert isinstance(house.scan(terminal, device, newest_token(house)), Right)
    return told, {}


def at_another_store(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.books.do(registration.add_store, a_new_store(SHIBUYA, Policy.AUTOMATIC))
    there = house.confirmed("c", store=SHIBUYA)
    return denied(house, there, house.devices_of(there)[0], token), {"store": "Shinjuku"}


def at_another_device(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    tell_of(house, other, place="to the left")
    token = house.book(other)
    told = denied(house, terminal, device, token)
    assert told.meant == other
    return told, {"to": "Booth b", "number": 2, "place": "to the left"}


def somebody_is_in(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    later = house.book(device, in_seconds=SLOT_SECONDS)
    use(house, terminal, device, house.book(device))
    ends_at = house.clock.now + SLOT_SECONDS * 1000
    house.clock.move(SLOT_SECONDS - MINUTE)
    return denied(house, terminal, device, later), {"opens_at": ends_at}


def broken(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    tell_of(house, device, is_out_of_order=True)
    told = denied(house, terminal, device, token)
    assert isinstance(house.scan(terminal, other, token), Right), "it opens what was proposed"
    return told, {"to": "Booth b", "number": 2}


def broken_and_no_other(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    token = house.book(device)
    use(house, terminal, other, house.book(other))
    tell_of(house, device, is_out_of_order=True)
    return denied(house, terminal, device, token), {}


def being_made_ready(house: HouseInHand, terminal: TerminalInHand) -> Told:
    sell(house, terminal, turnover_seconds=10 * MINUTE, early_seconds=SLOT_SECONDS)
    (device, _) = house.devices_of(terminal)
    later = house.book(device, in_seconds=2 * SLOT_SECONDS)
    session = use(house, terminal, device, house.book(device))
    house.clock.move(SLOT_SECONDS)
    end(house, terminal, session)
    ready_at = house.clock.now + 10 * MINUTE * 1000
    told = denied(house, terminal, device, later)
    house.clock.move(10 * MINUTE)
    assert isinstance(house.scan(terminal, device, later), Right), "then it is ready, as was said"
    return told, {"opens_at": ready_at}


def reserved(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    token = house.book()
    its_own = house.books.one("reservations")["device_id"]
    taken = other if its_own == device else device
    house.book(taken)
    told = denied(house, terminal, taken, token)
    assert isinstance(house.scan(terminal, its_own, token), Right), "it opens what was proposed"
    number = house.devices_of(terminal).index(its_own) + 1
    return told, {"to": f"Booth {'ab'[number - 1]}", "number": number}


def not_open_yet(house: HouseInHand, terminal: TerminalInHand) -> Told:
    """The store has an exception since the booking: today it opens ten minutes later."""
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    today = OnDate.model_validate({"date": "2026-10-23", "hours": ["09:10-22:00"]})
    open_at(house, OpeningHours(exceptions=(today,)))
    opens_at = house.clock.now + 10 * MINUTE * 1000
    told = denied(house, terminal, device, token)
    house.clock.now = opens_at
    assert isinstance(house.scan(terminal, device, token), Right), "then it opens, as was said"
    return told, {"opens_at": opens_at}


def closed_all_day(house: HouseInHand, terminal: TerminalInHand) -> Told:
    """Today was made a holiday since the booking; it is known long before, and when it opens."""
    (device, _) = house.devices_of(terminal)
    token = house.book(device, in_seconds=4 * SLOT_SECONDS)
    week = Week.model_validate({day: ["09:00-22:00"] for day in ("fri", "sat")})
    today = OnDate.model_validate({"date": "2026-10-23"})
    open_at(house, OpeningHours(week=week, exceptions=(today,)))
    tomorrow = house.clock.now + 86_400_000
    return denied(house, terminal, device, token), {"store_opens_at": tomorrow}


def not_paid(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = hold_a_slot(house, device)
    pay_by = house.books.one("reservations")["hold_ends_at"]
    told = denied(house, terminal, device, token)
    order = house.books.one("orders")["order_id"]
    house.books.do(reservations.confirm, order)
    assert isinstance(house.scan(terminal, device, token), Right), "paid, it opens"
    return told, {"pay_by": pay_by}


def suspended(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    asked(house, terminal, house.book(device), device)
    house.books.do(
        registration.decide, terminal.who.terminal, StandingEvent.SUSPEND, "owner", "broken"
    )
    for told in house.books.heard():
        terminal.hear(told, Channel.REGISTRATION)
    assert not terminal.listener.gate_is_open
    terminal.do(asking.stop_serving, terminal.who, device)
    return terminal.shown[-1], {}


def line_is_down(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    terminal.scan(device, house.book(other), line_is_up=False)
    return terminal.shown[-1], {"number": 2}


def clock_is_lost(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device)
    house.hold(terminal)
    terminal.restart(boot_id="boot-2")
    terminal.scan(device, token, line_is_up=False)
    return terminal.shown[-1], {}


def early_without_the_line(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, _) = house.devices_of(terminal)
    token = house.book(device, in_seconds=SLOT_SECONDS)
    opens_at = house.books.one("reservations")["starts_at"] - EARLY_SECONDS * 1000
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    return terminal.shown[-1], {"opens_at": opens_at}


def elsewhere_without_the_line(house: HouseInHand, terminal: TerminalInHand) -> Told:
    (device, other) = house.devices_of(terminal)
    token = house.book(other)
    house.hold(terminal)
    terminal.scan(device, token, line_is_up=False)
    return terminal.shown[-1], {"to": "Booth b", "number": 2}


def held_by_another(house: HouseInHand, terminal: TerminalInHand) -> Told:
    token = house.book()
    house.hold(terminal)
    second = house.confirmed("c")
    (other,) = house.devices_of(second)
    house.announce(second, other)
    second.scan(other, token)
    (request,) = second.asks()
    recall, answer = house.ask(second, request)
    assert isinstance(recall, ReleaseTicket)
    second.hear(answer)
    return second.shown[-1], {}


Happening = Callable[[HouseInHand, TerminalInHand], Told]

HAPPENINGS: tuple[tuple[Happening, DenialReason], ...] = (
    (unknown, DenialReason.UNKNOWN_TICKET),
    (forged, DenialReason.BAD_SIGNATURE),
    (over, DenialReason.EXPIRED),
    (nobody_came, DenialReason.EXPIRED),
    (nobody_paid, DenialReason.EXPIRED),
    (early, DenialReason.TOO_EARLY),
    (early_without_the_line, DenialReason.TOO_EARLY),
    (used, DenialReason.ALREADY_USED),
    (in_use_elsewhere, DenialReason.IN_USE_ELSEWHERE),
    (given_up, DenialReason.CANCELLED),
    (rescheduled, DenialReason.REVOKED),
    (given_to_a_friend, DenialReason.REVOKED),
    (at_another_store, DenialReason.WRONG_STORE),
    (at_another_device, DenialReason.WRONG_DEVICE),
    (elsewhere_without_the_line, DenialReason.WRONG_DEVICE),
    (somebody_is_in, DenialReason.DEVICE_IN_USE),
    (broken, DenialReason.DEVICE_OUT_OF_ORDER),
    (broken_and_no_other, DenialReason.DEVICE_OUT_OF_ORDER),
    (being_made_ready, DenialReason.DEVICE_IN_TURNOVER),
    (reserved, DenialReason.RESERVED_FOR_ANOTHER),
    (not_open_yet, DenialReason.STORE_CLOSED),
    (closed_all_day, DenialReason.STORE_CLOSED),
    (not_paid, DenialReason.UNPAID),
    (suspended, DenialReason.NOT_REGISTERED),
    (line_is_down, DenialReason.NOT_ON_OFFLINE_LIST),
    (clock_is_lost, DenialReason.CLOCK_UNTRUSTED),
    (held_by_another, DenialReason.BUSY_TRY_AGAIN),
)
