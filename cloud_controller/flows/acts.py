"""What operators begin on devices from afar: each noted with who and what for, until it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import NotFound, Received, Row, Transaction
from common.ids import TerminalId
from common.messages.devices import DeviceMessage, DeviceMessageShown
from common.rules.acts import Place, Purpose, Sentence
from common.rules.devices import DeviceState
from common.rules.presence import Presence
from common.topics import BrokerRole, Channel

SETTLED_MAX: Final = 100
"""Uses that are looked after in one transaction, so that it stays short."""

MESSAGES_LISTED_MAX: Final = 20
"""Messages of a device that are listed, the latest: what was said in an evening."""

MESSAGES_KEPT_SECONDS: Final = 30 * 86_400
"""How long what was said is kept: it may name somebody, and nobody asks for it later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Saying:
    """What the store says to whoever is at a device.

    Attributes:
        device: whose screen.
        operator: by whom, as the audit calls him.
        sentence: one of the quick ones; None: `text` is said.
        text: in the store's own words, with nothing unprintable.
        seconds: for how long it stays, and is waited for.
    """

    device: str
    operator: str
    sentence: Sentence | None
    text: str
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """Something that an operator has begun.

    Attributes:
        purpose: what for.
        operator: by whom, as the audit calls him.
        from_session: which session it takes over from, where it does.
        puts_out: whether the device is out of order again when it is over.
        is_to_scan: whether its device is made ready first, and takes its ticket then.
    """

    purpose: Purpose
    operator: str
    from_session: str | None = None
    puts_out: bool = False
    is_to_scan: bool = False


def device(books: Transaction, device_id: str) -> Row:
    """Return a device as it stands, with its terminal and an offering that it serves.

    Raises:
        NotFound: there is no such device.
    """
    row = books.acts.place(device_id=device_id)
    if row is None:
        raise NotFound(what="device")
    return row


def place_of(row: Row, next_at: int | None) -> Place:
    """Return what the rule asks about a device; `next_at` is when it is claimed next (ms)."""
    return Place(
        is_registered=row["standing"] == "confirmed" and row["broker_role"] == BrokerRole.SERVICE,
        is_here=row["presence"] != Presence.GONE,
        is_used=bool(row["is_used"]),
        is_ready=row["state"] in ("", None, DeviceState.AVAILABLE),
        is_out_of_order=row["is_out_of_order"] == 1,
        is_offered=row["offering_id"] is not None,
        next_at=next_at,
    )


def live_on(books: Transaction, device_id: str) -> Row | None:
    """Return the session that holds a device now, with its claim, or None."""
    row: Row | None = books.acts.live_on(device_id=device_id)
    return row


def reservation(books: Transaction, reservation_id: str) -> Row:
    """Return a claim with its latest session.

    Raises:
        NotFound: there is no such reservation.
    """
    row = books.acts.reservation(reservation_id=reservation_id)
    if row is None:
        raise NotFound(what="reservation")
    return row


def ticket_of(books: Transaction, reservation_id: str) -> Row:
    """Return the ticket of a claim that was just made: its id, token and link."""
    return books.acts.token_of(reservation_id=reservation_id)


def moved_from(books: Transaction, session: str) -> Row | None:
    """Return a session that is moved away from, with its claim, or None: it is not known."""
    row: Row | None = books.acts.moved_from(session_id=session)
    return row


def note(books: Transaction, reservation_id: str, device_id: str, begun: Begun) -> None:
    """Keep that something was begun, until it is settled."""
    books.acts.note_use(
        reservation_id=reservation_id,
        device_id=device_id,
        purpose=begun.purpose.value,
        operator=begun.operator,
        from_session=begun.from_session,
        puts_out=int(begun.puts_out),
        is_to_scan=int(begun.is_to_scan),
        made_at=books.now,
    )


def has_to_settle(books: Transaction) -> bool:
    """Say whether anything that was begun is not over yet."""
    return bool(books.acts.has_to_settle())


def unsettled(books: Transaction) -> list[Row]:
    """Return what is under way, the oldest first, each with how far it has come."""
    return list(books.acts.unsettled(most=SETTLED_MAX))


def note_scanned(books: Transaction, reservation_id: str) -> None:
    """Note that its device was told to take its ticket."""
    books.acts.note_scanned(reservation_id=reservation_id)


def hand_over(books: Transaction, reservation_id: str) -> None:
    """Note that whom it was moved from has been told to stop."""
    books.acts.hand_over(reservation_id=reservation_id)


def settle(books: Transaction, reservation_id: str) -> None:
    """Note that it is over."""
    books.acts.settle(reservation_id=reservation_id, settled_at=books.now)


def messages_waiting(books: Transaction, device_id: str) -> int:
    """Return how many messages to a screen nobody has seen yet."""
    return int(books.acts.messages_waiting(device_id=device_id, now=books.now))


def say(books: Transaction, terminal: TerminalId, saying: Saying) -> str:
    """Send a message to the screen of a device; return its id, by which it is confirmed."""
    message = books.names.new("m")
    expires_at = books.now + saying.seconds * 1000
    sentence = "" if saying.sentence is None else saying.sentence.value
    books.acts.add_message(
        message_id=message,
        device_id=saying.device,
        operator=saying.operator,
        sentence=sentence,
        text=saying.text,
        made_at=books.now,
        expires_at=expires_at,
    )
    told = DeviceMessage(
        message=message,
        device=saying.device,
        sentence=sentence,
        text=saying.text,
        seconds=saying.seconds,
        accept_by=expires_at,
    )
    books.say(terminal, Channel.COMMANDS, told, tail=message)
    return message


def note_shown(books: Transaction, said: Received) -> None:
    """Keep that a page has shown a message; of another terminal's device nothing is kept."""
    message: DeviceMessageShown = said.message
    books.acts.note_shown(
        message_id=message.message,
        device_id=message.device,
        terminal_id=said.terminal,
        shown_at=min(message.at, books.now),
    )


def messages(books: Transaction, device_id: str) -> list[Row]:
    """Return what was said to whoever was at a device, the latest first."""
    return list(books.acts.messages(device_id=device_id, most=MESSAGES_LISTED_MAX))


def forget_messages(books: Transaction) -> None:
    """Forget what was said long ago."""
    books.acts.forget_messages(before=books.now - MESSAGES_KEPT_SECONDS * 1000)
