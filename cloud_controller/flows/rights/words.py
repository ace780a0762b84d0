"""What a reader at the entrance is told of a scan that it has passed on."""

from __future__ import annotations

from typing import Final

from cloud_controller.ports import Row, Transaction
from common.ids import TerminalId
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.topics import Channel

OPENED: Final = "opened"
"""The verdict on a scan that got its right; every other verdict is a denial reason."""


def tell_reader(books: Transaction, reader: str, told: CustomerTold) -> None:
    """Tell a reader what to tell the customer; it reports the scan again if that is lost."""
    books.say(TerminalId(reader), Channel.COMMANDS, told, tail=told.command)


def tell_verdict(books: Transaction, reader: str, scan: str, row: Row) -> None:
    """Tell a reader the verdict on a scan of its own, as it stands in the books."""
    has_opened = row["verdict"] == OPENED
    told = CustomerTold(
        command=books.names.new("n"),
        scan=scan,
        notice=Notice.OPENED if has_opened else Notice.DENIED,
        reason=None if has_opened else row["verdict"],
        to=row["device_title"],
    )
    tell_reader(books, reader, told)
