"""A device's coming tickets in our hands: taken over, used once without the line, given back.

Its law: a ticket is redeemed or released, never both, and which of the two is in the journal before
anything else happens.
"""

from __future__ import annotations

import json
from typing import Any, Final

from common.messages.rights import (
    OfflineRequest,
    OfflineRight,
    ReleaseTicket,
    Right,
    TicketKept,
    TicketReleased,
)
from common.messages.service import ProfileDevice
from common.messages.sessions import SessionAdmitted, SessionStarting
from common.rules import clock
from common.rules.devices import DeviceState
from common.rules.rights import RightKind, class_of
from common.rules.sessions import START_WITHIN_SECONDS, SessionState
from common.rules.tickets import (
    Admission,
    Alone,
    AloneFacts,
    Denial,
    DenialReason,
    HeldFacts,
    decide_alone,
    short_code_in,
    sight,
    token_digest,
)
from common.seals import token_is_ours
from edge_agent.flows.rights import exchange
from edge_agent.flows.rights.keys import live_keys
from edge_agent.ports import Identity, Row, Transaction

KEPT_MS: Final = 86_400_000
"""How long a ticket that is over is remembered as released: a day of late words about it."""


def class_for(device: str) -> str:
    """Return the class of right that holding a device's tickets is."""
    return class_of(RightKind.OFFLINE, device)


def hold(journal: Transaction, who: Identity, device: str) -> None:
    """Take over a device's coming tickets, or renew that: the exchange is begun, unless it runs.

    For a device that is not in our profile nothing is begun: nobody would ever answer.
    """
    if device_called(journal, device) is not None:
        exchange.begin(journal, who, class_for(device))


def ask(journal: Transaction, who: Identity, device: str) -> None:
    """Ask for a device's coming tickets, now that the exchange is announced."""
    request = OfflineRequest(device=device).model_dump(mode="json")
    exchange.freeze(journal, who, class_for(device), request)


def take(journal: Transaction, told: Right, right: OfflineRight) -> None:
    """Keep which tickets are ours alone; what we have released since then is not among them."""
    exchange.keep_right(journal, told, right.kind)
    journal.rows.forget_held(device=right.device)
    for held in right.tickets:
        journal.rows.hold_ticket(
            ticket=held.ticket,
            device=right.device,
            token_digest=held.token_digest,
            opens_at=held.opens_at,
            ends_at=held.ends_at,
            right_id=right.right,
        )
    journal.rows.forget_over(before=right.issued_at - KEPT_MS)


def release(journal: Transaction, told: ReleaseTicket) -> None:
    """Give a ticket back if it is not used, and say which it is; repeated, say it once."""
    row = journal.rows.held_ticket(ticket=told.ticket)
    if row is not None and row["is_released"] and row["right_id"] == told.right:
        return
    if journal.rows.session_of_ticket(ticket=told.ticket) is not None:
        journal.say(TicketKept(ticket=told.ticket, at=journal.now, asked_at=told.asked_at))
        return
    _release(journal, told.ticket, told.right, ends_at=told.asked_at + KEPT_MS)
    journal.say(
        TicketReleased(ticket=told.ticket, right=told.right, at=journal.now, asked_at=told.asked_at)
    )


def release_all(journal: Transaction) -> None:
    """Give back every ticket that is not used: this terminal serves nobody any more."""
    for row in journal.rows.held_and_unused():
        ticket, right = row["ticket"], row["right_id"]
        _release(journal, ticket, right, ends_at=row["ends_at"])
        journal.say(TicketReleased(ticket=ticket, right=right, at=journal.now))


def take_time(journal: Transaction, server_at: int) -> None:
    """Remember what time the controller says it is: the clock since boot carries it on."""
    journal.rows.keep_time(
        server_at=server_at, boot_seconds=journal.boot_seconds, boot_id=journal.boot_id
    )


def note_time(journal: Transaction) -> None:
    """Remember how late it is by now: after a restart no clock is believed that says earlier."""
    now = trusted_now(journal)
    if now is not None:
        journal.rows.raise_floor(floor_at=now)


def trusted_now(journal: Transaction) -> int | None:
    """Return the time in milliseconds, or None where no clock here can be trusted."""
    row = journal.rows.controller_time()
    own = clock.OwnClocks(
        wall_at=journal.now,
        boot_seconds=journal.boot_seconds,
        boot_id=journal.boot_id,
        is_synchronised=journal.is_synchronised,
    )
    heard = clock.Heard(**dict(row)) if row is not None else None
    return clock.trusted_now(own, heard)


