"""The console's pages about terminals: who waits to be let in, what it is, and the word on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from aiohttp import web
from pydantic import Field

from cloud_controller.flows import registration
from cloud_controller.ports import NotAllowed, Row, Transaction
from cloud_controller.web.pages.console.shell import OfStore, shell_of
from cloud_controller.web.pages.steps import lead_to
from cloud_controller.web.registration import ASKED_WHY, TerminalInFull, in_full
from cloud_controller.web.routes import Call, Page, Shape
from common.ids import TerminalId
from common.messages.base import Digest, ShortText
from common.rules.accounts import Permission
from common.rules.registration import STANDING, OperatorsWord, Standing, StandingEvent

LOOK_SECONDS: Final = 15
"""Between two looks at the list: who has just been switched on is waited for."""

WAITING: Final = frozenset({Standing.PENDING})
"""Standings in which somebody waits for the operator's word."""

TONE: Final[Mapping[Standing, str]] = {
    Standing.CLAIMED: "soon",
    Standing.PENDING: "warn",
    Standing.CONFIRMED: "good",
    Standing.REJECTED: "bad",
    Standing.SUSPENDED: "warn",
    Standing.RETIRED: "",
}

DONE: Final[Mapping[StandingEvent, str]] = {
    StandingEvent.CONFIRM: "confirmed",
    StandingEvent.REJECT: "rejected",
    StandingEvent.SUSPEND: "suspended",
    StandingEvent.RESUME: "resumed",
    StandingEvent.RETIRE: "retired",
}
"""By which word the page tells what was decided."""

SAID: Final[Mapping[str, str]] = {
    **dict.fromkeys(DONE.values(), "good"),
    **dict.fromkeys(("no_reason", "no_longer"), "bad"),
}
"""What the page of a terminal may tell, `told.…`, each with its tone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A terminal in the list, with its standing's tone and the devices that it hosts."""

    row: Row
    standing: Standing
    devices: Sequence[Row]

    @property
    def tone(self) -> str:
        """Return the tone of its standing."""
        return TONE[self.standing]


class StandingForm(Shape):
    """The word, why, and for which specification: the one that the page has shown."""

    event: OperatorsWord
    reason: ShortText = ""
    gate_digest: Digest | Literal[""] = ""
    store: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]*$", max_length=64)] = ""


async def show_list(call: Call[OfStore]) -> Page:
    """Show every terminal of a store, who waits for a word first."""
    facts = await call.parts.books.read(_list, call)
    return Page(template="console/terminals.html", facts=facts, refresh_seconds=LOOK_SECONDS)


async def show_terminal(call: Call[OfStore]) -> Page:
    """Show what a terminal is, what has changed, and what each word on it would do."""
    facts = await call.parts.books.read(_terminal, call)
    return Page(template="console/terminal.html", facts=facts)


async def decide(call: Call[StandingForm]) -> web.Response:
    """Carry out the operator's word, and show the terminal again."""
    asked = call.asked
    if asked.event in ASKED_WHY and not asked.reason.strip():
        return _back(call, "no_reason")
    try:
        await call.parts.books.transact(_decide, call)
    except NotAllowed:
        return _back(call, "no_longer")
    return _back(call, DONE[asked.event])


def words_for(standing: Standing) -> tuple[StandingEvent, ...]:
    """Return what an operator may say of a terminal that stands so."""
    return tuple(word for word in get_args(OperatorsWord) if STANDING.step(standing, word))


def _decide(books: Transaction, call: Call[StandingForm]) -> None:
    terminal, asked = TerminalId(call.names["terminal"]), call.asked
    registration.decide(
        books,
        terminal,
        asked.event,
        call.operator.name,
        asked.reason.strip(),
        seen=asked.gate_digest or None,
    )


def _list(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    shell = shell_of(books, call, "terminals")
    shown = set(shell.ids)
    devices: dict[str, list[Row]] = {}
    for each in books.console.hosted():
        devices.setdefault(each["terminal_id"], []).append(each)
    listed = [
        Listed(
            row=row,
            standing=Standing(row["standing"]),
            devices=devices.get(row["terminal_id"], ()),
        )
        for row in books.console.terminals()
        if row["store_id"] in shown
    ]
    return {
        "shell": shell,
        "now": books.now,
        "waiting": [each for each in listed if each.standing in WAITING],
        "others": [each for each in listed if each.standing not in {*WAITING, Standing.RETIRED}],
        "retired": [each for each in listed if each.standing is Standing.RETIRED],
    }


def _terminal(books: Transaction, call: Call[OfStore]) -> dict[str, Any]:
    full: TerminalInFull = in_full(books, TerminalId(call.names["terminal"]))
    shell = shell_of(books, call, "terminals")
    zones = {row["store_id"]: row["time_zone"] for row in shell.stores}
    may_decide = call.operator.may(Permission.SET_UP, full.store)
    words = words_for(full.standing) if may_decide else ()
    return {
        "shell": shell,
        "now": books.now,
        "zone": zones.get(full.store, shell.zone),
        "terminal": full,
        "tone": TONE[full.standing],
        "words": words,
        "asks_why": ASKED_WHY,
        "said": call.asked.said if call.asked.said in SAID else "",
        "said_tone": SAID.get(call.asked.said, ""),
    }


def _back(call: Call[StandingForm], said: str) -> web.Response:
    where = f"/operator/terminals/{call.names['terminal']}"
    return lead_to(where, store=call.asked.store, said=said)
