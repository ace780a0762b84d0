"""Signing in: the password, then the second step; each try is counted before it is looked at.

Its law: whoever fails hears no more than that he failed, whether there is such an operator or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cloud_controller.flows.accounts.sessions import (
    Known,
    begin_session,
    digest_of,
    forget_old,
)
from cloud_controller.ports import Row, Transaction
from common.rules.accounts import FROM_AN_ADDRESS, WITH_A_NAME, Operator, Patience

FORGOTTEN_SECONDS: Final = 86_400
"""After so long without another, failures are forgotten."""

RECOVERY_CODES: Final = 10
RECOVERY_DIGITS: Final = 20
"""Hex digits of a recovery code: 80 bits, which are typed once."""

_SIGN_IN: Final = "operator.signed_in"


@dataclass(frozen=True, kw_only=True, slots=True)
class Browser:
    """Where somebody signs in: the address of his network and what his browser calls itself."""

    peer: str = ""
    name: str = ""


def wait_seconds(books: Transaction, name: str, peer: str) -> int:
    """Return how long whoever tries must wait; nought: he may try now."""
    until = 0
    for subject in _subjects(name, peer):
        row = books.accounts.failures(subject=subject)
        until = max(until, row["closed_until"] if row is not None else 0)
    return max(0, -((books.now - until) // 1000))


def count_try(books: Transaction, name: str, peer: str) -> int:
    """Count a try as failed until it is known to be none; return how long to wait instead of it."""
    waits = wait_seconds(books, name, peer)
    if waits:
        return waits
    for subject, patience in _subjects(name, peer).items():
        row = books.accounts.failures(subject=subject)
        is_fresh = row is not None and row["failed_at"] > books.now - FORGOTTEN_SECONDS * 1000
        failures = (row["failures"] if is_fresh else 0) + 1
        closed_until = books.now + patience.wait_seconds(failures) * 1000
        _keep_failures(books, subject, failures, closed_until)
    books.accounts.forget_old_failures(before=books.now - FORGOTTEN_SECONDS * 1000)
    return 0


def take_back_try(books: Transaction, name: str, peer: str) -> None:
    """Note that a try was none of those that fail."""
    for subject in _subjects(name, peer):
        row = books.accounts.failures(subject=subject)
        if row is not None:
            _keep_failures(books, subject, max(0, row["failures"] - 1), 0)


def note_failed(books: Transaction, operator: str, name: str, what: str) -> None:
    """Enter that a try failed; what nobody is called is not kept: it may be a secret.

    `what` is `password` or `second step`.
    """
    if operator:
        books.audit(name, "operator.sign_in_failed", operator, what)


def begin_half(books: Transaction, proved: Row, browser: Browser) -> str:
    """Believe a password, and return the key of a session that shows nothing yet; empty: none.

    `proved` is the operator as he stood when it was looked at, which takes a while: who is gone
    since then, or has another password, is not let in by the old one.
    """
    row = books.accounts.operator(operator_id=proved["operator_id"])
    if row is None or row["password"] != proved["password"]:
        return ""
    return begin_session(
        books, row["operator_id"], is_whole=False, peer=browser.peer, browser=browser.name
    )


def spend_code(books: Transaction, operator: str, step: int) -> bool:
    """Take the code of a step, each once; say whether it was not taken before."""
    return bool(books.accounts.spend_totp(operator_id=operator, step=step))


def spend_recovery_code(books: Transaction, operator: Operator, code: str) -> bool:
    """Take a recovery code, each once."""
    spent = books.accounts.spend_recovery_code(
        code_digest=digest_of(code), operator_id=operator.operator, now=books.now
    )
    if spent:
        left = books.accounts.recovery_codes_left(operator_id=operator.operator)
        books.audit(operator.name, "operator.recovery_code_used", operator.operator, f"{left} left")
    return bool(spent)


def note_passkey(books: Transaction, passkey: str, signs: int) -> None:
    """Note that a passkey was shown."""
    books.accounts.note_passkey(passkey_id=passkey, signs=signs, now=books.now)


def finish(books: Transaction, known: Known, browser: Browser) -> str:
    """Believe the second step: the half session ends, and a whole one with another key begins."""
    books.accounts.end_session(session_id=known.session, operator_id=known.operator.operator)
    books.accounts.forget_failures(subject=_name_subject(known.operator.name))
    forget_old(books)
    books.audit(known.operator.name, _SIGN_IN, known.operator.operator, browser.peer)
    return begin_session(
        books, known.operator.operator, is_whole=True, peer=browser.peer, browser=browser.name
    )


def prove_again(books: Transaction, known: Known) -> None:
    """Note that the second step has been shown once more in this session."""
    books.accounts.note_proof(session_id=known.session, now=books.now)
    books.audit(known.operator.name, "operator.proved_again", known.operator.operator)


def keep_challenge(books: Transaction, session: str, challenge: str) -> None:
    """Keep what the browser of a session is asked, until it answers."""
    books.accounts.keep_challenge(session_id=session, challenge=challenge)


def make_recovery_codes(books: Transaction, operator: Operator) -> tuple[str, ...]:
    """Make new recovery codes in place of the old; they are told here and never again."""
    books.accounts.drop_recovery_codes(operator_id=operator.operator)
    codes = tuple(books.names.hex_digits(RECOVERY_DIGITS) for _ in range(RECOVERY_CODES))
    for code in codes:
        books.accounts.add_recovery_code(code_digest=digest_of(code), operator_id=operator.operator)
    books.audit(operator.name, "operator.recovery_codes_made", operator.operator)
    return codes


def second_steps(books: Transaction, operator: str) -> tuple[Row | None, list[Row]]:
    """Return an operator's row, with the secret of his codes, and his passkeys."""
    row = books.accounts.operator(operator_id=operator)
    return row, list(books.accounts.passkeys(operator_id=operator))


def _keep_failures(books: Transaction, subject: str, failures: int, closed_until: int) -> None:
    books.accounts.note_failure(
        subject=subject, failures=failures, now=books.now, closed_until=closed_until
    )


def _subjects(name: str, peer: str) -> Mapping[str, Patience]:
    """Return under what a try is counted."""
    return {_name_subject(name): WITH_A_NAME, f"peer:{peer}": FROM_AN_ADDRESS}


def _name_subject(name: str) -> str:
    return f"name:{sha256(name.casefold().encode()).hexdigest()}"
