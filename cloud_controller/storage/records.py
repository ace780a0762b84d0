"""Rows that become typed values on their way out, by the name of their query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cloud_controller.ports import Registered, Row
from common.ids import TerminalId
from common.messages.specification import Specification
from common.queries import Record
from common.rules.registration import Standing
from common.rules.rights import ServerRecord, ServerState
from common.rules.tickets import DoorFacts, TicketFacts


def _server_record(**columns: Row) -> ServerRecord:
    return ServerRecord(**{**columns, "state": ServerState(columns["state"])})


def _registered(**columns: Row) -> Registered:
    return Registered(
        terminal=TerminalId(columns["terminal_id"]),
        store=columns["store_id"],
        store_number=columns["store_number"],
        time_zone=columns["time_zone"],
        epoch=columns["epoch"],
        standing=Standing(columns["standing"]),
        gate_digest=columns["gate_digest"],
        specification=Specification.model_validate_json(columns["body"]),
    )


RECORDS: Final[Mapping[str, Mapping[str, Record]]] = {
    "service": {"registered": _registered},
    "rights": {"exchange": _server_record, "ticket": TicketFacts, "door": DoorFacts},
}
"""By file of queries, then by query."""
