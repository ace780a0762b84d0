"""What an operator does to a device from afar: begin, stop, extend, move, open, put out of order.

Its law: each act is one transaction with one line of the audit; what it begins stands on a claim
like everybody's, so that nothing is sold twice, and ends by itself at the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.bookings.extensions import IsNotExtended, give_more
from cloud_controller.bookings.letters import write
from cloud_controller.bookings.repairs import call_for_devices
from cloud_controller.flows import acts, devices, extensions, reservations, rights, sessions
from cloud_controller.flows.acts import Begun, Saying
from cloud_controller.flows.reservations import StaffClaim
from cloud_controller.ports import NotFound, Row, Transaction
from common.errors import RusubanError
from common.ids import SessionId, TerminalId
from common.messages.rights import TakeScan
from common.messages.sessions import CustomerTold
from common.rules.acts import (
    BEGIN_WITHIN_SECONDS,
    MESSAGES_WAITING_MAX,
    MOVE_SECONDS_MIN,
    ActNo,
    Place,
    Purpose,
    share_cents,
    why_not_begun,
)
from common.rules.letters import LetterKind
from common.rules.sessions import EndReason, Notice
from common.rules.tickets import RecallWhy
from common.topics import Channel

TAKE_WITHIN_SECONDS: Final = 10
"""What is begun from afar and is not heard by its terminal by then is over, as a scan is."""

OWN_WORDS: Final = "words of their own"
"""In place of what was said: it may name somebody, and the audit forgets nothing."""

LIVE: Final = frozenset({"granted", "starting", "running", "ending"})
"""Where a session still holds its device."""


class ActIsRefused(RusubanError):
    """This is not done: {why}."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What was begun on a device: its claim, its link, and when it ends (ms)."""

    device: str
    reservation: str
    link: str
    ends_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class By:
    """Who does it, as the audit calls him, and why, in his own words."""

    operator: str
    reason: str = ""


def start(books: Transaction, device: str, seconds: int, by: By) -> Opened:
    """Begin a device's program for somebody who sits there; he owes us nothing.

    Raises:
        NotFound: there is no such device.
        ActIsRefused: `why` is an `ActNo`.
    """
    row = acts.device(books, device)
    until_at = _until(books, seconds)
    no = why_not_begun(_place(books, row), until_at=until_at)
    if no is not None:
        raise ActIsRefused(why=no)
    begun = _begin(
        books,
        StaffClaim(device=row, until_at=until_at),
        Begun(purpose=Purpose.START, operator=by.operator),
    )
    devices.take_for_ready(books, device)
    _take_scan(books, row, begun.reservation)
    books.audit(by.operator, "device.started", device, f"{seconds} s; {by.reason}")
    return begun


def open_for_maintenance(books: Transaction, device: str, seconds: int, by: By) -> Opened:
    """Open a device that nobody is served on; it is shut again after so long, whoever forgot it.

    One that is out of order opens as well, and is out of order again afterwards.

    Raises:
        NotFound: there is no such device.
        ActIsRefused: `why` is an `ActNo`.
    """
    row = acts.device(books, device)
    until_at = _until(books, seconds)
    place = _place(books, row)
    no = why_not_begun(place, until_at=until_at, is_maintenance=True)
    if no is not None:
        raise ActIsRefused(why=no)
    was_out = place.is_out_of_order
    waits = was_out or not place.is_ready
    begun = _begin(
        books,
        StaffClaim(device=row, until_at=until_at),
        Begun(
            purpose=Purpose.MAINTENANCE, operator=by.operator, puts_out=was_out, is_to_scan=waits
        ),
    )
    devices.take_for_ready(books, device)
    if waits:
        devices.instruct(books, devices.Ordered(device=device, is_out=False, skips=True))
    else:
        _take_scan(books, row, begun.reservation)
    books.audit(by.operator, "device.opened_for_maintenance", device, f"{seconds} s; {by.reason}")
    return begun


def stop(books: Transaction, device: str, by: By) -> str:
    """End what runs on a device, or is being started there; return its session.

    What its customer has not had of his time is paid back. Said again it is the same.

    Raises:
        NotFound: there is no such device.
        ActIsRefused: nothing runs there.
    """
    acts.device(books, device)
    live = acts.live_on(books, device)
    if live is None:
        raise ActIsRefused(why=ActNo.NOTHING_RUNS)
    session = SessionId(live["session_id"])
    sessions.ask_to_stop(books, session, TerminalId(live["terminal_id"]), EndReason.STAFF_ENDED)
    books.audit(by.operator, "session.stopped", session, by.reason)
    return session


