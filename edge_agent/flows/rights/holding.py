"""A device's coming tickets in our hands: taken over, used once without the line, given back.

Its law: a ticket is redeemed or released, never both, and which of the two is in the journal before
anything else happens.
"""

from __future__ import annotations

import json
from typing import Final

from common.messages.rights import (
    OfflineRequest,
    OfflineRight,
    ReleaseTickets,
    Right,
    TicketKept,
    TicketReleased,
)
from common.messages.service import ProfileDevice
from common.messages.sessions import SessionAdmitted, SessionStarting
from common.rules import clock
from common.rules.rights import RightKind, class_of
from common.rules.sessions import START_WITHIN_SECONDS, SessionState
from common.rules.tickets import (
    Alone,
    AloneFacts,
    Denial,
    DenialReason,
    HeldFacts,
    decide_alone,
    sight,
    token_digest,
)
from common.seals import token_is_ours
from edge_agent.flows.rights import exchange
from edge_agent.ports import Identity, Row, Transaction

KEPT_MS: Final = 86_400_000
"""How long a ticket that is over is remembered as released: a day of late words about it."""


def class_for(device: str) -> str:
    """Return the class of right that holding a device's tickets is."""
    return class_of(RightKind.OFFLINE, device)


def hold(journal: Transaction, who: Identity, device: str) -> None:
    """Take over a device's coming tickets, or renew that: the exchange is begun, unless it runs."""
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
            issued_at=right.issued_at,
        )
    journal.rows.forget_over(before=right.issued_at - KEPT_MS)


def release(journal: Transaction, told: ReleaseTickets) -> None:
    """Give tickets back that are not used, and say of each which it is; repeated, say it once."""
    for ticket in told.tickets:
        row = journal.rows.held_ticket(ticket=ticket)
        if row is not None and row["released_at"] == told.asked_at:
            continue
        if journal.rows.session_of_ticket(ticket=ticket) is not None:
            if row is None or row["released_at"] is None:
                journal.say(TicketKept(ticket=ticket, at=journal.now, asked_at=told.asked_at))
            continue
        journal.rows.release_ticket(ticket=ticket, released_at=told.asked_at)
        journal.say(TicketReleased(ticket=ticket, at=journal.now, asked_at=told.asked_at))


def release_all(journal: Transaction) -> None:
    """Give back every ticket that is not used: this terminal serves nobody any more."""
    for row in journal.rows.held_and_unused():
        journal.rows.release_ticket(ticket=row["ticket"], released_at=journal.now)
        journal.say(TicketReleased(ticket=row["ticket"], at=journal.now))


def take_time(journal: Transaction, server_at: int) -> None:
    """Remember what time the controller says it is: the clock since boot carries it on."""
    journal.rows.keep_time(
        server_at=server_at, boot_seconds=journal.boot_seconds, boot_id=journal.boot_id
    )


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
    who: Identity,
    token: str,
    device: ProfileDevice,
    store_number: int,
) -> Alone | DenialReason:
    """Say whether this terminal may redeem a ticket by itself, and by what."""
    read = sight(token)
    if isinstance(read, Denial):
        return read.reason
    ticket = read.token.ticket
    facts = AloneFacts(
        token=read.token,
        token_digest=token_digest(token),
        is_signed=token_is_ours(read, who.keys),
        held=_held(journal.rows.held_ticket(ticket=ticket)),
        is_used=journal.rows.session_of_ticket(ticket=ticket) is not None,
        device=device.device,
        device_number=device.number,
        device_is_in_use=journal.rows.live_session_on(device=device.device) is not None,
        store_number=store_number,
        may_start_by_signature=_may_start_by_signature(journal, device.device),
    )
    if exchange.is_quarantined(journal):
        return DenialReason.NOT_REGISTERED
    return decide_alone(facts, now=trusted_now(journal))


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
        start_by_boot_seconds=journal.boot_seconds + START_WITHIN_SECONDS,
        deadline_boot_seconds=journal.boot_seconds + found.granted_seconds,
        boot_id=journal.boot_id,
        state=SessionState.STARTING,
        made_at=journal.now,
    )
    journal.say(
        SessionAdmitted(
            session=session,
            scan=scan,
            ticket=found.ticket,
            device=device.device,
            program=device.program,
            granted_seconds=found.granted_seconds,
            at=found.at,
            admission=found.admission,
        )
    )
    journal.say(SessionStarting(session=session, at=found.at))


def _may_start_by_signature(journal: Transaction, device: str) -> bool:
    """Say whether the operator allows what is not held, as last told for this device."""
    document = journal.rows.right(kind=class_for(device))
    return document is not None and bool(json.loads(document).get("may_start_by_signature"))


def _held(row: Row | None) -> HeldFacts | None:
    if row is None:
        return None
    return HeldFacts(
        device=row["device"],
        token_digest=row["token_digest"],
        opens_at=row["opens_at"],
        ends_at=row["ends_at"],
        is_released=row["released_at"] is not None,
    )
