"""The nightly audit: the promises looked for in the books, and leaks while they last."""

from cloud_controller.flows.audit.checks import CHECKS, SLICE_MAX, Check, Looked
from cloud_controller.flows.audit.keeping import (
    NIGHTLY,
    Audited,
    audits,
    keep,
    last_began_at,
    zone_of_quiet,
)
from cloud_controller.flows.audit.leaks import SuspectsBefore, leaks_now, note_leaks, open_leaks

__all__ = [
    "CHECKS",
    "NIGHTLY",
    "SLICE_MAX",
    "Audited",
    "Check",
    "Looked",
    "SuspectsBefore",
    "audits",
    "keep",
    "last_began_at",
    "leaks_now",
    "note_leaks",
    "open_leaks",
    "zone_of_quiet",
]
