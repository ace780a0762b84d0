"""A good ticket and its own door, for the tests that change one fact of them."""

from __future__ import annotations

from common.rules.tickets import DoorFacts, Moment, TicketFacts
from common.seals import TicketToken

NOW = 1_792_713_600_000
HOUR_MS = 3_600_000

TOKEN = TicketToken(
    key_id=1,
    store_number=7,
    ticket="00" * 8,
    device_number=3,
    starts_at=NOW,
    length_seconds=3600,
    revision=0,
)
TICKET = TicketFacts(
    token="",
    ticket_state="issued",
    revision=0,
    reservation_state="confirmed",
    starts_at=NOW,
    ends_at=NOW + HOUR_MS,
    blocked_until=NOW + HOUR_MS,
    early_seconds=300,
    device="d-3",
    offering="o-1",
    live_terminal=None,
    reservation="r-1",
)
DOOR = DoorFacts(
    store_number=7,
    device="d-3",
    device_number=3,
    offering="o-1",
    terminal="t-1",
    is_out_of_order=False,
    is_in_use=False,
    store="s-1",
    program="game",
    last_fence=0,
)

MOMENT = Moment(now=NOW, store_opens_at=NOW)


def moment_at(now: int) -> Moment:
    """Return a time at which nothing is in the way but the time itself."""
    return Moment(now=now, store_opens_at=max(now, TICKET.opens_at))
