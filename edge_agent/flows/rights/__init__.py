"""Who receives rights: one exchange for every kind, and what each kind means to this terminal."""

from edge_agent.flows.rights.door import (
    Scan,
    class_for,
    deny,
    drop,
    first_ready,
    give_up,
    late_requests,
    line_mode,
    prepare,
    report,
    scan,
    show_notice,
    stop_serving,
)
from edge_agent.flows.rights.exchange import ask_again, is_quarantined, take_closed
from edge_agent.flows.rights.extensions import Wish, look, wish, wish_of
from edge_agent.flows.rights.hearing import (
    right_in,
    take_announced,
    take_refused,
    take_right,
    take_trouble,
)
from edge_agent.flows.rights.holding import (
    hold,
    note_time,
    release,
    release_all,
    take_time,
    trusted_now,
)
from edge_agent.flows.rights.modules import SeatWish, look_at_seats, want_seat

__all__ = [
    "Scan",
    "SeatWish",
    "Wish",
    "ask_again",
    "class_for",
    "deny",
    "drop",
    "first_ready",
    "give_up",
    "hold",
    "is_quarantined",
    "late_requests",
    "line_mode",
    "look",
    "look_at_seats",
    "note_time",
    "prepare",
    "release",
    "release_all",
    "report",
    "right_in",
    "scan",
    "show_notice",
    "stop_serving",
    "take_announced",
    "take_closed",
    "take_refused",
    "take_right",
    "take_time",
    "take_trouble",
    "trusted_now",
    "want_seat",
    "wish",
    "wish_of",
]
