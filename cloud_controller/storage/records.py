"""Rows that become typed values on their way out of the database, by the name the query gives them."""

from __future__ import annotations

from typing import Any, Final

from common.rules.rights import ServerRecord, ServerState
from common.rules.tickets import DoorFacts, TicketFacts


def _server_record(*, state: str, **columns: Any) -> ServerRecord:  # noqa: ANN401 - a row's columns are of many types
    return ServerRecord(state=ServerState(state), **columns)


RECORDS: Final[dict[str, Any]] = {
    "ServerRecord": _server_record,
    "TicketFacts": TicketFacts,
    "DoorFacts": DoorFacts,
}
