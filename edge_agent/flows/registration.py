"""The terminal says what it is and serves nobody before it is told it is registered (A1-A4, A8)."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from common.messages.problems import ProblemTold
from common.messages.registration import Hello, SessionHeld, StandingTold
from common.messages.specification import Specification
from common.rules.problems import ProblemKind
from common.rules.registration import Standing, gate_is_open
from common.rules.specification import Remembered, settled
from common.topics import BrokerRole, Channel
from edge_agent.ports import Identity, Row, Transaction

PROTOCOL: Final = (1, 1)
"""The lowest and highest version of the protocol that this agent speaks."""

DOUBTED: Final = "doubted"
"""Stands where a standing stood that was contradicted since: the word has to be told once more."""

PROBLEMS_WAITING_MAX: Final = 20
"""Problems that may wait to be told: an operator learns no more from the next hundred."""

PROBLEMS_NOTED_MAX: Final = 100
"""Problems remembered as told already, so that none is told twice; the oldest are forgotten."""


class NotHeard(StrEnum):
    """Why a word on our standing changes nothing."""

    ANOTHER_EPOCH = "another_epoch"
    STALE = "stale_standing"
    ANOTHER_SPECIFICATION = "another_specification"


def take_look(journal: Transaction, found: Specification) -> None:
    """Remember what this PC was found to be, and say it when anything of it has changed (A1, A8).

    What is missing stays for a while, since a monitor sleeps; also over a restart.
    """
    before = _remembered(journal)
    now = settled(found, before, journal.now)
    if before is None or now != before:
        journal.rows.remember(
            gate_digest=now.specification.gate_digest,
            body=now.specification.model_dump_json(),
            missing_since=json.dumps(dict(now.missing_since)),
        )
    if before is None or now.specification.digest != before.specification.digest:
        specify(journal)


def specify(journal: Transaction) -> None:
    """Send the specification (A1); asked again until the answer has come."""
    remembered = _remembered(journal)
    if remembered is not None:
        journal.ask(Channel.SPECIFICATION, remembered.specification)


def is_open(journal: Transaction) -> bool:
    """Say whether the gate is open: confirmed, durably, for what this terminal is now (A4)."""
    row = journal.rows.gate()
    return row is not None and gate_is_open(row["standing"], row["gate_digest"], row["own_digest"])


def holds_sessions(journal: Transaction) -> bool:
    """Say whether a session runs here, or something of one has still to be told."""
    return bool(journal.rows.holds_sessions())


def own_role(*, gate_is_open: bool, holds_sessions: bool) -> BrokerRole:
    """Return the role this terminal takes by itself, whatever the broker lets it do.

    It mirrors `role_for`, by which the controller tells the broker: neither trusts the other to.
    """
    if gate_is_open:
        return BrokerRole.SERVICE
    return BrokerRole.SETTLING if holds_sessions else BrokerRole.GATE


def take_standing(
    journal: Transaction, who: Identity, told: StandingTold, *, is_answer: bool = False
) -> NotHeard | None:
    """Keep where our registration stands, or return why this word changes nothing (A3, A4).

    An older word that comes again opens nothing and is a problem; so is a confirmation of what we
    are not. The same word again changes nothing, unless it was contradicted since. The answer to
    our own question cannot be old: a lower revision in it is that of an old backup put back.
    """
    if told.epoch != who.epoch:
        return NotHeard.ANOTHER_EPOCH
    known: Row | None = None if is_answer else journal.rows.registration()
    if known is not None and told.revision < known["revision"]:
        detail = f"revision {told.revision} came, {known['revision']} is known"
        _tell_stale(journal, told, detail)
        return NotHeard.STALE
    if known is not None and told.revision == known["revision"] and known["standing"] != DOUBTED:
        return None
    if told.gate_digest != journal.rows.own_gate_digest():
        if told.standing == Standing.CONFIRMED:
            _tell_stale(journal, told, f"revision {told.revision} confirms another specification")
        return NotHeard.ANOTHER_SPECIFICATION
    journal.rows.keep_registration(
        standing=told.standing,
        gate_digest=told.gate_digest,
        reason=told.reason,
        revision=told.revision,
    )
    return None


def doubt(journal: Transaction, reason: str) -> None:
    """Close the gate: what happened contradicts that we are confirmed; the word must come again."""
    journal.rows.doubt(reason=reason)


def tell_problem(journal: Transaction, kind: ProblemKind, about: str, detail: str) -> None:
    """Have an operator look at something: once about each thing, and not without end."""
    if journal.rows.problems_waiting() >= PROBLEMS_WAITING_MAX:
        return
    if journal.rows.note_problem(kind=kind, about=about):
        journal.rows.forget_problems(kept=PROBLEMS_NOTED_MAX)
        journal.say(ProblemTold(kind=kind, at=journal.now, detail=detail))


def greet(journal: Transaction, connection: str) -> None:
    """Say hello after a connect: what we hold and how far we have got."""
    outbox = journal.rows.outbox_range()
    sessions = journal.rows.live_sessions()
    journal.ask(
        Channel.HELLO,
        Hello(
            protocol=PROTOCOL,
            boot=journal.boot_id,
            connection=connection,
            outbox_first=outbox["first"],
            outbox_last=outbox["last"],
            applied_revision=journal.rows.revision() or 0,
            keys_revision=journal.rows.keys_revision() or 0,
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


def _remembered(journal: Transaction) -> Remembered | None:
    """Return what this PC was when it was last looked at.

    What another version of the agent remembered in words of its own is as good as nothing.
    """
    row = journal.rows.remembered()
    if row is None:
        return None
    try:
        specification = Specification.model_validate_json(row["body"])
    except ValidationError:
        return None
    return Remembered(specification=specification, missing_since=json.loads(row["missing_since"]))


def _tell_stale(journal: Transaction, told: StandingTold, detail: str) -> None:
    about = f"{told.epoch}/{told.revision}"
    tell_problem(journal, ProblemKind.STALE_CONFIRMATION, about, detail)
