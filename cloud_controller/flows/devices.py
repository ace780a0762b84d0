"""Where devices stand by their terminals' word, and what an operator wants of them.

Its law: a terminal puts a device out of order, and nobody but an operator puts it back; his words
are numbered, and what a terminal has said before it heard the last of them does not undo it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import NotFound, Problem, Received, Row, Transaction
from common.ids import StoreId, TerminalId
from common.messages.devices import (
    CleanerCode,
    DesiredDevice,
    DeviceAround,
    DeviceAsk,
    DevicesDesired,
    DeviceTold,
)
from common.rules.devices import (
    CODE_DIGITS,
    ConfirmBy,
    DeviceFault,
    DeviceState,
    ForHolder,
    Seen,
    Stage,
    code_digest,
    shown_state,
    told_to_holder,
)
from common.rules.presence import Presence
from common.rules.problems import ProblemKind
from common.topics import Channel

BOARD_MAX: Final = 200
"""Devices that are listed at once; what follows is another call, after the last of them."""

AROUND_SECONDS: Final = 12 * 3_600
"""How far ahead whoever stands at a device is told of others' bookings: his day."""

COMING_SECONDS: Final = 48 * 3_600
"""How far ahead claims to a device out of order are looked at: it is repaired by then, or later
ones are looked at when their time comes."""

SOON_SECONDS: Final = 900
"""How long before a claim begins somebody is called whose device is not ready: he can come."""

CALL_AGAIN_SECONDS: Final = 3_600
"""After a person has settled it, how long nobody is called to the same claim again."""

TOLD_MAX: Final = 100
"""Terminals, or stores, that are told again in one transaction, so that it stays short."""

CALLED_MAX: Final = 100
"""Claims that an operator is called to at once; their proposals take two milliseconds each."""

BY_OPERATOR: Final = "operator"
"""Who has confirmed a turnover that was skipped, by the terminal's word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """An operator's word on a device.

    Attributes:
        device: which.
        is_out: whether it is out of order.
        skips: whether it opens without being made ready first: whoever says so has seen it.
        reason: why, for the audit.
    """

    device: str
    is_out: bool
    skips: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What stands around a ticket just now.

    Attributes:
        device: its device, as far as others have to do with it.
        free_at: when whoever has it has to leave it; None: nobody has.
        before_you: how many tickets for it come before this one and are not over.
        stop_asked_at: since when its session is told to stop; None: it is not.
    """

    device: ForHolder
    free_at: int | None
    before_you: int
    stop_asked_at: int | None


def note_told(books: Transaction, said: Received) -> None:
    """Keep where a device of this terminal's stands; of another's nothing is kept."""
    message: DeviceTold = said.message
    known = books.devices.device(device_id=message.device)
    if known is None or known["terminal_id"] != said.terminal:
        return
    if message.state not in set(DeviceState):
        return
    books.devices.keep_state(
        device_id=message.device,
        terminal_id=said.terminal,
        state=message.state,
        state_at=message.at,
        fault=message.fault,
        fault_detail=message.detail,
        heard_order=message.order,
    )
    _enter(books, said, message, known["state"])
    if message.confirmed_by in {*ConfirmBy, BY_OPERATOR} and message.session is not None:
        books.devices.note_confirmed(device_id=message.device, session_id=message.session)
    if message.order < known["order_number"]:
        tell(books, said.terminal)  # it has not heard the last word yet, or has lost it
    elif message.state == DeviceState.OUT_OF_ORDER:
        _put_out(books, said, message, known)
    if message.state == DeviceState.AVAILABLE and not known["is_out_of_order"]:
        books.solve_problem(ProblemKind.DEVICE_OUT_OF_ORDER, message.device)


def order(books: Transaction, ordered: Ordered, actor: str) -> None:
    """Have a terminal do what an operator wants of its device, and the books go by it at once.

    Raises:
        NotFound: there is no such device.
    """
    instruct(books, ordered)
    act = "device.put_out_of_order" if ordered.is_out else "device.put_in_order"
    act = "device.turnover_skipped" if ordered.skips else act
    books.audit(actor, act, ordered.device, ordered.reason)


