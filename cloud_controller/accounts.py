"""Accounts at the broker: as the books have them, and as the broker is told of a change."""

from __future__ import annotations

from cloud_controller.broker import (
    AccountRole,
    BrokerAccount,
    change_role,
    create_account,
    remove_account,
)
from cloud_controller.ports import RoleGiven, Said, Transaction
from common.topics import Channel


def is_answer(said: Said | RoleGiven) -> bool:
    """Say whether this answers a terminal's question and is kept nowhere."""
    return isinstance(said, Said) and said.channel is Channel.REPLIES and said.outbox_id is None


def is_farewell(said: Said | RoleGiven) -> bool:
    """Say whether what a terminal was let in by until now is worth nothing any more."""
    return isinstance(said, RoleGiven) and (said.role is None or said.secret is not None)


def terminal_accounts(books: Transaction) -> list[BrokerAccount]:
    """Return every terminal's account as the broker has to know it after a start."""
    return [
        BrokerAccount(
            name=row["terminal_id"],
            role=AccountRole(row["broker_role"]),
            salt=bytes.fromhex(row["secret_salt"]),
            secret_hash=bytes.fromhex(row["secret_digest"]),
        )
        for row in books.enrolment.broker_accounts()
    ]


def broker_words(given: RoleGiven) -> list[tuple[str, bytes]]:
    """Return what the broker is told so that a terminal has this role."""
    role = AccountRole(given.role) if given.role is not None else None
    if given.secret is not None:
        commands = [
            remove_account(given.terminal),
            create_account(given.terminal, role, given.secret),
        ]
    elif role is None:
        commands = [remove_account(given.terminal)]
    else:
        commands = [change_role(given.terminal, role)]
    return [(command.topic, command.payload) for command in commands]
