"""Names as types of their own, so that no ticket can be passed where a terminal is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from typing_extensions import override

StoreId = NewType("StoreId", str)
TerminalId = NewType("TerminalId", str)
DeviceId = NewType("DeviceId", str)
ProgramId = NewType("ProgramId", str)
OfferingId = NewType("OfferingId", str)
ReservationId = NewType("ReservationId", str)
TicketId = NewType("TicketId", str)
ScanId = NewType("ScanId", str)
RightId = NewType("RightId", str)
SessionId = NewType("SessionId", str)
CommandId = NewType("CommandId", str)

NAME_LENGTH_MAX = 64
"""Characters; the longest name any of our columns, topics and log lines has to carry."""

NAME_PATTERN = rf"^[A-Za-z0-9][A-Za-z0-9_.:-]{{0,{NAME_LENGTH_MAX - 1}}}$"
"""What a name may look like on the wire: safe in a topic, a path and a log line."""

_COMM_ID = re.compile(
    r"(?P<party>[A-Za-z0-9_.-]{1,64})/(?P<epoch>[0-9a-f]{1,32})/(?P<kind>[a-z]+:[A-Za-z0-9_.-]{1,64})"
    r"/(?P<seq>[1-9][0-9]{0,17})/(?P<nonce>[0-9a-f]{32})"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommId:
    """Communication identification: the name of one transfer of one right (B1).

    `kind` is the class of right, such as `session:d-1`; `seq` counts 1, 2, 3 … in each class;
    `nonce` is 128 random bits in hex, which make a copied disk visible.
    """

    party: str
    epoch: str
    kind: str
    seq: int
    nonce: str

    @override
    def __str__(self) -> str:
        """Return the form that crosses the wire: `party/epoch/class/seq/nonce`."""
        return f"{self.party}/{self.epoch}/{self.kind}/{self.seq}/{self.nonce}"

    @classmethod
    def parse(cls, text: str) -> CommId:
        """Read the wire form.

        Raises:
            ValueError: the text is not a communication id.
        """
        found = _COMM_ID.fullmatch(text)
        if found is None:
            message = "not a communication id"
            raise ValueError(message)
        parts = found.groupdict()
        return cls(
            party=parts["party"],
            epoch=parts["epoch"],
            kind=parts["kind"],
            seq=int(parts["seq"]),
            nonce=parts["nonce"],
        )