def instruct(books: Transaction, ordered: Ordered) -> None:
    """Do the same as part of another act, which the audit has a line of.

    Raises:
        NotFound: there is no such device.
    """
    if books.devices.device(device_id=ordered.device) is None:
        raise NotFound(what="device")
    if ordered.is_out:
        books.devices.put_out(device_id=ordered.device)
    else:
        books.devices.put_in(device_id=ordered.device)
    terminal = books.devices.order_device(
        device_id=ordered.device, is_out=int(ordered.is_out), skips=int(ordered.skips)
    )
    tell(books, TerminalId(terminal))


def take_for_ready(books: Transaction, device: str) -> None:
    """Have a device count as ready after its last use: somebody has looked, and says so."""
    books.devices.take_for_ready(device_id=device)


def tell(books: Transaction, terminal: TerminalId) -> None:
    """Tell a terminal in service all that is wanted of its devices, if anything ever was."""
    wanted = tuple(
        DesiredDevice(
            device=row["device_id"],
            order=row["order_number"],
            is_out_of_order=bool(row["order_is_out"]),
            skips=bool(row["order_skips"]),
            photographed=row["photographed"],
        )
        for row in books.devices.ordered(terminal_id=terminal)
    )
    row = books.devices.cleaner_code(terminal_id=terminal)
    has_code = row is not None and bool(row["digest"])
    code = CleanerCode(salt=row["salt"], digest=row["digest"]) if has_code else None
    is_heard = books.devices.is_in_service(terminal_id=terminal)
    if is_heard and (wanted or row is not None):
        books.say(terminal, Channel.DESIRED, DevicesDesired(devices=wanted, cleaner_code=code))


def make_cleaner_code(books: Transaction, store: StoreId, actor: str) -> str:
    """Return a new code of a store's cleaners, kept nowhere; the one before counts no more.

    Raises:
        NotFound: there is no such store.
    """
    if not books.devices.has_store(store_id=store):
        raise NotFound(what="store")
    code = str(int(books.names.hex_digits(16), 16) % 10**CODE_DIGITS).zfill(CODE_DIGITS)
    salt = books.names.hex_digits(64)
    books.devices.keep_cleaner_code(
        store_id=store, salt=salt, digest=code_digest(code, salt), made_at=books.now
    )
    books.audit(actor, "cleaner_code.made", store)
    return code


def forget_cleaner_code(books: Transaction, store: StoreId, actor: str) -> None:
    """Have a store's terminals take no cleaner's code any more.

    Raises:
        NotFound: there is no such store, or it has no code.
    """
    if not books.devices.forget_cleaner_code(store_id=store):
        raise NotFound(what="cleaners' code of this store")
    books.audit(actor, "cleaner_code.forgotten", store)


def tell_untold(books: Transaction) -> None:
    """Tell terminals what they have not heard yet: a word on a device, another code."""
    for row in list(books.devices.lagging(most=TOLD_MAX)):
        tell(books, TerminalId(row["terminal_id"]))
    for store in list(books.devices.untold_codes(most=TOLD_MAX)):
        for row in list(books.devices.in_service(store_id=store["store_id"])):
            tell(books, TerminalId(row["terminal_id"]))
        books.devices.note_code_told(store_id=store["store_id"])


def board(
    books: Transaction, store: str | None, *, after: str | None = None, most: int = BOARD_MAX
) -> list[tuple[Row, str]]:
    """Return devices by store and number, each with its state as an operator is shown it.

    Raises:
        NotFound: there is no such device as the one after which they are asked for.
    """
    after_store, after_number = "", 0
    if after is not None:
        last = books.devices.device(device_id=after)
        if last is None:
            raise NotFound(what="device")
        after_store, after_number = last["store_id"], last["number"]
    rows = books.devices.board(
        store_id=store or "",
        after_store=after_store,
        after_number=after_number,
        now=books.now,
        most=most,
    )
    return [(row, shown_state(_seen(row, is_claimed=bool(row["is_claimed"])))) for row in rows]


