"""Rows that become typed values on their way out, by the name of their query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloud_controller.ports import Row
from common.queries import Record
from common.rules.rights import ServerRecord, ServerState
from common.rules.tickets import DoorFacts, TicketFacts


def _server_record(**columns: Row) -> ServerRecord:
    return ServerRecord(**{**columns, "state": ServerState(columns["state"])})


RECORDS: Final[Mapping[str, Mapping[str, Record]]] = {
    "rights": {"exchange": _server_record, "ticket": TicketFacts, "door": DoorFacts},
}
"""By file of queries, then by query."""
