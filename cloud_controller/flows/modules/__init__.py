"""Packages and licensed modules: what is on offer, what terminals say has become of it."""

from cloud_controller.flows.modules.events import (
    note_failed,
    note_installed,
    note_over_limit,
    note_rolled_back,
    note_run_ended,
    note_uninstalled,
    note_used,
)
from cloud_controller.flows.modules.offering import offer
from cloud_controller.flows.modules.progress import keep_progress
from cloud_controller.flows.modules.publishing import project, versions

__all__ = [
    "keep_progress",
    "note_failed",
    "note_installed",
    "note_over_limit",
    "note_rolled_back",
    "note_run_ended",
    "note_uninstalled",
    "note_used",
    "offer",
    "project",
    "versions",
]
