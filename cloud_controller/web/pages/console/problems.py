"""What somebody must look at: the list, and each one with its evidence and what can be done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from cloud_controller import bookings
from cloud_controller.flows import alerts, problems, sessions
from cloud_controller.ports import NotAllowed, NotFound, Row, Transaction
from cloud_controller.web.acts import SAID as ACTS_SAID
from cloud_controller.web.language import Language
from cloud_controller.web.pages.console.board import events_of
from cloud_controller.web.pages.console.shell import OfStore, Shell, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.routes import Call, Page, Shape
from cloud_controller.web.timeline import MomentTold, moments_told
from common.messages.base import ShortText
from common.rules.accounts import EVERY_STORE, Permission
from common.rules.problems import SEVERITIES, ProblemKind, Severity
from common.words import problem_words_for

LIST_MAX: Final = 500
"""Problems that a page reads: more than a store of fifty PCs has open."""

SOLVED_MAX: Final = 60
"""Solved ones that are shown, the latest."""

LOOK_SECONDS: Final = 30

TONES: Final[Mapping[Severity, str]] = {
    Severity.URGENT: "bad",
    Severity.SOON: "warn",
    Severity.NOTE: "",
}

SAID: Final[Mapping[str, str]] = {
    **dict.fromkeys(("taken", "settled", "paid_back"), "good"),
    "not_paid_back": "bad",
}
"""What this page tells of its own acts, `trouble.said.…`; the rest are acts on devices."""

OPENS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("confirm", "reject", "retire", "suspend", "enrol_again", "look_at_terminal"),
        "/operator/terminals",
    ),
    **dict.fromkeys(("own_more", "return_seats", "publish", "renew"), "/operator/modules"),
    **dict.fromkeys(("look_at_store", "look_at_server", "number_store"), "/operator/setup"),
}
"""Pages on which a proposal is carried out that is not carried out here."""

HIDDEN: Final = frozenset({"link", "photo_task", "currency"})
"""Evidence that is not shown: by the first two a ticket can be used; a sum has its currency."""

SHOWN_MAX: Final = 200
"""Letters of one fact: a terminal may have said it."""


class ListWanted(OfStore):
    """Which problems are listed: those that are open, or those that were solved last."""

    solved: bool = False


class SettledForm(Shape):
    """What was done about it."""

    reason: Annotated[ShortText, Field(min_length=1, pattern=r"\S")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """One problem as it is drawn.

    Attributes:
        where: device, else terminal; empty where it is about neither.
        store: its store's title; empty where it is no store's.
    """

    row: Row
    what: str
    next: str
    severity: Severity
    where: str
    store: str
    zone: str

    @property
    def tone(self) -> str:
        """Return by what it is drawn."""
        return TONES[self.severity]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One fact that a problem was found from; `key` has words, or stands for itself."""

    key: str
    text: str


async def show_problems(call: Call[ListWanted]) -> Page:
    """Show what somebody must look at, the most pressing first."""
    facts = await call.parts.books.read(_list, call)
    return Page(template="console/problems.html", facts=facts, refresh_seconds=LOOK_SECONDS)


async def show_problem(call: Call[OfStore]) -> Page:
    """Show one problem: its cause, its evidence, and what can be done.

    Raises:
        NotFound: there is no such problem.
    """
    facts = await call.parts.books.read(_problem, call)
    return Page(template="console/problem.html", facts=facts, refresh_seconds=LOOK_SECONDS)


async def take_problem(call: Call[None]) -> web.Response:
    """Note who looks after a problem, so that nobody else is called.

    Raises:
        NotFound: there is no such problem.
    """
    problem, actor = call.names["problem"], call.operator.name
    await call.parts.books.transact(problems.take_on, problem, actor)
    return _back(problem, "taken")


async def settle_problem(call: Call[SettledForm]) -> web.Response:
    """Note that there is nothing to look at any more.

    Raises:
        NotFound: there is no such problem.
    """
    problem, actor, reason = call.names["problem"], call.operator.name, call.asked.reason
    await call.parts.books.transact(problems.solve_problem, problem, actor, reason)
    return _back(problem, "settled")


async def pay_back(call: Call[None]) -> web.Response:
    """Give the reservation of a problem up for its customer, and what was paid for it back.

    Raises:
        NotFound: there is no such problem, or it is about no reservation.
    """
    problem, actor = call.names["problem"], call.operator.name
    try:
        await call.parts.books.transact(_give_up, problem, actor)
    except NotAllowed:
        return _back(problem, "not_paid_back")
    return _back(problem, "paid_back")


def _give_up(books: Transaction, problem: str, actor: str) -> None:
    row = books.problems.with_link(problem_id=problem)
    if row is None:
        raise NotFound(what="reservation")
    bookings.give_up(books, row["link"], by_customer=False)
    books.audit(actor, "reservation.given_up", row["reservation_id"], f"problem {problem}")


