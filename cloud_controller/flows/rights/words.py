"""What a reader at the entrance is told of a scan that it has passed on."""

from __future__ import annotations

from typing import Any, Final

from cloud_controller.ports import Row, Transaction
from common.ids import TerminalId
from common.messages.base import Particulars
from common.messages.rights import Refused
from common.messages.sessions import CustomerTold
from common.rules.sessions import Notice
from common.topics import Channel

OPENED: Final = "opened"
"""The verdict on a scan that got its right; every other verdict is a denial reason."""


def tell_reader(books: Transaction, reader: str, told: CustomerTold) -> None:
    """Tell a reader what to tell the customer; it reports the scan again if that is lost."""
    books.say(TerminalId(reader), Channel.COMMANDS, told, tail=told.command)


def tell_verdict(
    books: Transaction, reader: str, scan: str, refused: Refused | None, title: str | None
) -> None:
    """Tell a reader what came of a scan: why not, or that the device of this title has opened."""
    said: dict[str, Any] = {"to": title}
    if refused is not None:
        said = refused.model_dump(include=set(Particulars.model_fields))
    told = CustomerTold(
        command=books.names.new("n"),
        scan=scan,
        notice=Notice.OPENED if refused is None else Notice.DENIED,
        reason=None if refused is None else refused.reason,
        **said,
    )
    tell_reader(books, reader, told)


def tell_again(books: Transaction, reader: str, scan: str, row: Row) -> None:
    """Tell a reader the verdict on a scan of its own, as it stands in the books."""
    refused = None
    if row["verdict"] != OPENED:
        before = row["told"] or Refused(comm_id="", reason=row["verdict"]).model_dump_json()
        refused = Refused.model_validate_json(before)
    tell_verdict(books, reader, scan, refused, row["device_title"])
