"""A ticket that is read where no device is: the terminal that hosts its device runs the exchange.

The reader is told what comes of it, the device's own screen as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cloud_controller.flows.rights import borrowing
from cloud_controller.flows.rights.readings import enter_denial, read_ticket
from cloud_controller.flows.rights.verdicts import judge, particulars_of
from cloud_controller.flows.rights.words import tell_again, tell_reader, tell_verdict
from cloud_controller.ports import Received, Row, Transaction
from common.ids import TerminalId
from common.messages.base import Particulars
from common.messages.reservations import DenialTold
from common.messages.rights import Refused, ReportScan, TakeScan
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.rules.tickets import Denial, DenialReason, TicketFacts
from common.seals import TicketToken
from common.topics import Channel

TAKE_WITHIN_SECONDS: Final = 10
"""A scan that its device's terminal has not heard of by then is over: nobody stands there."""


def take_report(books: Transaction, said: Received) -> None:
    """Send a scan on to the device that its ticket is for, or tell the reader why not.

    Reported again, it is told again what came of it, or sent on again.
    """
    message: ReportScan = said.message
    reader = said.terminal
    known = books.rights.scan(scan_id=message.scan)
    if known is not None:
        if known["reader_id"] == reader:
            tell_again(books, reader, message.scan, known)
        return
    read = read_ticket(books, message.token, scan=message.scan, terminal=reader)
    if isinstance(read, Denial):
        _deny(books, reader, message, None, Refused(comm_id="", reason=read.reason))
        return
    token, ticket = read
    if borrowing.is_elsewhere(books, message.token, ticket):
        borrowing.show(books, said)
        return
    if ticket is None:
        unknown = Refused(comm_id="", reason=DenialReason.UNKNOWN_TICKET)
        _deny(books, reader, message, None, unknown)
        return
    host = books.rights.host_of(ticket_id=token.ticket)
    refused = _why_not(books, token, ticket, reader, host)
    if refused is not None:
        _deny(books, reader, message, token.ticket, refused)
        return
    text = message.token if token.rotates else host["token"]  # a short code stands for the latter
    _send_on(books, reader, message, host, text)


def take_answered(
    books: Transaction, said: Received, told: DenialTold | None, device: str | None
) -> None:
    """Send a scan on to the device that another controller has named, or say why not."""
    message: ReportScan = said.message
    reader = said.terminal
    if books.rights.scan(scan_id=message.scan) is not None:
        return
    host = books.lending.host_of_device(device_id=device) if device is not None else None
    is_ours = host is not None and books.lending.are_of_one_store(
        terminal_id=reader, device_id=device
    )
    if told is None and not is_ours:
        told = DenialTold(reason=DenialReason.WRONG_STORE)
    if told is not None:
        refused = Refused.model_validate({"comm_id": "", **told.model_dump(exclude_none=True)})
        _deny(books, reader, message, None, refused)
        return
    _send_on(books, reader, message, host, message.token)


def _send_on(books: Transaction, reader: str, message: ReportScan, host: Row, token: str) -> None:
    """Have the device's terminal take a scan as its own, or send the customer there."""
    if host["presence"] == "gone":
        told = CustomerTold(
            command=books.names.new("n"),
            scan=message.scan,
            notice=Notice.SHOW_IT_THERE,
            to=host["title"],
        )
        tell_reader(books, reader, told)
        return
    take = TakeScan(
        command=message.scan,
        scan=message.scan,
        device=host["device_id"],
        token=token,
        reader=reader,
        accept_by=books.now + TAKE_WITHIN_SECONDS * 1000,
    )
    books.say(TerminalId(host["terminal_id"]), Channel.COMMANDS, take, tail=take.command)


def _why_not(
    books: Transaction, token: TicketToken, ticket: TicketFacts, reader: str, host: Row
) -> Refused | None:
    """Say why a ticket will not open its device now, before anybody else is asked."""
    door = books.rights.door(device_id=host["device_id"], terminal_id=host["terminal_id"])
    here = replace(door, store_number=books.rights.store_of(terminal_id=reader)["number"])
    denial = judge(books, token, ticket, here)
    if denial is None:
        return None
    told, device = particulars_of(books, denial, token, ticket, here)
    said = told.model_dump(exclude_none=True)
    return Refused(comm_id="", reason=denial.reason, device=device, **said)


def _deny(
    books: Transaction, reader: str, message: ReportScan, ticket_id: str | None, refused: Refused
) -> None:
    books.rights.add_scan(
        scan_id=message.scan,
        terminal_id=reader,
        reader_id=reader,
        device_id=None,
        ticket_id=ticket_id,
        verdict=refused.reason,
        told=refused.model_dump_json(exclude_none=True),
        read_at=message.read_at,
        received_at=books.now,
    )
    told = refused.model_dump(include=set(Particulars.model_fields), exclude_none=True)
    facts = {"reason": refused.reason, "read_at": message.read_at, **told}
    enter_denial(books, reader, ticket_id, facts)
    tell_verdict(books, reader, message.scan, refused, None)
