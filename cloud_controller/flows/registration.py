"""A terminal enrols, says what it is, is confirmed, and only then is given service information."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import CodeIsSpent, NotAllowed, NotFound, Received, Transaction
from common.ids import StoreId, TerminalId
from common.messages.registration import (
    ServiceProfile,
    ServiceRefused,
    Specification,
    StandingTold,
)
from common.rules.presence import Presence
from common.rules.registration import (
    STANDING,
    BrokerRole,
    Policy,
    Registered,
    Standing,
    StandingEvent,
    after_specification,
    may_have_service,
    profile_of,
    role_for,
)
from common.topics import Channel

CODE_LIFE_SECONDS: Final = 900
"""An enrolment code is good for a quarter of an hour, and once."""

CODE_LENGTH: Final = 10
"""Characters of an enrolment code: 49 bits."""

DEVICES_KEPT_MAX: Final = 256
"""Devices one terminal may ever have named: each keeps its number, and a store has 65 535."""

SECRET_BYTES: Final = 32
SALT_BYTES: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Salted:
    """A new secret with the salt and digest that the broker checks it by, all in hex."""

    secret: str
    salt: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """What a terminal is given when its code is good; the secret is said once and kept nowhere."""

    terminal: TerminalId
    store: StoreId
    epoch: str
    secret: str
    public_keys: dict[int, str]


def add_store(
    books: Transaction, store: StoreId, title: str, time_zone: str, policy: Policy
) -> None:
    """Make a store known; one that is known keeps what it has."""
    books.registration.add_store(
        store_id=store,
        number=books.registration.highest_store_number() + 1,
        title=title,
        time_zone=time_zone,
        policy=policy,
        made_at=books.now,
    )


def make_code(books: Transaction, store: StoreId, actor: str) -> str:
    """Return a new enrolment code for a store; only its digest is kept.

    Raises:
        NotFound: there is no such store.
    """
    if books.registration.store(store_id=store) is None:
        raise NotFound(what="store")
    code = books.names.short_code(CODE_LENGTH)
    books.registration.add_code(
        code_digest=_digest(code),
        store_id=store,
        made_at=books.now,
        expires_at=books.now + CODE_LIFE_SECONDS * 1000,
    )
    _audit(books, actor, "enrolment_code.made", store, "")
    return code


def enrol(
    books: Transaction, code: str, public_key: str, hostname: str, salted: Salted
) -> Enrolled:
    """Return a new terminal's identity for a good code.

    Asked again with the same code and key (its answer was lost), the same terminal gets a new
    secret; the code is spent once.

    Raises:
        CodeIsSpent: the code is unknown, out of date, or was used by another key.
    """
    known = books.registration.code(code_digest=_digest(code))
    if known is None or books.now >= known["expires_at"]:
        raise CodeIsSpent
    if known["terminal_id"] is None:
        terminal, epoch = _add_terminal(books, known["store_id"], public_key, hostname, salted)
        books.registration.spend_code(
            code_digest=_digest(code),
            public_key=public_key,
            terminal_id=terminal,
            spent_at=books.now,
        )
    elif known["public_key"] == public_key:
        terminal = known["terminal_id"]
        epoch = books.registration.terminal(terminal_id=terminal)["epoch"]
        books.registration.change_secret(
            terminal_id=terminal, secret_salt=salted.salt, secret_digest=salted.digest
        )
    else:
        raise CodeIsSpent
    role = books.registration.terminal(terminal_id=terminal)["broker_role"]
    books.tell_broker(terminal, BrokerRole(role), secret=salted.secret)
    return Enrolled(
        terminal=terminal,
        store=known["store_id"],
        epoch=epoch,
        secret=salted.secret,
        public_keys=books.keys.public_keys(),
    )


def specify(books: Transaction, said: Received) -> None:
    """Register a specification and answer with the terminal's standing (A1-A3)."""
    message: Specification = said.message
    known = books.registration.terminal(terminal_id=said.terminal)
    if known is None or said.epoch != known["epoch"]:
        return
    books.registration.register_specification(
        terminal_id=said.terminal,
        digest=message.digest,
        gate_digest=message.gate_digest,
        body=message.model_dump_json(),
        registered_at=books.now,
    )
    registered = Registered(standing=Standing(known["standing"]), gate_digest=known["gate_digest"])
    after = after_specification(registered, message.gate_digest, Policy(known["policy"]))
    if after is not None:
        _change_standing(books, said.terminal, registered.standing, after, message.gate_digest)
    _tell_standing(books, said.terminal)


def decide(
    books: Transaction, terminal: TerminalId, event: StandingEvent, actor: str, reason: str
) -> None:
    """Carry out an operator's word on a registration.

    Raises:
        NotFound: there is no such terminal.
        NotAllowed: its standing does not allow it.
    """
    known = books.registration.terminal(terminal_id=terminal)
    if known is None:
        raise NotFound(what="terminal")
    before = Standing(known["standing"])
    after = STANDING.step(before, event)
    if after is None:
        raise NotAllowed(why=f"a terminal that is {before} cannot be told to {event}")
    _change_standing(books, terminal, before, (after, reason), known["gate_digest"])
    _audit(books, actor, f"registration.{event}", terminal, reason)
    _tell_standing(books, terminal)


