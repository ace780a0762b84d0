"""A terminal says what it is; its store's policy or an operator says whether it may serve.

Never confirmed by silence: every decision has its reason, and its line in the audit. What only a
person can settle is raised as a problem.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from cloud_controller.ports import (
    Actor,
    NotAllowed,
    NotFound,
    Problem,
    Received,
    Row,
    Transaction,
)
from common.ids import TerminalId
from common.messages.registration import Presence as PresenceTold, StandingTold
from common.messages.service import Requirements
from common.messages.specification import Specification
from common.rules.presence import Presence
from common.rules.problems import ProblemKind
from common.rules.registration import (
    STANDING,
    KnownStanding,
    OperatorsWord,
    Policy,
    Standing,
    StandingEvent,
    after_specification,
    role_for,
)
from common.rules.service import unmet
from common.rules.specification import differences, evidence_of_another, is_sealed
from common.topics import BrokerRole, Channel

BATCH_MAX: Final = 500
"""Terminals, or reservations of one, looked at in one transaction, so that it stays short."""

DEVICES_PROPOSED_MAX: Final = 3
"""Other devices proposed for one reservation."""

_LEAVES: Final = frozenset({Standing.REJECTED, Standing.SUSPENDED, Standing.RETIRED})
"""Standings in which a terminal takes no more customers until further notice."""


def specify(books: Transaction, said: Received) -> None:
    """Register a specification and answer with the terminal's standing (A1-A3)."""
    message: Specification = said.message
    known = books.registration.terminal(terminal_id=said.terminal)
    if known is None or said.epoch != known["epoch"]:
        return
    if not is_sealed(message):
        _raise_forged(books, said.terminal, message)
        _tell_standing(books, said.terminal, said.corr)
        return
    before = books.registration.specification(terminal_id=said.terminal)
    if before is None or before["digest"] != message.digest:
        _register(books, said.terminal, message)
    moved = _moved(before, message)
    registered = KnownStanding(
        standing=Standing(known["standing"]),
        gate_digest=known["gate_digest"],
        confirmed_lately=books.acts_lately(f"registration.{Standing.CONFIRMED}", said.terminal),
    )
    after = after_specification(
        registered,
        message.gate_digest,
        Policy(known["policy"]),
        unmet(Requirements.model_validate_json(known["rules"]), message),
        is_moved=bool(moved),
    )
    if after is not None and not _is_waiting_already(registered, message, after):
        _change_standing(books, known, after, message.gate_digest, actor=Actor.POLICY)
        _note_waiting(books, known, after, moved)
    _tell_standing(books, said.terminal, said.corr)


def decide(
    books: Transaction,
    terminal: TerminalId,
    event: StandingEvent,
    actor: str,
    reason: str,
    *,
    seen: str | None = None,
) -> None:
    """Carry out an operator's word on a registration.

    Args:
        books: the open transaction.
        terminal: whose registration.
        event: the word.
        actor: who says it, for the audit.
        reason: why, for the audit and the terminal.
        seen: the gate digest of the specification that was looked at, where that matters.

    Raises:
        NotFound: there is no such terminal.
        NotAllowed: its standing does not allow it, or it is no longer what was looked at.
    """
    assert event in get_args(OperatorsWord), "the rest happens by itself"
    known = books.registration.terminal(terminal_id=terminal)
    if known is None:
        raise NotFound(what="terminal")
    before = Standing(known["standing"])
    after = STANDING.step(before, event)
    if after is None:
        raise NotAllowed(why=f"a terminal that is {before} cannot be told to {event}")
    if seen is not None and seen != known["gate_digest"]:
        raise NotAllowed(why="its specification has changed since it was looked at")
    _change_standing(books, known, (after, reason), known["gate_digest"], actor=actor)
    _tell_standing(books, terminal)


def tell_standing(books: Transaction, said: Received) -> None:
    """Tell a terminal that speaks out of turn where it stands, and nothing else (A7)."""
    _tell_standing(books, said.terminal)


