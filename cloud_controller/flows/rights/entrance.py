"""A ticket that is read where no device is: the terminal that hosts its device runs the exchange.

The reader is told what comes of it, the device's own screen as well.
"""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.rights.readings import enter_denial, read_ticket
from cloud_controller.flows.rights.words import tell_reader, tell_verdict
from cloud_controller.ports import Received, Transaction
from common.ids import TerminalId
from common.messages.rights import ReportScan, TakeScan
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.rules.tickets import Denial, DenialReason, why_not
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
            tell_verdict(books, reader, message.scan, known)
        return
    denial, ticket_id = _why_not(books, message, reader)
    if denial is not None:
        _deny(books, reader, message, ticket_id, denial)
        return
    host = books.rights.host_of(ticket_id=ticket_id)
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
        token=host["token"],
        reader=reader,
        accept_by=books.now + TAKE_WITHIN_SECONDS * 1000,
    )
    books.say(TerminalId(host["terminal_id"]), Channel.COMMANDS, take, tail=take.command)


def _why_not(
    books: Transaction, message: ReportScan, reader: str
) -> tuple[Denial | None, str | None]:
    """Say why a ticket will not open its device now, before anybody else is asked."""
    read = read_ticket(books, message.token, scan=message.scan, terminal=reader)
    if isinstance(read, Denial):
        return read, None
    token, ticket = read
    if ticket is None:
        return Denial(reason=DenialReason.UNKNOWN_TICKET), None
    if books.rights.store_of(terminal_id=reader)["number"] != token.store_number:
        return Denial(reason=DenialReason.WRONG_STORE), token.ticket
    host = books.rights.host_of(ticket_id=token.ticket)
    door = books.rights.door(device_id=host["device_id"], terminal_id=host["terminal_id"])
    return why_not(token, ticket, door, now=books.now), token.ticket


def _deny(
    books: Transaction, reader: str, message: ReportScan, ticket_id: str | None, denial: Denial
) -> None:
    books.rights.add_scan(
        scan_id=message.scan,
        terminal_id=reader,
        reader_id=reader,
        device_id=None,
        ticket_id=ticket_id,
        verdict=denial.reason,
        read_at=message.read_at,
        received_at=books.now,
    )
    enter_denial(books, reader, ticket_id, {"reason": denial.reason, "read_at": message.read_at})
    told = CustomerTold(
        command=books.names.new("n"),
        scan=message.scan,
        notice=Notice.DENIED,
        reason=denial.reason,
        opens_at=denial.opens_at,
    )
    tell_reader(books, reader, told)
