"""Rows that become typed values on their way out, by the name their query gives them."""

from __future__ import annotations

from typing import Any, Final

from cloud_controller.ports import Row
from common.rules.rights import ServerRecord, ServerState
from common.rules.tickets import DoorFacts, TicketFacts


def _server_record(**columns: Row) -> ServerRecord:
    return ServerRecord(**{**columns, "state": ServerState(columns["state"])})


RECORDS: Final[dict[str, Any]] = {
    "ServerRecord": _server_record,
    "TicketFacts": TicketFacts,
    "DoorFacts": DoorFacts,
}
