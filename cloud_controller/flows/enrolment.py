"""A terminal gets its identity: a one-time code, a key of its own, an epoch that fences the last.

What was given under an earlier epoch is worth nothing any more: secret, certificates, standing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud_controller.ports import (
    Actor,
    Certified,
    CodeIsSpent,
    NotFound,
    Problem,
    Row,
    Transaction,
)
from common.errors import RusubanError, SealIsBroken
from common.ids import StoreId, TerminalId
from common.rules.enrolment import Ladder
from common.rules.problems import ProblemKind
from common.rules.registration import STANDING, Standing, StandingEvent, role_for
from common.seals import check_document, renewal_document, verifying_key
from common.topics import BrokerRole

CODE_LIFE_SECONDS: Final = 900
"""An enrolment code is good for a quarter of an hour, and once."""

CODE_LENGTH: Final = 10
"""Characters of an enrolment code: 49 bits."""

CODES_KEPT_SECONDS: Final = 86_400
"""A code is forgotten a day after it was good for the last time."""

SECRET_BYTES: Final = 32

RENEWED: Final = "credentials.renewed"
"""The audit's word for a renewal."""

RENEWALS_LATELY_MAX: Final = 12
"""Renewals of one terminal in an hour: twice what an honest one asks that can keep none of them;
each is a line in the audit and a certificate that may have to be taken back."""

Certify = Callable[[TerminalId, str], Certified]
"""Returns a certificate for a terminal's public key."""


class KeyIsKnown(RusubanError):
    """This PC is terminal {terminal} already: it needs a code made for that terminal."""


class NotRenewed(RusubanError):
    """No certificate for this terminal: its epoch is over, or its registration has ended."""


