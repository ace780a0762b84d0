"""A terminal's events, applied in order and each once; one that breaks its flow is set aside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from cloud_controller import bookings
from cloud_controller.flows import (
    actions,
    acts,
    help as calls,
    modules,
    offerings,
    problems,
    rights,
    sessions,
)
from cloud_controller.ports import Flow, Received, Transaction
from common.codec import message_from
from common.errors import RusubanError
from common.messages import (
    help as said_of_help,
    modules as said_of_modules,
    offerings as said_of_offerings,
    rights as said_of_rights,
    sessions as said_of_sessions,
)
from common.messages.actions import SwitchTold
from common.messages.devices import DeviceMessageShown, DeviceTold
from common.messages.problems import HelpAsked, ProblemTold
from common.messages.registration import Acknowledged
from common.topics import Channel

WAITING_MAX: Final = 1_000
"""Events of one terminal that may wait for an earlier one; an honest one has 40 under way."""

SET_ASIDE: Final = "event.set_aside"
"""The ledger's word for an event that broke its flow: there it is whole, for a person to see."""

EVENTS: Final[Mapping[str, Flow]] = {
    said_of_offerings.OfferingRegistered.type: offerings.register,
    said_of_offerings.OfferingPictured.type: offerings.keep_told_picture,
    said_of_offerings.OfferingOn.type: offerings.turn_on,
    said_of_offerings.OfferingOff.type: offerings.turn_off,
    said_of_rights.TicketReleased.type: rights.note_released,
    said_of_rights.TicketKept.type: rights.note_kept,
    said_of_sessions.SessionAdmitted.type: rights.note_admitted,
    said_of_sessions.SessionStarting.type: sessions.note_starting,
    said_of_sessions.SessionRunning.type: sessions.note_running,
    said_of_sessions.SessionAlive.type: sessions.note_alive,
    said_of_sessions.SessionInterrupted.type: sessions.note_interrupted,
    said_of_sessions.SessionWarned.type: sessions.note_warned,
    said_of_sessions.SessionExtended.type: sessions.note_extended,
    said_of_sessions.WarningShown.type: sessions.note_warning_shown,
    said_of_sessions.SessionResumed.type: sessions.note_resumed,
    said_of_sessions.SessionEnding.type: sessions.note_ending,
    said_of_sessions.SessionEnded.type: sessions.note_ended,
    said_of_sessions.SessionFailed.type: sessions.note_failed,
    said_of_sessions.CommandTold.type: sessions.note_command,
    said_of_sessions.ScanDenied.type: rights.note_denied,
    DeviceTold.type: bookings.note_device,
    DeviceMessageShown.type: acts.note_shown,
    ProblemTold.type: problems.note_problem,
    HelpAsked.type: problems.note_help,
    said_of_help.HelpChosen.type: calls.note_chosen,
    said_of_help.HelpJoined.type: calls.note_joined,
    said_of_help.HelpLine.type: calls.note_line,
    said_of_help.HelpHeard.type: calls.note_heard,
    said_of_help.HelpLeft.type: calls.note_left,
    SwitchTold.type: actions.note_told,
    said_of_modules.ModuleInstalled.type: modules.note_installed,
    said_of_modules.ModuleRolledBack.type: modules.note_rolled_back,
    said_of_modules.ModuleFailed.type: modules.note_failed,
    said_of_modules.ModuleUsed.type: modules.note_used,
    said_of_modules.ModuleUninstalled.type: bookings.note_uninstalled,
    said_of_modules.ModuleRunEnded.type: rights.note_run_ended,
    said_of_modules.ModuleOverLimit.type: modules.note_over_limit,
}
"""What the ordered stream of a terminal may carry."""


class EventBreaksItsFlow(RusubanError):
    """Event {seq} of {terminal} breaks its flow and is set aside."""

    def __init__(self, broken: Received) -> None:
        """Take the event that broke: the one that came in, or one that waited behind it."""
        super().__init__(seq=broken.seq, terminal=broken.terminal)
        self._broken = broken

    def set_aside(self, books: Transaction) -> None:
        """Put the broken event aside; unacknowledged, the terminal soon says all of them again."""
        _keep(books, self._broken, SET_ASIDE, json.dumps(_whole(self._broken)))


def take_event(books: Transaction, said: Received) -> None:
    """Apply a terminal's events in order, each once, and say up to where they are safe.

    Raises:
        EventBreaksItsFlow: a flow cannot take one of them; nothing of this call has happened.
    """
    who, epoch = said.terminal, said.epoch
    mark = books.post.mark(terminal_id=who, epoch=epoch) or 0
    if said.seq == mark + 1:
        mark = _apply_from(books, said)
        books.post.raise_mark(terminal_id=who, epoch=epoch, applied_up_to=mark)
    elif said.seq > mark and books.post.waiting_count(terminal_id=who, epoch=epoch) < WAITING_MAX:
        _keep(books, said, said.message.type, said.message.model_dump_json())
    books.say(said.terminal, Channel.ACKS, Acknowledged(epoch=said.epoch, up_to=mark))


def _apply_from(books: Transaction, said: Received) -> int:
    """Apply this event and those waiting right behind it; return the last one's number."""
    who, epoch = said.terminal, said.epoch
    row = books.post.received(terminal_id=who, epoch=epoch, seq=said.seq)
    event = said if row is None or row["type"] != SET_ASIDE else _waiting(said, said.seq, row)
    while True:
        _apply(books, event)
        row = books.post.received(terminal_id=who, epoch=epoch, seq=event.seq + 1)
        if row is None:
            books.post.applied(terminal_id=who, epoch=epoch, seq=event.seq)
            return event.seq
        event = _waiting(said, event.seq + 1, row)


def _apply(books: Transaction, event: Received) -> None:
    if isinstance(event.message, dict):
        books.enter(SET_ASIDE, event.message, terminal=event.terminal)
        return
    try:
        EVENTS[event.message.type](books, event)
    except Exception as fault:
        raise EventBreaksItsFlow(event) from fault


def _waiting(said: Received, seq: int, row: Any) -> Received:  # noqa: ANN401 - a row of the inbox
    """Return an event that waited; one set aside is no message any more but what it was."""
    body = json.loads(row["body"])
    message = body if row["type"] == SET_ASIDE else message_from(row["type"], body)
    return Received(terminal=said.terminal, epoch=said.epoch, seq=seq, corr="", message=message)


def _keep(books: Transaction, event: Received, kind: str, body: str) -> None:
    books.post.receive(
        terminal_id=event.terminal,
        epoch=event.epoch,
        seq=event.seq,
        type=kind,
        body=body,
        received_at=books.now,
    )


def _whole(event: Received) -> dict[str, Any]:
    data = event.message.model_dump(mode="json")
    return {"seq": event.seq, "type": event.message.type, "data": data}