def extend(books: Transaction, device: str, seconds: int, by: By) -> int:
    """Give whoever uses a device more time; return when it ends then (ms).

    Raises:
        NotFound: there is no such device.
        ActIsRefused: nothing runs there, or there is no room after it.
    """
    acts.device(books, device)
    live = acts.live_on(books, device)
    if live is None or live["state"] != "running":
        raise ActIsRefused(why=ActNo.NOTHING_RUNS)
    try:
        ends_at = give_more(books, live["link"], seconds)
    except IsNotExtended as fault:
        raise ActIsRefused(why=ActNo.NO_MORE_TIME) from fault
    added = (ends_at - live["deadline_at"]) // 1000
    books.audit(by.operator, "session.extended", live["session_id"], f"{added} s; {by.reason}")
    return ends_at


def put_out_of_order(books: Transaction, device: str, by: By) -> None:
    """Have a device open for nobody; whoever uses it now is left to it.

    Raises:
        NotFound: there is no such device.
    """
    ordered = devices.Ordered(device=device, is_out=True, reason=by.reason)
    devices.order(books, ordered, by.operator)
    call_for_devices(books)


def put_in_order(books: Transaction, device: str, by: By, *, skips: bool = False) -> None:
    """Have a device open again, once it is made ready; `skips`: somebody has seen that it is.

    Raises:
        NotFound: there is no such device.
    """
    ordered = devices.Ordered(device=device, is_out=False, skips=skips, reason=by.reason)
    devices.order(books, ordered, by.operator)


def move(books: Transaction, reservation: str, device: str, by: By) -> None:
    """Have a claim served on another device: one that comes, or one that is in use.

    What is in use goes on there for the rest of its time: it begins there by itself, and only when
    it runs is the first device told to stop. Claim and price are parted at that moment.

    Raises:
        NotFound: there is no such reservation or device, or it is none of its offering.
        ActIsRefused: `why` is an `ActNo`.
        NotAllowed, SlotIsTaken, TicketIsHeld: as `reservations.give_device` says.
    """
    known = acts.reservation(books, reservation)
    target = acts.device(books, device)
    if known["store_id"] != target["store_id"]:
        raise NotFound(what="device in this store")
    no = _why_not_moved(known, target)
    if no is not None:
        raise ActIsRefused(why=no)
    if known["state"] == "in_use":
        _move_running(books, known, target, by)
    else:
        reservations.give_device(books, known["link"], device)
        facts = {"was_starts_at": known["starts_at"]}
        write(books, LetterKind.CHANGED, known["order_id"], reservation, facts)
    audited = f"{known['device_id']} to {device}; {by.reason}"
    books.audit(by.operator, "reservation.moved", reservation, audited)


def ask_back_of(books: Transaction, reservation: str) -> None:
    """Ask the terminal that alone may redeem a claim's ticket for it, since it is to be moved."""
    rights.recall(books, acts.ticket_of(books, reservation)["ticket_id"], RecallWhy.ELSEWHERE)


def tell_screen(books: Transaction, saying: Saying) -> str:
    """Say something to whoever is at a device; return the message's id, by which it is confirmed.

    Raises:
        NotFound: there is no such device.
        ActIsRefused: its terminal is not here, or too much waits for this screen.
    """
    row = acts.device(books, saying.device)
    place = acts.place_of(row, None)
    if not place.is_registered:
        raise ActIsRefused(why=ActNo.NOT_REGISTERED)
    if not place.is_here:
        raise ActIsRefused(why=ActNo.OFFLINE)
    if acts.messages_waiting(books, saying.device) >= MESSAGES_WAITING_MAX:
        raise ActIsRefused(why=ActNo.WAITING_FULL)
    message = acts.say(books, TerminalId(row["terminal_id"]), saying)
    said = OWN_WORDS if saying.sentence is None else saying.sentence.value
    books.audit(saying.operator, "device.messaged", saying.device, said)
    return message


def settle_acts(books: Transaction) -> None:
    """Go on with what operators have begun: hand over, take back what did not come about, close."""
    for row in acts.unsettled(books):
        if row["session_state"] == "running" and row["from_session"] is not None:
            _hand_over(books, row)
        if row["session_id"] is None and row["reservation_state"] == "confirmed":
            _wait_for(books, row)
        elif row["session_state"] not in LIVE:
            _close(books, row)


def _until(books: Transaction, seconds: int) -> int:
    return books.now // 1000 * 1000 + seconds * 1000


def _place(books: Transaction, row: Row) -> Place:
    return acts.place_of(row, reservations.next_claim_at(books, row["device_id"]))


