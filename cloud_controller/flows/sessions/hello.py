"""A terminal that comes back: what we have of it, and what it has to be told."""

from __future__ import annotations

from typing import Final

from cloud_controller.flows.sessions.keys import say_keys
from cloud_controller.flows.sessions.revoked import revoked_for
from cloud_controller.flows.sessions.stops import say_desired
from cloud_controller.ports import Problem, Received, Transaction
from common.ids import TerminalId
from common.messages.registration import Hello, Welcome
from common.rules.problems import ProblemKind
from common.topics import BrokerRole, Channel

PROTOCOL: Final = 1
"""The version of the protocol that this controller speaks."""

REVISION_BELIEVED_MAX: Final = 2**53
"""No controller comes to a higher revision; one that was, could soon not be raised any more."""


def hello(books: Transaction, said: Received) -> None:
    """Welcome a terminal back: what has been received, what is desired, what time it is.

    One that knows more of us than we do ourselves shows that an old backup was put back.
    """
    message: Hello = said.message
    lowest, highest = message.protocol
    if not lowest <= PROTOCOL <= highest:
        books.raise_problem(_unspoken(said.terminal, message))
        return
    books.solve_problem(ProblemKind.PROTOCOL_UNSPOKEN, said.terminal)
    applied = _applied_up_to(books, said, before=message.outbox_first)
    known = books.registration.terminal(terminal_id=said.terminal)
    if known["broker_role"] != BrokerRole.SERVICE:
        return  # while it settles, acknowledgements and stops are all it hears
    revision = known["desired_revision"]
    if revision == 0 and revoked_for(books, said.terminal)[0]:  # it came after they were told
        revision = books.sessions.raise_revision(terminal_id=said.terminal)
    if revision < message.applied_revision <= REVISION_BELIEVED_MAX:
        revision = books.sessions.raise_revision_above(
            terminal_id=said.terminal, applied=message.applied_revision
        )
    welcome = Welcome(
        epoch=said.epoch,
        acknowledged_up_to=applied,
        desired_revision=revision,
        server_at=books.now,
    )
    books.say(said.terminal, Channel.WELCOME, welcome, corr=said.corr)
    if message.keys_revision < books.keys.revision:
        say_keys(books, said.terminal)
    if message.applied_revision < revision:
        say_desired(books, said.terminal, revision)


def _applied_up_to(books: Transaction, said: Received, *, before: int) -> int:
    """Return up to where the events of a terminal that has none `before` this one are applied.

    It drops what we acknowledged and nothing else: of what it has not, and we do not know, only the
    number is left, and what comes after must not wait for it.
    """
    who, epoch = said.terminal, said.epoch
    applied: int = books.post.mark(terminal_id=who, epoch=epoch) or 0
    if before <= applied + 1:
        return applied
    books.post.raise_mark(terminal_id=who, epoch=epoch, applied_up_to=before - 1)
    books.post.applied(terminal_id=who, epoch=epoch, seq=before - 1)
    books.enter("events.lost", {"from": applied + 1, "to": before - 1}, terminal=who)
    return before - 1


def _unspoken(terminal: TerminalId, message: Hello) -> Problem:
    return Problem(
        kind=ProblemKind.PROTOCOL_UNSPOKEN,
        subject=terminal,
        terminal=terminal,
        why=f"It speaks versions {message.protocol[0]} to {message.protocol[1]}, we {PROTOCOL}.",
        evidence={"protocol": list(message.protocol)},
    )
