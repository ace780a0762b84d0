"""What terminals report becomes the ledger; every session is told to stop at its end (C5)."""

from cloud_controller.flows.sessions.debts import compensated_cents, give_up_undelivered
from cloud_controller.flows.sessions.due import do_what_is_due, next_moment
from cloud_controller.flows.sessions.hello import REVISION_BELIEVED_MAX, hello
from cloud_controller.flows.sessions.keys import tell_keys
from cloud_controller.flows.sessions.proof import (
    note_alive,
    note_interrupted,
    note_warning_shown,
)
from cloud_controller.flows.sessions.reported import note_report
from cloud_controller.flows.sessions.reports import (
    note_ended,
    note_ending,
    note_extended,
    note_failed,
    note_resumed,
    note_running,
    note_starting,
    note_warned,
    presume_stopped,
)
from cloud_controller.flows.sessions.starts import (
    call_for_unconfirmed,
    held_by_who_failed,
    move_failed,
    tell_moved,
)
from cloud_controller.flows.sessions.stops import (
    ask_to_stop,
    end_for_holder,
    has_to_tell_revoked,
    may_end,
    note_command,
    send_commands_again,
    stop_what_is_due,
    tell_desired,
    tell_revoked,
)
from cloud_controller.flows.sessions.timeline import Proof, given_to, proof_of

__all__ = [
    "REVISION_BELIEVED_MAX",
    "Proof",
    "ask_to_stop",
    "call_for_unconfirmed",
    "compensated_cents",
    "do_what_is_due",
    "end_for_holder",
    "give_up_undelivered",
    "given_to",
    "has_to_tell_revoked",
    "held_by_who_failed",
    "hello",
    "may_end",
    "move_failed",
    "next_moment",
    "note_alive",
    "note_command",
    "note_ended",
    "note_ending",
    "note_extended",
    "note_failed",
    "note_interrupted",
    "note_report",
    "note_resumed",
    "note_running",
    "note_starting",
    "note_warned",
    "note_warning_shown",
    "presume_stopped",
    "proof_of",
    "send_commands_again",
    "stop_what_is_due",
    "tell_desired",
    "tell_keys",
    "tell_moved",
    "tell_revoked",
]
