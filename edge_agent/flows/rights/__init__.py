"""Who receives rights: one exchange for every kind, and what each kind means to this terminal."""

from edge_agent.flows.rights.door import (
    Scan,
    deny,
    drop,
    first_ready,
    give_up,
    kind_of,
    late_requests,
    line_mode,
    prepare,
    report,
    scan,
    show_notice,
)
from edge_agent.flows.rights.exchange import ask_again, is_quarantined, take_over
from edge_agent.flows.rights.hearing import (
    right_in,
    subject_of,
    take_announced,
    take_refused,
    take_right,
    take_trouble,
)
from edge_agent.flows.rights.holding import hold, release, release_all, take_time, trusted_now

__all__ = [
    "Scan",
    "ask_again",
    "deny",
    "drop",
    "first_ready",
    "give_up",
    "hold",
    "is_quarantined",
    "kind_of",
    "late_requests",
    "line_mode",
    "prepare",
    "release",
    "release_all",
    "report",
    "right_in",
    "scan",
    "show_notice",
    "subject_of",
    "take_announced",
    "take_over",
    "take_refused",
    "take_right",
    "take_time",
    "take_trouble",
    "trusted_now",
]
