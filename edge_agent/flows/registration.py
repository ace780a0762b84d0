"""The terminal says what it is and takes no service before it is told it is registered (A1-A5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from common.ids import TerminalId
from common.messages.registration import (
    Hello,
    ServiceProfile,
    ServiceRefused,
    ServiceRequest,
    SessionHeld,
    Specification,
    StandingTold,
)
from common.rules.registration import gate_is_open
from common.seals import verifying_key
from common.topics import Channel
from edge_agent.ports import Identity, Transaction

PROTOCOL = (1, 1)
"""The lowest and highest version of the protocol that this agent speaks."""


def keep_identity(journal: Transaction, answer: Mapping[str, Any]) -> None:
    """Keep who we are, as enrolment answered; what another identity was told and said is void."""
    known = journal.rows.identity()
    told = (answer["terminal"], answer["epoch"])
    if known is not None and (known["terminal"], known["epoch"]) != told:
        _forget_another(journal)
    journal.rows.keep_identity(
        terminal=answer["terminal"],
        store=answer["store"],
        epoch=answer["epoch"],
        secret=answer["secret"],
        broker_host=answer["broker"]["host"],
        broker_port=answer["broker"]["port"],
        public_keys=json.dumps(answer["public_keys"]),
    )


def identity(journal: Transaction) -> Identity | None:
    """Return who we are, or None before enrolment."""
    row = journal.rows.identity()
    if row is None:
        return None
    keys = json.loads(row["public_keys"])
    return Identity(
        terminal=TerminalId(row["terminal"]),
        store=row["store"],
        epoch=row["epoch"],
        secret=row["secret"],
        broker_host=row["broker_host"],
        broker_port=row["broker_port"],
        keys={int(number): verifying_key(bytes.fromhex(raw)) for number, raw in keys.items()},
    )


def is_open(journal: Transaction, own_digest: str) -> bool:
    """Say whether the gate is open: confirmed, durably, for what this terminal is now (A4)."""
    row = journal.rows.registration()
    return row is not None and gate_is_open(row["standing"], row["gate_digest"], own_digest)


def awaits_word(journal: Transaction, own_digest: str) -> bool:
    """Say whether a word is still to come: where we stand, or our service information."""
    row = journal.rows.registration()
    if row is None or row["gate_digest"] != own_digest:
        return True
    return is_open(journal, own_digest) and profile(journal, own_digest) is None


def specify(journal: Transaction, specification: Specification) -> None:
    """Send the specification (A1); asked again until the answer has come."""
    journal.ask(Channel.SPECIFICATION, specification)


def take_standing(journal: Transaction, told: StandingTold, own_digest: str) -> bool:
    """Keep where our registration stands, and say whether the gate is open now."""
    if told.gate_digest == own_digest:
        journal.rows.keep_registration(
            standing=told.standing, gate_digest=told.gate_digest, reason=told.reason
        )
    return is_open(journal, own_digest)


def ask_for_service(journal: Transaction, own_digest: str) -> None:
    """Ask for service information, once the gate is open (A5)."""
    if is_open(journal, own_digest):
        journal.ask(Channel.REQUESTS, ServiceRequest(gate_digest=own_digest))


def take_profile(journal: Transaction, told: ServiceProfile, own_digest: str) -> bool:
    """Keep the service information; what was made for another specification is not taken (A4)."""
    if told.gate_digest != own_digest or not is_open(journal, own_digest):
        return False
    journal.rows.keep_profile(gate_digest=told.gate_digest, body=told.model_dump_json())
    return True


def take_refusal(journal: Transaction, told: ServiceRefused) -> None:
    """Close the gate: the controller gives nothing to what we are."""
    row = journal.rows.registration()
    if row is not None:
        journal.rows.keep_registration(
            standing="pending", gate_digest=row["gate_digest"], reason=told.reason
        )


def profile(journal: Transaction, own_digest: str) -> ServiceProfile | None:
    """Return the service information for what this terminal is now, or None."""
    row = journal.rows.profile()
    if row is None or row["gate_digest"] != own_digest or not is_open(journal, own_digest):
        return None
    return ServiceProfile.model_validate_json(row["body"])


def greet(journal: Transaction) -> None:
    """Say hello after a connect: what we hold and how far we have got."""
    outbox = journal.rows.outbox_range()
    sessions = journal.rows.live_sessions()
    journal.ask(
        Channel.HELLO,
        Hello(
            protocol=PROTOCOL,
            boot=journal.boot_id,
            outbox_first=outbox["first"],
            outbox_last=outbox["last"],
            applied_revision=journal.rows.revision() or 0,
            sessions=tuple(
                SessionHeld(session=row["session"], state=row["state"]) for row in sessions
            ),
        ),
    )


def take_acknowledged(journal: Transaction, up_to: int) -> bool:
    """Drop from the outbox what is in the controller's database for good.

    Returns whether that can be: what we never said, nobody can have heard, and nothing is dropped.
    """
    if up_to > journal.rows.last_posted():
        return False
    journal.rows.acknowledged(up_to=up_to)
    return True


def _forget_another(journal: Transaction) -> None:
    """Begin a new epoch: its gate is closed, and its events and exchanges count from one."""
    journal.rows.forget_registration()
    journal.rows.forget_profile()
    journal.rows.forget_revision()
    journal.rows.forget_exchanges()
    journal.rows.forget_events()
    journal.rows.count_events_anew()