def _begin(books: Transaction, claim: StaffClaim, begun: Begun) -> Opened:
    """Claim a device, and note for what; its scan is taken by whoever calls this."""
    reservation = reservations.claim(books, claim)
    acts.note(books, reservation, claim.device["device_id"], begun)
    return Opened(
        device=claim.device["device_id"],
        reservation=reservation,
        link=acts.ticket_of(books, reservation)["link"],
        ends_at=claim.until_at,
    )


def _take_scan(books: Transaction, row: Row, reservation: str) -> None:
    """Have a device's terminal take the ticket of a claim, as if it had been read there."""
    terminal = TerminalId(row["terminal_id"])
    scan = books.names.new("x")
    take = TakeScan(
        command=scan,
        scan=scan,
        device=row["device_id"],
        token=acts.ticket_of(books, reservation)["token"],
        reader=terminal,
        accept_by=books.now + TAKE_WITHIN_SECONDS * 1000,
    )
    books.say(terminal, Channel.COMMANDS, take, tail=take.command)


def _why_not_moved(known: Row, target: Row) -> ActNo | None:
    found = (
        (known["device_id"] == target["device_id"], ActNo.SAME_DEVICE),
        (not known["is_ours"], ActNo.NOT_MOVABLE),
        (known["state"] not in ("confirmed", "in_use"), ActNo.NOT_MOVABLE),
        (known["state"] == "in_use" and bool(known["is_moving"]), ActNo.NOT_MOVABLE),
    )
    return next((no for is_so, no in found if is_so), None)


def _move_running(books: Transaction, known: Row, target: Row, by: By) -> None:
    if known["session_state"] != "running" or known["wanted"] != "run":
        raise ActIsRefused(why=ActNo.NOTHING_RUNS)
    until_at = known["deadline_at"] // 1000 * 1000
    if until_at - books.now < MOVE_SECONDS_MIN * 1000:
        raise ActIsRefused(why=ActNo.NEARLY_OVER)
    no = why_not_begun(_place(books, target), until_at=until_at)
    if no is not None:
        raise ActIsRefused(why=no)
    begun = _begin(
        books,
        StaffClaim(device=target, until_at=until_at, order=known["order_id"]),
        Begun(purpose=Purpose.MOVED, operator=by.operator, from_session=known["session_id"]),
    )
    devices.take_for_ready(books, target["device_id"])
    _take_scan(books, target, begun.reservation)
    facts = {"from": known["device_id"], "to": target["device_id"]}
    books.enter(
        "reservation.moved",
        facts,
        terminal=known["terminal_id"],
        reservation=known["reservation_id"],
        session=known["session_id"],
    )
    _send_there(books, known, target)


def _send_there(books: Transaction, known: Row, target: Row) -> None:
    """Tell whoever uses the first device where he goes on."""
    command = books.names.new("n")
    told = CustomerTold(
        command=command,
        notice=Notice.MOVED,
        device=known["device_id"],
        to=target["title"],
    )
    terminal = TerminalId(known["terminal_id"])
    books.say(terminal, Channel.COMMANDS, told, tail=command, kept=True)


def _hand_over(books: Transaction, row: Row) -> None:
    """Part claim and price between two devices, now that the second one runs; stop the first."""
    acts.hand_over(books, row["reservation_id"])
    old = acts.moved_from(books, row["from_session"])
    if old is None:
        return
    cents = share_cents(
        old["price_cents"],
        left_seconds=(old["deadline_at"] - books.now) / 1000,
        whole_seconds=(old["ends_at"] - old["starts_at"]) / 1000,
    )
    if not extensions.shorten(books, old, cents):
        return
    if cents:
        reservations.price(books, row["reservation_id"], cents)
    session, terminal = SessionId(old["session_id"]), TerminalId(old["terminal_id"])
    sessions.ask_to_stop(books, session, terminal, EndReason.TIME_UP)


def _wait_for(books: Transaction, row: Row) -> None:
    """See that a device takes what was begun as soon as it is ready; take back what is too late."""
    if books.now >= row["made_at"] + BEGIN_WITHIN_SECONDS * 1000:
        _close(books, row)
        return
    place = acts.device(books, row["device_id"])
    if row["is_to_scan"] and acts.place_of(place, None).is_ready:
        acts.note_scanned(books, row["reservation_id"])
        _take_scan(books, place, row["reservation_id"])


def _close(books: Transaction, row: Row) -> None:
    """End what is over or did not come about; a device that was out of order is so again."""
    if row["reservation_state"] == "confirmed":
        held = reservations.cancel(books, row["link"])
        if held is not None:
            rights.recall(books, held, RecallWhy.CANCEL)
    acts.settle(books, row["reservation_id"])
    if row["puts_out"]:
        devices.instruct(books, devices.Ordered(device=row["device_id"], is_out=True))