class RenewedTooOften(RusubanError):
    """This terminal has renewed {most} times in the last hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Salted:
    """A new secret with the salt and digest that the broker checks it by, all in hex."""

    secret: str
    salt: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What a PC shows when it asks to enrol."""

    code: str
    public_key: str
    hostname: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What the controller has ready for it: a secret, how far up the ladder, who certifies."""

    salted: Salted
    ladder: Ladder
    certify: Certify | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolled:
    """What a terminal is given when its code is good; the secret is said once and kept nowhere."""

    terminal: TerminalId
    store: StoreId
    epoch: str
    secret: str
    certificate: str
    public_keys: dict[int, str]


def make_code(
    books: Transaction, store: StoreId, actor: str, terminal: TerminalId | None = None
) -> str:
    """Return a new enrolment code for a store, or for a terminal of it that enrols again.

    Only the code's digest is kept.

    Raises:
        NotFound: there is no such store, or no such terminal in it.
    """
    if books.registration.store(store_id=store) is None:
        raise NotFound(what="store")
    if terminal is not None and not _is_of(books, terminal, store):
        raise NotFound(what="terminal")
    code = books.names.short_code(CODE_LENGTH)
    books.enrolment.add_code(
        code_digest=_digest(code),
        store_id=store,
        for_terminal=terminal,
        made_at=books.now,
        expires_at=books.now + CODE_LIFE_SECONDS * 1000,
    )
    books.audit(actor, "enrolment_code.made", terminal or store)
    return code


def enrol(books: Transaction, asking: Asking, given: Given) -> Enrolled | KeyIsKnown:
    """Return an identity for a good code, or why this PC cannot have one.

    Asked again with the same code and key (its answer was lost), the same terminal gets a new
    secret; the code is spent once.

    Raises:
        CodeIsSpent: the code is unknown, out of date, or was used by another key.
    """
    known = books.enrolment.code(code_digest=_digest(asking.code))
    if known is None or books.now >= known["expires_at"]:
        raise CodeIsSpent
    if known["terminal_id"] is not None:
        return _enrolled_before(books, known, asking, given)
    holder = books.enrolment.holder_of(public_key=asking.public_key)
    if holder is not None and holder != known["for_terminal"]:
        _raise_key_is_known(books, holder, asking)
        return KeyIsKnown(terminal=holder)
    if known["for_terminal"] is None:
        terminal, epoch = _add_terminal(books, known["store_id"], asking, given)
    else:
        terminal, epoch = _enrol_again(books, known["for_terminal"], asking, given)
    books.enrolment.spend_code(
        code_digest=_digest(asking.code),
        public_key=asking.public_key,
        terminal_id=terminal,
        spent_at=books.now,
    )
    return _answer(books, terminal, known["store_id"], epoch, given)


def renew(
    books: Transaction,
    terminal: TerminalId,
    epoch: str,
    signature: str,
    ladder: Ladder,
    certify: Certify | None,
) -> str:
    """Return a new certificate for a terminal that proves it still is who it was; empty: none.

    It says its epoch and signs that with its key, which is all that can be proved from there: said
    again by somebody else, it gets a certificate that is of no use without the key.

    Raises:
        NotRenewed: the epoch or the key is another, or the terminal has retired.
        RenewedTooOften: it is that terminal, and has had enough.
    """
    known = books.enrolment.terminal(terminal_id=terminal)
    if known is None or known["epoch"] != epoch or known["standing"] == Standing.RETIRED:
        raise NotRenewed
    try:
        key = verifying_key(bytes.fromhex(known["public_key"]))
        check_document(renewal_document(terminal, epoch), signature, key)
    except SealIsBroken:
        raise NotRenewed from None
    if books.acts_lately(RENEWED, terminal) >= RENEWALS_LATELY_MAX:
        raise RenewedTooOften(most=RENEWALS_LATELY_MAX)
    books.enrolment.raise_ladder(terminal_id=terminal, ladder=ladder)
    certificate = _certificate(books, terminal, known["public_key"], epoch, certify)
    books.audit(Actor.TERMINAL, RENEWED, terminal)
    return certificate


def forget_codes(books: Transaction) -> None:
    """Forget the codes that nobody can use any more."""
    books.enrolment.forget_codes(before=books.now - CODES_KEPT_SECONDS * 1000)


def _is_of(books: Transaction, terminal: TerminalId, store: StoreId) -> bool:
    known = books.enrolment.terminal(terminal_id=terminal)
    return (
        known is not None and known["store_id"] == store and known["standing"] != Standing.RETIRED
    )


def _digest(code: str) -> str:
    """Return what is kept of a code; typed in lower case or with spaces it is the same code."""
    return hashlib.sha256("".join(code.split()).replace("-", "").upper().encode()).hexdigest()


def _enrolled_before(books: Transaction, known: Row, asking: Asking, given: Given) -> Enrolled:
    """Answer once more what this code was spent for.

    Raises:
        CodeIsSpent: another key asks, or the terminal has enrolled anew or retired since.
    """
    terminal = books.enrolment.terminal(terminal_id=known["terminal_id"])
    is_theirs = known["public_key"] == asking.public_key == terminal["public_key"]
    is_latest = known["spent_at"] == terminal["enrolled_at"]
    if not (is_theirs and is_latest) or terminal["standing"] == Standing.RETIRED:
        raise CodeIsSpent
    books.enrolment.change_secret(
        terminal_id=terminal["terminal_id"],
        secret_salt=given.salted.salt,
        secret_digest=given.salted.digest,
    )
    return _answer(books, terminal["terminal_id"], known["store_id"], terminal["epoch"], given)


def _raise_key_is_known(books: Transaction, holder: str, asking: Asking) -> None:
    books.raise_problem(
        Problem(
            kind=ProblemKind.KEY_ENROLLED_TWICE,
            subject=holder,
            terminal=TerminalId(holder),
            why="A PC with this terminal's key asked to enrol as another one.",
            evidence={"hostname": asking.hostname},
            proposals=({"do": "enrol_again"}, {"do": "retire"}),
        )
    )


def _add_terminal(
    books: Transaction, store: str, asking: Asking, given: Given
) -> tuple[TerminalId, str]:
    terminal = TerminalId(books.names.new("t"))
    epoch = books.names.hex_digits(16)
    books.enrolment.add_terminal(
        terminal_id=terminal,
        store_id=store,
        hostname=asking.hostname,
        public_key=asking.public_key,
        epoch=epoch,
        secret_salt=given.salted.salt,
        secret_digest=given.salted.digest,
        ladder=given.ladder,
        enrolled_at=books.now,
    )
    books.audit(Actor.CODE, "terminal.enrolled", terminal, asking.hostname)
    return terminal, epoch


def _enrol_again(
    books: Transaction, terminal: TerminalId, asking: Asking, given: Given
) -> tuple[TerminalId, str]:
    """Give a terminal a new epoch.

    Raises:
        CodeIsSpent: it has retired since its code was made.
    """
    known = books.enrolment.terminal(terminal_id=terminal)
    standing = STANDING.step(Standing(known["standing"]), StandingEvent.ENROL)
    if standing is None:
        raise CodeIsSpent
    epoch = books.names.hex_digits(16)
    is_busy = bool(books.registration.has_to_settle(terminal_id=terminal))
    books.enrolment.revoke_certificates(terminal_id=terminal, revoked_at=books.now)
    changed = books.enrolment.enrol_again(
        terminal_id=terminal,
        before=known["standing"],
        hostname=asking.hostname,
        public_key=asking.public_key,
        epoch=epoch,
        secret_salt=given.salted.salt,
        secret_digest=given.salted.digest,
        standing=standing,
        reason="it has enrolled again",
        broker_role=role_for(standing, has_to_settle=is_busy),
        ladder=given.ladder,
        enrolled_at=books.now,
    )
    assert changed == 1, "one writer decides, so what it read still stands"
    books.enrolment.forget_device_states(terminal_id=terminal)
    books.problems.solve_all_of(subject=terminal, at=books.now)
    books.audit(Actor.CODE, "terminal.enrolled_again", terminal, asking.hostname)
    return terminal, epoch


def _answer(
    books: Transaction, terminal: TerminalId, store: StoreId, epoch: str, given: Given
) -> Enrolled:
    known = books.enrolment.terminal(terminal_id=terminal)
    books.tell_broker(terminal, BrokerRole(known["broker_role"]), secret=given.salted.secret)
    return Enrolled(
        terminal=terminal,
        store=store,
        epoch=epoch,
        secret=given.salted.secret,
        certificate=_certificate(books, terminal, known["public_key"], epoch, given.certify),
        public_keys=books.keys.public_keys(),
    )


def _certificate(
    books: Transaction, terminal: TerminalId, public_key: str, epoch: str, certify: Certify | None
) -> str:
    if certify is None:
        return ""
    certified = certify(terminal, public_key)
    books.enrolment.keep_certificate(
        serial=certified.serial,
        terminal_id=terminal,
        epoch=epoch,
        issued_at=books.now,
        expires_at=certified.expires_at,
    )
    return certified.pem