def decide(
    journal: Transaction,
    token: str,
    device: ProfileDevice,
    store_number: int,
) -> Alone | Denial:
    """Say whether this terminal may redeem a ticket by itself, and by what.

    A short code it never may: which ticket it is for, only the books know, where wrong ones are
    counted as well.
    """
    if short_code_in(token) is not None:
        return Denial(reason=DenialReason.NOT_ON_OFFLINE_LIST)
    read = sight(token)
    if isinstance(read, Denial):
        return read
    ticket, why_not = read.token.ticket, why_not_ready(journal, device.device)
    facts = AloneFacts(
        token=read.token,
        token_digest=token_digest(token),
        is_signed=token_is_ours(read, live_keys(journal)),
        held=_held(journal.rows.held_ticket(ticket=ticket)),
        is_used=journal.rows.session_of_ticket(ticket=ticket) is not None,
        device=device.device,
        device_number=device.number,
        device_is_in_use=journal.rows.live_session_on(device=device.device) is not None,
        device_is_out_of_order=why_not is DenialReason.DEVICE_OUT_OF_ORDER,
        device_is_in_turnover=why_not is DenialReason.DEVICE_IN_TURNOVER,
        store_number=store_number,
        may_start_by_signature=_may_start_by_signature(journal, device.device),
        dead_revision=journal.rows.dead_revision(ticket=ticket),
        revoked_until=journal.rows.revoked_until(),
    )
    if exchange.is_quarantined(journal):
        return Denial(reason=DenialReason.NOT_REGISTERED)
    return decide_alone(facts, now=trusted_now(journal))


def why_not_ready(journal: Transaction, device: str) -> DenialReason | None:
    """Say why a device is not ready for anybody, whoever has it or had it; None: it may be.

    One whose program, or a module of it, is not installed yet is out of order. One that was left a
    moment ago is in turnover, also before that was taken in.
    """
    if journal.rows.lacks_of(device=device):
        return DenialReason.DEVICE_OUT_OF_ORDER
    row = journal.rows.door_state(device=device)
    if row is None:
        return None
    if row["state"] == DeviceState.OUT_OF_ORDER:
        return DenialReason.DEVICE_OUT_OF_ORDER
    is_left = row["state"] == DeviceState.TURNOVER or row["was_just_left"]
    return DenialReason.DEVICE_IN_TURNOVER if is_left else None


def device_called(journal: Transaction, name: str | None) -> dict[str, Any] | None:
    """Return the device of our profile that has this name, as the profile says it, or None."""
    profile = journal.rows.profile()
    devices = json.loads(profile["body"])["devices"] if profile is not None else ()
    return next((device for device in devices if device["device"] == name), None)


def admit(journal: Transaction, found: Alone, scan: str, device: ProfileDevice) -> None:
    """Begin a session by ourselves; its story is told in order when the line is back."""
    session = journal.names.new("s")
    document = {"admission": found.admission, "ticket": found.ticket, "admitted_at": found.at}
    journal.rows.add_session(
        session=session,
        device=device.device,
        program=device.program,
        fence=journal.rows.last_fence(device=device.device) + 1,
        ticket=found.ticket,
        admission=found.admission,
        right_document=json.dumps(document),
        granted_seconds=found.granted_seconds,
        extends_itself=0,
        start_by_boot_seconds=journal.boot_seconds + START_WITHIN_SECONDS,
        deadline_boot_seconds=journal.boot_seconds + found.granted_seconds,
        boot_id=journal.boot_id,
        state=SessionState.STARTING,
        made_at=journal.now,
    )
    ends_at = found.at + int(1000 * found.granted_seconds)
    journal.rows.note_end(session=session, ends_at=ends_at)
    journal.say(
        SessionAdmitted(
            session=session,
            scan=scan,
            ticket=found.ticket,
            device=device.device,
            program=device.program,
            granted_seconds=found.granted_seconds,
            at=found.at,
            admission="held" if found.admission is Admission.HELD else "signature",
        )
    )
    journal.say(SessionStarting(session=session, at=found.at))


def _may_start_by_signature(journal: Transaction, device: str) -> bool:
    """Say whether the operator allows what is not held, as last told for this device."""
    document = journal.rows.right(kind=class_for(device))
    return document is not None and bool(json.loads(document).get("may_start_by_signature"))


def _release(journal: Transaction, ticket: str, right: str, *, ends_at: int) -> None:
    """Never redeem this ticket by that right; until `ends_at` that is remembered at least."""
    journal.rows.release_ticket(ticket=ticket, right_id=right, ends_at=ends_at)


def _held(row: Row | None) -> HeldFacts | None:
    if row is None:
        return None
    return HeldFacts(
        device=row["device"],
        token_digest=row["token_digest"],
        opens_at=row["opens_at"],
        ends_at=row["ends_at"],
        is_released=bool(row["is_released"]),
    )
