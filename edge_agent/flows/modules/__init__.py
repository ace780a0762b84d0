"""Packages and modules of this terminal: what is on offer, what is wished, what became of it."""

from edge_agent.flows.modules.known import Known, known
from edge_agent.flows.modules.offered import ask, offered, required_by, take_offered
from edge_agent.flows.modules.steps import (
    PackageSeen,
    asks,
    forget_steps,
    is_settled,
    leases,
    note_here,
    note_step,
    receipt,
    steps,
)
from edge_agent.flows.modules.telling import tell_failed, tell_installed, tell_rolled_back
from edge_agent.flows.modules.uses import ModuleHere, tell_uses
from edge_agent.flows.modules.wishes import take_desired, wishes

__all__ = [
    "Known",
    "ModuleHere",
    "PackageSeen",
    "ask",
    "asks",
    "forget_steps",
    "is_settled",
    "known",
    "leases",
    "note_here",
    "note_step",
    "offered",
    "receipt",
    "required_by",
    "steps",
    "take_desired",
    "take_offered",
    "tell_failed",
    "tell_installed",
    "tell_rolled_back",
    "tell_uses",
    "wishes",
]