def give_service(books: Transaction, said: Received) -> None:
    """Give service information, generated from what is registered, or refuse it (A5-A7)."""
    known = books.registration.terminal(terminal_id=said.terminal)
    asked = said.message.gate_digest
    if (
        known is None
        or said.epoch != known["epoch"]
        or not may_have_service(Standing(known["standing"]), known["gate_digest"], asked)
    ):
        _refuse_service(books, said, "not_registered")
        return
    row = books.registration.specification(terminal_id=said.terminal)
    specification = Specification.model_validate_json(row["body"])
    if not _may_have_devices(books, said.terminal, specification):
        _refuse_service(books, said, "too_many_devices")
        return
    profile = profile_of(
        specification,
        store=known["store_id"],
        store_number=known["store_number"],
        numbers=_numbered_devices(books, said.terminal, known["store_id"], specification),
    )
    _keep_profile(books, said.terminal, profile)
    books.say(said.terminal, Channel.REPLIES, profile, corr=said.corr)


def note_presence(books: Transaction, changes: dict[TerminalId, Presence]) -> None:
    """Remember who is here, late or gone, as the controller judged it from their heartbeats."""
    for terminal, presence in changes.items():
        books.registration.change_presence(terminal_id=terminal, presence=presence)


def _digest(code: str) -> str:
    """Return what is kept of a code; typed in lower case or with spaces it is the same code."""
    return hashlib.sha256("".join(code.split()).replace("-", "").upper().encode()).hexdigest()


def _add_terminal(
    books: Transaction, store: str, public_key: str, hostname: str, salted: Salted
) -> tuple[TerminalId, str]:
    terminal = TerminalId(books.names.new("t"))
    epoch = books.names.hex_digits(16)
    books.registration.add_terminal(
        terminal_id=terminal,
        store_id=store,
        hostname=hostname,
        public_key=public_key,
        epoch=epoch,
        secret_salt=salted.salt,
        secret_digest=salted.digest,
        enrolled_at=books.now,
    )
    _audit(books, "enrolment", "terminal.enrolled", terminal, hostname)
    return terminal, epoch


def _change_standing(
    books: Transaction,
    terminal: TerminalId,
    before: Standing,
    after: tuple[Standing, str],
    gate_digest: str | None,
) -> None:
    standing, reason = after
    is_busy = bool(books.registration.has_live_sessions(terminal_id=terminal))
    role = role_for(standing, has_running_sessions=is_busy)
    changed = books.registration.change_standing(
        terminal_id=terminal,
        before=before,
        standing=standing,
        reason=reason,
        gate_digest=gate_digest,
        broker_role=role,
    )
    assert changed == 1, "one writer decides, so what it read still stands"
    _audit(books, "policy", f"registration.{standing}", terminal, reason)
    books.tell_broker(terminal, None if standing is Standing.RETIRED else role)


def _tell_standing(books: Transaction, terminal: TerminalId) -> None:
    known = books.registration.terminal(terminal_id=terminal)
    if known["gate_digest"] is None:
        return
    told = StandingTold(
        standing=known["standing"],
        gate_digest=known["gate_digest"],
        reason=known["standing_reason"],
    )
    books.say(terminal, Channel.REGISTRATION, told)


def _refuse_service(books: Transaction, said: Received, reason: str) -> None:
    books.say(said.terminal, Channel.REPLIES, ServiceRefused(reason=reason), corr=said.corr)


def _may_have_devices(
    books: Transaction, terminal: TerminalId, specification: Specification
) -> bool:
    """Say whether the terminal stays within what one may name, with all it has named before."""
    named = {row["key"] for row in books.registration.devices_of(terminal_id=terminal)}
    return len(named | {found.key for found in specification.devices}) <= DEVICES_KEPT_MAX


def _numbered_devices(
    books: Transaction, terminal: TerminalId, store: str, specification: Specification
) -> dict[str, tuple[str, int]]:
    """Return each device's id and number; a new one gets the store's next number and keeps it."""
    known = {
        row["key"]: (row["device_id"], row["number"])
        for row in books.registration.devices_of(terminal_id=terminal)
    }
    for found in specification.devices:
        if found.key in known:
            books.registration.describe_device(
                device_id=known[found.key][0], title=found.title, program=found.program
            )
            continue
        device = books.names.new("d")
        number = books.registration.next_device_number(store_id=store)
        books.registration.add_device(
            device_id=device,
            store_id=store,
            number=number,
            terminal_id=terminal,
            key=found.key,
            title=found.title,
            program=found.program,
        )
        known[found.key] = (device, number)
    return known


def _keep_profile(books: Transaction, terminal: TerminalId, profile: ServiceProfile) -> None:
    books.registration.keep_profile(
        terminal_id=terminal,
        gate_digest=profile.gate_digest,
        profile_digest=profile.profile_digest,
        body=profile.model_dump_json(),
        generated_at=books.now,
    )


def _audit(books: Transaction, actor: str, act: str, subject: str, reason: str) -> None:
    books.registration.audit(at=books.now, actor=actor, act=act, subject=subject, reason=reason)