def note_connection(books: Transaction, said: Received) -> None:
    """Notice two agents under one identity: whoever comes back after another was here is one.

    An agent takes a new name for its connections at each start and never takes an old one again.
    """
    message: PresenceTold = said.message
    known = books.registration.terminal(terminal_id=said.terminal)
    if message.state == Presence.GONE or known is None:
        return
    if message.connection and message.connection == known["connection_before"]:
        _shut_out_copies(books, known)
    elif message.connection != known["connection"]:
        books.registration.keep_connection(
            terminal_id=said.terminal,
            before=known["connection"],
            connection=message.connection,
        )


def note_presence(books: Transaction, changes: dict[TerminalId, Presence]) -> None:
    """Remember who is here, late or gone, as the controller judged it from their heartbeats."""
    for terminal, presence in changes.items():
        books.registration.change_presence(terminal_id=terminal, presence=presence, now=books.now)


def close_settled(books: Transaction) -> None:
    """Send to the gate whoever was only let finish: its last session is over."""
    for row in books.registration.settled(most=BATCH_MAX):
        terminal = TerminalId(row["terminal_id"])
        books.registration.close_settled(terminal_id=terminal)
        books.tell_broker(terminal, BrokerRole.GATE)


def _register(books: Transaction, terminal: TerminalId, specification: Specification) -> None:
    books.registration.register_specification(
        terminal_id=terminal,
        digest=specification.digest,
        gate_digest=specification.gate_digest,
        body=specification.model_dump_json(),
        registered_at=books.now,
    )


def _raise_forged(books: Transaction, terminal: TerminalId, message: Specification) -> None:
    books.raise_problem(
        Problem(
            kind=ProblemKind.SPECIFICATION_FORGED,
            subject=terminal,
            terminal=terminal,
            why="A specification came whose digests are not its own; it was not registered.",
            evidence={"digest": message.digest, "gate_digest": message.gate_digest},
            proposals=({"do": "suspend"},),
        )
    )


def _moved(before: Row | None, now: Specification) -> tuple[str, ...]:
    """Return what says that this is another PC than the one last confirmed, or last registered."""
    if before is None:
        return ()
    compared = Specification.model_validate_json(before["confirmed_body"] or before["body"])
    return evidence_of_another(compared.machine, now.machine)


def _is_waiting_already(
    registered: KnownStanding, message: Specification, after: tuple[Standing, str]
) -> bool:
    """Say whether the same specification waits for the same word already."""
    is_same = registered.gate_digest == message.gate_digest
    return is_same and registered.standing is after[0] is Standing.PENDING


def _change_standing(
    books: Transaction,
    known: Row,
    after: tuple[Standing, str],
    gate_digest: str | None,
    *,
    actor: str,
) -> None:
    standing, reason = after
    terminal = TerminalId(known["terminal_id"])
    has_to_settle = bool(books.registration.has_to_settle(terminal_id=terminal))
    role = role_for(standing, has_to_settle=has_to_settle)
    changed = books.registration.change_standing(
        terminal_id=terminal,
        before=known["standing"],
        standing=standing,
        reason=reason,
        gate_digest=gate_digest,
        broker_role=role,
    )
    assert changed == 1, "one writer decides, so what it read still stands"
    if not known["standing"] == standing == Standing.PENDING:  # to wait on is no decision
        books.audit(actor, f"registration.{standing}", terminal, reason)
    if standing is Standing.CONFIRMED:
        books.registration.keep_confirmed(
            terminal_id=terminal, gate_digest=gate_digest, confirmed_at=books.now
        )
    if standing is not Standing.PENDING:
        books.solve_problem(ProblemKind.REGISTRATION_WAITING, terminal)
        books.solve_problem(ProblemKind.TERMINAL_MOVED, terminal)
    if standing is Standing.RETIRED:
        books.registration.revoke_certificates(terminal_id=terminal, revoked_at=books.now)
        books.problems.solve_all_of(subject=terminal, at=books.now)
    _look_after_reservations(books, terminal, standing)
    if standing is Standing.RETIRED:
        books.tell_broker(terminal, None)
    elif role != known["broker_role"]:
        books.tell_broker(terminal, role)


