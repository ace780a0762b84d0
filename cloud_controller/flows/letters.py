"""What customers are written: queued with what made it true, sent by the postman, then forgotten.

A letter names tickets by the links they had when it was queued: one that has been given to somebody
else since has another link, and is not told to whom had it before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cloud_controller.ports import NotFound, Problem, Row, Transaction
from common.rules.letters import ATTEMPTS_MAX, LetterKind, LetterState, address_of, wait_seconds
from common.rules.problems import ProblemKind

FACTS_LENGTH_MAX: Final = 16_000
"""Characters of a letter's facts: a large order's links and a few words."""

TICKETS_MAX: Final = 20
"""Tickets that one letter names."""

FOUND_LATELY_SECONDS: Final = 3_600
FOUND_LATELY_MAX: Final = 3
"""Letters that find tickets again for one address in an hour: nobody's mailbox is filled by us."""

THE_SERVER: Final = "mail"
"""Subject of the one problem that all letters share when the mail server takes none."""

_TO_WHO_PAID: Final = frozenset({LetterKind.TRANSFERRED, LetterKind.REFUNDED, LetterKind.RECEIPT})
"""Letters that go where they are told: to a new holder, or about the money to whom it is from."""

_TOLD: Final = (
    *("starts_at", "ends_at", "store_title", "time_zone", "offering_title"),
    "currency",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A letter whose turn it is; `attempts` counts this one.

    Attributes:
        links: the tickets it is about, as they could be reached when it was queued.
        message_id: its name among all mails of the world; the same at each attempt.
    """

    letter: str
    kind: LetterKind
    to: str
    language: str
    facts: Mapping[str, Any]
    links: tuple[str, ...]
    order: str | None
    attempts: int
    message_id: str
    made_at: int


def queue(  # noqa: PLR0913 - a letter is what, to whom, in which words, about what
    books: Transaction,
    kind: LetterKind | str,
    *,
    to: str,
    language: str,
    facts: Mapping[str, Any] | None = None,
    order: str | None = None,
    reservation: str | None = None,
) -> None:
    """Have a letter sent after the commit; one to no address is not written.

    What was given to somebody else is written about to him, and not to whom had it before.

    It names the reservation's ticket, or without one all of the order's, as their links are now.
    What it shows of them is looked up when it is sent. The time, store and offering that its words
    name are those of now, of the first; `facts` may say others: `store_title`, `time_zone`,
    `offering_title`, `starts_at`, `ends_at`, `currency`; and besides `cents`, `was_starts_at`,
    `until_at`, and `path`, a page below our address.
    """
    kind = LetterKind(kind)
    if reservation is not None and kind not in _TO_WHO_PAID:
        to, language = _holder(books, reservation, to, language)
    recipient = address_of(to)
    if recipient is None:
        return
    body = json.dumps({**_about(books, order, reservation), **(facts or {})}, sort_keys=True)
    assert len(body) <= FACTS_LENGTH_MAX, "a letter's facts are few and short"
    books.letters.queue(
        letter_id=books.names.new("l"),
        kind=kind,
        recipient=recipient,
        language=language,
        facts=body,
        order_id=order,
        reservation_id=reservation,
        at=books.now,
    )


def find_again(books: Transaction, mail: str, language: str) -> None:
    """Have whoever has this address sent the links of what is booked for it.

    Whether there is anything is looked at only when the letter is written, so that asking takes
    the same time and gets the same answer for every address.
    """
    recipient = address_of(mail)
    if recipient is None:
        return
    lately = books.letters.lately(
        recipient=recipient,
        kind=LetterKind.FOUND_AGAIN,
        since=books.now - FOUND_LATELY_SECONDS * 1000,
        most=FOUND_LATELY_MAX,
    )
    if lately < FOUND_LATELY_MAX:
        queue(books, LetterKind.FOUND_AGAIN, to=recipient, language=language)


def is_due(books: Transaction) -> bool:
    """Say whether a letter waits to be sent now."""
    return bool(list(books.letters.due(now=books.now, most=1)))


def take(books: Transaction, most: int, domain: str) -> list[Letter]:
    """Return letters whose turn it is, with this attempt of each already counted.

    So a kill between sending and noting repeats a letter once, under the same name, and a letter
    that kills whoever writes it is not tried for ever. `domain` is that of the sender's address.
    """
    taken = []
    for row in books.letters.due(now=books.now, most=most):
        attempts = row["attempts"] + 1
        message_id = row["message_id"] or f"<{row['letter_id']}@{domain}>"
        books.letters.note_attempt(
            letter_id=row["letter_id"],
            attempts=attempts,
            next_at=books.now + wait_seconds(attempts) * 1000,
            message_id=message_id,
        )
        taken.append(_letter(books, row, attempts, message_id))
    return taken


def note_sent(books: Transaction, letter: str) -> None:
    """Note that a mail server has taken a letter."""
    _close(books, letter, LetterState.SENT)
    books.solve_problem(ProblemKind.MAIL_NOT_TAKEN, THE_SERVER)


def withdraw(books: Transaction, letter: str) -> None:
    """Note that a letter was not sent, since what it would say is not true any more."""
    _close(books, letter, LetterState.WITHDRAWN)


def note_failed(books: Transaction, letter: Letter, refusal: str, *, is_final: bool) -> None:
    """Note that a letter was not taken, and why; somebody has to look when it never will be.

    Args:
        books: the open transaction.
        letter: as it was taken.
        refusal: the server's code, or what kept us from it; no address is in it.
        is_final: whether the server has refused this letter for good.
    """
    evidence = {"letter": letter.letter, "kind": letter.kind, "refusal": refusal}
    if is_final:
        _close(books, letter.letter, LetterState.FAILED, refusal)
        why = "The mail server refuses this letter for good."
        _raise(books, ProblemKind.LETTER_REFUSED, letter.letter, why, evidence)
        return
    if letter.attempts < ATTEMPTS_MAX:
        next_at = books.now + wait_seconds(letter.attempts) * 1000
        books.letters.put_off(letter_id=letter.letter, next_at=next_at, refusal=refusal)
        return
    _close(books, letter.letter, LetterState.FAILED, refusal)
    why = f"A letter was tried {letter.attempts} times, and given up."
    _raise(books, ProblemKind.MAIL_NOT_TAKEN, THE_SERVER, why, evidence)


def set_aside(books: Transaction) -> None:
    """Keep what is queued as never sent: no mail server is configured."""
    books.letters.set_aside(at=books.now)


def forget(books: Transaction, kept_seconds: int) -> None:
    """Forget whom old letters went to, and what they said."""
    books.letters.forget(before=books.now - kept_seconds * 1000)


def besides(books: Transaction, link: str) -> Row:
    """Return what a ticket's page and papers show besides the ticket.

    Raises:
        NotFound: there is no such ticket.
    """
    row = books.letters.besides(link=link)
    if row is None:
        raise NotFound(what="ticket")
    return row


def was_given(books: Transaction, reservation: str) -> bool:
    """Say whether whoever holds a reservation now was given it by whom it was booked by."""
    return bool(books.letters.times_given_away(reservation_id=reservation))


def _letter(books: Transaction, row: Row, attempts: int, message_id: str) -> Letter:
    facts = json.loads(row["facts"])
    kind = LetterKind(row["kind"])
    links: Sequence[str] = facts.pop("links", ())
    if kind is LetterKind.FOUND_AGAIN:
        found = books.letters.links_of_mail(mail=row["recipient"], now=books.now, most=TICKETS_MAX)
        links = [each["link"] for each in found]
    return Letter(
        letter=row["letter_id"],
        kind=kind,
        to=row["recipient"],
        language=row["language"],
        facts=facts,
        links=tuple(links),
        order=row["order_id"],
        attempts=attempts,
        message_id=message_id,
        made_at=row["made_at"],
    )


def _holder(books: Transaction, reservation: str, to: str, language: str) -> tuple[str, str]:
    """Return whose a reservation is now: the order's customer, or whom he gave it to."""
    if not was_given(books, reservation):
        return to, language
    row = books.letters.holder(reservation_id=reservation)
    return ("", language) if row is None else (row["recipient"], row["language"])


def _about(books: Transaction, order: str | None, reservation: str | None) -> dict[str, Any]:
    """Return the links of what a letter is about, and time, store and offering of the first."""
    if reservation is not None:
        rows = list(books.letters.about_reservation(reservation_id=reservation))
    elif order is not None:
        rows = list(books.letters.about_order(order_id=order, most=TICKETS_MAX))
    else:
        rows = []
    told = {key: rows[0][key] for key in _TOLD} if rows else {}
    return {"links": [row["link"] for row in rows], **told}


def _close(books: Transaction, letter: str, state: LetterState, refusal: str = "") -> None:
    books.letters.close(letter_id=letter, state=state, refusal=refusal, at=books.now)


def _raise(
    books: Transaction, kind: ProblemKind, subject: str, why: str, evidence: Mapping[str, Any]
) -> None:
    books.raise_problem(Problem(kind=kind, subject=subject, why=why, evidence=evidence))