def around(books: Transaction, link: str) -> Around:
    """Return what a ticket's holder is told of his device and of who comes before him (E5).

    Raises:
        NotFound: there is no such ticket.
    """
    row = books.devices.around(link=link, now=books.now)
    if row is None:
        raise NotFound(what="ticket")
    until = [at for at in (row["claimed_until"], row["used_until"]) if at is not None]
    return Around(
        device=told_to_holder(_seen(row, is_claimed=row["claimed_until"] is not None)),
        free_at=max(until, default=None),
        before_you=row["before_you"],
        stop_asked_at=row["stop_asked_at"],
    )


def tell_around(books: Transaction, said: Received) -> None:
    """Tell a terminal what a session on a device of its costs, and who comes next to it (E5)."""
    ask: DeviceAsk = said.message
    until = books.now + AROUND_SECONDS * 1000
    row = books.devices.told_around(
        device_id=ask.device, terminal_id=said.terminal, now=books.now, until=until
    )
    if row is None:
        return  # it is no device of that terminal's
    told = DeviceAround(
        device=ask.device,
        session=row["session_id"],
        price_cents=row["price_cents"] or 0,
        currency=row["currency"] or "",
        next_at=row["next_at"],
        coming=row["coming"],
    )
    books.say(said.terminal, Channel.REPLIES, told, corr=said.corr)


def lost(books: Transaction) -> list[Row]:
    """Return coming claims to devices that are out of order, which nobody was called to yet."""
    return list(books.devices.lost(**_window(books, COMING_SECONDS)))


def late(books: Transaction) -> list[Row]:
    """Return claims that begin soon on a device whose turnover takes longer than its time."""
    return list(books.devices.late(**_window(books, SOON_SECONDS)))


def _window(books: Transaction, ahead_seconds: int) -> dict[str, int]:
    return {
        "now": books.now,
        "until": books.now + ahead_seconds * 1000,
        "since": books.now - CALL_AGAIN_SECONDS * 1000,
        "most": CALLED_MAX,
    }


def _enter(books: Transaction, said: Received, message: DeviceTold, before: str) -> None:
    """Add to the ledger what became of a turnover; the rest its session's own lines say."""
    is_ready = before == DeviceState.TURNOVER and message.state == DeviceState.AVAILABLE
    is_told = {DeviceState.TURNOVER, DeviceState.OUT_OF_ORDER}
    if message.state == before or not (is_ready or message.state in is_told):
        return
    facts: dict[str, Any] = {"device": message.device, "state": message.state}
    told = {
        "fault": message.fault,
        "detail": message.detail,
        "confirmed_by": message.confirmed_by,
    }
    facts |= {name: value for name, value in told.items() if value}
    about = None
    if message.session is not None:
        about = books.devices.reservation_of(session_id=message.session, terminal_id=said.terminal)
    books.enter(
        message.type,
        facts,
        terminal=said.terminal,
        reservation=about,
        session=message.session,
        at=min(message.at, books.now),
    )


def _put_out(books: Transaction, said: Received, message: DeviceTold, known: Row) -> None:
    books.devices.put_out(device_id=message.device)
    if message.fault == DeviceFault.OPERATOR:
        return
    books.raise_problem(
        Problem(
            kind=ProblemKind.DEVICE_OUT_OF_ORDER,
            subject=message.device,
            terminal=said.terminal,
            why=f"{known['title']}: {message.fault}. {message.detail}".strip(),
            evidence={
                "device": message.device,
                "fault": message.fault,
                "detail": message.detail,
                "at": message.at,
            },
            proposals=({"do": "put_in_order", "device": message.device},),
        )
    )


def _seen(row: Row, *, is_claimed: bool) -> Seen:
    stage = row["session_state"]
    return Seen(
        state=DeviceState(row["state"]) if row["state"] else None,
        stage=None if stage is None else Stage(stage),
        is_out_of_order=bool(row["is_out_of_order"]),
        is_claimed=is_claimed,
        is_here=row["presence"] != Presence.GONE,
    )
