"""What waits for an endpoint goes out, each thing's events in order; what became of it is noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud_controller.flows.hooks.endpoints import switch_to
from cloud_controller.ports import Problem, Row, Transaction
from common.rules.hooks import (
    FAILING_SECONDS,
    WAITING_MAX,
    DeliveryState,
    next_try_at,
)
from common.rules.problems import ProblemKind

ANSWER_LENGTH_MAX: Final = 200
"""Characters that are kept of what an endpoint answers, or of why it was not reached."""

GONE: Final = 410
"""By this answer an endpoint says that it wants to hear nothing more, ever."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """An event on its way to an endpoint; `attempts` counts this try.

    Attributes:
        event: its id, the same at each try.
        secrets: what it is signed with: the present secret, and for a while the one before.
    """

    endpoint: str
    number: int
    event: str
    type: str
    at: int
    body: str
    url: str
    attempts: int
    first_at: int
    secrets: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What became of a try.

    Attributes:
        status: of the answer; None where there was none.
        words: what is kept of it.
        took_ms: until then.
    """

    status: int | None
    words: str
    took_ms: int

    @property
    def is_good(self) -> bool:
        """Say whether it was taken: any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - what HTTP calls good


def due_endpoints(books: Transaction) -> list[str]:
    """Return the endpoints that something waits for, the time of which has come."""
    return [row["endpoint_id"] for row in books.hooks.due_endpoints(now=books.now)]


def take(books: Transaction, endpoint: str, most: int) -> list[Delivery]:
    """Return what is to be told to an endpoint now, one event of each thing, its try counted.

    So a kill between telling and noting repeats an event once, under the same id.
    """
    known = books.hooks.endpoint(endpoint_id=endpoint)
    if known is None or known["state"] != "on":
        return []
    if known["waiting"] > WAITING_MAX:
        switch_to(books, endpoint, "gone", "too_much_waiting")
        _raise(books, known, "Too much waits for it, so it was switched off.", "too much waits")
        return []
    taken = []
    for row in books.hooks.due(endpoint_id=endpoint, now=books.now, most=most):
        attempts = row["attempts"] + 1
        first_at = row["first_at"] or books.now
        books.hooks.note_try(
            endpoint_id=endpoint,
            number=row["number"],
            attempts=attempts,
            first_at=first_at,
            next_at=next_try_at(books.now, attempts, first_at) or books.now,
        )
        taken.append(_delivery(books, endpoint, row, attempts, first_at))
    return taken


def note_answer(books: Transaction, delivery: Delivery, answered: Answered) -> None:
    """Note what became of a try: taken, put off, given up, or nothing is wanted any more."""
    name, words = delivery.endpoint, answered.words[:ANSWER_LENGTH_MAX]
    books.hooks.log_try(
        endpoint_id=name,
        number=delivery.number,
        at=books.now,
        took_ms=answered.took_ms,
        answer=words,
    )
    known = books.hooks.endpoint(endpoint_id=name)
    if answered.is_good:
        _close(books, delivery, DeliveryState.DELIVERED, words)
        _answers_again(books, name, known)
        return
    if answered.status == GONE:
        _close(books, delivery, DeliveryState.GIVEN_UP, words)
        switch_to(books, name, "gone", "410")
        _raise(books, known, "It answers 410: it wants to hear nothing more.", words)
        return
    next_at = next_try_at(books.now, delivery.attempts, delivery.first_at)
    if next_at is None:
        _close(books, delivery, DeliveryState.GIVEN_UP, words)
    else:
        books.hooks.put_off(endpoint_id=name, number=delivery.number, next_at=next_at, answer=words)
    _note_failing(books, known, words)


def forget(books: Transaction, kept_seconds: int) -> None:
    """Forget what was told long ago; what waits still is kept."""
    before = books.now - kept_seconds * 1000
    books.hooks.forget_tries(before=before)
    books.hooks.forget_deliveries(before=before)
    books.hooks.forget_events(before=before)


def _answers_again(books: Transaction, name: str, known: Row) -> None:
    """Note that an endpoint answers; after a while of silence all that waits for it is due."""
    since = None if known is None else known["failing_since"]
    books.hooks.note_delivered(endpoint_id=name, at=books.now)
    if since is not None and books.now - since >= FAILING_SECONDS * 1000:
        books.hooks.say_all_now(endpoint_id=name, at=books.now)
    books.solve_problem(ProblemKind.HOOK_FAILING, name)


def _note_failing(books: Transaction, known: Row, words: str) -> None:
    if known is None:
        return
    books.hooks.note_failing(endpoint_id=known["endpoint_id"], at=books.now)
    since = known["failing_since"]
    if since is not None and books.now - since >= FAILING_SECONDS * 1000:
        _raise(books, known, "Nothing that is told to it arrives.", words)


def _raise(books: Transaction, known: Row, why: str, words: str) -> None:
    if known is None:
        return
    books.raise_problem(
        Problem(
            kind=ProblemKind.HOOK_FAILING,
            subject=known["endpoint_id"],
            why=why,
            evidence={
                "answer": words,
                "since": known["failing_since"],
                "waiting": known["waiting"],
            },
        )
    )


def _close(books: Transaction, delivery: Delivery, state: DeliveryState, words: str) -> None:
    books.hooks.close(
        endpoint_id=delivery.endpoint,
        number=delivery.number,
        state=state,
        answer=words,
        at=books.now,
    )


def _delivery(
    books: Transaction, endpoint: str, row: Row, attempts: int, first_at: int
) -> Delivery:
    numbers = [row["secret_number"]]
    if row["old_secret_until"] > books.now:
        numbers.append(row["secret_number"] - 1)
    return Delivery(
        endpoint=endpoint,
        number=row["number"],
        event=row["event_id"],
        type=row["type"],
        at=row["at"],
        body=row["body"],
        url=row["url"],
        attempts=attempts,
        first_at=first_at,
        secrets=tuple(books.keys.hook_secret(endpoint, each) for each in numbers),
    )