def _look_after_reservations(books: Transaction, terminal: TerminalId, standing: Standing) -> None:
    """Have somebody look at what was sold on devices that leave; solved, when they are back."""
    if standing is Standing.CONFIRMED:
        books.problems.solve_reservations(at=books.now)
    if standing not in _LEAVES:
        return
    coming = books.registration.coming_reservations(
        terminal_id=terminal, now=books.now, most=BATCH_MAX
    )
    for row in coming:
        books.raise_problem(_without_device(books, terminal, row, standing))


def _without_device(
    books: Transaction, terminal: TerminalId, row: Row, standing: Standing
) -> Problem:
    instead = books.registration.free_instead(
        offering_id=row["offering_id"],
        terminal_id=terminal,
        starts_at=row["starts_at"],
        blocked_until=row["blocked_until"],
        most=DEVICES_PROPOSED_MAX,
    )
    moves: list[dict[str, Any]] = [
        {"do": "move", "device": each["device_id"], "title": each["title"]} for each in instead
    ]
    return Problem(
        kind=ProblemKind.RESERVATION_WITHOUT_DEVICE,
        subject=row["reservation_id"],
        terminal=terminal,
        reservation=row["reservation_id"],
        why=f"{row['device_title']} is sold for this time, and its terminal is {standing}.",
        evidence={
            "device": row["device_id"],
            "starts_at": row["starts_at"],
            "ends_at": row["ends_at"],
            "link": row["link"],
        },
        proposals=(*moves, {"do": "refund"}),
    )


def _note_waiting(
    books: Transaction, known: Row, after: tuple[Standing, str], moved: tuple[str, ...]
) -> None:
    """Call the operator to a registration that waits for a word."""
    standing, why = after
    if standing is not Standing.PENDING:
        return
    terminal = TerminalId(known["terminal_id"])
    row = books.registration.specification(terminal_id=terminal)
    changed: tuple[str, ...] = ()
    if row["confirmed_body"] is not None:
        confirmed = Specification.model_validate_json(row["confirmed_body"])
        now = Specification.model_validate_json(row["body"])
        changed = tuple(each.field for each in differences(confirmed, now) if each.is_watched)
    books.raise_problem(
        Problem(
            kind=ProblemKind.TERMINAL_MOVED if moved else ProblemKind.REGISTRATION_WAITING,
            subject=terminal,
            terminal=terminal,
            why=why,
            evidence={"changed": changed, "other": moved},
            proposals=({"do": "confirm"}, {"do": "reject"}, *({"do": "retire"},) * bool(moved)),
        )
    )


def shut_out_quarantined(books: Transaction) -> None:
    """Suspend terminals of which two disks speak: nothing of theirs stays on the page."""
    for row in books.registration.quarantined(most=BATCH_MAX):
        _suspend_copied(books, books.registration.terminal(terminal_id=row["terminal_id"]))


def _shut_out_copies(books: Transaction, known: Row) -> None:
    """Suspend an identity that two agents use: which of them is right, a person has to say."""
    terminal = TerminalId(known["terminal_id"])
    books.raise_problem(
        Problem(
            kind=ProblemKind.IDENTITY_COPIED,
            subject=terminal,
            terminal=terminal,
            why="Two agents take turns under this terminal's identity.",
            evidence={"connections": [known["connection_before"], known["connection"]]},
            proposals=({"do": "enrol_again"}, {"do": "retire"}),
        )
    )
    _suspend_copied(books, known)


def _suspend_copied(books: Transaction, known: Row) -> None:
    terminal = TerminalId(known["terminal_id"])
    suspended = STANDING.step(Standing(known["standing"]), StandingEvent.SUSPEND)
    if suspended is not None:
        why = "two agents use its identity: enrol the right one again"
        _change_standing(books, known, (suspended, why), known["gate_digest"], actor=Actor.POLICY)
        _tell_standing(books, terminal)


def _tell_standing(books: Transaction, terminal: TerminalId, corr: str = "") -> None:
    known = books.registration.terminal(terminal_id=terminal)
    if known is None or known["gate_digest"] is None:
        return
    told = StandingTold(
        standing=known["standing"],
        gate_digest=known["gate_digest"],
        epoch=known["epoch"],
        revision=known["standing_revision"],
        reason=known["standing_reason"],
    )
    books.say(terminal, Channel.REGISTRATION, told, corr=corr)
