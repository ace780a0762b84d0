"""A scan at a device: asked of the controller in one round trip, or decided alone without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from common.messages.base import Particulars
from common.messages.devices import DeviceMessage
from common.messages.rights import Refused, ReportScan, Right, ScanRequest, SessionRight
from common.messages.service import ProfileDevice
from common.messages.sessions import CustomerTold, ScanDenied, SessionFailed, SessionStarting
from common.rules.presence import LineMode
from common.rules.rights import ClientState, RightKind, class_of, kind_in
from common.rules.sessions import EndReason, Notice, SessionState
from common.rules.tickets import Admission, Denial, DenialReason
from edge_agent.flows.rights import exchange, extensions, holding, resuming
from edge_agent.ports import Identity, NoticeShown, Row, Transaction, Verdict

BEGINNING_LENGTH: Final = 40
"""Characters of a code that was no ticket which are kept, for whoever looks at what went wrong."""

ANSWER_WITHIN_SECONDS: Final = 3.0
"""A scan without an answer by then is decided without one: the customer stands there."""

_ALONE: Final = "decided alone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """One reading of a ticket, at the device it is for.

    `reader` is the terminal at the entrance that read it, where it was not this one.
    """

    name: str
    token: str
    device: ProfileDevice
    store_number: int
    reader: str | None = None


def class_for(device: str) -> str:
    """Return the class of right that a session on a device needs."""
    return class_of(RightKind.SESSION, device)


def prepare(journal: Transaction, who: Identity, device: str) -> None:
    """Announce the next identification while nobody waits: a scan costs one round trip (B1, B2)."""
    exchange.begin(journal, who, class_for(device))


def scan(journal: Transaction, who: Identity, scan: Scan, *, line_is_up: bool) -> bool:
    """Ask the controller about what a reader read (B3, C3); without the line decide alone.

    With the line up and no exchange ready the customer is told to try again, and an announcement
    that found no room when it was due is made now. What was begun here without the line is told
    before anything is asked: a right issued meanwhile would be taken for older, and ended by it.
    A session that a power cut has interrupted goes on, and nobody is asked. Returns whether there
    is a program to start.
    """
    if resuming.resume(journal, scan.token, scan.device.device):
        journal.show(_told(scan, None))
        return True
    if journal.rows.lacks_of(device=scan.device.device):
        _deny(journal, scan, Denial(reason=DenialReason.DEVICE_OUT_OF_ORDER))
        return False
    if not line_is_up:
        return _decide_alone(journal, who, scan)
    if journal.rows.has_to_tell_a_start(device=scan.device.device):
        return _decide_alone(journal, who, scan, not_held=DenialReason.BUSY_TRY_AGAIN)
    request = ScanRequest(
        scan=scan.name,
        device=scan.device.device,
        token=scan.token,
        read_at=journal.now,
        clock_is_trusted=holding.trusted_now(journal) is not None,
        reader=scan.reader,
    )
    if not exchange.freeze(
        journal, who, class_for(scan.device.device), request.model_dump(mode="json")
    ):
        prepare(journal, who, scan.device.device)
        journal.show(_told(scan, DenialReason.BUSY_TRY_AGAIN))
    return False


def report(journal: Transaction, token: str) -> ReportScan:
    """Return the report of a ticket that was read where no device is; it is asked, not kept."""
    return ReportScan(
        scan=journal.names.new("x"),
        token=token,
        read_at=journal.now,
        clock_is_trusted=holding.trusted_now(journal) is not None,
    )


def show_notice(journal: Transaction, told: CustomerTold | DeviceMessage) -> None:
    """Show a customer what the controller has for him."""
    if isinstance(told, DeviceMessage):
        _show_message(journal, told)
        return
    notice = Notice(told.notice) if told.notice in set(Notice) else Notice.DENIED
    reason = _reason(told.reason) if told.reason is not None else None
    said = _particulars_in(told)
    journal.show(NoticeShown(device=told.device, notice=notice, reason=reason, told=said))


def _show_message(journal: Transaction, told: DeviceMessage) -> None:
    """Show what the store says, unless it is stale, or nobody can tell whether it is."""
    now = holding.trusted_now(journal)
    if now is None or now >= told.accept_by:
        return
    journal.show(NoticeShown(device=told.device, notice=Notice.MESSAGE, said=told))


def line_mode(journal: Transaction, *, serves: bool, line_is_up: bool) -> LineMode:
    """Say what this terminal can do for a customer now."""
    if not serves or exchange.is_quarantined(journal):
        return LineMode.STOPPED
    if line_is_up:
        return LineMode.ASKS
    return LineMode.UNSURE if holding.trusted_now(journal) is None else LineMode.ALONE


def late_requests(journal: Transaction) -> list[ScanRequest]:
    """Return the scans that have been asked about and have had no answer in time."""
    late = []
    for row in journal.rows.exchanges():
        if not _waits_for_an_answer(row):
            continue
        asked_for = journal.boot_seconds - row["asked_boot_seconds"]
        if row["asked_boot_id"] != journal.boot_id or asked_for >= ANSWER_WITHIN_SECONDS:
            late.append(ScanRequest.model_validate_json(row["request"]))
    return late


def waiting(journal: Transaction) -> list[Row]:
    """Return the exchanges in which a scan has been asked about and has had no answer."""
    return [row for row in journal.rows.exchanges() if _waits_for_an_answer(row)]


def turn_away(journal: Transaction, waited: Sequence[Row]) -> None:
    """Tell those who have waited and do not any more that they are not served here."""
    still_waiting = {row["kind"] for row in waiting(journal)}
    for row in waited:
        if row["kind"] not in still_waiting:
            journal.show(_verdict(row, DenialReason.NOT_REGISTERED))


def give_up(journal: Transaction, who: Identity, scan: Scan) -> bool:
    """Stop waiting for the answer about a scan and decide alone; a late right starts nothing.

    Returns whether there is a session to start.
    """
    return _decide_alone(journal, who, scan)


def stop_serving(journal: Transaction, who: Identity, device: str) -> None:
    """Give up what is asked for a customer at a device, and tell him that he is not served here."""
    waited = [row for row in waiting(journal) if row["kind"] == class_for(device)]
    if waited:
        exchange.abandon(journal, who, class_for(device))
        turn_away(journal, waited)


def drop(journal: Transaction, who: Identity, device: str) -> None:
    """Give up what is open for a device that is no longer ours; its next will be announced anew."""
    stop_serving(journal, who, device)
    exchange.abandon(journal, who, class_for(device))
    exchange.abandon(journal, who, holding.class_for(device))
    exchange.abandon(journal, who, extensions.class_for(device))


def first_ready(journal: Transaction, devices: Sequence[str], token: str) -> str:
    """Return the device where a session waits for this ticket; else one that is free and ready.

    The first that is, where there are several, and the first of all where there is none.
    """
    waiting = resuming.device_of(journal, token)
    if waiting is not None and waiting in devices:
        return waiting
    for device in devices:
        row = journal.rows.exchange(kind=class_for(device))
        is_ready = row is not None and row["state"] == ClientState.ANNOUNCED
        is_idle = journal.rows.live_session_on(device=device) is None
        if is_ready and is_idle and holding.why_not_ready(journal, device) is None:
            return device
    return devices[0]


def deny(journal: Transaction, reason: DenialReason, why: str, text: str) -> None:
    """Turn away what is no ticket at all, without asking anybody, and report it."""
    name = journal.names.new("x")
    journal.show(Verdict(device=None, scan=name, reason=reason))
    journal.say(
        ScanDenied(
            scan=name, at=journal.now, reason=reason, why=why, beginning=text[:BEGINNING_LENGTH]
        )
    )


def take_right(journal: Transaction, row: Row, told: Right, right: SessionRight) -> bool:
    """Keep the session that a right permits; say whether it is one to start.

    It is not where nobody waits for it any more, or the ticket was redeemed already, with no right
    or with one that the books have lost: then this one is held like any other, and given back. Nor
    is it where the device is not ready after all, which the controller had not heard yet.
    """
    is_wanted = row["state"] == ClientState.REQUESTING
    is_used = journal.rows.session_of_ticket(ticket=right.ticket) is not None
    asked_at = row["asked_boot_seconds"]
    is_ours = is_wanted and not is_used
    not_ready = holding.why_not_ready(journal, right.device)
    is_to_start = is_ours and not_ready is None
    journal.rows.add_session(
        session=right.session,
        device=right.device,
        program=right.program,
        fence=right.fence,
        ticket=right.ticket,
        admission=Admission.RIGHT,
        right_document=json.dumps(told.document),
        granted_seconds=right.granted_seconds,
        extends_itself=int(right.extends_itself),
        start_by_boot_seconds=asked_at + right.start_within_seconds,
        deadline_boot_seconds=asked_at + right.granted_seconds,
        boot_id=row["asked_boot_id"],
        state=SessionState.STARTING if is_to_start else SessionState.FAILED,
        made_at=journal.now,
    )
    left_seconds = right.granted_seconds - (journal.boot_seconds - asked_at)
    resuming.note_end(journal, right.session, left_seconds)
    if not is_to_start:
        reason = EndReason.DEVICE_FAILED if is_ours else EndReason.SUPERSEDED
        journal.say(SessionFailed(session=right.session, at=journal.now, reason=reason))
        if is_wanted:
            journal.show(_verdict(row, not_ready if is_ours else DenialReason.ALREADY_USED))
        return False
    journal.show(_verdict(row, None))
    journal.say(SessionStarting(session=right.session, at=journal.now))
    return True


def take_refused(journal: Transaction, row: Row, told: Refused) -> None:
    """Tell the customer why there is no right; nobody waits for it where it was given up."""
    if row["state"] == ClientState.REQUESTING:
        verdict = _verdict(row, _reason(told.reason))
        journal.show(replace(verdict, told=_particulars_in(told), meant=told.device))


def _decide_alone(
    journal: Transaction,
    who: Identity,
    scan: Scan,
    *,
    not_held: DenialReason = DenialReason.NOT_ON_OFFLINE_LIST,
) -> bool:
    """Redeem a ticket that we hold, or say why not; nobody is asked (C4).

    What was asked about the same ticket or for the same device is given up first: its right, if
    there is one, will start nothing. `not_held` is why a ticket opens nothing that we do not hold.
    """
    for row in journal.rows.exchanges():
        is_of_device = row["kind"] == class_for(scan.device.device)
        if _waits_for_an_answer(row) and (is_of_device or _token_in(row) == scan.token):
            exchange.abandon(journal, who, row["kind"])
    found = holding.decide(journal, scan.token, scan.device, scan.store_number)
    if isinstance(found, Denial):
        is_not_held = found.reason is DenialReason.NOT_ON_OFFLINE_LIST
        _deny(journal, scan, replace(found, reason=not_held) if is_not_held else found)
        return False
    holding.admit(journal, found, scan.name, scan.device)
    journal.show(replace(_told(scan, None), is_alone=True))
    return True


def _deny(journal: Transaction, scan: Scan, denial: Denial) -> None:
    """Say no without having asked anybody, and report it."""
    verdict = replace(_told(scan, denial.reason), is_alone=True, meant=denial.device)
    journal.show(replace(verdict, told=_particulars_of(journal, denial)))
    journal.say(ScanDenied(scan=scan.name, at=journal.now, reason=denial.reason, why=_ALONE))


def _particulars_of(journal: Transaction, denial: Denial) -> Particulars:
    """Return what we know to say of a denial: its time, and the device if it is one of ours."""
    there = holding.device_called(journal, denial.device)
    if there is None:
        return Particulars(opens_at=denial.opens_at, number=denial.number)
    return Particulars(opens_at=denial.opens_at, to=there["title"], number=there["number"])


def _particulars_in(told: Particulars) -> Particulars:
    """Return the particulars of a message, and nothing else of it."""
    return Particulars(**told.model_dump(include=set(Particulars.model_fields)))


def _told(scan: Scan, reason: DenialReason | None) -> Verdict:
    return Verdict(device=scan.device.device, scan=scan.name, reason=reason)


def _verdict(row: Row, reason: DenialReason | None) -> Verdict:
    request = json.loads(row["request"])
    return Verdict(device=request["device"], scan=request["scan"], reason=reason)


def _waits_for_an_answer(row: Row) -> bool:
    """Say whether a scan has been asked about, also where it has to be announced once more."""
    is_asking = row["state"] in {ClientState.REQUESTING, ClientState.ANNOUNCING}
    return bool(is_asking and row["request"] and kind_in(row["kind"]) is RightKind.SESSION)


def _token_in(row: Row) -> Any:  # noqa: ANN401 - a request of ours, as it was frozen
    return json.loads(row["request"]).get("token")


def _reason(text: str) -> DenialReason:
    try:
        return DenialReason(text)
    except ValueError:
        return DenialReason.BUSY_TRY_AGAIN
