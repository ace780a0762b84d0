"""Who calls: a browser by its session's key, a program by its token; both kept as digests alone.

Its law: a session ends when nobody has used it for a while, and after so long whatever happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cloud_controller.ports import Row, Transaction
from common.rules.accounts import PERMISSIONS, Operator, OperatorRole, Permission

KEY_DIGITS: Final = 64
"""Hex digits of a session's key, a token and a link: 256 bits, which nobody guesses."""

TOKEN_PREFIX: Final = "rsb_"  # noqa: S105 - it opens nothing
"""How a token begins, so that whoever finds one in a file knows what it opens."""

TOKEN_ACTOR: Final = "token:"  # noqa: S105 - it opens nothing
"""How the audit's name of a token begins; no operator is called so."""

HALF_SECONDS: Final = 600
"""How long the password alone is believed, until the second step has been shown."""

SEEN_SECONDS: Final = 60
"""How exactly it is noted when a session or a token was last used: not at every call."""

KEPT_SECONDS: Final = 30 * 86_400
"""How long a session is kept after it began: the audit keeps for good that there was one."""

PEER_MAX: Final = 45
BROWSER_MAX: Final = 200
"""Characters that are kept of where a session began, and in which browser."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lives:
    """How long a session lives: unused, and altogether."""

    idle_seconds: int = 30 * 60
    whole_seconds: int = 12 * 3_600


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A caller who is known.

    Attributes:
        session: his session's id; empty of a program.
        is_whole: whether he has shown the second step too.
        proved_at: when he last showed it; of a program, always now.
        is_seen: whether its use has been noted lately.
    """

    operator: Operator
    session: str = ""
    is_whole: bool = True
    proved_at: int = 0
    is_seen: bool = True
    challenge: str = ""


def digest_of(key: str) -> str:
    """Return as what a key is kept."""
    return sha256(key.encode()).hexdigest()


def begin_session(
    books: Transaction, operator: str, *, is_whole: bool, peer: str = "", browser: str = ""
) -> str:
    """Begin a session, and return the key by which its browser is known; told here only."""
    key = books.names.hex_digits(KEY_DIGITS)
    books.accounts.begin_session(
        session_id=books.names.new("os"),
        key_digest=digest_of(key),
        operator_id=operator,
        state="whole" if is_whole else "half",
        peer=peer[:PEER_MAX],
        browser=browser[:BROWSER_MAX],
        now=books.now,
    )
    return key


def known_by_session(books: Transaction, key: str, lives: Lives) -> Known | None:
    """Return whose browser shows this key, or None: nobody's, or not any more."""
    row = books.accounts.session(key_digest=digest_of(key))
    if row is None or _is_over(row, books.now, lives):
        return None
    return Known(
        operator=operator_of(books, row["operator_id"], row["name"]),
        session=row["session_id"],
        is_whole=row["state"] == "whole",
        proved_at=row["proved_at"],
        is_seen=row["seen_at"] > books.now - SEEN_SECONDS * 1000,
        challenge=row["challenge"],
    )


def known_by_token(books: Transaction, token: str) -> Known | None:
    """Return which program shows this token, or None."""
    row = books.accounts.token(digest=digest_of(token), now=books.now)
    if row is None:
        return None
    permissions: dict[str, frozenset[Permission]] = {}
    for scope in books.accounts.scopes(token_id=row["token_id"]):
        before = permissions.get(scope["store_id"], frozenset())
        permissions[scope["store_id"]] = before | {Permission(scope["permission"])}
    return Known(
        operator=Operator(
            operator=f"{TOKEN_ACTOR}{row['token_id']}",
            name=f"{TOKEN_ACTOR}{row['name']}",
            permissions=permissions,
        ),
        proved_at=books.now,
        is_seen=(row["used_at"] or 0) > books.now - SEEN_SECONDS * 1000,
    )


def operator_of(books: Transaction, operator: str, name: str) -> Operator:
    """Return an operator with all that he may."""
    roles = books.accounts.roles(operator_id=operator)
    return Operator(
        operator=operator,
        name=name,
        permissions={each["store_id"]: PERMISSIONS[OperatorRole(each["role"])] for each in roles},
    )


def note_use(books: Transaction, known: Known) -> None:
    """Note that a session or a token is used."""
    if known.session:
        books.accounts.note_seen(session_id=known.session, now=books.now)
    else:
        token = known.operator.operator.removeprefix(TOKEN_ACTOR)
        books.accounts.note_token_used(token_id=token, now=books.now)


def end_session(books: Transaction, session: str, operator: Operator) -> None:
    """End a session of an operator's own; one that is over stays so."""
    if books.accounts.end_session(session_id=session, operator_id=operator.operator):
        books.audit(operator.name, "operator.signed_out", operator.operator)


def own_sessions(books: Transaction, operator: str, lives: Lives) -> list[Row]:
    """Return an operator's sessions that go on, the one used last first."""
    return list(
        books.accounts.live_sessions(
            operator_id=operator,
            seen_after=books.now - lives.idle_seconds * 1000,
            made_after=books.now - lives.whole_seconds * 1000,
        )
    )


def forget_old(books: Transaction) -> None:
    """Forget sessions of long ago."""
    books.accounts.forget_sessions(before=books.now - KEPT_SECONDS * 1000)


def _is_over(row: Row, now: int, lives: Lives) -> bool:
    if row["state"] == "half":
        return bool(now >= row["made_at"] + HALF_SECONDS * 1000)
    idle_until = row["seen_at"] + lives.idle_seconds * 1000
    return bool(now >= idle_until or now >= row["made_at"] + lives.whole_seconds * 1000)