def _back(problem: str, said: str) -> web.Response:
    return lead_to(f"/operator/problems/{problem}", said=said)


def _list(books: Transaction, call: Call[ListWanted]) -> dict[str, Any]:
    shell = shell_of(books, call, "problems")
    is_solved = call.asked.solved
    rows = books.problems.solved(most=LIST_MAX) if is_solved else books.problems.open(most=LIST_MAX)
    seen = [row for row in rows if _is_shown(row, shell, call)]
    found = [_trouble(row, call.language) for row in seen]
    return {
        "shell": shell,
        "events": events_of(shell),
        "now": books.now,
        "is_solved": is_solved,
        "solved": found[:SOLVED_MAX] if is_solved else [],
        "groups": [] if is_solved else _grouped(found),
    }


def _is_shown(row: Row, shell: Shell, call: Call[Any]) -> bool:
    """Say whether a problem is in the chosen stores; one of none is whoever's who has all."""
    if row["store_id"] is None:
        return not shell.store and EVERY_STORE in call.operator.stores(Permission.LOOK)
    return row["store_id"] in shell.ids


def _grouped(found: Sequence[Trouble]) -> list[tuple[Severity, list[Trouble]]]:
    by_severity = [
        (severity, [each for each in found if each.severity is severity])
        for severity in reversed(Severity)
    ]
    return [(severity, group) for severity, group in by_severity if group]


def _problem(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    row = books.problems.problem_shown(problem_id=call.names["problem"])
    if row is None:
        raise NotFound(what="problem")
    trouble = _trouble(row, call.language)
    shell = shell_of(books, call, "problems")
    said = call.asked.said
    may = call.operator.may(Permission.SERVE, row["store_id"] or EVERY_STORE)
    return {
        "shell": shell,
        "events": events_of(shell),
        "now": books.now,
        "trouble": trouble,
        "facts_found": _facts(row, trouble.zone, call.language, books.now),
        "proposals": _proposals(row) if may and row["solved_at"] is None else [],
        "may": may and row["solved_at"] is None,
        "told": alerts.told(books, row["problem_id"]),
        "moments": _story(books, row, call.language),
        "said": _said(said),
    }


def _said(said: str) -> tuple[str, str] | None:
    """Return the words and the tone of what was done just now."""
    if said in SAID:
        return f"trouble.said.{said}", SAID[said]
    return (f"acts.said.{said}", ACTS_SAID[said]) if said in ACTS_SAID else None


def _story(books: Transaction, row: Row, language: Language) -> Sequence[MomentTold]:
    if row["reservation_id"] is None:
        return ()
    try:
        proof = sessions.proof_of(books, row["reservation_id"])
    except NotFound:
        return ()  # it is kept elsewhere
    return moments_told(proof, language)


def _trouble(row: Row, language: Language) -> Trouble:
    kind = ProblemKind(row["kind"])
    words = problem_words_for(kind, language.code)
    where = row["hostname"] or ""
    if row["device_title"] is not None:
        where = f"{row['device_number']} · {row['device_title']}"
    return Trouble(
        row=row,
        what=words.what,
        next=words.next,
        severity=SEVERITIES[kind],
        where=where,
        store=row["store_title"] or "",
        zone=row["time_zone"] or "UTC",
    )


def _proposals(row: Row) -> list[dict[str, Any]]:
    """Return what can be done here or on another page, each with where it is done."""
    found: list[dict[str, Any]] = []
    for each in json.loads(row["proposals"]):
        do = each["do"]
        if do in ("close", "look_at_ticket"):
            continue  # the page has both anyway
        opens = OPENS.get(do, "")
        if opens == "/operator/terminals" and row["terminal_id"]:
            opens = f"{opens}/{row['terminal_id']}"
        if opens and any(other["opens"] == opens for other in found):
            continue  # one link is enough
        found.append({**each, "opens": opens})
    return found


def _facts(row: Row, zone: str, language: Language, now: int) -> list[Fact]:
    evidence = json.loads(row["evidence"])
    return [
        Fact(key=key, text=_text(key, value, evidence, zone, language, now))
        for key, value in evidence.items()
        if key not in HIDDEN
        and value not in (None, "", [], {})
        and (key, value) != ("device", row["device_id"])  # the head of the page has its title
    ]


def _text(
    key: str, value: object, evidence: Mapping[str, Any], zone: str, language: Language, now: int
) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if key == "at" or key.endswith("_at"):
            return language.moment(int(value), zone, now=now)
        if key == "seconds" or key.endswith("_seconds"):
            return language.length(float(value))
        if key == "cents" and "currency" in evidence:
            return language.amount(int(value), evidence["currency"])
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:SHOWN_MAX]
